"""Substrates and systems: every form of TPM, background conditioning, errors that say the fix."""

import json

import numpy as np
import oracle
import pytest

from iitcore import Substrate, SubstrateError, System


def random_substrate(n=4, seed=0):
    return Substrate(np.random.default_rng(seed).random((2**n, n)))


def as_marginals(factors, alphabet):
    """(n_states, k) factors to arrays with one axis per unit."""
    return [f.reshape(*reversed(alphabet), -1).transpose(*range(len(alphabet))[::-1], -1) for f in factors]


@pytest.mark.parametrize("units", [(0,), (1, 3), (0, 1, 2), (0, 1, 2, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_background_is_fixed_for_effects_and_inferred_for_causes(units, seed):
    substrate = random_substrate(4, seed)
    state = tuple(np.random.default_rng(seed).integers(0, 2, 4).tolist())
    cause, effect = oracle.candidate(oracle.marginals_of(substrate.tpm), state, units)
    system = substrate.system(state, units)
    for got, want in zip(as_marginals(system.cause_factors, system.alphabet), cause, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-14)
    for got, want in zip(as_marginals(system.effect_factors, system.alphabet), effect, strict=True):
        np.testing.assert_array_equal(got, want)


def test_multi_valued_background():
    rng = np.random.default_rng(4)
    alphabet = (2, 3, 4)
    marginals = [rng.random((*alphabet, k)) for k in alphabet]
    marginals = [m / m.sum(axis=-1, keepdims=True) for m in marginals]
    substrate = Substrate.from_factors(marginals)
    cause, effect = oracle.candidate(marginals, (1, 2, 3), (0, 2))
    system = substrate.system((1, 2, 3), (0, 2))
    assert system.alphabet == (2, 4)
    for got, want in zip(as_marginals(system.cause_factors, (2, 4)), cause, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-14)
    for got, want in zip(as_marginals(system.effect_factors, (2, 4)), effect, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-14)


def test_whole_universe_is_taken_as_it_is():
    substrate = random_substrate()
    system = substrate.system("0101")
    np.testing.assert_array_equal(system.cause_tpm, substrate.tpm)
    np.testing.assert_array_equal(system.effect_tpm, substrate.tpm)


def test_units_by_name_index_or_both_in_any_order():
    substrate = Substrate(random_substrate().tpm, units=("left", "right", "up", "down"))
    wanted = substrate.system("0110", [1, 3])
    for units in (("right", "down"), (3, 1), (np.int64(3), "right")):
        system = substrate.system("0110", units)
        assert system.labels == ("right", "down")
        np.testing.assert_array_equal(system.cause, wanted.cause)
    assert substrate.system("0110", "left").labels == ("left",)
    assert wanted.state == (1, 0)


def test_state_by_state_round_trip():
    substrate = random_substrate(3)
    joint = np.array(
        [[np.prod([p if y >> j & 1 else 1 - p for j, p in enumerate(row)]) for y in range(8)] for row in substrate.tpm]
    )
    np.testing.assert_allclose(Substrate.from_state_by_state(joint).tpm, substrate.tpm, atol=1e-12)


def test_state_by_state_with_correlated_units_is_refused_unless_projected():
    together = np.zeros((4, 4))
    together[:, [0, 3]] = 0.5
    with pytest.raises(SubstrateError, match=r"largest violation 0\.25.*project=True"):
        Substrate.from_state_by_state(together)
    projected = Substrate.from_state_by_state(together, project=True)
    np.testing.assert_allclose(projected.tpm, 0.5)


def test_logistic_is_equation_60():
    weights = np.random.default_rng(1).normal(size=(3, 3))
    substrate = Substrate.logistic(weights, k=2.0, bias=[0.5, 0, -1])
    spins = np.array([1, -1, 1])  # state 101 is row 5
    drive = 2.0 * (spins @ weights + [0.5, 0, -1])
    np.testing.assert_allclose(substrate.tpm[5], 1 / (1 + np.exp(-drive)), rtol=1e-14)
    extreme = Substrate.logistic([[1e5]])
    np.testing.assert_array_equal(extreme.tpm, [[0.0], [1.0]])


def test_inactivated_units_leave_the_universe():
    substrate = random_substrate()
    fixed = substrate.inactivate({"B": 1})
    assert fixed.units == ("A", "C", "D")
    rows = [x for x in range(16) if x >> 1 & 1]
    np.testing.assert_array_equal(fixed.tpm, substrate.tpm[rows][:, [0, 2, 3]])
    twice = fixed.inactivate({"D": 0})
    both = substrate.inactivate({1: 1, 3: 0})
    np.testing.assert_array_equal(twice.tpm, both.tpm)
    assert set(twice.fixed) == set(both.fixed) == {("B", 1), ("D", 0)}


def test_substrates_round_trip_and_are_read_only():
    for substrate in (random_substrate(3).inactivate({"A": 0}), ternary()):
        again = Substrate.from_dict(json.dumps(substrate.to_dict()))
        np.testing.assert_array_equal(again.packed, substrate.packed)
        assert repr(again) == repr(substrate)
    with pytest.raises(ValueError, match="read-only"):
        substrate.packed[0, 0] = 1


def ternary():
    rng = np.random.default_rng(0)
    marginals = [rng.dirichlet(np.ones(3), size=(3, 3)) for _ in range(2)]
    return Substrate.from_factors(marginals)


def test_p_on_exists_for_binary_units_only():
    with pytest.raises(SubstrateError, match="cause_factors"):
        _ = ternary().system("02").effect_tpm


def test_a_state_without_predecessor_is_marked():
    dead = Substrate(np.zeros((4, 2)))
    assert not dead.system("10").reachable
    assert dead.system("00").reachable
    assert not dead.system("10", [1]).reachable


TPM = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


def test_every_bad_entry_is_named_at_once():
    bad = [[0.0, 1.5], [0.0, 1.0], [np.nan, 0.0], [1.0, 1.0]]
    with pytest.raises(SubstrateError) as error:
        Substrate(bad, units=("X", "Y"))
    text = str(error.value)
    assert "2 entries" in text
    assert "row 0 (state 00), unit Y: P(ON) = 1.5" in text
    assert "row 2 (state 01), unit X: P(ON) = nan" in text


@pytest.mark.parametrize(
    ("tpm", "message"),
    [
        (np.eye(4), "from_state_by_state"),
        (np.zeros((2, 4)), r"transposed: pass tpm\.T"),
        (np.zeros((5, 2)), r"\(2\*\*n, n\)"),
        (np.zeros(4), r"\(2\*\*n, n\)"),
        ("hello", "not an array of numbers"),
        ([[0, 1], [1]], "not an array of numbers"),
    ],
)
def test_wrong_shapes_say_what_is_needed(tpm, message):
    with pytest.raises(SubstrateError, match=message):
        Substrate(tpm)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("011", "3 values for 2 units"),
        ("02", r"B=2 \(values 0\.\.1\)"),
        ([0, -1], "B=-1"),
        ([0, 0.5], r"B=0\.5"),
        ("0b", "one digit per unit"),
        (1, "not one number per unit"),
        ([0, "x"], "not one number per unit"),
    ],
)
def test_wrong_states_are_refused(state, message):
    with pytest.raises(SubstrateError, match=message):
        Substrate(TPM).system(state)


@pytest.mark.parametrize(
    ("units", "message"),
    [(["A", "Z"], "no unit 'Z'"), ([0, 5], "no unit 5"), ([0, "A"], "once"), ([], "at least one")],
)
def test_wrong_units_are_refused(units, message):
    with pytest.raises(SubstrateError, match=message):
        Substrate(TPM).system("01", units)


def test_other_faults_are_refused():
    with pytest.raises(SubstrateError, match="distinct names"):
        Substrate(TPM, units=("A", "A"))
    with pytest.raises(SubstrateError, match="square matrix"):
        Substrate.logistic([[0.1, 0.2]])
    with pytest.raises(SubstrateError, match="estimate_cost"):
        Substrate.logistic(np.eye(30))
    with pytest.raises(SubstrateError, match="one number per unit"):
        Substrate.logistic(np.eye(2), bias=[1])
    with pytest.raises(SubstrateError, match=r"row 1 \(sums to 0\.5\)"):
        Substrate.from_state_by_state([[1, 0], [0, 0.5]])
    with pytest.raises(SubstrateError, match="alphabet="):
        Substrate.from_state_by_state(np.eye(3))
    with pytest.raises(SubstrateError, match="unit 1: shape"):
        Substrate.from_factors([np.full((2, 2, 2), 0.5), np.full((2, 2), 0.5)])
    with pytest.raises(SubstrateError, match="B=2"):
        Substrate(TPM).inactivate({"B": 2})
    with pytest.raises(SubstrateError, match="every unit"):
        Substrate(TPM).inactivate({"A": 0, "B": 0})
    with pytest.raises(SubstrateError, match="same units"):
        System.from_tpms(TPM, [[0.0], [1.0]], "00")


def test_rounding_outside_the_unit_interval_is_forgiven():
    assert Substrate([[-1e-12], [1 + 1e-12]]).tpm.tolist() == [[0.0], [1.0]]
