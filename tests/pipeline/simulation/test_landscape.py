"""Continuous dynamics beside the ensembles: their laws, who carries them, and that the ensembles do not notice."""

import json

import numpy as np
import pytest

from pipeline.base.errors import PhiscaleError
from pipeline.binarize.states import binarize_windows
from pipeline.simulation.carriers import lengthened, opposed
from pipeline.simulation.course import run_course
from pipeline.simulation.landscape import OneWell, Tree, TwoWells, landscape, paths
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.recordings import default_windows, simulate_recording
from pipeline.traces.ensembles import group
from pipeline.traces.preprocess import preprocess

CONDITIONS = ("awake", "anesthesia", "recovery")
SHORT = {"duration_s": 200.0, "neurons_per_ensemble": 60}


def recording(**fields: object) -> tuple:
    windows = default_windows("m", CONDITIONS, SHORT["duration_s"])
    return simulate_recording(0, "m", "m", windows, CONDITIONS, 3, **SHORT, **fields)


def passages(path: np.ndarray, well: float) -> int:
    """How often a path goes from one well to the other."""
    at = np.where(path > well, 1, np.where(path < -well, -1, 0))
    at = at[at != 0]
    return int(np.count_nonzero(np.diff(at)))


@pytest.mark.parametrize("barrier", [1.0, 2.0])
def test_two_wells_stay_as_long_and_as_often_as_their_law_says(barrier: float) -> None:
    law = TwoWells.lasting(12.0, barrier)
    assert law.residence_s == pytest.approx(12.0)
    path = law.path(100_000, 0.1, np.random.default_rng(0))
    assert path.mean() == pytest.approx(0, abs=0.15)
    assert path.var() == pytest.approx(1, abs=0.03)
    stays = passages(path, law.scale)
    assert 10_000 / stays == pytest.approx(12, rel=0.12)
    near = np.array([np.mean(np.abs(path - at) < 0.05) for at in (0.0, law.scale)])
    assert np.log(near[1] / near[0]) == pytest.approx(barrier, abs=0.25)
    rates = [point["rate_per_s"] for point in law.told["fixed_points"]]
    np.testing.assert_allclose(rates, np.array([-1, 0.5, -1]) / law.time_s)


def test_one_well_is_an_ornstein_uhlenbeck_process() -> None:
    path = OneWell(2.0).path(100_000, 0.5, np.random.default_rng(0))
    assert path.var() == pytest.approx(1, abs=0.04)
    assert np.corrcoef(path[1:], path[:-1])[0, 1] == pytest.approx(np.exp(-0.25), abs=0.01)
    assert OneWell(2.0).path(1, 1e-9, np.random.default_rng(0), start=7.0)[0] == pytest.approx(7, abs=1e-3)


@pytest.mark.parametrize("sites", [1, 4, 5, 16])
def test_a_tree_has_as_many_independent_variables_as_sites(sites: int) -> None:
    tree = Tree.of(sites)
    assert len(tree.depth) == sites
    product = tree.weight @ tree.weight.T
    np.testing.assert_allclose(product, np.diag(np.diag(product)), atol=1e-12)
    if sites == 16:
        assert tree.scale.tolist() == [1, 2, 4, 4, *[8] * 4, *[16] * 8]
        assert np.count_nonzero(tree.weight[-1]) == 2


def test_what_a_condition_does_to_the_variables() -> None:
    tree, wells = Tree.of(4), TwoWells.lasting(15.0, 1.5)
    awake, asleep, after = (landscape(name, tree, np.ones(4), wells) for name in CONDITIONS)
    for one in (awake, asleep, after):
        np.testing.assert_allclose((one.load**2).sum(axis=0), 1)  # every site as strong in every condition
    assert [law.told["kind"] for law in awake.laws] == ["two wells", *["one well"] * 3]
    assert {law.told["kind"] for law in asleep.laws} == {"one well"}
    assert [law.time_s for law in awake.laws[1:]] == [1, 0.5, 0.5]
    assert [law.time_s for law in asleep.laws] == [0.5, 1, 1, 1]
    assert abs(awake.load[0, 0]) > abs(after.load[0, 0]) > abs(asleep.load[0, 0])
    changes = np.repeat(["awake", "anesthesia"], 5)
    known = {"awake": awake, "anesthesia": asleep}
    values = paths(changes, known, 1e6, np.random.default_rng(0))
    np.testing.assert_allclose(np.diff(values, axis=0), 0, atol=0.03)  # it goes on from where it was


def test_opposed_halves_cancel_in_every_ensemble_and_lie_apart() -> None:
    rng = np.random.default_rng(0)
    xy = np.concatenate([rng.normal(at, (0.5, 0.2), (61, 2)) for at in ((0, 0), (5, 0))])
    ensemble = np.repeat([0, 1], 61)
    site, sign = opposed(xy, ensemble, 2)
    assert sorted(set(site.tolist())) == [0, 1, 2, 3]
    for index in range(4):
        assert sign[site == index].sum() == 0
    for index in range(2):
        own = ensemble == index
        assert abs(np.corrcoef(sign[own], xy[own, 0])[0, 1]) > 0.7


def test_ensembles_of_one_site_are_long_so_that_halves_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    xy, ensemble = rng.normal(size=(400, 2)), np.repeat([0, 1], 200)
    drawn = lengthened(xy, ensemble, 1)
    for index in (0, 1):
        own = ensemble == index
        spread = [np.linalg.svd(at - at.mean(axis=0), full_matrices=False)[1] for at in (xy[own], drawn[own])]
        np.testing.assert_allclose(spread[1], spread[0] * [1, 0.5])
        np.testing.assert_allclose(drawn[own].mean(axis=0), xy[own].mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(lengthened(xy, ensemble, 4), xy, atol=1e-12)


def test_the_ensembles_do_what_they_did_and_their_states_do_not_show_it() -> None:
    (plain, known), (carrying, told) = recording(), recording(landscape=0.05)
    slow = told.pop("landscape")
    laws = {name: condition.pop("landscape") for name, condition in told["conditions"].items()}
    assert told == known
    assert json.loads(json.dumps([slow, laws])) == [slow, laws]
    assert [law["kind"] for law in laws["awake"]] == ["two wells", *["one well"] * 3]
    values = np.array(slow["values"])
    assert values.shape == (4, 1200)
    assert slow["every_s"] == 0.5
    windows = default_windows("m", CONDITIONS, SHORT["duration_s"])
    units = [group(preprocess(one, baseline_window_s=150.0), n_ensembles=4) for one in (plain, carrying)]
    read = [binarize_windows(one, windows, method="events", tau_s=0.7, z=3.0)["states"].values for one in units]
    finer = group(preprocess(carrying, baseline_window_s=150.0), n_ensembles=8)["activity"].values[::5]
    kept = np.isfinite(finer).all(axis=1)
    x, y = finer[kept] - finer[kept].mean(axis=0), values[:, kept] - values[:, kept].mean(axis=1, keepdims=True)
    explained = 1 - np.array([np.var(v - x @ np.linalg.lstsq(x, v, rcond=None)[0]) / np.var(v) for v in y])
    assert (read[0] != read[1]).mean() < 0.02
    assert explained.min() > 0.5


def test_without_it_nothing_is_drawn_and_a_site_takes_two_neurons() -> None:
    assert "landscape" not in recording()[1]
    with pytest.raises(ValueError, match="two neurons"):
        Simulate(neurons_per_ensemble=4, landscape=0.1, landscape_sites=3)
    with pytest.raises(PhiscaleError, match="landscape"):
        recording(landscape=-0.1)


def test_who_moves_and_how_fast_is_of_the_animal() -> None:
    told = []
    for subject in (0, 0, 1):
        windows = default_windows("m", CONDITIONS, 20.0)
        fields = {"duration_s": 20.0, "neurons_per_ensemble": 8, "landscape": 0.05}
        truth = simulate_recording(subject, "m", "m", windows, CONDITIONS, 3, **fields)[1]
        told.append(truth["conditions"]["awake"]["landscape"])
        assert run_course(subject, "m", windows, 3, Simulate(**fields)).n_frames == 600
    assert told[0] == told[1] != told[2]
