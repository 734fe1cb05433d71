"""Surrogates of activity: what each family keeps in each window, and what happens to the rest of the recording."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.base.raster import raster
from pipeline.binarize.states import binarize_windows
from pipeline.nulls import NULLS, Traces

KINDS = [name for name, null in NULLS.items() if null.acts_on == "traces"]
BINARIZE = {"method": "median", "bin_s": 0.2}
RATE = 10.0
WINDOWS = pd.DataFrame(
    {"window": ["a", "b", "a"], "condition": ["x", "y", "x"], "start_s": [10, 400, 600], "end_s": [300, 590, 900]}
)


@pytest.fixture(scope="module")
def activity():
    """Three units for 1000 s; coupled and loud in window a, apart and quiet in b; some frames dropped."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((10_000, 3))
    for t in range(1, len(x)):
        in_b = 4000 <= t < 6000
        x[t] *= 0.3 if in_b else 1.0
        x[t] += (0.3 * x[t - 1]) if in_b else np.array([0.8 * x[t - 1, 0], 0.4 * x[t - 1, 0], 0.5 * x[t - 1, 2]])
    dropped = np.zeros(len(x), bool)
    dropped[2000:2050] = True
    x[2000:2050] = np.nan
    return xr.Dataset(
        {"activity": (("time", "ensemble"), x, {"units": "1"}), "dropped": ("time", dropped)},
        coords={"time": np.arange(len(x)) / RATE, "ensemble": list("abc")},
        attrs={"recording": "r", "sampling_rate_hz": RATE},
    )


def inside(activity: xr.Dataset, name: str) -> np.ndarray:
    time = activity["time"].values
    rows = WINDOWS[WINDOWS["window"] == name]
    spans = [(time >= a) & (time < b) for a, b in zip(rows["start_s"], rows["end_s"], strict=True)]
    return np.any(spans, axis=0) & ~activity["dropped"].values


def lagged(x: np.ndarray) -> np.ndarray:
    return (x[1:] - x.mean(0)).T @ (x[:-1] - x.mean(0)) / len(x)


@pytest.mark.parametrize("name", ["a", "b"])
def test_each_window_keeps_its_own_covariances(activity, name):
    rows = inside(activity, name)
    data = activity["activity"].values[rows]
    drawn = {kind: next(Traces(activity, WINDOWS, BINARIZE).draw(kind, 1))[rows] for kind in KINDS}
    scale = data.var(axis=0).max()
    np.testing.assert_allclose(np.cov(drawn["var"].T), np.cov(data.T), atol=0.15 * scale)
    np.testing.assert_allclose(lagged(drawn["var"]), lagged(data), atol=0.15 * scale)
    np.testing.assert_allclose(drawn["ar1"].var(axis=0), data.var(axis=0), rtol=0.25)
    np.testing.assert_allclose(np.diag(lagged(drawn["ar1"])), np.diag(lagged(data)), atol=0.15 * scale)
    assert np.abs(np.corrcoef(drawn["ar1"].T)[np.triu_indices(3, 1)]).max() < 0.15
    steps = np.diff(data, axis=0)
    np.testing.assert_allclose(
        np.median(np.abs(np.diff(drawn["brownian"], axis=0)), axis=0), np.median(np.abs(steps), axis=0), rtol=0.1
    )


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_no_window_and_dropped_ones_stay(activity, kind):
    drawn = next(Traces(activity, WINDOWS, BINARIZE).draw(kind, 1))
    touched = inside(activity, "a") | inside(activity, "b")
    np.testing.assert_array_equal(drawn[~touched], activity["activity"].values[~touched])
    changed = (drawn[touched] != activity["activity"].values[touched]).any(axis=1)
    assert changed.mean() > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_frames_and_borders_are_those_of_the_data(activity, kind):
    states = binarize_windows(activity, WINDOWS, **BINARIZE)
    for name in ("a", "b"):
        array, runs, _, _ = raster(states.isel(frame=np.flatnonzero(states["window"].values == name)), None)
        found = Traces(activity, WINDOWS, BINARIZE, seed=3).surrogates(kind, 3, name)
        assert found.values.shape[1:] == array.shape
        np.testing.assert_array_equal(found.runs, runs)
        fewer = Traces(activity, WINDOWS, BINARIZE, seed=3).surrogates(kind, 2, name)
        np.testing.assert_array_equal(fewer.values, found.values[: len(fewer.values)])
        other = Traces(activity, WINDOWS, BINARIZE, seed=4).surrogates(kind, 2, name)
        assert not np.array_equal(fewer.values, other.values)
