"""Mode `published`: both stages as the mouse study trains them (Wang et al. 2025, arXiv:2509.10891).

Stage 1 minimises the mean over scales of the L1 error of the decoded prediction of x(t+1). Stage 2 goes on for each
scale by itself from where stage 1 ended: the forward error of that scale, and the L1 error of its inverse dynamics,
weighted as if its latents were uniform on a box. What it leaves to choose is a field of `Conventions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log, pi

import torch
from torch import Tensor

from pipeline.encoder.calibrated import random_pairs
from pipeline.encoder.folds import Folds, frame_weight
from pipeline.encoder.hierarchy import Hierarchy, Level
from pipeline.encoder.layers import Generators


@dataclass(frozen=True)
class Conventions:
    """What the published method leaves to choose.

    Attributes:
        padding_sd: standard deviation of the noise in place of what was dropped, when a prediction is decoded.
        box: half width L of the box [-L, L]^d on which latents are made uniform.
        bandwidth: of the Gaussian kernel density of latents.
        density_samples: transitions, chosen at random, whose latents the density is made of.
        refresh: steps after which the weights are computed anew.
        normalised: weights are divided by their mean, so that their scale does not act as a learning rate.
        backward: what the backward error counts beside the forward one.
        squashed: dynamics end in a tanh.
        standardised: units are brought to mean 0 and standard deviation 1 over the training fold.
    """

    padding_sd: float = 1 / 3
    box: float = 1.0
    bandwidth: float = 0.05
    density_samples: int = 1000
    refresh: int = 1000
    normalised: bool = True
    backward: float = 1.0
    squashed: bool = True
    standardised: bool = True


@dataclass
class Published:
    """What the stages of mode `published` minimise; see `pipeline.encoder.calibrated.Calibrated` for the methods.

    Attributes:
        folds: the data.
        scales: of the hierarchy, each with a second stage of its own.
        batch: transitions of one training step.
        conventions: what is left to choose.
    """

    folds: Folds
    scales: tuple[int, ...]
    batch: int = 512
    conventions: Conventions = field(default_factory=Conventions)
    _weights: Tensor | None = None
    _age: int = 0

    @property
    def stages(self) -> tuple[str, ...]:
        """Stage 1, then stage 2 of every scale."""
        return ("predict", *(f"power-{d}" for d in self.scales))

    def prepare(self, model: Hierarchy, rngs: Generators) -> None:
        """Standardise the units."""
        if self.conventions.standardised:
            model.fit_units(self.folds.values, frame_weight(self.folds.train_weight, self.folds.lag))

    def begin(self, stage: str, model: Hierarchy) -> None:
        """Forget the weights of another scale."""
        self._weights, self._age = None, 0

    def loss(self, model: Hierarchy, stage: str, rng: torch.Generator) -> Tensor:
        """Return what one training step minimises, (model,)."""
        if stage != "predict":
            scale = int(stage.rpartition("-")[2])
            self._refresh(model, scale, rng)
            rows, kept = self._weighted_pairs(rng)
            return self._of_scale(model, scale, rows, kept, rng)
        rows, _, _ = random_pairs(self.folds, self.batch, rng)
        now, later = rows[:, : self.batch], rows[:, self.batch :]
        return forward_errors(model, model.encode(now), later, self.conventions.padding_sd, rng).mean(dim=1)

    @torch.no_grad()
    def evaluate(self, model: Hierarchy, stage: str) -> dict[str, Tensor]:
        """Hold the model against the held-out fold: score (model,) and (model, scale) held_out_loss, L1 per unit."""
        f, rng = self.folds, torch.Generator().manual_seed(0)
        now, later = f.now(f.values), f.later(f.values)
        levels = model.encode(now)
        errors = forward_errors(model, levels, later, self.conventions.padding_sd, rng, f.held_weight)
        score = errors.mean(dim=1)
        if stage != "predict":
            scale = int(stage.rpartition("-")[2])
            level = model.level_of(scale)
            y = levels[level].latents
            after = model.encode(later, scale)[-1].latents
            missed = (model.inverse_dynamics[level](after) - y).abs().mean(dim=-1)
            score = errors[:, level] + self.conventions.backward * (f.held_weight * missed).sum(dim=1)
        return {"held_out_loss": errors, "score": score}

    def _of_scale(self, model: Hierarchy, scale: int, rows: Tensor, kept: Tensor, rng: torch.Generator) -> Tensor:
        """Forward and weighted backward error (model,) of one scale."""
        level, n = model.level_of(scale), self.batch
        latents = model.encode(rows, scale)[-1].latents
        now, later = latents[:, :n], latents[:, n:]
        predicted = model.dynamics[level](now)
        padding = self.conventions.padding_sd
        decoded = _ascended(model, predicted, level, padding, rng)
        forward = (decoded - rows[:, n:]).abs().mean(dim=(1, 2))
        backward = (kept * (model.inverse_dynamics[level](later) - now).abs().mean(dim=-1)).mean(dim=1)
        both: Tensor = forward + self.conventions.backward * backward
        return both

    def _refresh(self, model: Hierarchy, scale: int, rng: torch.Generator) -> None:
        """Compute the weights (model, pair) anew when they are old."""
        if self._weights is None or self._age % self.conventions.refresh == 0:
            with torch.no_grad():
                rows, _, _ = random_pairs(self.folds, self.conventions.density_samples, rng)
                sample = model.encode(rows[:, : self.conventions.density_samples], scale)[-1].latents
                latents = model.encode(self.folds.now(self.folds.values), scale)[-1].latents
                self._weights = uniform_weights(latents, sample, self.conventions) * self.folds.train
                if self.conventions.normalised:
                    mean = (self._weights * self.folds.train_weight).sum(dim=1, keepdim=True)
                    self._weights = self._weights / mean.clamp_min(1e-30)
        self._age += 1

    def _weighted_pairs(self, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows as `random_pairs` gives them, with the weights (model, batch) of their latents."""
        assert self._weights is not None
        f, device = self.folds, self.folds.values.device
        chosen = torch.multinomial(f.train.cpu().float(), self.batch, replacement=True, generator=rng).to(device)
        rows = torch.take_along_dim(f.values, torch.cat([chosen, chosen + f.lag], dim=1)[..., None], dim=1)
        return rows, self._weights.gather(1, chosen)


def uniform_weights(latents: Tensor, sample: Tensor, conventions: Conventions) -> Tensor:
    """Return the inverse densities (model, row) that make latents uniform on the box; 0 outside it.

    Args:
        latents: (model, row, d).
        sample: (model, n, d) latents that the density is estimated of.
        conventions: box and bandwidth.
    """
    d, h = latents.shape[-1], conventions.bandwidth
    distance = torch.cdist(latents / h, sample / h) ** 2
    log_density = torch.logsumexp(-0.5 * distance, dim=-1) - log(sample.shape[1]) - d * log(h * (2 * pi) ** 0.5)
    inside = (latents.abs() <= conventions.box).all(dim=-1)
    return inside * torch.exp((-log_density - d * log(2 * conventions.box)).clamp_max(60.0))


def forward_errors(
    model: Hierarchy,
    levels: list[Level],
    later: Tensor,
    padding_sd: float,
    rng: torch.Generator,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the L1 error (model, scale) per unit of the decoded predictions of x(t+1).

    Predictions of all scales rise through the flows together, each joined where its scale is.

    Args:
        model: the hierarchies.
        levels: encoded frames x(t).
        later: (model, row, unit) frames x(t+1).
        padding_sd: standard deviation of what stands in for what was dropped; 0 for its mean.
        rng: draws it.
        weight: (model, row) what each row counts, summing to 1; alike by default.
    """
    rising = later.new_empty(len(later), 0, 1)
    for level in range(len(levels) - 1, -1, -1):
        predicted = model.dynamics[level](levels[level].latents)
        rising = torch.cat([predicted, rising], dim=1) if rising.shape[1] else predicted
        rising = model.ascend(rising, level, _padding(model, rising, level, padding_sd, rng))
    decoded = rising * model.unit_sd + model.unit_mean
    decoded = decoded.reshape(len(later), len(levels), *later.shape[1:])
    errors = (decoded - later[:, None]).abs().mean(dim=-1)
    mean: Tensor = errors.mean(dim=-1) if weight is None else (errors * weight[:, None]).sum(dim=-1)
    return mean


def _ascended(model: Hierarchy, y: Tensor, level: int, padding_sd: float, rng: torch.Generator) -> Tensor:
    """Decode latents of one level with noise in place of what was dropped."""
    for at in range(level, -1, -1):
        y = model.ascend(y, at, _padding(model, y, at, padding_sd, rng))
    return y * model.unit_sd + model.unit_mean


def _padding(model: Hierarchy, y: Tensor, level: int, padding_sd: float, rng: torch.Generator) -> Tensor:
    missing = (model.scales[level - 1] if level else model.scales[0]) - y.shape[-1]
    if not padding_sd or not missing:
        return y.new_zeros(*y.shape[:-1], missing)
    drawn = torch.randn(y.shape[0], y.shape[1], missing, generator=rng, dtype=torch.float32)
    return padding_sd * drawn.to(y)
