"""Weights over states: a window's own occupancy, and one common to the windows compared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pipeline.base.arrays import Floats
from pipeline.base.compared import compared_together

MIN_COMMON_COVER = 0.5
ENSEMBLE = re.compile(r"[ey]\d+")  # number of an ensemble or latent, which says nothing of its neurons
Key = tuple[str, str, str, int]  # recording, window, route, scale


@dataclass(frozen=True)
class Occupancy:
    """Weights over states.

    Attributes:
        weights: (state,), sum 1; None where no common ones exist.
        flags: words of warning, among them why there are none.
    """

    weights: Floats | None
    flags: tuple[str, ...] = ()


def weighted_mean(values: Floats, weights: Floats) -> Floats:
    """Average values over states.

    Args:
        values: (..., state); states of weight 0 may hold NaN.
        weights: (state,); need not sum to 1.

    Returns:
        (...), NaN where a state that counts has no value, or nothing counts.

    >>> import numpy as np
    >>> float(weighted_mean(np.array([1.0, 4.0, np.nan]), np.array([2.0, 1.0, 0.0])))
    2.0
    """
    counts = weights > 0
    if not counts.any():
        return np.full(values.shape[:-1], np.nan)
    mean: Floats = values[..., counts] @ (weights[counts] / weights[counts].sum())
    return mean


def window_of(dataset: xr.Dataset) -> tuple[str, str]:
    """Return (recording, window)."""
    return dataset.attrs["recording"], dataset.attrs["window"]


def key_of(dataset: xr.Dataset) -> Key:
    """Return (recording, window, route, scale)."""
    return (*window_of(dataset), dataset.attrs["route"], int(dataset.attrs["scale"]))


def common_occupancy(phi: Sequence[xr.Dataset]) -> dict[Key, Occupancy]:
    """Find the distribution of states shared by the windows compared.

    The windows compared are those of one recording when it holds several conditions (its units are
    the same in all of them); recordings with a single condition are taken together per subject
    where their units bear the same names, and these are not the numbers of ensembles (e0, e1, ...),
    which are different neurons in each recording. Where recordings share their units (attr
    `units_shared`), those of a subject that are compared with each other are taken together
    (`compared_together`).
    The distribution is the mean over conditions (each counting once; windows of a condition
    weighted by their frames) of the occupancies, restricted to states visited in every window.
    It is formed over micro states. A macro scale gets its image under the window's own grouping, so
    that windows with different groupings are still compared under one distribution of micro states.

    Args:
        phi: datasets of `integration.integrate`, all windows and scales that are compared.

    Returns:
        The occupancy of each dataset, by its key. Flags: `no_common_states`; `common_covers:X` where the states
        visited in every window carry a share X < 0.5 of the mean occupancy; `no_micro_scale` where a macro scale
        comes without it; `units_differ` where a subject has several recordings of a single condition, and not the
        same units.
    """
    conditions: dict[str, set[str]] = defaultdict(set)
    for dataset in phi:
        conditions[dataset.attrs["recording"]].add(dataset.attrs["condition"])
    together = _together(phi, conditions)
    pools: dict[tuple[str, str, str, tuple[str, ...]], list[xr.Dataset]] = defaultdict(list)
    for dataset in phi:
        if "macro_state" not in dataset:
            recording = dataset.attrs["recording"]
            pool = together.get(recording, recording if len(conditions[recording]) > 1 else "")
            names = tuple(map(str, dataset["unit"].values))
            pools[dataset.attrs["subject"], pool, dataset.attrs["route"], names].append(dataset)
    alone: dict[str, set[str]] = defaultdict(set)  # subject: recordings with a single condition
    for dataset in phi:
        if len(conditions[dataset.attrs["recording"]]) == 1:
            alone[dataset.attrs["subject"]].add(dataset.attrs["recording"])
    shared: dict[Key, Occupancy] = {}
    for (subject, recording, _, names), pool in pools.items():
        differ = not recording and _units_differ(pool, names, alone[subject])
        occupancy = Occupancy(None, ("units_differ",)) if differ else _shared(pool)
        shared |= dict.fromkeys(map(key_of, pool), occupancy)
    for dataset in phi:
        if "macro_state" in dataset:
            micro = shared.get((*window_of(dataset), "micro", dataset.sizes["micro_unit"]))
            shared[key_of(dataset)] = _image(micro, dataset)
    return shared


def _together(phi: Sequence[xr.Dataset], conditions: Mapping[str, set[str]]) -> dict[str, str]:
    """Return the first recording of those that each is compared with, for recordings that share their units."""
    subjects: dict[str, dict[str, set[str]]] = defaultdict(dict)
    for dataset in phi:
        if dataset.attrs.get("units_shared"):
            recording = dataset.attrs["recording"]
            subjects[dataset.attrs["subject"]][recording] = conditions[recording]
    groups = [group for held in subjects.values() for group in compared_together(held)]
    return {name: group[0] for group in groups for name in group}


def _units_differ(pool: Sequence[xr.Dataset], names: Sequence[str], recordings: set[str]) -> bool:
    """Whether a pool of windows with these units cannot stand for all these recordings of a subject."""
    if len(recordings) == 1:
        return False
    numbered = all(ENSEMBLE.fullmatch(name) for name in names)
    return numbered or {d.attrs["recording"] for d in pool} != recordings


def _shared(pool: Sequence[xr.Dataset]) -> Occupancy:
    """Mean occupancy over the conditions of a pool of windows, on the states visited in all."""
    visited = np.all([d["visited"].values for d in pool], axis=0)
    by_condition: dict[str, list[xr.Dataset]] = defaultdict(list)
    for dataset in pool:
        by_condition[dataset.attrs["condition"]].append(dataset)
    mean = np.mean(
        [
            np.average(
                [d["occupancy"].values for d in windows],
                axis=0,
                weights=[max(float(d.attrs["n_frames"]), 1.0) for d in windows],
            )
            for _, windows in sorted(by_condition.items())
        ],
        axis=0,
    )
    weights = np.where(visited, mean, 0.0)
    cover = float(weights.sum())
    if cover == 0:
        return Occupancy(None, ("no_common_states",))
    flags = (f"common_covers:{cover:.2f}",) if cover < MIN_COMMON_COVER else ()
    return Occupancy(weights / cover, flags)


def _image(micro: Occupancy | None, macro: xr.Dataset) -> Occupancy:
    """Carry weights over micro states to the macro states that a grouping makes of them."""
    if micro is None:
        return Occupancy(None, ("no_micro_scale",))
    if micro.weights is None:
        return micro
    states = macro["macro_state"].values.astype(int)
    weights: Floats = np.bincount(states, weights=micro.weights, minlength=macro.sizes["state"]).astype(float)
    return Occupancy(weights, micro.flags)
