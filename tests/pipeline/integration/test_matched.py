"""Windows made comparable in length and event rate."""

import numpy as np
import pytest

from pipeline.integration.matched import WindowStates, matched_values, starts, thinned
from pipeline.integration.observed import integrate
from pipeline.simulation.planted import couplings, regime
from pipeline.tpm.estimation import estimate

CONTRASTS = [("awake", "anesthesia")]


def stretch(states, condition, recording="r", runs=None):
    runs = np.zeros(len(states), int) if runs is None else runs
    attrs = {"recording": recording, "subject": "m", "condition": condition, "window": condition}
    return WindowStates(np.asarray(states)[None], runs, attrs)


def rate(states, runs):
    return starts(states, runs).mean(axis=0)


def test_events_are_deleted_whole_and_no_more_than_needed():
    rng = np.random.default_rng(0)
    states = (rng.random((1000, 3)) < [0.5, 0.2, 0.1]).astype(np.uint8)
    runs = np.repeat([0, 1], 500)
    before = rate(states, runs)
    target = np.array([0.1, before[1] / 2, 1.0])
    found = thinned(states, runs, target, rng)
    assert rate(found, runs) == pytest.approx([0.1, before[1] / 2, before[2]], abs=1e-3)
    assert (found <= states).all()  # nothing is added
    kept = starts(found, runs)
    assert (kept <= starts(states, runs)).all()  # an event that is left starts where it did
    lost = (states == 1) & (found == 0)
    inside = states[1:] & states[:-1] & (runs[1:] == runs[:-1])[:, None]
    assert (lost[1:][inside == 1] == lost[:-1][inside == 1]).all()


@pytest.fixture(scope="module")
def awake_and_anesthesia():
    rng = np.random.default_rng(3)
    weights = couplings(1, 0.05, rng)
    return {
        c: regime(weights, c, k, 0.5).run(np.zeros(4, np.uint8), 1200, rng)
        for c, k in zip(("awake", "anesthesia"), (1.0, 0.3), strict=True)
    }


def tpm_of(states, condition):
    return estimate(states, draws=0).assign_attrs(recording="r", window=condition, condition=condition)


def test_the_same_length_gives_the_same_value_as_integrating_the_cut_window(awake_and_anesthesia):
    states = awake_and_anesthesia
    own, other = stretch(states["awake"], "awake"), stretch(states["anesthesia"][:700], "anesthesia")
    tpm = tpm_of(states["awake"], "awake")
    rows = matched_values(own, [tpm], [other], contrasts=CONTRASTS, repeats=3)
    assert [(r["adjusted"], r["against"], r["n_frames"]) for r in rows] == [
        ("matched_length", "anesthesia", 700),
        ("matched_rate", "anesthesia", 700),
    ]
    phi = integrate(tpm_of(states["awake"][:700], "awake"), big_phi_max_units=0)
    expected = float(np.nansum(phi["phi_s"] * phi["occupancy"]))
    assert rows[0]["value"] == pytest.approx(expected, rel=1e-6)
    assert (rows[0]["route"], rows[0]["scale"]) == ("micro", 4)


def test_only_what_has_the_higher_rate_is_thinned(awake_and_anesthesia):
    states = awake_and_anesthesia
    own, other = (stretch(states[c], c) for c in ("awake", "anesthesia"))
    lower, higher = (own, other) if own.rate.mean() < other.rate.mean() else (other, own)
    faster = {"repeats": 2, "contrasts": CONTRASTS}
    same, thin = matched_values(higher, [tpm_of(higher.paths[0], "x")], [lower], **faster)
    assert thin["value"] < same["value"]
    few = WindowStates(lower.paths * (np.arange(1200) % 3 > 0)[:, None].astype(np.uint8), lower.runs, lower.attrs)
    unlike = WindowStates(few.paths, few.runs, few.attrs | {"recording": "another"})
    kept = matched_values(unlike, [tpm_of(few.paths[0], "y")], [higher], **faster)
    if unlike.rate.mean() < higher.rate.mean():
        assert kept[0]["value"] == kept[1]["value"]


def test_short_windows_are_not_matched_to_and_other_conditions_do_not_matter(awake_and_anesthesia):
    states = awake_and_anesthesia
    own = stretch(states["awake"], "awake")
    brief, nap = stretch(states["anesthesia"][:100], "anesthesia"), stretch(states["anesthesia"][:300], "nap")
    long = stretch(states["anesthesia"][:900], "anesthesia")
    tpm = tpm_of(states["awake"], "awake")
    options = {"contrasts": CONTRASTS, "repeats": 1, "min_frames": 200}
    assert matched_values(own, [tpm], [brief, long, nap], **options)[0]["n_frames"] == 900
    assert matched_values(own, [tpm], [nap], **options) == []
