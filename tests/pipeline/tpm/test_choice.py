"""The choice of an estimator: what predicts a recording whose truth is known, and what is said of it."""

import numpy as np
import pytest
from test_latent import recording
from test_parent_sets import logistic, run

from pipeline.tpm.choice import GIVEN, HIDDEN, Scores, choose, score

GIVEN_PARAMETERS = {"family": 3, "drive": True}


@pytest.fixture(scope="module")
def blurred():
    """Scores of a recording whose events show up late in half of the cases."""
    return score(recording()[0], 1, GIVEN_PARAMETERS, seed=1)


def test_what_was_seen_late_is_predicted_better_by_hidden_states(blurred):
    assert set(blurred.states) == set(GIVEN)
    assert blurred.signal[HIDDEN] > blurred.signal["average"] + 0.02
    choice = choose([blurred, blurred])
    assert choice.method == HIDDEN
    assert "thresholds misread" in choice.reason
    assert choice.signal == pytest.approx(blurred.signal)


def test_states_that_were_seen_as_they_are_need_not_be_hidden():
    states, _ = recording()
    truth = np.concatenate([run(logistic(np.eye(4) * w, bias=-0.5), 1500, i) for i, w in enumerate((0.8, 0.0))])
    noise = np.random.default_rng(77).uniform(0, 0.5, truth.shape)
    exact = states.assign(states=(("frame", "unit"), truth), signal=(("frame", "unit"), truth + noise))
    found = score(exact, 1, GIVEN_PARAMETERS, seed=1)
    assert abs(found.signal[HIDDEN] - found.signal["average"]) < 0.02


def test_what_cannot_be_hidden_is_told():
    states, _ = recording(2)
    without = score(states.drop_vars("signal"), 1, GIVEN_PARAMETERS)
    assert (without.signal, without.reason) == ({}, "the states came without a signal")
    assert "tpm.lag is 2" in score(states, 2, GIVEN_PARAMETERS).reason
    choice = choose([without])
    assert choice.method in GIVEN
    assert "no candidate: the states came without a signal" in choice.reason


def test_the_seed_fixes_the_scores(blurred):
    assert score(recording()[0], 1, GIVEN_PARAMETERS, seed=1) == blurred


def test_recordings_count_by_their_transitions():
    one = Scores({"average": -1.0, "beta": -2.0}, {}, 300, "no signal")
    other = Scores({"average": -4.0, "beta": -2.0}, {}, 100, "no signal")
    assert choose([one, other]).states == {"average": -1.75, "beta": -2.0}
    assert choose([one, other]).method == "average"
    assert choose([]).method == "logistic"
