"""The simulation: known values of the planted substrate, and what a recording of it lets one recover."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.base.raster import states_of
from pipeline.base.recording import validate
from pipeline.base.seeds import generator
from pipeline.binarize.quality import quality
from pipeline.binarize.states import binarize, binarize_windows
from pipeline.ingest import open_recording
from pipeline.integration import batch as measures
from pipeline.simulation import imaging, planted
from pipeline.simulation import recordings as simulate
from pipeline.simulation.course import run_course
from pipeline.simulation.indicators import INDICATORS
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.regimes import Regime
from pipeline.simulation.truth import scales_of, truth_of
from pipeline.study.study import Study
from pipeline.tpm.estimation import estimate
from pipeline.traces.ensembles import group
from pipeline.traces.preprocess import preprocess

SHORT = {"duration_s": 300.0, "neurons_per_ensemble": 100}
IN_PHASE = {"phase": 0.0, "onset_share": 0.4}  # what can be recovered does not depend on where bins begin
AS_USUAL = imaging.Detected(np.array(0.3), np.array(0.003))


def awake(jitter: float, seed: int = 0) -> Regime:
    weights = planted.couplings(1, jitter, np.random.default_rng(seed))
    return planted.regime(weights, "awake", 1.0, 0.5)


def anesthesia(jitter: float = 0.05, seed: int = 0) -> Regime:
    weights = planted.couplings(1, jitter, np.random.default_rng(seed))
    return planted.regime(weights, "anesthesia", 0.2, 0.5)


# the substrate


def test_planted_pairs_have_their_known_values() -> None:
    """Micro 0.297, macro 1.262, units ON 15 % of the time: computed independently."""
    regime = awake(jitter=0.0)
    micro, macro = scales_of(regime)
    assert micro["phi_s"] == pytest.approx(0.297, abs=5e-4)
    assert macro["phi_s"] == pytest.approx(1.262, abs=5e-4)
    assert (macro["group"], macro["mapping"]) == ([0, 0, 1, 1], ["and", "and"])
    np.testing.assert_allclose(regime.occupancy @ states_of(4), 0.153, atol=5e-4)


def test_any_jitter_breaks_the_tie_that_doubles_phi() -> None:
    """With exactly equal weights several causes and effects tie, and the best pair is taken."""
    for jitter in (1e-4, 0.05):
        micro, macro = scales_of(awake(jitter))
        assert 0.12 < micro["phi_s"] < 0.2
        assert 0.6 < macro["phi_s"] < 0.75


def test_truth_falls_with_coupling_and_the_macro_grain_disappears() -> None:
    for seed in range(3):
        weights = planted.couplings(1, 0.05, np.random.default_rng(seed))
        phi = {
            name: [s["phi_s"] for s in scales_of(planted.regime(weights, name, coupling, 0.5))]
            for name, coupling in (("awake", 1.0), ("recovery", 0.6), ("anesthesia", 0.2))
        }
        for scale in (0, 1):
            assert phi["awake"][scale] > 2 * phi["recovery"][scale]
            assert phi["recovery"][scale] > 5 * phi["anesthesia"][scale]
        assert phi["awake"][1] - phi["awake"][0] > 0.4
        assert abs(phi["anesthesia"][1] - phi["anesthesia"][0]) < 0.01


def test_the_bias_keeps_the_on_fraction_where_it_is_set() -> None:
    fraction = anesthesia(jitter=0.0).occupancy @ states_of(4)
    np.testing.assert_allclose(fraction, 0.10, atol=1e-6)


def test_occupancy_and_observational_tpm_are_those_of_a_long_run() -> None:
    """Under anesthesia, where the bias is solved for; every other substrate in `test_substrates`."""
    regime = anesthesia()
    path = regime.run(400_000, np.random.default_rng(0)).astype(int)
    state = path @ (1 << np.arange(4))
    assert regime.occupancy.sum() == pytest.approx(1)
    seen = np.bincount(state, minlength=16) / len(state)
    np.testing.assert_allclose(seen, regime.occupancy, atol=0.01)
    for row in np.flatnonzero(regime.occupancy > 0.01):
        after = path[1:][state[:-1] == row].mean(axis=0)
        np.testing.assert_allclose(after, regime.p_on_observational[row], atol=0.02)


def test_only_a_drive_makes_observation_differ_from_intervention() -> None:
    regime = awake(0.05)
    np.testing.assert_allclose(regime.p_on, regime.p_on_observational, atol=1e-9)
    hidden = anesthesia()
    assert np.abs(hidden.p_on - hidden.p_on_observational).max() > 0.01
    by_hand = (hidden.p_on_by_level[0] + hidden.p_on_by_level[1]) / 2
    np.testing.assert_allclose(hidden.p_on, by_hand)


def test_several_motifs_do_not_act_on_each_other() -> None:
    weights = planted.couplings(2, 0.05, np.random.default_rng(0))
    regime = planted.regime(weights, "anesthesia", 0.2, 0.5)
    truth = truth_of(regime)
    assert truth["scales"][0]["phi_s"] == 0.0
    first, second = measures.system_phi(regime.p_on[None], np.array([0, 15, 240]))[0, :2]
    assert first == second == 0.0  # reducible, says the engine
    assert [len(scales) for scales in truth["motifs"]] == [2, 2]
    alone = regime.motif(1)
    marginal = regime.occupancy.reshape(16, 16).sum(axis=1)  # units 4..7 are the slow bits
    np.testing.assert_allclose(marginal, alone.occupancy, atol=1e-9)


# what the microscope sees


def test_neurons_lie_in_the_outline_and_nearest_to_their_own_centre() -> None:
    for n in (4, 8, 16):
        xy = imaging.positions(n, 30, np.random.default_rng(0))
        assert len(xy) == 30 * n
        assert imaging.inside(xy).all()
        distance = np.linalg.norm(xy[:, None] - imaging.centres(n)[None], axis=2)
        assert (distance.argmin(axis=1) == np.repeat(np.arange(n), 30)).all()
    assert not imaging.inside(np.array([[0.0, 5.0], [6.0, 0.0], [0.0, -4.6]])).any()


@pytest.mark.parametrize("rate_hz", [10.0, 15.49])
def test_transients_rise_in_the_bin_of_the_step_that_caused_them(rate_hz: float) -> None:
    states = np.zeros((400, 1), np.uint8)
    states[5::13] = 1
    rng = np.random.default_rng(0)
    n_frames = int(200 * rate_hz)
    view = imaging.View(rate_hz=rate_hz, onset_share=0.4)
    dff = imaging.calcium(states, np.zeros(200, int), view, AS_USUAL, n_frames, rng)
    noisy = dff.mean(axis=1, keepdims=True) + rng.normal(0, 0.002, (n_frames, 1))
    found = binarize(noisy, rate_hz, "events", z=5.0)
    assert found["signal"].values[5::13].sum() > 0.9 * found["signal"].values.sum()
    assert (found["states"].values[5::13] == 1).all()


def test_a_transient_has_the_amplitude_and_decay_of_the_indicator() -> None:
    states = np.zeros((40, 1), np.uint8)
    states[2] = 1
    always = imaging.Detected(np.array(1.0), np.array(0.0))
    view = imaging.View(rate_hz=100.0)
    dff = imaging.calcium(states, np.zeros(3000, int), view, always, 2000, np.random.default_rng(0))
    size = dff.max(axis=0)
    assert np.median(size) == pytest.approx(imaging.AMPLITUDE, rel=0.03)
    mean = dff[300:500].mean(axis=1)
    decay = -np.diff(np.log(mean)).mean() * 100
    assert 1 / decay == pytest.approx(INDICATORS["GCaMP6s"].decay_s, rel=0.02)


# whole recordings


@pytest.fixture(scope="module")
def recorded() -> tuple[pd.DataFrame, xr.Dataset, dict]:
    windows = simulate.default_windows("m", simulate.CONDITIONS, SHORT["duration_s"])
    return windows, *simulate.simulate_recording(0, "m", "m", windows, simulate.CONDITIONS, 3, **SHORT, **IN_PHASE)


@pytest.fixture(scope="module")
def analysed(recorded: tuple) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    windows, recording, _ = recorded
    clean = preprocess(recording)
    found = group(clean, n_ensembles=4)
    return clean, found, binarize_windows(found, windows, z=3.0)


def test_a_recording_is_valid_and_complete(recorded: tuple) -> None:
    _, recording, truth = recorded
    validate(recording)
    assert recording.sizes == {"time": 9000, "neuron": 400}
    assert 0.0005 < float(recording["dropped"].mean()) < 0.02
    assert set(truth["conditions"]) == set(simulate.CONDITIONS)
    assert [len(unit) for unit in truth["states"]] == [1800] * 4
    assert json.loads(json.dumps(truth)) == truth
    known = truth["conditions"]["awake"]
    assert np.shape(known["tpm"]) == (16, 4)
    assert sum(known["occupancy"]) == pytest.approx(1)
    assert {s["route"]: s["scale"] for s in known["scales"]} == {"micro": 4, "macro_units": 2}


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(tmp_path: Path) -> None:
    windows = simulate.default_windows("m", ["awake"], 20.0)
    made = []
    for i, seed in enumerate((3, 3, 4)):
        recording, truth = simulate.simulate_recording(
            0, "m", "m", windows, ["awake"], seed, duration_s=20.0, neurons_per_ensemble=5
        )
        files.save(recording, tmp_path / f"{i}.nc")
        made.append(((tmp_path / f"{i}.nc").read_bytes(), json.dumps(truth)))
    assert made[0] == made[1]
    assert made[0][0] != made[2][0]
    assert made[0][1] != made[2][1]


def test_sessions_of_one_animal_share_anatomy_and_couplings_not_activity() -> None:
    def record(index: int, name: str) -> tuple[xr.Dataset, dict]:
        windows = simulate.default_windows(name, ["awake"], 30.0)
        return simulate.simulate_recording(
            index, "m", name, windows, ["awake"], 0, duration_s=30.0, neurons_per_ensemble=5
        )

    (a, true_a), (b, true_b), (c, true_c) = record(0, "s1"), record(0, "s2"), record(1, "s3")
    np.testing.assert_array_equal(a["x"], b["x"])
    weights = [t["conditions"]["awake"]["weights"] for t in (true_a, true_b, true_c)]
    assert weights[0] == weights[1] != weights[2]
    assert true_a["states"] != true_b["states"]
    assert not np.array_equal(a["x"], c["x"])


def test_activity_is_of_the_order_seen_in_mouse_hippocampus(recorded: tuple, analysed: tuple) -> None:
    """Transients per 5 min: awake 8.0, isoflurane 5.4; mean pairwise r .019 and .023."""
    table = quality(*analysed)
    table = table[table["unit"] == ""].set_index(["condition", "measure"])["value"]
    truth, steps_per_5min, participation = recorded[2], 600, Simulate().participation
    published = {"awake": (8.0, 0.019), "anesthesia": (5.4, 0.023)}
    on = np.array([[int(c) for c in unit] for unit in truth["states"]])
    for condition, part in (("awake", on[:, :600]), ("anesthesia", on[:, 600:1200])):
        transients, correlation = published[condition]
        expected = np.mean(truth["conditions"][condition]["on_fraction"]) * participation
        assert transients / 1.35 < expected * steps_per_5min < 1.35 * transients
        seen = float(table[condition, "neuron_transients_per_5min"])
        assert seen == pytest.approx(part.mean() * participation * steps_per_5min, rel=0.25)
        r = float(table[condition, "mean_pairwise_correlation_neurons"])
        assert correlation / 3 < r < 3 * correlation


def test_ensembles_and_their_states_are_recovered(recorded: tuple, analysed: tuple) -> None:
    truth = recorded[2]
    _, found, states = analysed
    own = np.array([truth["neuron_ensemble"][n] for n in found["neuron"].values])
    np.testing.assert_array_equal(found["label"].values, own)
    true = np.array([[int(c) for c in unit] for unit in truth["states"]]).T == 1
    true = true[np.rint(states["time"].values / truth["step_s"]).astype(int)]
    seen = states["states"].values == 1
    for condition in simulate.CONDITIONS:
        here = states["condition"].values == condition
        assert here.sum() > 580
        assert seen[here][true[here]].mean() > 0.95
        assert seen[here][~true[here]].mean() < 0.02
        assert ((seen == true)[here].mean(axis=0) > 0.97).all()


def test_estimated_phi_has_the_planted_order(recorded: tuple, analysed: tuple) -> None:
    states = analysed[2]
    phi = {}
    for condition in ("awake", "anesthesia"):
        here = np.flatnonzero(states["condition"].values == condition)
        tpm = estimate(states.isel(frame=here), draws=100, seed=0)
        every = np.concatenate([tpm["p_on"].values[None], tpm["p_on_draws"].values])
        phi[condition] = measures.system_phi(every, np.arange(16)) @ tpm["occupancy"].values
    assert phi["awake"][0] > 2 * phi["anesthesia"][0]
    assert np.quantile(phi["awake"][1:], 0.025) > np.quantile(phi["anesthesia"][1:], 0.975)


def test_conditions_follow_the_windows_and_go_on_between_them() -> None:
    windows = pd.DataFrame(
        {
            "window": ["a", "b", "c"],
            "condition": ["anesthesia", "awake", "anesthesia"],
            "start_s": [100.0, 500.0, 1500.0],
            "end_s": [400.0, 1400.0, 2000.0],
        }
    )
    settings = Simulate(duration_s=1000.0, phase=0.0)
    course = run_course(0, "r", windows, 0, settings)
    states = course.states
    assert len(states) == 4000
    assert list(course.regimes) == ["awake", "anesthesia"]
    together = [np.corrcoef(states[a:b, :2].T)[0, 1] for a, b in ((0, 1000), (1000, 3000), (3000, 4000))]
    assert together[1] > 0.45
    assert max(together[0], together[2]) < 0.3


# interfaces


def test_the_format_simulate_opens_like_any_other() -> None:
    row = {"recording": "r", "subject": "m", "path": "", "format": "simulate"}
    recording = open_recording({**row, "duration_s": 20.0, "neurons_per_ensemble": 5, "seed": 2})
    assert recording.sizes == {"time": 600, "neuron": 20}
    settings = Simulate(duration_s=20.0, neurons_per_ensemble=5)
    assert list(recording["neuron"].values) == simulate.neuron_names(settings)
    assert recording.attrs["format"] == "simulate"


def test_a_simulated_study_can_be_opened_and_is_never_overwritten(tmp_path: Path) -> None:
    path = simulate.simulate_study(tmp_path / "s", n_subjects=2, seed=5, duration_s=20.0, neurons_per_ensemble=5)
    study = Study.load(path)
    assert study.names == ["mouse1", "mouse2"]
    assert open_recording(study.row("mouse2")).sizes["neuron"] == 20
    truth = json.loads((path.parent / "recordings" / "mouse2.truth.json").read_text())
    assert truth["subject"] == "mouse2"
    with pytest.raises(PhiscaleError, match="exists"):
        simulate.simulate_study(tmp_path / "s")


def test_a_study_of_any_substrate_can_be_simulated(tmp_path: Path) -> None:
    fields = {"substrate": "gates", "drive": "ar1", "units": 3, "hidden": 1, "kinetics": "GCaMP6f", "duration_s": 30.0}
    path = simulate.simulate_study(tmp_path / "s", n_subjects=1, conditions=["awake"], neurons_per_ensemble=5, **fields)
    study = Study.load(path)
    assert study.parameters.ensembles.iit == 3
    assert study.parameters.binarize.tau_s == INDICATORS["GCaMP6f"].decay_s
    recording = open_recording(study.row("mouse1"))
    assert (recording.sizes["neuron"], recording.attrs["indicator"]) == (15, "GCaMP6f")
    truth = json.loads((path.parent / "recordings" / "mouse1.truth.json").read_text())
    known = truth["conditions"]["awake"]
    assert (truth["substrate"], known["drive_kind"], known["hidden"], known["weights"]) == ("gates", "ar1", 1, None)
    assert np.shape(known["tpm"]) == (8, 3)
    assert 0 <= truth["phase_s"] < 0.5
    assert [s["scale"] for s in known["scales"]] == [3]


def test_a_recording_begins_in_the_stationary_state() -> None:
    """Slow units are ON as often in the first step as in any."""
    windows = simulate.default_windows("r", ["awake"], 1.0)
    settings = Simulate(substrate="slow", duration_s=1.0)
    first = [run_course(i, f"r{i}", windows, 0, settings).states[0].mean() for i in range(200)]
    expected = [run_course(i, f"r{i}", windows, 0, settings).regimes["awake"].on_fraction.mean() for i in range(200)]
    assert np.mean(first) == pytest.approx(np.mean(expected), abs=0.06)
    assert np.mean(expected) > 0.15


def test_a_condition_without_known_causal_structure_is_refused() -> None:
    windows = simulate.default_windows("r", ["awake", "asleep"], 20.0)
    with pytest.raises(PhiscaleError, match="condition asleep is not among awake, anesthesia, rec"):
        simulate.simulate_recording(0, "m", "r", windows, ["awake"], 0)


def test_every_connection_differs_between_animals_by_the_jitter() -> None:
    drawn = np.array([planted.couplings(2, 0.05, generator(0, "couplings", i)) / planted.WEIGHT for i in range(300)])
    across = np.kron([[0, 1], [1, 0]], np.ones((2, 2)))  # to and from the other pair
    np.testing.assert_allclose(drawn[:, :4, :4].mean(axis=0), across, atol=0.015)
    np.testing.assert_allclose(drawn[:, 4:, 4:].std(axis=0), 0.05, rtol=0.25)
    assert (drawn[:, :4, 4:] == 0).all()
