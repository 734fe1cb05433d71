"""Whether a difference between two conditions survives equal detection, as far as their states can tell.

A unit that fires less and one that is seen less look alike in ON and OFF: from the states of two conditions their
detection is not identified (`tpm.method: latent` goes by what lies behind the states: it takes the distribution of the
signal given the states as that of the whole recording). What can be said is conditional, and is said twice:

- *matched detection*: all of the difference in how often a unit is ON is taken for one of detection. In the condition
  in which it is ON more often so many of its ON states are lost, at random, that it is ON as often as in the other;
  phi_s of both is estimated again.
- *tipping point*: how many of the ON states of all units would have to be missed (or how many OFF states seen as ON)
  in the condition with the larger phi_s to bring it down to that of the other. A difference that a few more misses
  explain is none to rely on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import encode, raster
from pipeline.base.seeds import generator
from pipeline.integration.batch import system_phi
from pipeline.tpm.estimation import estimated_with, point_estimates

MISSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8)  # of the ON states
FALSE_ON = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)  # of the OFF states
REPEATS = 5


class Seen(NamedTuple):
    """The states of one window, and how its TPM was estimated.

    Attributes:
        values: (frame, unit) states.
        runs: (frame,) run of consecutive frames.
        estimated: keywords of `pipeline.tpm.point_estimates`.
    """

    values: Array
    runs: Ints
    estimated: Mapping[str, Any]


def degraded(values: Array, misses: float | Floats, false_on: float | Floats, rng: np.random.Generator) -> Array:
    """Return states as a poorer detection would show them.

    Args:
        values: (frame, unit) of 0 and 1.
        misses: probability that an ON state is seen as OFF, one for all units or (unit,).
        false_on: probability that an OFF state is seen as ON, likewise.
        rng: source of all chance.

    >>> degraded(np.array([[1, 0], [1, 0]]), 1.0, np.array([0.0, 1.0]), np.random.default_rng(0)).tolist()
    [[0, 1], [0, 1]]
    """
    luck = rng.random(values.shape)
    return np.where(values == 1, luck >= misses, luck < false_on).astype(values.dtype)


def matched(a: Array, b: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return the states of two windows with as many ON states lost as makes every unit ON equally often in both.

    Args:
        a: (frame, unit) of 0 and 1.
        b: the same units in the other window.
        rng: source of all chance.
    """
    rates = a.mean(axis=0), b.mean(axis=0)
    least = np.minimum(*rates)
    lost = [1 - np.divide(least, rate, out=np.ones_like(rate), where=rate > 0) for rate in rates]
    return degraded(a, lost[0], 0.0, rng), degraded(b, lost[1], 0.0, rng)


def phi_of(rasters: Array, seen: Seen) -> Floats:
    """Return phi_s [ibit] of rasters (raster, frame, unit), estimated as the window was: (raster,).

    Args:
        rasters: states of the window's frames.
        seen: the window.
    """
    p_on = point_estimates(rasters, segments=seen.runs, **seen.estimated)
    visits = np.stack([np.bincount(code, minlength=p_on.shape[1]) for code in encode(rasters)])
    chosen = np.flatnonzero(visits.any(axis=0))
    weights = visits[:, chosen] / visits.sum(axis=1, keepdims=True)
    mean: Floats = (system_phi(p_on, chosen) * weights).sum(axis=1)
    return mean


def tipping_point(seen: Seen, goal: float, levels: Iterable[float], worse: Callable[[float], Array]) -> float:
    """Return the least level of errors that brings phi_s of a window down to a goal; NaN where none does.

    Args:
        seen: the window.
        goal: phi_s [ibit] of the other.
        levels: increasing, from 0; between them phi_s is taken as linear.
        worse: gives rasters (raster, frame, unit) of the window at a level.
    """
    before: tuple[float, float] | None = None
    for level in levels:
        phi = float(phi_of(worse(level), seen).mean())
        if phi <= goal:
            if before is None:
                return 0.0
            at, value = before
            return at + (level - at) * (value - goal) / (value - phi)
        before = level, phi
    return float("nan")


def equal_detection(
    states: xr.Dataset, tpms: Mapping[str, xr.Dataset], repeats: int = REPEATS, seed: int = 0
) -> list[dict[str, Any]]:
    """Compare every two windows of a recording under equal detection.

    Args:
        states: the states dataset of the recording. Where they were hidden, the last path drawn with each TPM is taken.
        tpms: micro TPM of each window.
        repeats: how often errors are drawn, at each level; means are given.
        seed: fixes them.

    Returns:
        Rows of the table `results.columns.DETECTION`: phi_s of both windows as they are, and with matched detection;
        the share of ON states that would have to be missed, and of OFF states that would have to be seen as ON, in the
        window with the larger phi_s (NaN: no share that was tried explains the difference).
    """
    seen = {window: _seen(states, window, tpm) for window, tpm in tpms.items()}
    phi = {window: float(phi_of(s.values[None], s)[0]) for window, s in seen.items()}
    rows = []
    for a, b in combinations(seen, 2):
        rng = generator(seed, "detection", a, b)
        pairs = [matched(seen[a].values, seen[b].values, rng) for _ in range(repeats)]
        equal = [float(phi_of(np.stack([p[i] for p in pairs]), seen[w]).mean()) for i, w in enumerate((a, b))]
        larger, other = (a, b) if phi[a] >= phi[b] else (b, a)
        rows.append(
            {
                "recording": str(states.attrs.get("recording", "")),
                "window_a": a,
                "window_b": b,
                "scale": seen[a].values.shape[1],
                "phi_s_a": phi[a],
                "phi_s_b": phi[b],
                "phi_s_a_matched": equal[0],
                "phi_s_b_matched": equal[1],
                "misses_to_explain": _errors(seen[larger], phi[other], MISSES, repeats, rng, misses=True),
                "false_on_to_explain": _errors(seen[larger], phi[other], FALSE_ON, repeats, rng, misses=False),
            }
        )
    return rows


def _errors(
    seen: Seen, goal: float, levels: Iterable[float], repeats: int, rng: np.random.Generator, *, misses: bool
) -> float:
    def worse(level: float) -> Array:
        errors = (level, 0.0) if misses else (0.0, level)
        return np.stack([degraded(seen.values, *errors, rng) for _ in range(repeats if level else 1)])

    return tipping_point(seen, goal, levels, worse)


def _seen(states: xr.Dataset, window: str, tpm: xr.Dataset) -> Seen:
    part = states.isel(frame=np.flatnonzero(states["window"].values.astype(str) == window))
    values, runs, _, _ = raster(part, None)
    if "paths" in tpm:
        values = tpm["paths"].values[-1].astype(np.int64)
    return Seen(values, runs, estimated_with(tpm))
