"""What is seen of the states: phase, onsets, kinetics, detection by condition, and the short ways past the movie."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from pipeline.base.errors import PhiscaleError
from pipeline.binarize.states import binarize_windows
from pipeline.simulation import imaging
from pipeline.simulation.course import run_course
from pipeline.simulation.detection import detect
from pipeline.simulation.indicators import INDICATORS
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.recordings import default_windows, simulate_ensembles, simulate_recording
from pipeline.traces.ensembles import group
from pipeline.traces.preprocess import preprocess

CONDITIONS = ("awake", "anesthesia")


def course_of(recording: str = "m", seed: int = 0, duration_s: float = 50.0, **fields: object):
    windows = default_windows(recording, CONDITIONS, duration_s)
    return run_course(0, recording, windows, seed, Simulate(duration_s=duration_s, **fields))


def test_the_phase_is_uniform_over_recordings_and_fixed_where_it_is_set() -> None:
    phases = np.array([course_of(f"m{i}", duration_s=1.0).phase_s for i in range(150)])
    assert kstest(phases / 0.5, "uniform").pvalue > 0.01
    assert course_of("m1", duration_s=1.0).phase_s == phases[1]
    assert course_of("m1", phase=0.25).phase_s == 0.125


@pytest.mark.parametrize("phase", [0.0, 0.5])
def test_frames_show_the_step_in_which_they_are_taken(phase: float) -> None:
    """Bins from the first frame on cover the end of one step and the begin of the next, by the phase."""
    course = course_of(phase=phase, substrate="independent", drive="none", duration_s=500.0)
    fast = imaging.View(0.5, 50.0, course.phase_s, 1.0, imaging.Kinetics(0.001, 0.03))
    always = imaging.Detected(np.array(0.9), np.array(0.0))
    dff = imaging.calcium(course.states, np.repeat(np.arange(4), 20), fast, always, 50_000, np.random.default_rng(0))
    light = dff.reshape(-1, 25, 4, 20).sum(axis=(1, 3))  # bins of half a second
    light, unit = light[:1998, 0], course.states[:, 0]
    own, later = (np.corrcoef(light, unit[k : k + len(light)])[0, 1] for k in (0, 1))
    assert own == pytest.approx(0.97 if phase == 0.0 else 0.75, abs=0.1)  # the light comes late by some frames
    assert later == pytest.approx(0.0 if phase == 0.0 else 0.6, abs=0.1)
    seen = course.step_of_frame
    assert seen[0] == 0
    assert np.flatnonzero(np.diff(seen))[0] + 1 == (5 if phase == 0.0 else 3)


def test_neurons_fire_anywhere_in_the_step_or_early_where_that_is_asked_for() -> None:
    states = np.ones((100, 1), np.uint8)
    states[1::2] = 0
    firing = imaging.Detected(np.array(0.2), np.array(0.0))
    brief = imaging.Kinetics(1e-4, 4e-4)
    for share in (1.0, 0.4):
        view = imaging.View(0.5, 1000.0, 0.0, share, brief)
        dff = imaging.calcium(states, np.zeros(50, int), view, firing, 50_000, np.random.default_rng(1))
        first = (dff > 1e-3) & ~np.vstack([np.zeros((1, 50), bool), dff[:-1] > 1e-3])
        onset = np.nonzero(first)[0] % 1000
        assert kstest(onset / (500 * share), "uniform").pvalue > 0.005
        assert onset.max() <= 500 * share + 1


@pytest.mark.parametrize("name", INDICATORS)
def test_a_transient_peaks_where_its_indicator_says(name: str) -> None:
    kinetics = INDICATORS[name]
    view = imaging.View(0.5, 2000.0, 0.0, 1.0, kinetics)
    trace = imaging.transients(np.array([0.1]), np.array([0]), np.ones(1), view, (6000, 1))[:, 0]
    assert trace.max() == pytest.approx(imaging.AMPLITUDE, rel=1e-3)
    assert trace.argmax() / 2000 - 0.1 == pytest.approx(kinetics.peak_s, abs=1e-3)
    np.testing.assert_allclose(
        trace[300:], imaging.AMPLITUDE * kinetics.at(np.arange(300, 6000) / 2000 - 0.1) / kinetics.height, atol=1e-9
    )


def test_indicators_have_the_published_times() -> None:
    """Time to the peak and from it to its half (GCaMP6), half of the rise and half of the decay (jGCaMP8m) [ms]."""
    fine = np.arange(0, 3, 1e-4)
    for name, peak, half in (("GCaMP6s", 179, 550), ("GCaMP6f", 45, 142), ("jGCaMP8m", None, 118)):
        trace = INDICATORS[name].at(fine)
        top = trace.argmax()
        below = np.flatnonzero(trace[top:] < trace[top] / 2)[0]
        assert below / 10 == pytest.approx(half, rel=0.07)
        if peak:
            assert top / 10 == pytest.approx(peak, rel=0.07)
    rising = INDICATORS["jGCaMP8m"].at(fine)
    assert np.flatnonzero(rising > rising.max() / 2)[0] / 10 == pytest.approx(7.1, rel=0.07)


def test_kinetics_can_be_set() -> None:
    assert Simulate(kinetics="GCaMP6f", decay_s=0.5).transient == imaging.Kinetics(INDICATORS["GCaMP6f"].rise_s, 0.5)


def test_a_condition_can_be_seen_otherwise() -> None:
    """The same mechanism, and anesthesia with half the participation, 20 times the false events, half the light."""
    worse = {"participation": 0.05, "spontaneous": 0.4, "brightness": 0.25, "noise": 2.0}
    fields = {"substrate": "slow", "drive": "none", "neurons_per_ensemble": 60, "duration_s": 200.0, "phase": 0.0}
    windows = default_windows("m", CONDITIONS, 200.0)
    same, _ = simulate_recording(0, "m", "m", windows, CONDITIONS, 1, **fields)
    other, truth = simulate_recording(0, "m", "m", windows, CONDITIONS, 1, **fields, detection={"anesthesia": worse})
    assert truth["conditions"]["anesthesia"]["detection"] == worse
    assert truth["conditions"]["awake"]["detection"]["participation"] == 0.1
    awake, anesthesia = slice(0, 2000), slice(2000, 4000)
    light = [
        float(np.median(r["fluorescence"].values[anesthesia]) / np.median(same["fluorescence"].values[awake]))
        for r in (same, other)
    ]
    assert light[1] == pytest.approx(light[0] / 4, rel=0.1)
    step = [
        np.diff(r["fluorescence"].values[anesthesia], axis=0)
        / np.sqrt(np.median(r["fluorescence"].values[anesthesia], axis=0))
        for r in (same, other)
    ]
    spread = [np.median(np.abs(s)) for s in step]
    assert spread[1] == pytest.approx(2 * spread[0], rel=0.15)
    course = course_of(**{**fields, "detection": {"anesthesia": worse}})
    np.testing.assert_array_equal(np.unique(course.detected.on[course.condition == "anesthesia"]), 0.05)
    np.testing.assert_allclose(np.unique(course.detected.off[course.condition == "anesthesia"]), 0.02)
    np.testing.assert_array_equal(np.unique(course.detected.on[course.condition == "awake"]), 0.1)


def test_fewer_neurons_fire_where_participation_is_less() -> None:
    states = np.tile(np.array([[1], [0]], np.uint8), (500, 1))
    on = np.where(np.arange(1000) < 500, 0.2, 0.05)
    brief = imaging.View(0.5, 200.0, 0.0, 1.0, imaging.Kinetics(0.001, 0.01))
    firing = imaging.Detected(on, on / 10)
    dff = imaging.calcium(states, np.zeros(40, int), brief, firing, 100_000, np.random.default_rng(0))
    light = dff.reshape(2, 250, 2, 100, 40).sum(axis=(1, 3, 4))  # half, ON or OFF
    assert light[0, 0] / light[1, 0] == pytest.approx(4, rel=0.15)
    assert light[0, 0] / light[0, 1] == pytest.approx(10, rel=0.3)


def test_states_are_flipped_as_often_as_they_are_told_to() -> None:
    rng = np.random.default_rng(0)
    states = (rng.random((40_000, 2)) < 0.3).astype(np.uint8)
    miss = np.repeat([0.05, 0.2], 20_000)
    read = detect(states, miss, 0.02, np.random.default_rng(1))
    assert read.dtype == np.uint8
    for part, rate in ((slice(0, 20_000), 0.05), (slice(20_000, None), 0.2)):
        assert (read[part][states[part] == 1] == 0).mean() == pytest.approx(rate, abs=0.01)
        assert read[part][states[part] == 0].mean() == pytest.approx(0.02, abs=0.003)
    np.testing.assert_array_equal(read, detect(states, miss, 0.02, np.random.default_rng(1)))
    np.testing.assert_array_equal(states, detect(states, 0.0, 0.0, rng))


def seen_in(dataset, course, windows: pd.DataFrame) -> np.ndarray:
    """(condition, measure): noise, light of ON over OFF steps, ON found where it is and where it is not."""
    read, step, values = binarize_windows(dataset, windows), course.step_of_frame, dataset["activity"].values
    rows = []
    for condition in CONDITIONS:
        here = course.condition[step] == condition
        on, part = course.states[step][here] == 1, values[here]
        noise = np.nanmedian(np.abs(np.diff(part, axis=0))) * 1.4826 / np.sqrt(2)
        frames = read["condition"].values == condition
        own = np.floor((read["time"].values[frames] + course.phase_s) / 0.5 + 1e-9).astype(int)
        found, true = read["states"].values[frames] == 1, course.states[own] == 1
        rows.append((noise, np.nanmean(part[on]) - np.nanmean(part[~on]), found[true].mean(), found[~true].mean()))
    return np.array(rows)


def test_traces_of_ensembles_are_those_of_the_movie() -> None:
    """The short way against the movie, both of the same states: means of three recordings of two conditions."""
    windows = default_windows("m", CONDITIONS, 300.0)
    detection = {"anesthesia": {"participation": 0.06, "noise": 1.5}}
    fields = {"neurons_per_ensemble": 60, "duration_s": 300.0, "detection": detection, "phase": 0.3}
    short, long = [], []
    for seed in range(3):
        movie, truth = simulate_recording(seed, "m", "m", windows, CONDITIONS, seed, **fields)
        traces, course = simulate_ensembles(seed, "m", "m", windows, seed, **fields)
        assert truth["states"] == ["".join(map(str, unit)) for unit in course.states.T]
        grouped = group(preprocess(movie), n_ensembles=4, method="position", seed=0)
        assert traces["activity"].shape == grouped["activity"].shape
        short.append(seen_in(traces, course, windows))
        long.append(seen_in(grouped, course, windows))
    quick, full = np.mean(short, axis=0), np.mean(long, axis=0)
    np.testing.assert_allclose(quick[:, 0], full[:, 0], rtol=0.06)
    np.testing.assert_allclose(quick[:, 1], full[:, 1], rtol=0.18)
    np.testing.assert_allclose(quick[:, 2], full[:, 2], atol=0.07)
    np.testing.assert_allclose(quick[:, 3], full[:, 3], atol=0.01)


def test_the_short_way_is_short() -> None:
    windows = default_windows("m", CONDITIONS, 1250.0)
    seconds = []
    for i in range(3):
        start = time.process_time()
        simulate_ensembles(i, "m", "m", windows, 2, duration_s=1250.0)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.3


def test_the_same_seed_gives_the_same_traces() -> None:
    windows = default_windows("m", CONDITIONS, 30.0)
    made = [simulate_ensembles(0, "m", "m", windows, seed, duration_s=30.0, substrate="dense")[0] for seed in (1, 1, 2)]
    assert made[0].identical(made[1])
    assert not np.array_equal(made[0]["activity"], made[2]["activity"])


def test_windows_begin_with_the_first_step_that_lies_in_them() -> None:
    windows = pd.DataFrame({"condition": ["awake", "anesthesia"], "start_s": [0.0, 10.2]})
    for phase, first in ((0.0, 21), (0.5, 21), (0.7, 22)):
        course = run_course(0, "m", windows, 0, Simulate(duration_s=20.0, phase=phase))
        assert np.flatnonzero(course.condition == "anesthesia")[0] == first
        assert len(course.states) == (80 if phase == 0 else 81)


@pytest.mark.parametrize(
    "fields",
    [
        {"substrate": "grid"},
        {"hidden": 1},
        {"substrate": "sparse", "units": 7, "hidden": 2},
        {"phase": 2.0},
        {"drive_logit": {"asleep": 1.0}},
    ],
)
def test_what_cannot_be_simulated_is_refused(fields: dict) -> None:
    with pytest.raises(PhiscaleError, match="simulate"):
        simulate_ensembles(0, "m", "m", default_windows("m", CONDITIONS, 10.0), 0, duration_s=10.0, **fields)
