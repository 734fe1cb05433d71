"""What follows from a window's scales together: tests of any of them, and the grain that the theory accepts.

Macro scales are looked at one after the other, and the best of several is high by chance more often than one is. The p
of a scale over all of them compares it with the largest that any scale shows in a surrogate (single-step maxT:
Westfall & Young 1993): under the null no scale at all stands out in more than the stated share of windows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from pipeline.base.arrays import Floats
from pipeline.integration.occupancy import Key, window_of
from pipeline.nulls.registry import RANDOM_GROUPING
from pipeline.results.columns import MACRO_MODEL

TIE = 1e-10
ZERO = 1e-9  # ibits: what is not above it is 0
ACCEPTED, UNITS, NO_UNITS, UNCHECKED = "accepted", "units", "no units", "unchecked"
Test = dict[str, Any]


class Grain(NamedTuple):
    """What a scale is to the theory.

    Attributes:
        word: ACCEPTED where it is the grain; otherwise whether its units are units: UNITS, NO_UNITS, UNCHECKED.
        share: of posterior draws in which it has the largest phi_s of the scales whose units are units; NaN where its
            own are not, or there is no other.
    """

    word: str
    share: float = np.nan


def p_over_scales(values: Floats, surrogates: Floats) -> Floats:
    """Return one-sided p of each value, corrected over all of them (single-step maxT).

    Values are made comparable by mean and sd over the data and its surrogates together, so that the data is one of
    n + 1 that are alike under the null.

    Args:
        values: (scale,) of the data.
        surrogates: (scale, surrogate); a surrogate is the same one at every scale.

    >>> p_over_scales(np.array([2.0, 0.0]), np.array([[0.0, 1.0, 0.5], [0.2, 0.1, 3.0]])).tolist()
    [0.5, 1.0]
    """
    every = np.column_stack([values, surrogates])
    spread = every.std(axis=1, keepdims=True)
    z = np.divide(every - every.mean(axis=1, keepdims=True), spread, out=np.zeros_like(every), where=spread > TIE)
    largest = z[:, 1:].max(axis=0)
    above = (largest[None] >= z[:, :1] - TIE).sum(axis=1)
    return np.asarray((1 + above) / (1 + surrogates.shape[1]))


def correct_over_scales(tests: Mapping[Key, Sequence[Test]]) -> None:
    """Give every test of a macro scale its p over all macro scales of its window, `p_scales`; others have none.

    Matched random groupings are other ones at every scale, and so are not tested over them.

    Args:
        tests: by system; each with measure, null, value and surrogates.
    """
    together: dict[tuple[Any, ...], list[Test]] = defaultdict(list)
    for key, own in tests.items():
        for test in own:
            test["p_scales"] = np.nan
            if key[2] != "micro" and test["null"] != RANDOM_GROUPING.name and np.isfinite(test["p"]):
                together[*key[:3], test["measure"], test["null"]].append(test)
    for group in together.values():
        found = p_over_scales(np.array([test["value"] for test in group]), _aligned(group))
        for test, p in zip(group, found.tolist(), strict=True):
            test["p_scales"] = p


def _aligned(group: Sequence[Test]) -> Floats:
    """Surrogates (scale, surrogate) that have a value at every scale."""
    rows = zip_longest(*(test["surrogates"] for test in group), fillvalue=np.nan)
    every = np.array(list(rows), dtype=float).reshape(-1, len(group)).T
    kept: Floats = every[:, np.isfinite(every).all(axis=0)]
    return kept


def grains(phi: Sequence[xr.Dataset], told: Mapping[Key, float], draws: Mapping[Key, Floats]) -> dict[Key, Grain]:
    """Say of every system whether its units are units by the theory, and whether it is the grain of its window.

    The grain is the scale with the largest phi_s of those whose units are all units: micro units are; macro units where
    they are maximally irreducible within (`macro.validity`). A value that is withheld takes no part.

    Args:
        phi: results of `integration.integrate`.
        told: phi_s of each, as the summary tells it; NaN where it is withheld.
        draws: (draw,) phi_s of each in the posterior draws; may be empty.
    """
    found, windows = {}, defaultdict(list)
    for dataset in phi:
        key: Key = (*window_of(dataset), str(dataset.attrs["route"]), int(dataset.attrs["scale"]))
        found[key] = Grain(_units(dataset))
        if found[key].word == UNITS and key in told and np.isfinite(told[key]):
            windows[window_of(dataset)].append(key)
    for keys in windows.values():
        shares = _largest([draws.get(key, np.empty(0)) for key in keys])
        best = max(keys, key=lambda key: told[key])
        for key, share in zip(keys, shares, strict=True):
            found[key] = Grain(ACCEPTED if key == best and told[key] > ZERO else UNITS, share)
    return found


def _units(phi: xr.Dataset) -> str:
    """Whether all units of a system are units by the theory."""
    if phi.attrs["route"] == "micro":
        return UNITS
    if phi.attrs["route"] == MACRO_MODEL:  # each of them is a function of all micro units
        return NO_UNITS
    if "valid_unit" not in phi or (phi["valid_unit"].values < 0).any():
        return UNCHECKED
    return UNITS if (phi["valid_unit"].values == 1).all() else NO_UNITS


def _largest(draws: Sequence[Floats]) -> list[float]:
    """Share of draws in which each scale has the largest value; NaN of one scale, or where one has no draws."""
    n = min((len(d) for d in draws), default=0)
    if len(draws) < 2 or not n:
        return [np.nan] * len(draws)
    every = np.array([d[:n] for d in draws])
    first, there = every.argmax(axis=0), every.max(axis=0) > ZERO
    return [float(np.mean(there & (first == i))) for i in range(len(draws))]
