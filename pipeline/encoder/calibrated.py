"""Mode `calibrated`: a likelihood that no choice of units of the latents can change, then causal power under it.

Scale d says of the next frame: latents N(f_d(y_d(t)), R_d), everything dropped on the way N(0, 1). Through the flows
that is a density of x(t+1), so the losses of all scales are in nats per frame of the same data. Latents are white over
the training fold and R_d is the covariance of its residuals: both are solved for, not trained.

Stage 1 minimises the mean over scales of that loss. Stage 2 maximises the mean over scales of causal power per
dimension while the loss of each scale stays within the tolerance of what stage 1 reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, pi

import torch
from torch import Tensor

from pipeline.encoder.dynamics import BoundedDynamics
from pipeline.encoder.folds import Folds, frame_weight
from pipeline.encoder.hierarchy import Hierarchy, Level, moments
from pipeline.encoder.layers import CouplingFlow, Generators

FLOOR = 1e-4  # least residual variance of a whitened latent: causal power is at most 6.6 bits per dimension
PENALTY = 3.0  # of a nat of loss beyond the tolerance, where stage 2 gains a nat of causal power
SAMPLES = 64  # of the intervention, at which training takes Jacobians


@dataclass(frozen=True)
class Residuals:
    """One step of every scale over a set of transitions.

    Attributes:
        errors: per scale (model, pair, d) y(t+1) - f(y(t)).
        rest: per scale (model, pair) nats of what was dropped and of the volume, at t+1.
    """

    errors: list[Tensor]
    rest: list[Tensor]


def residuals(model: Hierarchy, levels: list[Level], pairs: int) -> Residuals:
    """Predict every scale; the first `pairs` rows lead to the last ones.

    Args:
        model: the hierarchies.
        levels: encoded rows, as `Hierarchy.encode` returns them.
        pairs: number of transitions.
    """
    errors, rest, dropped = [], [], torch.zeros_like(levels[0].volume[:, -pairs:])
    for level, f in zip(levels, model.dynamics, strict=True):
        errors.append(level.latents[:, -pairs:] - f(level.latents[:, :pairs]))
        w = level.dropped[:, -pairs:]
        dropped = dropped + 0.5 * (w**2).sum(dim=-1) + 0.5 * log(2 * pi) * w.shape[-1]
        rest.append(dropped - level.volume[:, -pairs:])
    return Residuals(errors, rest)


def covariance(errors: Tensor, weight: Tensor) -> Tensor:
    """Return mean outer products (model, d, d) of errors, with the floor on their variances.

    Args:
        errors: (model, pair, d).
        weight: (model, pair), summing to 1.
    """
    eye = torch.eye(errors.shape[-1], dtype=errors.dtype, device=errors.device)
    found: Tensor = errors.mT @ (weight[..., None] * errors) + FLOOR * eye
    return found


def negative_log_likelihood(errors: Tensor, rest: Tensor, root: Tensor, weight: Tensor) -> Tensor:
    """Return the mean loss (model,) [nat per frame].

    Args:
        errors: (model, pair, d).
        rest: (model, pair) nats of all but the latents.
        root: (model, d, d) Cholesky factor of the residual covariance.
        weight: (model, pair), summing to 1.
    """
    scaled = torch.linalg.solve_triangular(root, errors.mT, upper=False)
    each: Tensor = 0.5 * (scaled**2).sum(dim=-2) + rest
    mean: Tensor = (weight * each).sum(dim=1) + half_log_det(root) + 0.5 * log(2 * pi) * errors.shape[-1]
    return mean


def half_log_det(root: Tensor) -> Tensor:
    """Return half the log-determinant (...) of the matrices with these Cholesky factors (..., d, d)."""
    return torch.log(torch.diagonal(root, dim1=-2, dim2=-1)).sum(dim=-1)


def channel_information(jacobians: Tensor, noise: Tensor) -> Tensor:
    """Return causal power (model,) [nat] of white latents, with its gradient and for all models at once.

    What is reported is computed by `pipeline.emergence.gaussian.causal_power`; this is the same in the one case that
    training needs.

    Args:
        jacobians: (model, sample, d, d).
        noise: (model, d, d) residual covariance.
    """
    whole = noise[:, None] + jacobians @ jacobians.mT
    return half_log_det(torch.linalg.cholesky(whole)).mean(dim=1) - half_log_det(torch.linalg.cholesky(noise))


@dataclass
class Calibrated:
    """What the two stages of mode `calibrated` minimise, and how they are held against held-out blocks.

    Attributes:
        folds: the data.
        tolerance: by how much the loss of a scale may exceed that of stage 1 [nat per unit and frame].
        batch: most transitions of one training step; where there are no more, all of them.
        start: flows begin at the linear optimum ("linear"), or at a random rotation of white units ("random").
        limits: (model, scale) the losses that stage 2 may not exceed, on the training and on the held-out fold.
    """

    folds: Folds
    tolerance: float
    batch: int
    start: str = "linear"
    limits: dict[str, Tensor] = field(default_factory=dict)

    stages = ("predict", "power")

    def prepare(self, model: Hierarchy, rngs: Generators) -> None:
        """Set a fresh model at its starting point.

        Args:
            model: the hierarchies.
            rngs: one per model; they draw the random rotations.
        """
        f = self.folds
        model.fit_units(f.values, frame_weight(f.train_weight, f.lag))
        _start(model, f, rngs if self.start == "random" else None)

    def begin(self, stage: str, model: Hierarchy) -> None:
        """Before stage 2: fix the losses that it may not exceed.

        Args:
            stage: its name.
            model: as stage 1 left it.
        """
        if stage == "power":
            room = self.tolerance * model.architecture.n_units
            found = self.evaluate(model, "predict")
            self.limits = {name: found[name] + room for name in ("train_loss", "held_out_loss")}

    def loss(self, model: Hierarchy, stage: str, rng: torch.Generator) -> Tensor:
        """Return what one training step minimises, (model,).

        Args:
            model: the hierarchies.
            stage: name of the stage.
            rng: chooses transitions and draws interventions.
        """
        for f in model.dynamics:
            assert isinstance(f, BoundedDynamics)
            f.iterate()
        rows, weight, frames = self._rows(rng)
        found = residuals(model, model.encode(rows, weight=frames), weight.shape[1])
        noises = [covariance(e, weight) for e in found.errors]
        losses = torch.stack(
            [
                negative_log_likelihood(e, rest, torch.linalg.cholesky(r), weight)
                for e, rest, r in zip(found.errors, found.rest, noises, strict=True)
            ],
            dim=1,
        )
        if stage == "predict":
            return losses.mean(dim=1)
        size = losses.new_tensor(model.scales)
        power = self._power(model, noises, _interventions(model, SAMPLES, rng))
        excess = torch.relu(losses - self.limits["train_loss"])
        return ((PENALTY * excess - power) / size).mean(dim=1)

    @torch.no_grad()
    def evaluate(self, model: Hierarchy, stage: str) -> dict[str, Tensor]:
        """Fix the whitening on the training fold and hold the model against the held-out one.

        Args:
            model: the hierarchies.
            stage: name of the stage.

        Returns:
            score (model,), the lower the better; (model, scale) held_out_loss and train_loss [nat per frame] and power
            [bit].
        """
        f = self.folds
        frames = frame_weight(f.train_weight, f.lag)
        model.fit_whitening(f.values, frames)
        found = residuals(model, model.encode(f.values), f.train.shape[1])
        train, held, noises = [], [], []
        for e, rest in zip(found.errors, found.rest, strict=True):
            root = torch.linalg.cholesky(covariance(e, f.train_weight))
            train.append(negative_log_likelihood(e, rest, root, f.train_weight))
            held.append(negative_log_likelihood(e, rest, root, f.held_weight))
            noises.append(covariance(e, f.held_weight))
        fixed = torch.Generator().manual_seed(0)
        power = self._power(model, noises, _interventions(model, SAMPLES, fixed)) / log(2)
        table = {"train_loss": torch.stack(train, 1), "held_out_loss": torch.stack(held, 1), "power": power}
        return {**table, "score": self._score(model, stage, table)}

    def _score(self, model: Hierarchy, stage: str, table: Mapping[str, Tensor]) -> Tensor:
        if stage == "predict":
            return table["held_out_loss"].mean(dim=1)
        gain = (table["power"] / table["power"].new_tensor(model.scales)).mean(dim=1)
        within = (table["held_out_loss"] <= self.limits["held_out_loss"]).all(dim=1)
        return torch.where(within, -gain, torch.inf)

    def _power(self, model: Hierarchy, noises: list[Tensor], samples: list[Tensor]) -> Tensor:
        """Causal power (model, scale) [nat] at samples of the intervention."""
        return torch.stack(
            [
                channel_information(f.jacobians(y), noise)
                for f, y, noise in zip(model.of_scales(), samples, noises, strict=True)
            ],
            dim=1,
        )

    def _rows(self, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Rows whose first ones lead to the last ones, what each transition counts, and each row."""
        f = self.folds
        if f.train.shape[1] <= self.batch:
            return f.values, f.train_weight, frame_weight(f.train_weight, f.lag)
        return random_pairs(f, self.batch, rng)


def random_pairs(folds: Folds, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw training transitions of every model.

    Args:
        folds: the data.
        n: how many.
        rng: chooses them.

    Returns:
        Rows (model, 2 n, unit), where transitions start and then where they lead; weights (model, n) and (model, 2 n).
    """
    values, device = folds.values, folds.values.device
    chosen = torch.multinomial(folds.train.cpu().float(), n, replacement=True, generator=rng).to(device)
    both = torch.cat([chosen, chosen + folds.lag], dim=1)
    rows = torch.take_along_dim(values, both[..., None], dim=1)
    return rows, values.new_full((len(values), n), 1 / n), values.new_full((len(values), 2 * n), 0.5 / n)


def _interventions(model: Hierarchy, n: int, rng: torch.Generator) -> list[Tensor]:
    """Samples (model, n, d) of white latents of every scale; all models have the same."""
    like = model.unit_mean
    drawn = torch.randn(n, model.scales[0], generator=rng, dtype=torch.float64).to(like)
    return [drawn[:, :d].expand(model.n_models, n, d).contiguous() for d in model.scales]


@torch.no_grad()
def _start(model: Hierarchy, folds: Folds, rngs: Generators | None) -> None:
    """Set flows and dynamics to linear maps: white latents, the most predictable directions first.

    Directions are eigenvectors of C Cᵀ + Cᵀ C, C the covariance of white latents with those one step later, so that
    what predicts and what is predicted count alike. With `rngs` the directions are random ones instead.
    """
    weight = folds.train_weight[..., None]
    frames = frame_weight(folds.train_weight, folds.lag)
    y = (folds.values - model.unit_mean) / model.unit_sd
    for level, d in enumerate(model.scales):
        mean, root = moments(y, frames)
        white = torch.linalg.inv(root)
        z = (y - mean) @ white.mT
        cross = folds.later(z).mT @ (weight * folds.now(z))
        if rngs is None:
            turn = torch.linalg.eigh(cross @ cross.mT + cross.mT @ cross)[1].flip(-1).mT
        else:
            size = y.shape[-1], y.shape[-1]
            drawn = torch.stack([torch.randn(size, generator=rng, dtype=torch.float64) for rng in rngs])
            turn = torch.linalg.qr(drawn)[0].to(y)
        flow, f = model.flows[level], model.dynamics[level]
        assert isinstance(flow, CouplingFlow)
        assert isinstance(f, BoundedDynamics)
        assert flow.linear is not None
        flow.linear.copy_(turn @ white)
        kept = (z @ turn.mT)[..., :d]
        f.linear.copy_(folds.later(kept).mT @ (weight * folds.now(kept)))
        f.iterate(50)
        y = kept
