"""Rows of learned hierarchies in the tables `summary` and `nulls`: causal power by scale, gain, spread and reach."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Floats
from pipeline.emergence.discrete import emergent_complexity
from pipeline.inference.summary import null_test
from pipeline.results.columns import NULL_COLUMNS, SUMMARY_COLUMNS
from pipeline.results.tables import table

POWER, GAIN, REACH = "gaussian_causal_power", "delta_gaussian_causal_power", "coverage_mm"
J, GAIN_OF_J = "published_j", "delta_published_j"
COMPLEXITY = {"emergent_complexity": "running_maximum", "emergent_complexity_successive": "successive"}


def summarise_latents(found: Iterable[xr.Dataset], confidence: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gather the hierarchies of a study into rows of the tables `summary` and `nulls`.

    Args:
        found: results of `encoder.multiscale`, with attrs recording, subject and window.
        confidence: level of the intervals over held-out blocks drawn anew.

    Returns:
        Rows of summary.csv and of nulls.csv, of the route latents.
    """
    rows: list[dict[str, Any]] = []
    tests: list[dict[str, Any]] = []
    for dataset in sorted(found, key=lambda d: (d.attrs["recording"], d.attrs["window"])):
        for at, scale in enumerate(dataset["scale"].values.tolist()):
            for measure in _measures(dataset, at):
                row, own = _of_measure(dataset, at, measure, confidence)
                head = {name: dataset.attrs[name] for name in ("recording", "window")}
                head |= {"scale": int(scale), "route": dataset.attrs["route"], "measure": measure}
                rows.append(head | row)
                tests += [head | test for test in own]
    return table(rows, SUMMARY_COLUMNS), table(tests, NULL_COLUMNS)


def _measures(dataset: xr.Dataset, at: int) -> list[str]:
    """Measures of a scale; those of the whole hierarchy stand with the scale of all dimensions."""
    own = [POWER, *([GAIN] if at else COMPLEXITY)]
    if J in dataset:
        own += [J, GAIN_OF_J] if at else [J]
    return [*own, REACH] if REACH in dataset else own


def _of_measure(dataset: xr.Dataset, at: int, measure: str, confidence: float) -> tuple[dict[str, Any], list[Any]]:
    """One measure of one scale, and its tests against every null family."""
    words, tests = [word for word in str(dataset.attrs["flag"]).split(";") if word], []
    low = high = np.nan
    if measure == REACH:
        value = float(dataset[REACH].values[at])
    else:
        source = J if measure in (J, GAIN_OF_J) else "causal_power"
        value = float(_values(dataset[source].mean("seed"), at, measure))
        if f"{source}_draws" in dataset:
            draws = _values(dataset[f"{source}_draws"], at, measure)
            low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
        for family in dataset["null"].values.tolist():
            null = _values(dataset[f"{source}_null"].sel(null=family), at, measure)
            tests.append({"null": str(family), **null_test(value, null)})
    shown = next((test for test in tests if test["null"] == dataset.attrs["shown"]), None)
    if tests and shown is None:
        words.append(f"no_null:{dataset.attrs['shown']}")
    if shown is not None and value <= float(shown["mean"]):
        words.append("below_null")
    row = {
        **{name: dataset.attrs[name] for name in ("subject", "condition")},
        **{"value": value, "ci_low": low, "ci_high": high, "p_positive": np.nan, "copies_held": np.nan, "n_copies": 0},
        "null": dataset.attrs["shown"] if tests else "",
        "null_mean": shown["mean"] if shown else np.nan,
        "null_p": shown["p"] if shown else np.nan,
        **{"n_frames": int(dataset.attrs["n_frames"]), "n_states_visited": 0},
        "estimator": f"hierarchy ({dataset.attrs['mode']})",
        "flag": ";".join(words),
    }
    return row, tests


def _values(power: xr.DataArray, at: int, measure: str) -> Floats:
    """Causal power per dimension of a scale, what it has above that of all dimensions, or how gains spread."""
    scales = power["scale"].values
    per_dimension: Floats = power.transpose(..., "scale").values / (1 if measure in (J, GAIN_OF_J) else scales)
    if measure in COMPLEXITY:
        rows = per_dimension.reshape(-1, len(scales)).tolist()
        return np.array([emergent_complexity(row, COMPLEXITY[measure]) for row in rows]).reshape(power.shape[:-1])
    return per_dimension[..., at] - (per_dimension[..., 0] if measure in (GAIN, GAIN_OF_J) else 0.0)
