"""Units that are the same in several recordings, and what is refused."""

import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from pipeline.base.errors import PhiscaleError
from pipeline.base.recording import Neurons, Origin, build
from pipeline.traces.ensembles import group_as
from pipeline.traces.preprocess import preprocess
from pipeline.traces.shared import SharedUnits, share_units

TRUTH = np.repeat([0, 1, 2, 3], 6)


def session(name, seed, *, names=None, brightness=1.0, noise=2.0, **places):
    """One session of 24 neurons in four groups, each group with a signal of its own."""
    rng = np.random.default_rng(seed)
    signals = np.repeat(rng.random((80, 4)) < 0.3, 10, axis=0) * 3.0
    values = brightness * (signals[:, TRUTH] + noise * rng.normal(size=(800, len(TRUTH))))
    recording = build(
        values,
        time=np.arange(len(values)) / 10,
        sampling_rate_hz=10,
        origin=Origin(recording=name, subject="m"),
        neurons=Neurons(names=names or [f"c{i}" for i in range(len(TRUTH))], **places),
    )
    return preprocess(recording, kind="dff")


@pytest.fixture(scope="module")
def sessions():
    return [session("a", 1), session("b", 2, brightness=50.0), session("c", 3)]


def test_all_recordings_get_the_same_units(sessions):
    shared = share_units(sessions, n_ensembles=4, method="activity", name="m")
    grouped = [group_as(one, shared) for one in sessions]
    assert [list(one["ensemble"].values) for one in grouped] == [shared.units] * 3
    assert all((one["label"].values == grouped[0]["label"].values).all() for one in grouped)
    assert adjusted_rand_score(TRUTH, grouped[0]["label"].values) == 1
    assert [one.attrs["units_shared"] for one in grouped] == ["subject"] * 3
    assert all("units_flag" not in one.attrs for one in grouped)


def test_a_bright_session_counts_no_more_than_a_dim_one(sessions):
    """In the last session neurons go with others, and it is a thousand times as bright."""
    other = session("d", 2)
    other = other.assign(dff=other["dff"].copy(data=other["dff"].values[:, np.arange(24).reshape(4, 6).T.ravel()]))
    dim = share_units([*sessions, other], n_ensembles=4, method="activity", name="m")
    bright = share_units([*sessions, other.assign(dff=1000 * other["dff"])], n_ensembles=4, method="activity", name="m")
    assert dim.label == bright.label
    assert adjusted_rand_score(TRUTH, list(bright.label.values())) == 1


def test_units_come_back_from_json(sessions):
    shared = share_units(sessions, n_ensembles=4, method="activity", name="m")
    assert SharedUnits(**json.loads(json.dumps(shared.plain()))) == shared


def test_neurons_that_one_recording_cannot_use_are_left_out_and_counted(sessions):
    dark = session("dark", 4)
    dark["dff"].values[:, 5] = 1.0
    lacks = session("lacks", 5).isel(neuron=np.arange(1, 24))
    shared = share_units([*sessions, dark, lacks], n_ensembles=4, method="activity", name="m")
    assert shared.left_out == ["c0", "c5"]
    grouped = group_as(sessions[0], shared)
    assert grouped["label"].values[[0, 5]].tolist() == [-1, -1]
    assert grouped["n_neurons"].values.sum() == 22
    assert (grouped.attrs["neurons_not_shared"], grouped.attrs["units_flag"]) == (2, "neurons_not_shared:2")
    assert json.loads(grouped.attrs["history"])[-1]["parameters"]["neurons_not_used"] == ["c0", "c5"]


def test_each_neuron_is_a_unit_in_the_order_chosen(sessions):
    shared = share_units(sessions, n_ensembles=2, method="none", neurons=["c7", "c2"], name="m")
    grouped = [group_as(one, shared) for one in sessions]
    assert all(list(one["ensemble"].values) == ["c7", "c2"] for one in grouped)
    noise = float(sessions[1]["dff"].values[:, 7].astype(float).std())
    assert grouped[1]["activity"].values[:, 0].std() == pytest.approx(noise / grouped[1]["noise_sd"].values[7])


def test_position_takes_all_axes_that_are_known():
    z = np.tile([0.0, 9.0], 12)
    flat = {"x": np.zeros(24), "y": np.linspace(0, 0.1, 24), "z": z}
    shared = share_units([session("a", 1, **flat), session("b", 2, **flat)], n_ensembles=2, method="position", name="m")
    assert adjusted_rand_score(z, list(shared.label.values())) == 1


def test_one_message_where_neurons_are_not_the_same(sessions):
    strangers = session("d", 6, names=[f"x{i}" for i in range(24)])
    by_place = [session(name, 1, names=[f"n{i}" for i in range(24)]) for name in ("a", "b")]
    place = {"x": np.arange(24.0), "y": np.zeros(24)}
    moved = [session("a", 1, **place), session("b", 1, **{**place, "x": np.arange(24.0)[::-1]})]
    region = [session(n, 1, region=["V"] * i + ["M"] * (24 - i)) for n, i in (("a", 12), ("b", 13))]
    cases = [
        ([*sessions, strangers], {}, "no neurons are usable in all 4 recordings, for 4 units"),
        ([sessions[0], sessions[1].isel(neuron=[1, 2])], {}, "2 neurons are usable in all 2 recordings"),
        (sessions, {"neurons": ["c1", "c99"]}, "not usable in every recording (a: c99; b: c99; c: c99)"),
        (
            [by_place[0], by_place[1].isel(neuron=np.arange(23))],
            {},
            "different numbers of them (a 24, b 23)",
        ),
        (moved, {"method": "position"}, "lie more than 1 mm apart"),
        (region, {"method": "region", "n_ensembles": 2}, "1 neurons of one name have different region labels"),
    ]
    for recordings, given, expected in cases:
        with pytest.raises(PhiscaleError) as caught:
            share_units(recordings, **{"n_ensembles": 4, "method": "activity", "name": "m", **given})
        assert len(caught.value.problems) == 1
        assert expected in str(caught.value)
        assert "subject 'm'" in str(caught.value)


def test_a_parcel_without_values_keeps_the_others_in_place():
    """Names are places in the file; a recording in which one is NaN throughout holds the same number of them."""
    one, other = (session(name, seed, names=[f"n{i}" for i in range(24)]) for name, seed in (("a", 1), ("b", 2)))
    values = other["dff"].values.copy()
    values[:, 3] = np.nan
    lost = preprocess(
        build(values, time=other["time"].values, sampling_rate_hz=10, origin=Origin(recording="b", subject="m")),
        kind="dff",
    )
    shared = share_units([one, lost], n_ensembles=4, method="activity", name="m")
    assert shared.left_out == ["n3"]
    assert shared.label["n23"] == shared.label["n22"]
