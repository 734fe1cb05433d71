"""How far what was learned is the same again: over seeds, over paths up the hierarchy, and over animals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.seeds import generator
from pipeline.emergence.discrete import emergent_complexity
from pipeline.encoder.stability import consistency, random_cosine
from pipeline.inference.latents import COMPLEXITY
from pipeline.results.columns import STABILITY
from pipeline.results.tables import table

STRETCH_S = 10.0  # time that one label spans
SHUFFLES = 19  # of the labels
Row = dict[str, Any]


def gather_stability(found: Iterable[xr.Dataset], joint: Sequence[xr.Dataset], seed: int = 0) -> pd.DataFrame:
    """Gather how far hierarchies agree.

    Args:
        found: results of `encoder.multiscale`, with attrs recording, subject, condition and window.
        joint: latents that the windows of a recording have in common (`encoder.joint`), with attrs recording and
            subject; those of different subjects are compared.
        seed: fixes how labels are shuffled.

    Returns:
        The table stability.csv (see `results.columns`).
    """
    rows = []
    for dataset in sorted(found, key=lambda d: (d.attrs["recording"], d.attrs["window"])):
        head = {name: dataset.attrs[name] for name in ("recording", "subject", "condition", "window")}
        rows += [_blank(head | row) for row in (*_gradients(dataset), *_paths(dataset))]
    for ours, theirs in combinations(sorted(joint, key=lambda d: str(d.attrs["recording"])), 2):
        if ours.attrs["subject"] != theirs.attrs["subject"]:
            rows += [_blank(row) for row in _between(ours, theirs, seed)]
    return table(rows, STABILITY.names)


def _gradients(dataset: xr.Dataset) -> Iterator[Row]:
    """Agreement of seeds, beside that of frames in random order; none of one seed."""
    units, seeds = dataset.sizes["unit"], dataset.sizes["seed"]
    names = ("scale", "agreement", "agreement_control")
    for scale, value, control in zip(*(dataset[name].values for name in names), strict=True):
        if np.isfinite(value):
            row = {"scale": int(scale), "measure": "gradients", "value": value, "control": "random_order"}
            row |= {"control_mean": control, "chance": random_cosine(units, int(scale))}
            yield row | {"n": seeds * (seeds - 1) // 2}


def _paths(dataset: xr.Dataset) -> Iterator[Row]:
    """Emergent complexity along the path of every seed."""
    power = (dataset["causal_power"] / dataset["scale"]).transpose("seed", "scale").values
    for measure, definition in COMPLEXITY.items():
        values = [emergent_complexity(row, definition) for row in power.tolist()]
        row = {"scale": int(dataset["scale"].values[0]), "measure": measure, "value": float(np.mean(values))}
        yield row | {"low": min(values), "high": max(values), "n": len(values)}


def _between(ours: xr.Dataset, theirs: xr.Dataset, seed: int) -> Iterator[Row]:
    """Consistency of two recordings by condition and time, beside that of labels in random order."""
    head = {"recording": ours.attrs["recording"], "other": theirs.attrs["recording"], "measure": "consistency"}
    head |= {"subject": ours.attrs["subject"]}
    for name in sorted(set(ours.data_vars) & set(theirs.data_vars), key=lambda n: -int(str(n).split("_")[1])):
        (a, ours_at), (b, theirs_at) = (_by_label(one, str(name)) for one in (ours, theirs))
        labels = sorted(set(ours_at) & set(theirs_at))
        x = a[[ours_at.index(label) for label in labels]]
        y = b[[theirs_at.index(label) for label in labels]]
        if len(labels) < max(x.shape[1], y.shape[1]) + 2:
            continue
        condition = np.array([label[0] for label in labels])
        row = {**head, "scale": x.shape[1], "value": _mean_consistency(x, y), "n": len(labels)}
        for control, within in (("shuffled_labels", np.zeros(len(labels), int)), ("shuffled_times", _codes(condition))):
            rng = generator(seed, control, str(head["recording"]), str(head["other"]), str(name))
            drawn = [_mean_consistency(x, y[_shuffled(within, rng)]) for _ in range(SHUFFLES)]
            yield row | {"control": control, "control_mean": float(np.mean(drawn)), "control_high": max(drawn)}


def _by_label(joint: xr.Dataset, name: str) -> tuple[Floats, list[tuple[str, int]]]:
    """Mean latents (label, d) of every stretch of a condition, and the labels: condition and place of the stretch."""
    condition, time = joint["condition"].values.astype(str), joint["time"].values.astype(float)
    first = {c: float(time[condition == c].min()) for c in dict.fromkeys(condition)}
    stretch = np.array([int((t - first[c]) // STRETCH_S) for t, c in zip(time, condition, strict=True)])
    keys = pd.MultiIndex.from_arrays([condition, stretch])
    mean = pd.DataFrame(joint[name].values, index=keys).groupby(level=[0, 1]).mean()
    return mean.to_numpy(float), [(str(c), int(k)) for c, k in mean.index]


def _mean_consistency(x: Floats, y: Floats) -> float:
    return float(np.mean(consistency(x, y)))


def _codes(names: Array) -> Ints:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _shuffled(groups: Ints, rng: np.random.Generator) -> Ints:
    """A random order of places that stays within groups."""
    order = np.arange(len(groups))
    for group in np.unique(groups):
        at = np.flatnonzero(groups == group)
        order[at] = rng.permutation(at)
    return order


def _blank(row: Row) -> Row:
    """A row with all columns, empty where it has nothing."""
    blank: Row = {column.name: np.nan if column.number else "" for column in STABILITY.columns}
    return blank | row
