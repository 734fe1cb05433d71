"""Slow continuous dynamics of several scales over the cortex, each with a law that is known.

Sites lie side by side over the cortex, and a tree halves them: the first variable is of the whole cortex, the second
the contrast between its halves, the next two those within either half, and so on down to single sites. Awake the whole
moves between two wells, dz = (z - z³) / 2τ dt + noise; every other variable, and under anesthesia the whole too, is an
Ornstein-Uhlenbeck process: one well. Awake the whole is slowest and weighs most, under anesthesia it is the contrasts
between neighbouring sites, and in recovery all scales weigh alike and the barrier between the wells is lower.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from pipeline.base.arrays import Floats, Ints, Strings
from pipeline.base.seeds import generator

SPREAD = 0.15  # of time constants between variables and subjects, in logarithms
FINE = 20  # steps of the integration of two wells in one time constant
REACH, GRID = 3.0, 2001  # range over which laws of two wells are integrated, wells at -1 and 1


@dataclass(frozen=True)
class OneWell:
    """An Ornstein-Uhlenbeck process of variance 1.

    Attributes:
        time_s: in which a deviation falls to 1/e [s].
    """

    time_s: float

    @property
    def told(self) -> dict[str, Any]:
        """The law in words and numbers, ready for JSON."""
        points = [{"position": 0.0, "rate_per_s": -1 / self.time_s, "stable": True}]
        return {"kind": "one well", "time_s": self.time_s, "fixed_points": points}

    def path(self, n: int, step_s: float, rng: np.random.Generator, start: float | None = None) -> Floats:
        """Return (n,) values that follow `start`, by default a draw from the stationary law.

        Args:
            n: how many.
            step_s: time from one to the next [s].
            rng: source of all chance.
            start: value before the first.
        """
        from scipy.signal import lfilter

        rho, luck = float(np.exp(-step_s / self.time_s)), rng.standard_normal(n + 1)
        first = luck[0] if start is None else start
        values, _ = lfilter([np.sqrt(1 - rho**2)], [1, -rho], luck[1:], zi=[rho * first])
        return np.asarray(values)


@dataclass(frozen=True)
class TwoWells:
    """Motion in a quartic potential with two wells, in units in which its variance is 1.

    With s the scale that brings the variance to 1 and z = y / s: dz = (z - z³) / 2τ dt + σ dW with σ² = 1 / 4τB.

    Attributes:
        time_s: τ, in which a small deviation from a well falls to 1/e [s].
        barrier: B, height of U = 2 V / σ² between the wells; the density there is exp(-B) of that at a well.

    >>> round(TwoWells(1.0, 2.0).residence_s, 1)
    82.1
    """

    time_s: float
    barrier: float

    @classmethod
    def lasting(cls, stay_s: float, barrier: float) -> TwoWells:
        """Return the two wells between which the mean passage takes so long.

        Args:
            stay_s: `residence_s` [s].
            barrier: height between them.
        """
        return cls(stay_s / cls(1.0, barrier).residence_s, barrier)

    @property
    def scale(self) -> float:
        """Position of the wells where the variance is 1."""
        z = np.linspace(-REACH, REACH, GRID)
        density = np.exp(-self._potential(z))
        return float(np.sqrt(density.sum() / (density @ z**2)))

    @property
    def residence_s(self) -> float:
        """Mean time from one well to the other [s]: the mean first passage of the diffusion."""
        z = np.linspace(-REACH, 1, GRID)
        step, u = z[1] - z[0], self._potential(z)
        below = np.cumsum(np.exp(-u)) * step
        inner = (np.exp(u) * below)[z >= -1].sum() * step
        return float(8 * self.time_s * self.barrier * inner)

    @property
    def told(self) -> dict[str, Any]:
        """The law in words and numbers, ready for JSON."""
        well, tau = self.scale, self.time_s
        points = [
            {"position": -well, "rate_per_s": -1 / tau, "stable": True},
            {"position": 0.0, "rate_per_s": 0.5 / tau, "stable": False},
            {"position": well, "rate_per_s": -1 / tau, "stable": True},
        ]
        law = {"kind": "two wells", "time_s": tau, "barrier": self.barrier, "residence_s": self.residence_s}
        return law | {"fixed_points": points}

    def path(self, n: int, step_s: float, rng: np.random.Generator, start: float | None = None) -> Floats:
        """Return (n,) values that follow `start`; see `OneWell.path`."""
        fine = int(np.ceil(FINE * step_s / self.time_s))
        pull = step_s / fine / (2 * self.time_s)
        luck = rng.standard_normal((n, fine)) * np.sqrt(step_s / fine / (4 * self.time_s * self.barrier))
        scale, values = self.scale, np.empty(n)
        z = float(rng.choice([-1.0, 1.0])) if start is None else start / scale
        for t, row in enumerate(luck.tolist()):
            for push in row:
                z += pull * (z - z * z * z) + push
            values[t] = z
        return scale * values

    def _potential(self, z: Floats) -> Floats:
        return np.asarray(self.barrier * (z**4 - 2 * z**2))


Law = OneWell | TwoWells


@dataclass(frozen=True)
class Tree:
    """Variables of all scales, from the whole cortex down to contrasts between neighbouring sites.

    Attributes:
        depth: (variable,) times that the cortex was halved, 0 for the whole.
        weight: (variable, site) what each adds to each site.

    >>> Tree.of(4).weight.astype(int).tolist()
    [[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 0, 0], [0, 0, 1, -1]]
    """

    depth: Ints
    weight: Floats

    @classmethod
    def of(cls, sites: int) -> Tree:
        """Return the tree over sites that stand side by side."""
        depth, rows, groups = [0], [np.ones(sites)], [np.arange(sites)]
        while any(len(group) > 1 for group in groups):
            halves = []
            for group in groups:
                a, b = np.array_split(group, 2)
                halves += [part for part in (a, b) if len(part)]
                if len(b):
                    row = np.zeros(sites)
                    row[a], row[b] = np.sqrt(len(b) / len(a)), -np.sqrt(len(a) / len(b))
                    rows.append(row)
                    depth.append(depth[-1] + (len(halves) <= 2))
            groups = halves
        return cls(np.array(depth), np.stack(rows))

    @property
    def scale(self) -> Ints:
        """(variable,) number of variables down to its scale, which is the number of dimensions that show it."""
        counts: Ints = np.searchsorted(self.depth, self.depth, side="right")
        return counts


@dataclass(frozen=True)
class Landscape:
    """The variables of a subject in one condition.

    Attributes:
        laws: of each variable.
        load: (variable, site) what a unit of each variable adds to each site, relative to the gain.
    """

    laws: tuple[Law, ...]
    load: Floats

    def told(self, tree: Tree) -> list[dict[str, Any]]:
        """Return what is true of each variable, ready for JSON.

        Args:
            tree: of the variables.
        """
        return [
            {"scale": int(scale), **law.told, "load": load.tolist()}
            for scale, law, load in zip(tree.scale, self.laws, self.load, strict=True)
        ]


def landscape(condition: str, tree: Tree, times: Floats, wells: TwoWells) -> Landscape:
    """Return the variables in a condition.

    Args:
        condition: awake, anesthesia or recovery.
        tree: of the variables.
        times: (variable,) time constant of each [s], halved from depth to depth below the first two: awake and in
            recovery from the whole cortex down, under anesthesia from the finest contrasts up.
        wells: law of the whole cortex in this condition; under anesthesia it has one well.
    """
    depth, asleep = tree.depth, condition == "anesthesia"
    time = times / 2.0 ** np.maximum((depth.max() - depth if asleep else depth) - 1, 0)
    laws: list[Law] = [OneWell(float(one)) for one in time]
    if not asleep:
        laws[0] = wells
    share = {"awake": 2.0**-depth, "anesthesia": 2.0**depth}.get(condition, np.ones(len(depth)))
    share = share / share[np.unique(depth, return_index=True)[1]].sum()
    return Landscape(tuple(laws), np.sqrt(share)[:, None] * tree.weight)


def spreads(subject_index: int, tree: Tree, seed: int) -> Floats:
    """Return by what the time constants (variable,) of an animal differ from the usual: no two are alike.

    Args:
        subject_index: which animal.
        tree: of the variables.
        seed: of the study.
    """
    luck = generator(seed, "landscape times", subject_index).standard_normal(len(tree.depth))
    return np.asarray(np.exp(SPREAD * luck))


def paths(conditions: Strings, landscapes: dict[str, Landscape], rate_hz: float, rng: np.random.Generator) -> Floats:
    """Return (frame, variable) values; where the condition changes, each goes on from where it was.

    Args:
        conditions: (frame,) condition.
        landscapes: of each condition.
        rate_hz: frames per second [Hz].
        rng: source of all chance.
    """
    changes = np.flatnonzero(conditions[1:] != conditions[:-1]) + 1
    borders = [0, *changes.tolist(), len(conditions)]
    found = np.empty((len(conditions), len(next(iter(landscapes.values())).laws)))
    for first, last in pairwise(borders):
        for i, law in enumerate(landscapes[str(conditions[first])].laws):
            start = float(found[first - 1, i]) if first else None
            found[first:last, i] = law.path(last - first, 1 / rate_hz, rng, start)
    return found
