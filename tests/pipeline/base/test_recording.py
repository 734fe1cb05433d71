import numpy as np
import pandas as pd
import pytest

from pipeline.base import recording as rec
from pipeline.base.errors import PhiscaleError


def make(n_frames=50, n_neurons=3, **changes):
    values = np.random.default_rng(0).normal(size=(n_frames, n_neurons))
    given = {
        "time": np.arange(n_frames) / 10,
        "sampling_rate_hz": 10,
        "origin": rec.Origin(recording="007", subject="1e3"),
    }
    return rec.build(changes.pop("values", values), **{**given, **changes})


def test_a_recording_has_dims_units_and_text_ids():
    dataset = make(neuropil=np.zeros((50, 3)), neurons=rec.Neurons(x=[0, 1, 2], region=["VISp", "", "MOs"]))
    rec.validate(dataset)
    assert dataset["fluorescence"].dims == ("time", "neuron")
    assert dataset["fluorescence"].dtype == np.float32
    assert dataset.attrs["recording"] == "007"
    assert dataset.attrs["subject"] == "1e3"
    assert list(dataset["neuron"].values) == ["n0", "n1", "n2"]
    assert np.isnan(dataset["y"].values).all()
    for name in dataset.variables:
        assert {"units", "long_name"} <= set(dataset[name].attrs), name


def test_neurons_without_values_are_left_out_and_named():
    values = np.ones((50, 3))
    values[:, 1] = np.nan
    dataset = make(values=values)
    assert list(dataset["neuron"].values) == ["n0", "n2"]
    assert '"neurons_left_out": ["n1"]' in dataset.attrs["history"]
    assert not dataset["dropped"].any()  # n1 does not drop the frames of the others


def test_frames_without_values_are_dropped_others_not():
    values = np.ones((50, 3))
    values[10:15] = np.nan
    values[20, 0] = np.nan
    dropped = np.zeros(50, bool)
    dropped[30] = True
    dataset = make(values=values, dropped=dropped)
    assert list(np.flatnonzero(dataset["dropped"].values)) == [10, 11, 12, 13, 14, 30]


def test_all_faults_are_told_at_once():
    values = np.ones((50, 3))
    values[3, 1] = np.inf
    time = np.arange(50) / 10
    time[20] = time[18]
    dataset = make(values=values, time=time, neurons=rec.Neurons(["a", "b", "a"], [0, 300, 900]))
    with pytest.raises(PhiscaleError) as caught:
        rec.validate(dataset)
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    assert "'007'" in text
    assert "frame 20" in text
    assert "more than once: a" in text
    assert "infinite in 1 neurons (b)" in text
    assert "µm" in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sampling_rate_hz": 20}, "median step between frames is 0.1 s"),
        ({"sampling_rate_hz": 0}, "sampling_rate_hz is 0"),
        ({"time": np.full(50, np.nan)}, "frame times are NaN"),
        ({"values": np.full((50, 3), np.nan)}, "every frame is dropped"),
        ({"values": np.ones((50, 0))}, "has no neurons"),
        ({"values": np.ones((1, 3)), "time": np.zeros(1)}, "has 1 frames"),
    ],
)
def test_a_fault_is_named(changes, expected):
    with pytest.raises(PhiscaleError, match=expected):
        rec.validate(make(**changes))


def test_missing_variables_dims_and_attributes_are_named():
    dataset = make().drop_vars(["dropped", "x"]).transpose("neuron", "time")
    del dataset.attrs["subject"]
    with pytest.raises(PhiscaleError) as caught:
        rec.validate(dataset)
    text = str(caught.value)
    assert "no 'dropped'" in text
    assert "no 'x'" in text
    assert "('neuron', 'time'), expected ('time', 'neuron')" in text
    assert "'subject'" in text


def test_runs_end_at_gaps_and_dropped_frames():
    time = np.concatenate([np.arange(5), np.arange(10, 14), [15.4]]) / 10
    dropped = np.zeros(10, bool)
    dropped[2] = True
    assert rec.runs(time, 10) == [(0, 5), (5, 9), (9, 10)]
    assert rec.runs(time, 10, dropped)[:2] == [(0, 2), (3, 5)]
    jittered = np.arange(20) * 0.6 + np.random.default_rng(0).uniform(-0.1, 0.1, 20)
    assert rec.runs(jittered, 1 / 0.6) == [(0, 20)]


def test_frames_of_a_window_are_the_union_of_its_segments():
    windows = pd.DataFrame({"window": ["a", "b", "a"], "start_s": [0.0, 1.0, 3.0], "end_s": [1.0, 2.0, 3.5]})
    masks = rec.frames_of(windows, np.arange(40) / 10)
    assert masks["a"].sum() == 15
    assert masks["b"].sum() == 10
    assert not (masks["a"] & masks["b"]).any()
