"""Quality measures on states and traces whose values are known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.binarize.quality import binary_entropy, count_transients, mean_correlation, quality


def study(states: np.ndarray, dff: np.ndarray | None = None) -> pd.DataFrame:
    """Return the quality of one window of bins of 0.5 s at 10 Hz."""
    n = len(states)
    rng = np.random.default_rng(0)
    dff = rng.normal(0, 1, (5 * n, 3)) if dff is None else dff
    neurons = [f"n{i}" for i in range(dff.shape[1])]
    time = {"time": np.arange(5 * n) / 10, "neuron": neurons}
    preprocessed = xr.Dataset(
        {"dff": (("time", "neuron"), dff), "dropped": ("time", np.zeros(5 * n, bool))},
        coords=time,
        attrs={"sampling_rate_hz": 10.0},
    )
    ensembles = xr.Dataset(
        {"label": ("neuron", np.zeros(len(neurons), int)), "noise_sd": ("neuron", np.ones(len(neurons)))},
        coords={"neuron": neurons},
    )
    matched = np.ones(n, bool)
    matched[-10:] = False
    raster = xr.Dataset(
        {
            "states": (("frame", "unit"), states.astype(np.uint8)),
            "dropped_fraction": ("window_name", [0.125]),
        },
        coords={
            "time": ("frame", np.arange(n) * 0.5),
            "unit": [f"e{i}" for i in range(states.shape[1])],
            "window": ("frame", ["w"] * n),
            "condition": ("frame", ["awake"] * n),
            "segment": ("frame", (np.arange(n) >= n // 2).astype(int)),
            "matched": ("frame", matched),
            "window_name": ["w"],
        },
        attrs={"bin_s": 0.5, "recording": "r", "subject": "s"},
    )
    return quality(preprocessed, ensembles, raster)


def value(table: pd.DataFrame, measure: str, unit: str = "") -> float:
    rows = table[(table["measure"] == measure) & (table["unit"] == unit)]
    assert len(rows) == 1
    return float(rows["value"].iloc[0])


def test_counts_and_rates_use_the_frames_of_the_tpm() -> None:
    states = np.zeros((1010, 2))
    states[::4, 0] = 1  # ON every fourth bin
    states[1000:, 1] = 1  # ON only in frames that are not matched
    states[:500, 1] = 1
    table = study(states)
    assert list(table.columns) == [
        *("recording", "subject", "window", "condition", "unit", "measure", "value", "units")
    ]
    assert value(table, "n_frames") == 1010
    assert value(table, "n_matched") == 1000
    assert value(table, "n_transitions") == 998  # one border inside
    assert value(table, "duration_s") == 505
    assert value(table, "dropped_fraction") == 0.125
    assert value(table, "fraction_on", "e0") == pytest.approx(0.25)
    assert value(table, "event_rate_hz", "e0") == pytest.approx(0.5, abs=0.01)
    assert value(table, "entropy_bits", "e0") == pytest.approx(binary_entropy(0.25))
    assert value(table, "fraction_on", "e1") == pytest.approx(0.5)


def test_autocorrelation_time_and_stationarity_of_a_chain() -> None:
    rng = np.random.default_rng(1)
    stay, z = 0.9, []
    for _ in range(30):
        on = np.cumsum(rng.random((2010, 1)) > stay, axis=0) % 2
        table = study(on)
        z.append(value(table, "stationarity_z", "e0"))
    # correlation 0.8 per bin: (1 + .8) / (1 - .8) bins of 0.5 s
    assert value(table, "autocorrelation_time_s", "e0") == pytest.approx(4.5, rel=0.35)
    assert 0.6 < np.std(z) < 1.5
    drifting = (rng.random((2010, 1)) < np.linspace(0.1, 0.5, 2010)[:, None]).astype(int)
    assert value(study(drifting), "stationarity_z", "e0") > 4


def test_a_silent_unit_has_no_entropy_and_no_drift() -> None:
    table = study(np.zeros((300, 2)))
    for measure in ("entropy_bits", "event_rate_hz", "fraction_on", "stationarity_z"):
        assert value(table, measure, "e0") == 0
    assert np.isnan(value(table, "mean_pairwise_correlation"))


def test_mean_correlation_is_that_of_the_matrix() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(0, 1, (500, 6)) + rng.normal(0, 1, (500, 1))
    matrix = np.corrcoef(x.T)
    assert mean_correlation(x) == pytest.approx(matrix[np.triu_indices(6, 1)].mean())
    x[:, 2] = 4.0  # constant columns have no correlation
    rest = np.corrcoef(np.delete(x, 2, axis=1).T)
    assert mean_correlation(x) == pytest.approx(rest[np.triu_indices(5, 1)].mean())


def test_transients_are_counted_once_each() -> None:
    dff = np.zeros((100, 3))
    dff[10:14, 0] = 5.0
    dff[14, 0] = 2.0  # still the first: it has not come down
    dff[15:17, 0] = 5.0
    dff[40:42, 0] = 5.0
    dff[60, 0] = 50.0  # a single frame is no transient
    dff[:, 1] = 1.5
    dff[20:30, 2] = -9.0
    noise, level = np.ones(3), np.zeros(3)
    assert count_transients(dff, level, noise).tolist() == [2, 0, 0]


def test_transients_per_five_minutes_are_the_median_of_neurons() -> None:
    dff = np.zeros((3000, 3))  # 5 minutes
    for neuron, count in enumerate((4, 7, 40)):
        for start in np.linspace(10, 2900, count).astype(int):
            dff[start : start + 3, neuron] = 5.0
    assert value(study(np.eye(2)[np.arange(600) % 2], dff), "neuron_transients_per_5min") == 7
