"""States, thresholds and bins, against brute force and against recorded spikes."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.binarize import markov
from pipeline.binarize.bins import lay_bins, match, segments_of, shortest, window_of_bins
from pipeline.binarize.otsu import otsu
from pipeline.binarize.registry import BINARIZERS
from pipeline.binarize.states import binarize, binarize_windows, window_lengths
from pipeline.binarize.zscore import robust_z
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.tables import read_table
from pipeline.tpm.estimation import estimate_window

RATE, TAU = 10.0, 0.7


def ensembles(activity: np.ndarray, time: np.ndarray | None = None, dropped: np.ndarray | None = None) -> xr.Dataset:
    n_frames, n = activity.shape
    return xr.Dataset(
        {
            "activity": (("time", "ensemble"), activity, {"units": "1"}),
            "dropped": ("time", np.zeros(n_frames, bool) if dropped is None else dropped),
        },
        coords={
            "time": np.arange(n_frames) / RATE if time is None else time,
            "ensemble": [f"e{i}" for i in range(n)],
        },
        attrs={"recording": "r", "subject": "s", "sampling_rate_hz": RATE},
    )


def windows(*rows: tuple[str, float, float]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["window", "start_s", "end_s"])
    return table.assign(recording="r", condition=table["window"].str.upper())


def transient_traces(n_frames: int, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return calcium (time, unit) with noise sd 1, and which bins of 5 frames hold a transient."""
    rng = np.random.default_rng(seed)
    on = rng.random((n_frames // 5, n)) < 0.15
    s = np.zeros((n_frames, n))
    s[1::5] = 8 * on
    y = np.zeros_like(s)
    for t in range(n_frames):
        y[t] = s[t] + (np.exp(-1 / (RATE * TAU)) * y[t - 1] if t else 0)
    return y + rng.normal(0, 1, y.shape), on


# thresholds


def test_otsu_maximises_the_variance_between_classes() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = np.round(rng.normal(0, 1, 60) + 3 * (rng.random(60) < 0.3), 1)
        cut = otsu(values)

        def between(c: float, v: np.ndarray = values) -> float:
            low, high = v[v <= c], v[v > c]
            return len(low) * len(high) * (low.mean() - high.mean()) ** 2

        best = max(between(c) for c in np.unique(values)[:-1])
        assert between(cut) == pytest.approx(best)


def test_robust_z_ignores_transients() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(5, 2, 20_000)
    values[::20] += 100
    assert robust_z(values, 2.0) == pytest.approx(9, abs=0.5)


def test_forward_backward_is_the_sum_over_paths() -> None:
    rng = np.random.default_rng(0)
    log_density = rng.normal(-1, 1, (6, 2))
    chain, start = np.array([[0.8, 0.2], [0.4, 0.6]]), np.array([0.7, 0.3])
    first = np.array([True, False, False, True, False, False])
    total, posterior, moves = markov._forward_backward(log_density, chain, start, first)
    expected, expected_moves, likelihood = np.zeros((6, 2)), np.zeros((2, 2)), 0.0
    for path in product((0, 1), repeat=6):
        p = np.exp(sum(log_density[t, k] for t, k in enumerate(path)))
        for t, k in enumerate(path):
            p *= start[k] if first[t] else chain[path[t - 1], k]
        likelihood += p
        for t, k in enumerate(path):
            expected[t, k] += p
            if not first[t]:
                expected_moves[path[t - 1], k] += p
    assert total == pytest.approx(np.log(likelihood))
    np.testing.assert_allclose(posterior, expected / likelihood, rtol=1e-9)
    np.testing.assert_allclose(moves, expected_moves / likelihood, rtol=1e-9)


def test_hidden_markov_decodes_better_than_any_threshold() -> None:
    rng = np.random.default_rng(1)
    on = np.cumsum(rng.random(6000) < 0.05) % 2 == 1
    values = rng.normal(np.where(on, 2.0, 0.0), np.where(on, 1.5, 1.0))
    cut, states = markov.hidden_markov(values, np.zeros(6000))
    best = max(((values > c) == on).mean() for c in np.linspace(-1, 3, 81))
    assert (states == on).mean() > best + 0.05
    assert (states == on).mean() > 0.93
    assert 0.5 < cut < 2.0


# bins


def test_bins_are_aligned_to_zero_and_need_half_their_frames() -> None:
    time = 0.7 + np.arange(40) / RATE  # begins within bin 1
    dropped = np.zeros(40, bool)
    dropped[[3, 4, 5]] = True  # three of the five frames of bin 2 (1.0, 1.1, 1.2 s)
    dropped[[8, 9]] = True  # two of those of bin 3
    bins = lay_bins(time, RATE, dropped, 0.5)
    np.testing.assert_allclose(bins.start_s[:4], [0.5, 1.0, 1.5, 2.0])
    assert bins.valid[:4].tolist() == [True, False, True, True]
    values = np.arange(40.0)[:, None]
    assert bins.mean(values)[2, 0] == pytest.approx(np.mean([10, 11, 12]))
    assert bins.total(values)[0, 0] == 0 + 1 + 2


def test_rounding_of_times_does_not_move_frames_to_other_bins() -> None:
    bins = lay_bins(np.arange(100_000) * 0.1, RATE, np.zeros(100_000, bool), 0.5)
    assert (np.bincount(bins.of_frame) == 5).all()


def test_windows_hold_whole_bins_only_and_segments_end_at_every_border() -> None:
    bins = lay_bins(np.arange(200) / RATE, RATE, np.zeros(200, bool), 0.5)
    table = windows(("a", 0.25, 3.0), ("b", 3.0, 5.1), ("a", 8.0, 9.0))
    row = window_of_bins(bins, table)
    assert np.flatnonzero(row == 0).tolist() == [1, 2, 3, 4, 5]
    assert np.flatnonzero(row == 1).tolist() == [6, 7, 8, 9]
    kept = np.flatnonzero(row >= 0)
    label = table["window"].to_numpy()[row[kept]]
    assert segments_of(bins.number[kept], label).tolist() == [0] * 5 + [1] * 4 + [2, 2]


def test_matching_cuts_to_the_shortest_window_that_is_long_enough() -> None:
    label = np.repeat(["long", "short", "tiny"], [50, 30, 5])
    kept = match(label, min_frames=10)
    assert [kept[label == name].sum() for name in ("long", "short", "tiny")] == [30, 30, 5]
    assert kept[:30].all()
    assert match(label, min_frames=100).all()


# states


@pytest.mark.parametrize("method", BINARIZERS)
def test_states_follow_thresholds_in_units_of_the_signal(method: str) -> None:
    traces, _ = transient_traces(3000, 3)
    found = binarize(100 * traces - 7, RATE, method)
    assert found["states"].dtype == np.uint8
    assert found["threshold"].shape == (3,)
    if method != "hmm":  # it also looks at the frames around
        above = found["signal"].values > found["threshold"].values
        np.testing.assert_array_equal(found["states"].values, above)
    for name in ("states", "signal", "threshold", "time", "segment"):
        assert {"units", "long_name"} <= set(found[name].attrs)


@pytest.mark.parametrize("method", BINARIZERS)
def test_states_do_not_depend_on_the_scale_of_the_traces(method: str) -> None:
    traces, _ = transient_traces(3000, 2)
    first = binarize(traces, RATE, method)["states"].values
    second = binarize(4096 * traces + 8192, RATE, method)["states"].values
    assert (first == second).mean() > 0.999


@pytest.mark.parametrize("method", BINARIZERS)
def test_a_dataset_of_windows_is_complete_and_survives_the_disk(method: str, tmp_path: Path) -> None:
    traces, _ = transient_traces(6000, 2)
    found = binarize_windows(ensembles(traces), windows(("a", 0, 200), ("b", 250, 600)), method=method)
    assert found["matched"].values.sum() == 800
    assert found["threshold"].dims == ("window_name", "unit")
    assert set(found["condition"].values[found["window"].values == "b"]) == {"B"}
    assert found.attrs["recording"] == "r"
    assert found.attrs["bin_s"] == 0.5
    again = binarize_windows(ensembles(traces), windows(("a", 0, 200), ("b", 250, 600)), method=method)
    xr.testing.assert_identical(found, again)
    files.save(found, tmp_path / "states.nc")
    xr.testing.assert_equal(files.load(tmp_path / "states.nc"), found)


def test_events_find_the_bins_that_hold_transients() -> None:
    traces, on = transient_traces(20_000, 3)
    states = binarize(traces, RATE, "events", z=4.0)["states"].values == 1
    assert states[on].mean() > 0.99
    assert states[~on].mean() < 0.01


def test_events_survive_gaps_drops_and_jitter_of_the_frames() -> None:
    traces, on = transient_traces(20_000, 2)
    rng = np.random.default_rng(0)
    time = np.arange(20_000) / RATE + rng.uniform(-0.01, 0.01, 20_000) + 0.02
    dropped = rng.random(20_000) < 0.05
    keep = np.ones(20_000, bool)
    keep[3000:9000] = False  # no frame at all for ten minutes
    traces[dropped] = np.nan
    found = binarize_windows(ensembles(traces[keep], time[keep], dropped[keep]), windows(("a", 0, 2000)), z=4.0)
    truth = on[np.rint(found["time"].values / 0.5).astype(int)]
    states = found["states"].values == 1
    assert states[truth].mean() > 0.95  # some onsets are dropped
    assert states[~truth].mean() < 0.015
    lengths = np.unique(found["segment"].values, return_counts=True)[1]
    assert lengths.sum() == found.sizes["frame"]
    number = np.rint(found["time"].values / 0.5)
    same = found["segment"].values[1:] == found["segment"].values[:-1]
    np.testing.assert_array_equal(same, np.diff(number) == 1)


def test_one_threshold_for_all_windows_or_one_for_each() -> None:
    rng = np.random.default_rng(0)
    activity = rng.normal(0, 1, (4000, 2))
    activity[2000:] = 3 * activity[2000:] + 10
    table = windows(("low", 0, 200), ("high", 200, 400))
    common = binarize_windows(ensembles(activity), table, method="median")
    own = binarize_windows(ensembles(activity), table, method="median", per_window=True)
    np.testing.assert_array_equal(common["threshold"][0], common["threshold"][1])
    high = common["window"].values == "high"
    assert common["states"].values[high].mean() > 0.95
    assert own["states"].values[high].mean() == pytest.approx(0.5, abs=0.01)
    assert (own["threshold"].sel(window_name="high") > own["threshold"].sel(window_name="low")).all()


def test_event_thresholds_per_window_follow_its_noise() -> None:
    traces, _ = transient_traces(8000, 1)
    rng = np.random.default_rng(0)
    traces[4000:] += rng.normal(0, 2, (4000, 1))
    table = windows(("clean", 0, 400), ("noisy", 400, 800))
    found = binarize_windows(ensembles(traces), table, per_window=True)
    ratio = found["threshold"].values[1] / found["threshold"].values[0]
    assert ratio == pytest.approx(np.sqrt(5), rel=0.1)


# faults


def test_windows_without_frames_are_named_at_once_when_there_is_no_other() -> None:
    traces, _ = transient_traces(1000, 2)
    with pytest.raises(PhiscaleError) as fault:
        binarize_windows(ensembles(traces), windows(("late", 500, 600), ("thin", 60.1, 60.4)))
    assert len(fault.value.problems) == 2
    for word in ("window late", "500 to 600 s", "99.9 s", "window thin", "no transition"):
        assert word in str(fault.value)


@pytest.mark.parametrize("per_window", [False, True])
def test_a_window_without_frames_does_not_take_the_others(per_window: bool) -> None:
    traces, _ = transient_traces(6000, 2)
    traces[3000:4000] = np.nan  # 300 to 400 s
    good = (("a", 0, 250), ("b", 400, 600))
    bad = (("lost", 300, 400), ("late", 700, 800), ("one_bin", 260, 260.5))
    found = binarize_windows(ensembles(traces), windows(*bad, *good), per_window=per_window)
    alone = binarize_windows(ensembles(traces), windows(*good), per_window=per_window)
    xr.testing.assert_equal(found, alone)
    assert found["window_name"].values.tolist() == ["a", "b"]
    assert found["matched"].values.sum() == 800
    left_out = json.loads(found.attrs["history"])[-1]["parameters"]["windows_left_out"]
    assert left_out == ["lost", "late", "one_bin"]
    with pytest.raises(PhiscaleError, match=r"'r', window lost: has no states.* that have: a, b"):
        estimate_window(found, "lost")


def test_windows_may_be_called_na_and_null(tmp_path: Path) -> None:
    traces, _ = transient_traces(2000, 2)
    table = windows(("NA", 0, 100), ("null", 100, 200)).assign(condition=["null", "NA"], recording="r")
    table[list(WINDOW_COLUMNS)].to_csv(tmp_path / "windows.csv", index=False)
    states = binarize_windows(ensembles(traces), read_table(tmp_path / "windows.csv", WINDOW_COLUMNS))
    assert states["window_name"].values.tolist() == ["NA", "null"]
    assert states["condition"].values[[0, -1]].tolist() == ["null", "NA"]


def test_a_bin_shorter_than_a_frame_is_refused() -> None:
    traces, _ = transient_traces(1000, 2)
    with pytest.raises(PhiscaleError, match=r"bin of 0\.05 s is shorter than a frame \(0\.1 s"):
        binarize(traces, RATE, bin_s=0.05)


def test_traces_that_are_no_table_are_refused() -> None:
    with pytest.raises(PhiscaleError, match=r"one column per unit"):
        binarize(np.zeros(100), RATE)
    with pytest.raises(PhiscaleError, match="1 bins of 5 s"):
        binarize(np.zeros((60, 2)), RATE, bin_s=5)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(PhiscaleError, match="'magic' is not one of quantile, median"):
        binarize(np.zeros((10, 1)), RATE, "magic")


@pytest.mark.parametrize("method", BINARIZERS)
def test_constant_units_are_named(method: str) -> None:
    traces, _ = transient_traces(3000, 3)
    traces[:, 1] = 2.0
    with pytest.raises(PhiscaleError, match="unit u1: its activity is constant") as fault:
        binarize(traces, RATE, method)
    assert len(fault.value.problems) == 1


def test_units_that_are_never_on_are_named_together() -> None:
    traces, _ = transient_traces(3000, 3)
    with pytest.raises(PhiscaleError) as fault:
        binarize(traces, RATE, "events", z=1000)
    assert len(fault.value.problems) == 3
    assert "unit u2: it is never ON" in str(fault.value)
    assert "lower binarize.z" in str(fault.value)


def test_a_quantile_among_equal_values_is_refused() -> None:
    traces = np.zeros((3000, 1))
    traces[7] = 5.0  # one frame above a floor; the highest bin holds less than the quantile asks for
    traces[100:2990] = 5.0
    with pytest.raises(PhiscaleError, match="never ON"):
        binarize(traces, RATE, "quantile", quantile=0.9)


# recorded spikes


def spikefinder(folder: Path) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Return (calcium at 10 Hz, spikes per frame, decay time of the indicator) of each cell."""
    cells = []
    for number, tau in ((1, 1.0), (3, 1.5)):  # OGB-1, GCaMP6s
        path = folder / "spikefinder" / f"data.{number}.test.preprocessed.mat"
        if not path.is_file():
            pytest.skip(f"no {path.name} among the recordings")
        for cell in scipy.io.loadmat(path, squeeze_me=True, struct_as_record=False)["data"]:
            n = len(cell.calcium) // 10 * 10
            calcium = np.asarray(cell.calcium[:n], float).reshape(-1, 10).mean(axis=1)
            cells.append((calcium, np.asarray(cell.spikes[:n]).reshape(-1, 10).sum(axis=1), tau))
    return cells


def test_events_hit_more_true_spikes_than_a_quantile_at_equal_false_alarms(data_dir: Path) -> None:
    hits = []
    for calcium, spikes, tau in spikefinder(data_dir):
        n = len(calcium) // 5
        true = spikes[: 5 * n].reshape(n, 5).sum(axis=1) > 0
        trace = calcium[: 5 * n, None]
        states = binarize(trace, RATE, "events", tau_s=tau, z=3.0)["states"].values[:, 0] == 1
        level = binarize(trace, RATE, "median")["signal"].values[:, 0]
        cut = np.quantile(level[~true], 1 - states[~true].mean())
        assert (level > cut)[~true].mean() == pytest.approx(states[~true].mean(), abs=0.01)
        hits.append((states[true].mean(), (level > cut)[true].mean()))
    events, quantile = np.array(hits).T
    assert len(hits) == 11
    assert (events > quantile).all()
    assert np.mean(events - quantile) > 0.15


def test_windows_are_cut_to_the_shortest_of_several_recordings() -> None:
    """What other recordings hold counts; windows that are too short to be matched to do not."""
    rng = np.random.default_rng(3)
    data, rows = ensembles(rng.normal(size=(2000, 2))), windows(("a", 0, 60), ("b", 60, 150), ("c", 150, 160))
    lengths = window_lengths(data, rows, 0.5)
    assert lengths == {"a": 120, "b": 180, "c": 20}
    assert shortest([*lengths.values(), 90], 50) == 90
    assert shortest(lengths.values(), 200) is None
    states = binarize_windows(data, rows, method="median", min_frames=50, matched_to=90)
    used = {name: int(states["matched"].values[states["window"].values == name].sum()) for name in lengths}
    assert used == {"a": 90, "b": 90, "c": 20}
    assert states.attrs["matched_to"] == 90
    alone = binarize_windows(data, rows, method="median", min_frames=50)
    assert int(alone["matched"].sum()) == 120 + 120 + 20
    assert "matched_to" not in alone.attrs
