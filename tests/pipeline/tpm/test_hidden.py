"""Hidden states: the filter against enumeration of all paths, paths and TPMs against a truth that was blurred."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logit
from test_parent_sets import logistic, run

from pipeline.base.raster import encode, states_of
from pipeline.binarize import binarize
from pipeline.tpm import chain, hidden, recorded
from pipeline.tpm.latent import kinds_of

ONE_LEVEL = np.zeros(5, np.int64)
ONE_KIND = np.zeros(3000, np.int64)


def small():
    """A recording of two units and five frames with a border in it and bins of two kinds, its TPM and its emissions."""
    rng = np.random.default_rng(0)
    first = np.array([True, False, False, True, False])
    joined = np.repeat(~first[:, None], 2, axis=1)
    kind = np.array([0, 1, 0, 0, 1])
    seen = recorded.Recorded(rng.integers(0, 3, (5, 2)), first, joined, np.array([0, 5]), 1, kind, 2)
    return seen, rng.uniform(0.1, 0.9, (2, 4)), rng.dirichlet(np.ones(3), size=(2, 8))


def chance(path, seen, p_on, emission):
    """Joint probability of a path and of what was seen, as the module states it."""
    total = 1.0
    for t, state in enumerate(path):
        before_all = range(4) if seen.first[t] else [path[t - 1]]
        part = 0.0
        for before in before_all:
            term = 0.25 if seen.first[t] else 1.0
            for u in range(2):
                on, was = state >> u & 1, before >> u & 1
                p = 0.5 if seen.first[t] else p_on[u, before]
                term *= (p if on else 1 - p) * emission[u, on + 2 * was + 4 * seen.kind[t], seen.category[t, u]]
            part += term
        total *= part
    return total


@pytest.mark.parametrize("draw", [hidden.draw_path, hidden.draw_path_by_units])
def test_filter_and_paths_are_those_of_enumeration(draw):
    seen, p_on, emission = small()
    paths = list(product(range(4), repeat=5))
    joint = np.array([chance(p, seen, p_on, emission) for p in paths])
    filtered, likelihood = hidden.filter_forward(seen, 0, 5, hidden.joint_steps(p_on), ONE_LEVEL, emission)
    assert likelihood == pytest.approx(np.log(joint.sum()))
    last = np.array([joint[[p[-1] == s for p in paths]].sum() for s in range(4)])
    np.testing.assert_allclose(filtered[-1], last / joint.sum())
    rng, path, times = np.random.default_rng(1), np.zeros(5, np.int64), np.zeros(len(paths))
    for _ in range(20_000):
        draw(rng, seen, 0, logit(p_on), ONE_LEVEL, emission, path)
        times[int(path @ 4 ** np.arange(5)[::-1])] += 1
    np.testing.assert_allclose(times / times.sum(), joint / joint.sum(), atol=0.01)


@pytest.mark.parametrize("draw", [hidden.draw_path, hidden.draw_path_by_units])
def test_the_drive_of_a_frame_decides_which_tpm_leads_into_it(draw):
    seen, _, emission = small()
    emission[:] = 1 / 3
    by_level = np.concatenate([np.full((2, 4), 1 - 1e-6), np.full((2, 4), 1e-6)], axis=1)
    rng, path = np.random.default_rng(1), np.zeros(5, np.int64)
    for _ in range(20):
        draw(rng, seen, 0, logit(by_level), np.array([0, 0, 1, 1, 0]), emission, path)
        assert path[[1, 2, 4]].tolist() == [3, 0, 3]


def test_what_is_seen_is_learned_for_each_kind_of_bin_by_itself():
    n = 4000
    path, kind = np.random.default_rng(3).integers(0, 2, n), np.arange(n) % 2
    category = np.where(kind == 0, path, 2)[:, None]  # in every other bin nothing is told of the state
    first, border = np.arange(n) == 0, np.array([0, n])
    seen = recorded.Recorded(category, first, ~first[:, None], border, 1, kind, 2)
    emission = np.zeros((1, 8, 3))
    hidden.draw_emission(np.random.default_rng(4), seen, path, emission)
    np.testing.assert_allclose(emission[0, :4], np.eye(3)[[0, 1, 0, 1]], atol=0.01)
    np.testing.assert_allclose(emission[0, 4:], np.eye(3)[[2, 2, 2, 2]], atol=0.01)


def test_bins_of_few_frames_are_told_apart_by_where_the_first_frame_lies():
    def states(rate_hz):
        traces = np.random.default_rng(5).normal(size=(int(60 * rate_hz), 1))
        return binarize(traces, rate_hz, "median", bin_s=0.5)

    kind, n = kinds_of(states(3.0))  # a bin has two frames, or one that comes half an interval later
    assert n == 2
    np.testing.assert_array_equal(kind, np.arange(len(kind)) % 2)
    for rate_hz in (4.0, 10.3):  # bins are all alike; or they hold many frames
        kind, n = kinds_of(states(rate_hz))
        assert (n, kind.any()) == (1, False)
    assert kinds_of(states(3.0).drop_vars("first_frame"))[1] == 1


def test_transitions_of_a_path_do_not_cross_borders():
    seen, *_ = small()
    path = np.array([1, 3, 0, 2, 1])
    count, on = chain.count_path(seen, path, ONE_LEVEL, 0, 4)
    np.testing.assert_array_equal(count[:, 0], [0, 1, 1, 1])
    np.testing.assert_array_equal(on, [[0, 0], [1, 1], [1, 0], [0, 0]])
    count, _ = chain.count_path(seen, path, np.array([0, 1, 0, 0, 1]), 0, 8)
    np.testing.assert_array_equal(count[:, 0], [0, 0, 0, 1, 0, 1, 1, 0])


def test_categories_follow_the_signal_and_never_join_the_two_sides_of_a_threshold():
    signal = np.random.default_rng(2).exponential(size=(1000, 2))
    states = (signal > 1.5).astype(int)
    found = hidden.categories(signal, states)
    for u in range(2):
        order = np.argsort(signal[:, u])
        assert (np.diff(found[order, u]) >= 0).all()
        assert found[states[:, u] == 0, u].max() < found[states[:, u] == 1, u].min()
    assert found.max() == hidden.OFF_CATEGORIES + hidden.ON_CATEGORIES - 1


def blurred(states, rng, late=0.45):
    """What is seen of states in bins out of phase: a share of each event shows up in the next bin."""
    amplitude = states * rng.gamma(20.0, 0.5, states.shape)
    share = np.clip(rng.normal(late, 0.1, states.shape), 0, 1)
    shown = amplitude * (1 - share)
    shown[1:] += (amplitude * share)[:-1]
    return shown + rng.normal(0, 0.7, states.shape)


@pytest.fixture(scope="module")
def recovered():
    weights = np.array([[0, 1.2, 0, 0], [1.2, 0, 0, 0], [0, 0, 0, 1.0], [0, 0, 1.0, 0.0]])
    p_on = logistic(weights, bias=-1.0)
    states = run(p_on, 3000, 4)
    signal = blurred(states, np.random.default_rng(5))
    thresholded = (signal > 3.0).astype(int)
    first = np.arange(3000) == 0
    joined = np.repeat(~first[:, None], 4, axis=1)
    seen = recorded.Recorded(hidden.categories(signal, thresholded), first, joined, np.array([0, 3000]), 1, ONE_KIND, 1)
    model, sweeps = recorded.Model(1, drive=False, hidden=True), recorded.Sweeps(150, 3, 300)
    drawn = chain.sample_recording(seen, thresholded, model, sweeps, np.random.default_rng(6))
    return p_on, states, thresholded, drawn


def test_paths_are_nearer_to_the_truth_than_thresholds(recovered):
    _, states, thresholded, drawn = recovered
    on = (drawn.paths[..., None] >> np.arange(4) & 1).mean(axis=0)
    assert ((on > 0.5) != states).mean() < 0.75 * (thresholded != states).mean()


def test_the_tpm_is_that_of_the_units_and_not_of_what_was_seen(recovered):
    p_on, states, thresholded, drawn = recovered
    estimate = expit(drawn.logits[:, 0]).mean(axis=0)
    code = encode(thresholded)
    plain = np.array([[thresholded[1:][code[:-1] == s, u].mean() for u in range(4)] for s in range(16)])
    weight = np.bincount(encode(states), minlength=16)[:, None] / len(states)
    assert (weight * np.abs(estimate - p_on)).sum() < 0.5 * (weight * np.abs(plain - p_on)).sum()
    there = (drawn.parents[:, 0, :, None] >> np.arange(4) & 1).mean(axis=0)
    assert there[[0, 1, 2, 3], [1, 0, 3, 2]].min() > 0.9


def test_what_is_seen_depends_on_the_state_before(recovered):
    *_, drawn = recovered
    emission = drawn.emission.mean(axis=0)
    high = emission[:, :, hidden.OFF_CATEGORIES :].sum(axis=2)
    assert (high[:, 0] < 0.05).all()  # OFF, and OFF before
    assert (high[:, 2] > 0.2).all()  # OFF, but ON before: the event came late
    assert (high[:, 3] > high[:, 2]).all()


def test_states_of_all_units_are_little_endian(recovered):
    *_, drawn = recovered
    assert drawn.paths.min() >= 0
    assert drawn.paths.max() < len(states_of(4))
