import json
import sys

import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import percentile_filter

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.base.recording import Neurons, Origin, build, runs
from pipeline.traces.preprocess import preprocess, preprocess_into, resample, running_percentile

RATE = 10.0


def a_recording(values, time=None, rate=RATE, **given):
    time = np.arange(len(values)) / rate if time is None else time
    return build(values, time=time, sampling_rate_hz=rate, origin=Origin(recording="007", subject="m"), **given)


def transients(n_frames, n_neurons, seed=0, rate=RATE):
    """ΔF/F with sparse transients that decay with 0.7 s."""
    events = np.random.default_rng(seed).random((n_frames, n_neurons)) < 0.01
    kernel = np.exp(-np.arange(50) / (0.7 * rate))
    return np.stack([np.convolve(e, kernel)[:n_frames] for e in events.T], axis=1)


def parameters(dataset):
    return json.loads(dataset.attrs["history"])[-1]["parameters"]


def test_running_percentile_is_scipys_where_no_edge_or_gap_is():
    values = np.random.default_rng(0).normal(size=(901, 3))
    time = np.arange(901) / RATE
    found = running_percentile(time, values, 25, 20.0)
    ranks = percentile_filter(values, 25, size=(201, 1))
    nodes = np.arange(200, 701, 20)  # a tenth of the window apart: exact there
    np.testing.assert_allclose(found[nodes], ranks[nodes], atol=1e-12)
    direct = np.percentile(values[:101], 25, axis=0)  # half a window at the edge
    np.testing.assert_allclose(found[0], direct)


def test_running_percentile_leaves_nan_out_and_bridges_gaps():
    values = np.ones((600, 2)) * [5.0, 7.0]
    values[100:140, 0] = np.nan
    time = np.concatenate([np.arange(300) / RATE, 200 + np.arange(300) / RATE])
    found = running_percentile(time, values, 50, 10.0)
    np.testing.assert_allclose(found, np.ones((600, 2)) * [5.0, 7.0])
    step = np.concatenate([np.full((300, 1), 5.0), np.full((300, 1), 8.0)])
    found = running_percentile(time, step, 50, 10.0)
    assert (found[:300] == 5).all()  # the other side of the gap is far away in time
    assert (found[300:] == 8).all()


def test_known_dff_is_recovered_under_bleaching_and_neuropil():
    n_frames = 6000
    truth = transients(n_frames, 5)
    bleaching = 1 + 0.5 * np.exp(-np.arange(n_frames) / 3000)[:, None]
    baseline = np.array([100, 200, 50, 400, 80.0]) * bleaching
    neuropil = 60 + 20 * np.sin(np.arange(n_frames) / 700)[:, None] + np.zeros((1, 5))
    raw = baseline * (1 + truth) + 0.7 * neuropil
    dataset = preprocess(a_recording(raw, neuropil=neuropil), baseline_percentile=8)
    np.testing.assert_allclose(dataset["f0"], baseline, rtol=0.03)
    np.testing.assert_allclose(dataset["dff"], truth, atol=0.08)
    assert parameters(dataset)["neuropil_factor"] == 0.7
    assert parameters(dataset)["values_divided_by_floor"] == 0
    without = preprocess(a_recording(raw, neuropil=neuropil), neuropil_factor=0)
    assert float(without["f0"].mean()) > float(dataset["f0"].mean()) + 30


def test_result_is_a_labelled_dataset_that_keeps_the_recording():
    recording = a_recording(transients(300, 3) + 100, neurons=Neurons(x=[0, 1, 2], region=["a", "", "b"]))
    dataset = preprocess(recording)
    assert dataset["dff"].dims == ("time", "neuron")
    assert dataset["dff"].dtype == dataset["f0"].dtype == np.float32
    assert dataset["dff"].attrs["units"] == "dF/F"
    assert list(dataset["x"].values) == [0, 1, 2]
    assert dataset.attrs["recording"] == "007"
    for name in dataset.variables:
        assert {"units", "long_name"} <= set(dataset[name].attrs), name
    assert [e["operation"] for e in json.loads(dataset.attrs["history"])] == [
        "recording.mark_missing",
        "preprocess.preprocess",
    ]


def test_dropped_frames_count_for_nothing():
    values = transients(1000, 3) + 100
    spoiled = values.copy()
    spoiled[400:405] = 1e6
    dropped = np.zeros(1000, bool)
    dropped[400:405] = True
    clean = preprocess(a_recording(values))
    dataset = preprocess(a_recording(spoiled, dropped=dropped))
    assert np.isnan(dataset["dff"].values[400:405]).all()
    assert dataset["dropped"].values.sum() == 5
    keep = ~dropped
    np.testing.assert_allclose(dataset["dff"].values[keep], clean["dff"].values[keep], atol=0.02)


def test_dff_passes_unchanged():
    values = transients(300, 3)
    dataset = preprocess(a_recording(values), kind="dff", neuropil_factor=0.5)
    np.testing.assert_array_equal(dataset["dff"], values.astype(np.float32))
    assert "f0" not in dataset


def test_detrending():
    time = np.arange(6000) / RATE
    truth = transients(6000, 2)
    drift = 0.01 * time[:, None]
    truth[50:60, 0] = np.nan
    linear = preprocess(a_recording(truth + drift), kind="dff", detrend="linear")["dff"].values
    for values in linear.T:
        known = np.isfinite(values)
        assert np.polyfit(time[known], values[known], 1)[0] == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(np.nanmean(linear, axis=0), np.nanmean(truth + drift, axis=0), rtol=1e-5)
    slow = np.sin(2 * np.pi * time / 600)[:, None]
    flat = preprocess(a_recording(truth + slow), kind="dff", detrend="highpass", highpass_s=60)
    assert np.nanstd(flat["dff"].values - truth) < 0.15 * slow.std()


@pytest.mark.parametrize(("seconds", "kept"), [(20.0, True), (2.0, True), (0.4, False), (0.25, False)])
def test_resampling_keeps_slow_and_takes_out_fast_oscillations(seconds, kept):
    time = np.arange(3000) / 20
    wave = np.sin(2 * np.pi * time / seconds)[:, None]
    new_time, layers = resample(time, {"dff": wave}, 20.0, 2.0)
    inner = (new_time > 5) & (new_time < 145)
    gain = layers["dff"][inner].std() / wave.std()
    assert gain == pytest.approx(1, abs=0.06) if kept else gain < 0.05


def test_resampling_keeps_constants_to_the_edges_and_the_grid_at_zero():
    time = 0.03 + np.arange(500) / 7.3
    new_time, layers = resample(time, {"dff": np.full((500, 2), 3.0)}, 7.3, 10.0)
    np.testing.assert_allclose(layers["dff"], 3.0)
    np.testing.assert_allclose(new_time * 10, np.round(new_time * 10))
    assert time[0] <= new_time[0] < time[0] + 0.1
    assert time[-1] - 0.1 < new_time[-1] <= time[-1]


def test_resampling_never_crosses_a_gap():
    time = np.concatenate([np.arange(300), np.arange(1000, 1300)]) / RATE
    values = np.concatenate([np.zeros((300, 1)), np.full((300, 1), 9.0)])
    dataset = preprocess(a_recording(values, time), kind="dff", resample_hz=4)
    assert set(np.unique(dataset["dff"].values)) == {0.0, 9.0}  # one side never sees the other
    assert dataset.attrs["sampling_rate_hz"] == 4
    found = runs(dataset["time"].values, 4)
    assert len(found) == 2
    assert dataset["time"].values[found[1][0]] == 100


def test_resampling_of_irregular_times_and_missing_frames():
    rng = np.random.default_rng(0)
    time = np.arange(800) * 0.6 + rng.uniform(-0.1, 0.1, 800)
    wave = np.sin(2 * np.pi * time / 30)[:, None]
    wave[100], wave[300:340] = np.nan, np.nan
    dataset = preprocess(a_recording(wave, time, 1 / 0.6), kind="dff", resample_hz=1.5)
    new = dataset["time"].values
    found = dataset["dff"].values[:, 0]
    lost = dataset["dropped"].values
    np.testing.assert_allclose(found[~lost], np.sin(2 * np.pi * new / 30)[~lost], atol=0.05)
    inside = (new > time[300] + 1) & (new < time[339] - 1)
    assert lost[inside].all()
    assert lost.sum() < 40  # and hardly any other


def test_upsampling_goes_through_the_samples():
    values = transients(300, 2)
    dataset = preprocess(a_recording(values), kind="dff", resample_hz=20)
    np.testing.assert_allclose(dataset["dff"].values[::2], values, atol=1e-6)


def test_a_low_baseline_is_floored_and_counted():
    values = transients(2000, 4) * 20 + 100
    values[500:900, 2] -= 99.9
    dataset = preprocess(a_recording(values), baseline_window_s=20)
    assert parameters(dataset)["values_divided_by_floor"] > 100
    assert np.abs(dataset["dff"]).max() < 20
    assert dataset.sizes["neuron"] == 4


def test_neurons_without_a_baseline_are_left_out_or_refused():
    values = transients(600, 5) * 20 + 100
    values[:, 1] -= 200
    dataset = preprocess(a_recording(values))
    assert list(dataset["neuron"].values) == ["n0", "n2", "n3", "n4"]
    assert parameters(dataset)["neurons_left_out"] == ["n1"]
    with pytest.raises(PhiscaleError, match=r"preprocess.kind to dff") as caught:
        preprocess(a_recording(np.random.default_rng(0).normal(size=(600, 5))))
    assert "'007'" in str(caught.value)


def test_same_input_same_bytes():
    values = transients(500, 3) + 10
    first = preprocess(a_recording(values), detrend="highpass", resample_hz=4)
    second = preprocess(a_recording(values), detrend="highpass", resample_hz=4)
    assert first.identical(second)


def test_real_fluorescence_with_negative_values(data_dir):
    folder = data_dir / "suite2p_plane0"
    raw = np.load(folder / "F.npy").T
    dataset = preprocess(a_recording(raw, rate=30, neuropil=np.load(folder / "Fneu.npy").T), neuropil_factor=0.3)
    assert 110 < dataset.sizes["neuron"] < 219
    assert np.isfinite(dataset["dff"]).all()
    assert parameters(dataset)["neurons_left_out"]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("given", [{}, {"kind": "dff", "detrend": "linear"}, {"resample_hz": 4.0}])
def test_what_is_written_block_by_block_is_what_is_returned(tmp_path, monkeypatch, dark, given):
    """Of a recording that lies in a file; also a neuron without a baseline, which is found when others are written."""
    monkeypatch.setattr(sys.modules[preprocess.__module__], "BLOCK", 3)  # the room has a function of its name
    values = 50 + np.random.default_rng(0).random((700, 8))
    values[40] = np.nan
    if dark:
        values[:, 5] -= 60
    files.save(a_recording(values), tmp_path / "r.nc")
    for name in ("a.nc", "b.nc"):
        with files.opened(tmp_path / "r.nc") as recording:
            preprocess_into(tmp_path / name, recording, **given)
    written, returned = files.load(tmp_path / "a.nc"), preprocess(files.load(tmp_path / "r.nc"), **given)
    xr.testing.assert_identical(written, returned)
    assert written.sizes["neuron"] == 8 - (dark and given.get("kind") != "dff")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nc", "b.nc", "r.nc"]
