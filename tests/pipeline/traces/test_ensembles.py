import json
import sys

import numpy as np
import pytest
import xarray as xr
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.base.recording import Neurons, Origin, build
from pipeline.traces.clusters import correlation_embedding
from pipeline.traces.ensembles import group
from pipeline.traces.noise import noise_sd
from pipeline.traces.preprocess import preprocess

TRUTH = np.repeat([0, 1, 2, 3], 12)


def preprocessed(values, **places):
    recording = build(
        values,
        time=np.arange(len(values)) / 10,
        sampling_rate_hz=10,
        origin=Origin(recording="007", subject="m"),
        neurons=Neurons(**places),
    )
    return preprocess(recording, kind="dff")


def four_groups(noise=1.0, seed=0, n_frames=2000, shuffle=True):
    """Four groups of neurons, each with a signal and a place of its own, in random order."""
    rng = np.random.default_rng(seed)
    signals = np.repeat(rng.random((n_frames // 10, 4)) < 0.15, 10, axis=0) * 2.0
    order = rng.permutation(len(TRUTH)) if shuffle else np.arange(len(TRUTH))
    truth = TRUTH[order]
    values = signals[:, truth] + noise * rng.normal(size=(n_frames, len(truth)))
    x = np.array([3.0, 1.0, 1.0, 0.0])[truth] + 0.1 * rng.random(len(truth))
    y = np.array([0.0, 2.0, 1.0, 0.0])[truth] + 0.1 * rng.random(len(truth))
    region = np.array(["VISp", "MOs", "SSp", "RSP"])[truth]
    return values, truth, {"x": x, "y": y, "region": region}


@pytest.mark.parametrize("method", ["position", "activity", "region"])
def test_groups_are_recovered(method):
    values, truth, places = four_groups()
    dataset = group(preprocessed(values, **places), n_ensembles=4, method=method)
    assert adjusted_rand_score(truth, dataset["label"].values) == 1
    assert list(dataset["ensemble"].values) == ["e0", "e1", "e2", "e3"]
    assert dataset["n_neurons"].values.tolist() == [12] * 4


def test_activity_groups_survive_noise_that_hides_single_correlations():
    values, truth, _ = four_groups(noise=3.0, n_frames=4000)
    correlation = np.corrcoef(values[:, truth == 0].T)
    assert np.median(correlation) < 0.1
    dataset = group(preprocessed(values), n_ensembles=4, method="activity")
    assert adjusted_rand_score(truth, dataset["label"].values) > 0.8


def test_ensembles_are_in_the_order_of_place_whatever_the_seed():
    values, _truth, places = four_groups()
    labels = [group(preprocessed(values, **places), n_ensembles=4, seed=s)["label"].values for s in range(3)]
    for label in labels:  # x, then y: groups 3 (x 0), 2 (x 1, y 1), 1 (x 1, y 2), 0 (x 3)
        centroid_x = [places["x"][label == k].mean() for k in range(4)]
        assert centroid_x == sorted(centroid_x)
        np.testing.assert_array_equal(label, labels[0])
    by_first = group(preprocessed(values), n_ensembles=4, method="activity")["label"].values
    assert [int(np.flatnonzero(by_first == k)[0]) for k in range(4)] == sorted(
        int(np.flatnonzero(by_first == k)[0]) for k in range(4)
    )


def test_activity_is_the_mean_of_scaled_neurons():
    values, _, places = four_groups()
    dataset = group(preprocessed(values, **places), n_ensembles=4)
    scaled = values.astype(np.float32) / dataset["noise_sd"].values
    for k in range(4):
        members = dataset["label"].values == k
        np.testing.assert_allclose(dataset["activity"][:, k], scaled[:, members].mean(axis=1), rtol=1e-5, atol=1e-6)
        assert dataset["centroid_x"][k] == pytest.approx(places["x"][members].mean())
    for name in dataset.variables:
        assert {"units", "long_name"} <= set(dataset[name].attrs), name


def test_a_bright_neuron_does_not_outweigh_the_others():
    values, _, places = four_groups(shuffle=False)
    bright = values.copy()
    bright[:, 0] *= 50
    first = group(preprocessed(values, **places), n_ensembles=4)
    second = group(preprocessed(bright, **places), n_ensembles=4)
    np.testing.assert_allclose(first["activity"], second["activity"], rtol=1e-4, atol=1e-4)


def test_noise_sd_ignores_transients_gaps_and_dropped_frames():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(20000, 2)) * [0.1, 2.0]
    events = np.repeat(rng.random((400, 2)) < 0.1, 50, axis=0) * 10.0
    values = noise + events
    values[100:200, 0] = np.nan
    dropped = np.zeros(20000, bool)
    dropped[5000:6000] = True
    values[dropped] = 1e6 * rng.normal(size=(1000, 2))
    np.testing.assert_allclose(noise_sd(values, dropped), [0.1, 2.0], rtol=0.03)
    stairs = np.repeat(rng.normal(size=(100, 1)), 20, axis=0)
    assert noise_sd(stairs, np.zeros(2000, bool))[0] == pytest.approx(stairs.std())


def test_distances_of_the_embedding_are_those_of_correlations():
    values = np.random.default_rng(0).normal(size=(500, 6))
    values[:, 1] += values[:, 0]
    points = correlation_embedding(values, 6)
    squared = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared, 2 * (1 - np.corrcoef(values.T)), atol=1e-10)
    values[::7, 2] = np.nan
    points = correlation_embedding(values, 6)
    known = np.isfinite(values[:, 2])
    expected = np.corrcoef(values[known, 2], values[known, 0])[0, 1]
    assert points[2] @ points[0] == pytest.approx(expected, abs=0.05)


def test_few_neurons_and_method_none_pass_through_under_their_names():
    values, _, _ = four_groups()
    few = group(preprocessed(values[:, :3], names=["a", "b", "c"]), n_ensembles=4)
    assert list(few["ensemble"].values) == ["a", "b", "c"]
    chosen = group(preprocessed(values), n_ensembles=3, method="none", neurons=["n9", "n2", "n30", "n1"])
    assert list(chosen["ensemble"].values) == ["n9", "n2", "n30", "n1"]
    assert chosen["label"].values[[9, 2, 30, 1]].tolist() == [0, 1, 2, 3]
    assert (chosen["label"].values == -1).sum() == 44
    np.testing.assert_allclose(chosen["activity"][:, 1], values[:, 2] / chosen["noise_sd"].values[2], rtol=1e-5)


def test_missing_values_are_averaged_over_and_empty_ensembles_drop_the_frame():
    values, _, places = four_groups(shuffle=False)
    values[100:110, 0] = np.nan  # one of twelve
    values[200:210, :7] = np.nan  # seven of twelve
    dataset = group(preprocessed(values, **places), n_ensembles=4)
    lost = dataset["dropped"].values
    assert list(np.flatnonzero(lost)) == list(range(200, 210))
    assert np.isfinite(dataset["activity"].values[~lost]).all()
    assert np.isnan(dataset["activity"].values[lost]).all()


def test_silent_neurons_are_not_used():
    values, _, places = four_groups(shuffle=False)
    values[:, 5] = 1.0
    dataset = group(preprocessed(values, **places), n_ensembles=4)
    assert dataset["label"].values[5] == -1
    history = json.loads(dataset.attrs["history"])[-1]["parameters"]
    assert history["neurons_not_used"] == ["n5"]
    with pytest.raises(PhiscaleError, match=r"constant.*\(n5\)"):
        group(preprocessed(values), n_ensembles=4, method="none", neurons=["n1", "n5"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"method": "position"}, "0 distinct positions for 4 ensembles"),
        ({"method": "region"}, "0 regions"),
        ({"neurons": ["n1", "n99", "x"]}, "names n99, x, which this recording does not have"),
        ({"neurons": ["n1", "n1"]}, "names n1 more than once"),
    ],
)
def test_what_cannot_be_grouped_is_told(given, expected):
    values, _, _ = four_groups()
    with pytest.raises(PhiscaleError) as caught:
        group(preprocessed(values), n_ensembles=4, **given)
    assert expected in str(caught.value)
    assert "'007'" in str(caught.value)


def test_more_regions_than_ensembles_are_refused_fewer_are_kept():
    values, _, places = four_groups()
    data = preprocessed(values, **places)
    with pytest.raises(PhiscaleError, match="MOs, RSP, SSp, VISp"):
        group(data, n_ensembles=3, method="region")
    assert group(data, n_ensembles=6, method="region").sizes["ensemble"] == 4


def test_neurons_without_place_are_left_out_of_groups_by_place():
    values, truth, places = four_groups()
    places["x"][:3] = np.nan
    label = group(preprocessed(values, **places), n_ensembles=4)["label"].values
    assert (label[:3] == -1).all()
    assert adjusted_rand_score(truth[3:], label[3:]) == 1


@pytest.mark.parametrize("method", ["position", "activity"])
def test_same_seed_same_bytes_with_one_thread_and_with_two(method):
    values, _, places = four_groups()
    data = preprocessed(values, **places)
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            results.append(group(data, n_ensembles=5, method=method, seed=2**63 - 1))
    assert results[0].identical(results[1])


def test_stages_give_the_same_from_files_as_from_memory(tmp_path, monkeypatch):
    values, _, places = four_groups()
    recording = build(
        values + 10,
        time=np.arange(len(values)) / 10,
        sampling_rate_hz=10,
        origin=Origin(recording="007", subject="m"),
        neurons=Neurons(**places),
    )
    files.save(recording, tmp_path / "r.nc")
    files.save(preprocess(files.load(tmp_path / "r.nc")), tmp_path / "p.nc")
    for method in ("position", "activity", "region"):
        in_memory = group(preprocess(recording), n_ensembles=4, method=method)
        from_files = group(files.load(tmp_path / "p.nc"), n_ensembles=4, method=method)
        xr.testing.assert_equal(in_memory, from_files)
        assert in_memory.attrs == from_files.attrs
        with files.opened(tmp_path / "p.nc") as part_by_part, monkeypatch.context() as patch:
            patch.setattr(sys.modules[group.__module__], "BLOCK", 1)
            xr.testing.assert_allclose(group(part_by_part, n_ensembles=4, method=method), in_memory, rtol=1e-12)
