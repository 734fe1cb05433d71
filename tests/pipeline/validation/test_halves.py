"""Halves of windows: the same mechanism gives the same value in both, chance gives none that comes again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.binarize.states import binarize_windows
from pipeline.results.columns import HALVES
from pipeline.validation.halves import reliability, split_halves


def chain(n_frames: int, coupling: float, rng: np.random.Generator) -> np.ndarray:
    """Two units that copy each other as far as `coupling` says."""
    states = np.zeros((n_frames, 2))
    for t in range(1, n_frames):
        other = states[t - 1, ::-1]
        states[t] = np.where(rng.random(2) < coupling, other, rng.random(2) < 0.5)
    return states


def recording(name: str, *stretches: np.ndarray, match: bool = True) -> xr.Dataset:
    """States of one recording with a window per stretch, at one bin per second."""
    values = np.concatenate(stretches)
    ends = np.cumsum([len(s) for s in stretches])
    windows = pd.DataFrame(
        {
            "recording": name,
            "window": [f"w{i}" for i in range(len(stretches))],
            "condition": [f"c{i}" for i in range(len(stretches))],
            "start_s": [0, *ends[:-1]],
            "end_s": ends,
        }
    )
    noise = 0.01 * np.random.default_rng(0).normal(size=values.shape)
    data = xr.Dataset(
        {
            "activity": (("time", "ensemble"), values + noise),
            "dropped": ("time", np.zeros(len(values), bool)),
        },
        coords={"time": np.arange(len(values), dtype=float), "ensemble": ["a", "b"]},
        attrs={"recording": name, "subject": "s", "sampling_rate_hz": 1.0},
    )
    return binarize_windows(data, windows, method="otsu", bin_s=1.0, match_length=match, min_frames=100)


def test_halves_of_windows_that_differ_agree_with_each_other() -> None:
    rng = np.random.default_rng(1)
    made = [recording(f"r{i}", chain(1200, c, rng), chain(1200, 0.0, rng)) for i, c in enumerate((0.3, 0.5, 0.7, 0.9))]
    halves = split_halves(made, method="logistic", lag=1)
    assert list(halves.columns) == HALVES.names
    assert len(halves) == 4 * 2 * 2
    assert set(halves["n_frames"]) == {600}
    told = reliability(halves).set_index("measure")
    assert (told["n_windows"] == 8).all()
    assert told.loc["phi_s", "r"] > 0.95
    assert told.loc["phi_s", "spread_sd"] > 4 * told.loc["phi_s", "noise_sd"]


def test_what_is_chance_does_not_come_again() -> None:
    rng = np.random.default_rng(2)
    made = [recording(f"r{i}", *(chain(240, 0.0, rng) for _ in range(8))) for i in range(5)]
    told = reliability(split_halves(made, method="logistic", lag=1)).set_index("measure")
    assert abs(told.loc["phi_s", "r"]) < 0.4
    assert told.loc["phi_s", "noise_sd"] > 0.8 * told.loc["phi_s", "spread_sd"]


def test_halves_are_of_the_whole_window_and_short_ones_have_no_value() -> None:
    rng = np.random.default_rng(3)
    made = recording("r", chain(400, 0.8, rng), chain(110, 0.8, rng), chain(150, 0.8, rng))
    halves = split_halves([made], method="logistic", lag=1).set_index(["window", "measure"])
    assert halves.loc[("w0", "phi_s"), "n_frames"] == 200  # 110 of the 400 are matched
    assert np.isfinite(halves.loc[("w2", "phi_s"), ["first", "second"]].astype(float)).all()
    assert np.isnan(halves.loc[("w1", "phi_s"), "first"])
    assert reliability(halves.reset_index()).empty  # two windows are too few


@pytest.mark.parametrize("measure", ["phi_s", "effective_information"])
def test_a_half_alone_is_what_its_states_give(measure: str) -> None:
    """The second half is the window of a recording that holds nothing else."""
    rng = np.random.default_rng(4)
    whole = chain(600, 0.6, rng)
    both = split_halves([recording("r", whole)], method="beta", lag=1).set_index("measure")
    twice = split_halves([recording("r", np.concatenate([whole[300:], whole[300:]]))], method="beta", lag=1)
    assert both.loc[measure, "second"] == pytest.approx(twice.set_index("measure").loc[measure, "first"], rel=1e-6)
