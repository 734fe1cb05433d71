"""Causal power of every scale of trained hierarchies, and of their nulls, which were trained in the same stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import runs_of
from pipeline.base.seeds import derive
from pipeline.emergence.gaussian import causal_power, interventions, published_j
from pipeline.emergence.published import log_determinants, residual_variances
from pipeline.encoder.dynamics import Dynamics, ResidualDynamics
from pipeline.encoder.folds import frame_weight
from pipeline.encoder.hierarchy import Hierarchy
from pipeline.encoder.published import Conventions, uniform_weights
from pipeline.encoder.training import Trained, train
from pipeline.nulls.draw import draw

SAMPLES = 512  # of the intervention, at which Jacobians are taken


class Channel(NamedTuple):
    """The learned channel of one scale, of all models.

    Attributes:
        jacobians: (model, sample, d, d) of f at samples of the intervention.
        noise: (model, d, d) covariance of the residuals on the held-out fold.
        spread: (model, d, d) covariance of the latents on the training fold.
    """

    jacobians: Floats
    noise: Floats
    spread: Floats


class Reading(NamedTuple):
    """One scale of trained hierarchies in double precision.

    Attributes:
        model: the hierarchies.
        level: place of the scale.
        latents: (model, frame, d) of the data.
    """

    model: Hierarchy
    level: int
    latents: Tensor

    @property
    def dynamics(self) -> Dynamics:
        """Dynamics of the scale."""
        return self.model.of_scales()[self.level]


@torch.no_grad()
def readings(trained: Trained) -> Iterator[Reading]:
    """Yield every scale, from all dimensions down; hierarchies that have all of them are read once.

    Args:
        trained: the hierarchies.
    """
    values, scales = trained.folds.values.double(), trained.model.scales
    if trained.mode == "published":
        for level, scale in enumerate(scales):
            model = trained.doubled(scale)
            yield Reading(model, level, model.encode(values, scale)[-1].latents)
    else:
        model = trained.doubled(1)
        for level, found in enumerate(model.encode(values)):
            yield Reading(model, level, found.latents)


@torch.no_grad()
def channel(trained: Trained, read: Reading, samples: int = SAMPLES, seed: int = 0) -> Channel:
    """Return the learned channel of one scale.

    Args:
        trained: the hierarchies.
        read: the scale.
        samples: number of samples of the intervention, a Gaussian with the latents' mean and covariance.
        seed: of the samples.
    """
    folds, y, f = trained.folds, read.latents, read.dynamics
    errors = folds.later(y) - f(folds.now(y))
    weight = frame_weight(folds.train_weight, folds.lag).double()[..., None]
    mean = (weight * y).sum(dim=1, keepdim=True)
    spread = (y - mean).mT @ (weight * (y - mean))
    noise = errors.mT @ (folds.held_weight.double()[..., None] * errors)
    drawn = [interventions(s, samples, seed, m[0]) for s, m in zip(spread, mean, strict=True)]
    at = torch.as_tensor(np.stack(drawn), device=y.device)
    return Channel(*(part.detach().cpu().numpy() for part in (_slopes(f, at), noise, spread)))


def powers(trained: Trained, samples: int = SAMPLES, seed: int = 0) -> Floats:
    """Compute the causal power (model, scale) [bit] of every scale, in total.

    Args:
        trained: the hierarchies.
        samples: number of samples of the intervention.
        seed: of the samples.
    """
    found = np.empty((trained.model.n_models, len(trained.model.scales)))
    for column, read in enumerate(readings(trained)):
        parts = channel(trained, read, samples, seed)
        found[:, column] = [float(causal_power(*one).total) for one in zip(*parts, strict=True)]
    return found


@torch.no_grad()
def published_powers(
    trained: Trained, conventions: Conventions | None = None, samples: int = SAMPLES, seed: int = 0, **switches: Any
) -> Floats:
    """Compute J (model, scale) [nat per dimension] of every scale as published; see `published_j` for its faults.

    Args:
        trained: the hierarchies, of mode `published`.
        conventions: box, and density of the weights.
        samples: drawn uniformly on the box.
        seed: of the samples.
        **switches: of `pipeline.emergence.gaussian.published_j`.
    """
    conventions = conventions or Conventions()
    found, folds = np.empty((trained.model.n_models, len(trained.model.scales))), trained.folds
    rng = np.random.default_rng(seed)
    for column, read in enumerate(readings(trained)):
        y, f = read.latents, read.dynamics
        box = rng.uniform(-conventions.box, conventions.box, (samples, y.shape[-1]))
        logs = log_determinants(f.jacobians(torch.as_tensor(box).expand(len(y), -1, -1).to(y)))
        errors = folds.later(y) - f(folds.now(y))
        for i in range(len(y)):
            held, now = folds.held[i], folds.now(y)[i]
            weights = uniform_weights(now[None, held], now[None, folds.train[i]], conventions)[0]
            weights = weights if weights.sum() > 0 else torch.ones_like(weights)  # none of them is in the box
            found[i, column] = published_j(logs[i], residual_variances(errors[i, held], weights), **switches)
    return found


def _slopes(f: Any, y: Tensor) -> Tensor:
    """Jacobians of the whole map, with the tanh of the published one."""
    found: Tensor = f.jacobians(y)
    if isinstance(f, ResidualDynamics) and f.squashed:
        found = (1 - f(y) ** 2)[..., None] * found
    return found.detach()


@dataclass(frozen=True)
class AgainstNull:
    """A value beside those of its null.

    Attributes:
        value: of the data.
        null_mean, null_sd: of the surrogates.
        z: (value - null_mean) / null_sd.
        p: one-sided, (1 + surrogates that reach the value) / (1 + surrogates).
        excess: value - null_mean.
        low, high: prediction interval of the excess, under the hypothesis that the data are one more surrogate
            (Student's t), around `excess`: where it includes 0, they could be.
    """

    value: float
    null_mean: float
    null_sd: float
    z: float
    p: float
    excess: float
    low: float
    high: float


def held_against(value: float, null: Floats, confidence: float = 0.95) -> AgainstNull:
    """Hold a value against its null.

    Args:
        value: of the data.
        null: (surrogate,) values of at least two surrogates.
        confidence: of the interval.

    >>> held_against(1.0, np.array([0.0, 0.2, 0.4])).p
    0.25
    """
    from scipy.stats import t

    n, mean, sd = len(null), float(null.mean()), float(null.std(ddof=1))
    half = float(t.ppf((1 + confidence) / 2, n - 1)) * sd * (1 + 1 / n) ** 0.5
    excess = value - mean
    z = excess / sd if sd > 0 else float("nan")
    p = float((1 + (null >= value).sum()) / (1 + n))
    return AgainstNull(value, mean, sd, z, p, excess, excess - half, excess + half)


@dataclass(frozen=True)
class Stack:
    """Windows, their seeds and their surrogates as one stack of series.

    Attributes:
        series: (frame, unit) of every model.
        runs: of every model.
        seeds: of every model.
        keys: window, seed, name of the null ("" for the data) and number of the surrogate of every model.
    """

    series: list[Array]
    runs: list[Ints]
    seeds: list[int]
    keys: list[tuple[str, int, str, int]]


def stack(
    windows: Mapping[str, tuple[Array, Ints | None]],
    *,
    kinds: Sequence[str],
    surrogates: int,
    seeds: int,
    seed: int,
) -> Stack:
    """Draw the surrogates of every window and put them beside it.

    Args:
        windows: by name (frame, unit) activity and (frame,) runs.
        kinds: nulls.
        surrogates: how many of each.
        seeds: initialisations of each series; those of the surrogates are those of the data.
        seed: fixes all.
    """
    made = Stack([], [], [], [])
    for name, (values, given) in windows.items():
        runs = runs_of(given, len(values))
        one: list[tuple[str, int, Array, Ints]] = [("", 0, values, runs)]
        for kind in kinds:
            drawn = draw(values, kind, surrogates, derive(seed, "surrogates", name), runs)
            shared = drawn.runs.ndim == 1
            one += [(kind, i, v, drawn.runs if shared else drawn.runs[i]) for i, v in enumerate(drawn.values)]
        for start in range(seeds):
            for kind, i, values_of, runs_of_it in one:
                made.series.append(values_of)
                made.runs.append(runs_of_it)
                made.seeds.append(derive(seed, "start", name, start))
                made.keys.append((name, start, kind, i))
    return made


def train_stack(made: Stack, **options: Any) -> Trained:
    """Train a stack; see `pipeline.encoder.train`.

    Args:
        made: the stack.
        **options: of `train`.
    """
    return train(made.series, made.runs, seeds=made.seeds, **options)
