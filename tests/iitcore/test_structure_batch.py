"""Φ over draws and states equals `unfold`, one at a time, bit for bit."""

import numpy as np
import pytest
from systems import KINDS

from iitcore import SubstrateError
from iitcore.structure import unfold
from iitcore.structure_batch import big_phi_batch
from iitcore.substrate import Substrate, System


def all_states(n):
    return [tuple(int(v) for v in row) for row in (np.arange(2**n)[:, None] >> np.arange(n)) & 1]


def assert_equal(batch, draw, s, structure):
    expected = (
        structure.phi,
        structure.sum_phi_d,
        structure.sum_phi_r,
        float(len(structure.distinctions)),
        float(structure.relations.count),
    )
    assert tuple(float(field[draw, s]) for field in batch[:5]) == expected
    assert batch.log2_relations[draw, s] == pytest.approx(structure.relations.log2_count)


@pytest.mark.parametrize("kind", ["uniform", "logistic", "deterministic", "coarse"])
@pytest.mark.parametrize("n", [2, 3, 4])
def test_equals_unfold(kind, n):
    rng = np.random.default_rng([n, KINDS.index(kind)])
    draws = {
        "uniform": lambda: rng.random((2**n, n)),
        "logistic": lambda: Substrate.logistic(rng.normal(0, 1, (n, n)), k=2.0).tpm,
        "deterministic": lambda: rng.integers(0, 2, (2**n, n)).astype(float),
        "coarse": lambda: rng.integers(0, 4, (2**n, n)) / 3,
    }
    tpms = np.stack([draws[kind]() for _ in range(3)])
    states = all_states(n)[::2]
    batch = big_phi_batch(tpms, states)
    assert batch.phi.shape == (3, len(states))
    for draw, tpm in enumerate(tpms):
        for s, state in enumerate(states):
            assert_equal(batch, draw, s, unfold(Substrate(tpm).system(state)))


def test_with_background_and_threads():
    rng = np.random.default_rng(5)
    tpms, states = rng.random((6, 16, 4)), all_states(4)[::3]
    one = big_phi_batch(tpms, states, units=[1, 3], threads=1)
    two = big_phi_batch(tpms, states, units=[1, 3], threads=2)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)
    for draw, tpm in enumerate(tpms):
        for s, state in enumerate(states):
            assert_equal(one, draw, s, unfold(Substrate(tpm).system(state, [1, 3])))


def test_cause_tpms_of_their_own():
    rng = np.random.default_rng(6)
    causes, effects = rng.random((2, 4, 8, 3))
    causes[0, :, 0] = 0.0  # unit 0 never turns on: no cause for states in which it is on
    states = all_states(3)
    batch = big_phi_batch(effects, states, cause_tpms=causes)
    for draw in range(4):
        for s, state in enumerate(states):
            system = System.from_tpms(causes[draw], effects[draw], state)
            assert_equal(batch, draw, s, unfold(system))
    assert batch.phi[0, 1] == 0.0


def test_units_of_more_values():
    rng = np.random.default_rng(7)
    alphabet = (2, 3, 2)
    substrates = [Substrate.from_factors([rng.dirichlet(np.ones(k), alphabet) for k in alphabet]) for _ in range(3)]
    states = [(0, 2, 1), (1, 1, 0)]
    for units in (None, [0, 1]):
        batch = big_phi_batch(substrates, states, units=units)
        for draw, substrate in enumerate(substrates):
            for s, state in enumerate(states):
                assert_equal(batch, draw, s, unfold(substrate.system(state, units)))


def test_unreachable_states_and_faults():
    gates = np.array([[0, 0], [0, 1], [0, 1], [1, 1]], dtype=float)
    batch = big_phi_batch(gates, [[1, 0], [1, 1]])
    assert batch.phi[0, 0] == 0
    assert batch.log2_relations[0, 0] == -np.inf
    with pytest.raises(SubstrateError, match="draw 1, row 2"):
        big_phi_batch(np.stack([gates, np.where(gates == gates[2], np.nan, gates)]), [[0, 0]])
    with pytest.raises(SubstrateError, match="one cause TPM per effect TPM"):
        big_phi_batch(np.stack([gates, gates]), [[0, 0]], cause_tpms=gates[None])
