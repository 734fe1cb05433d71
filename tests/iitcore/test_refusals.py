"""What cannot be what was meant is refused in words; what is only improbable or large is computed."""

import math

import numpy as np
import pytest

import iitcore as iit
from iitcore import MacroUnit, Substrate, SubstrateError
from iitcore._resolution import resolve

SWAP = [[0, 0], [0, 1], [1, 0], [1, 1]]


@pytest.fixture
def sub():
    return Substrate(SWAP)


@pytest.fixture
def fours():
    """Two units of four values."""
    rng = np.random.default_rng(0)
    return Substrate.from_factors(list(rng.dirichlet(np.ones(4), (2, 4, 4))))


def test_grains_are_of_binary_units(fours):
    with pytest.raises(SubstrateError, match="binary micro units"):
        iit.search_grains(fours, (3, 2))
    with pytest.raises(SubstrateError, match="binary micro units"):
        iit.is_maximally_irreducible_within(fours, ("A", "B"), (3, 2))


@pytest.mark.parametrize("value", [2.0, -0.5, np.nan, np.inf])
def test_derived_macro_tpms_are_of_probabilities(value):
    tpm = np.full((2, 4, 2), 0.5)
    tpm[1, 3, 0] = value
    with pytest.raises(SubstrateError, match=r"micro TPM has 1 entries.*draw 1, row 3 \(state 11\), unit 0"):
        iit.derive_macro_tpm(tpm, [(0, 1)], [(0, 0, 0, 1)])


@pytest.mark.parametrize("mask", [[True, False], np.array([True, False]), [np.True_]])
def test_a_mask_is_no_list_of_units(sub, mask):
    for call in (sub.system, lambda _, units: MacroUnit.all_on(units)):
        with pytest.raises(SubstrateError, match="flatnonzero"):
            call("10", mask)


@pytest.mark.parametrize("units", [[0.9], np.array([0.0]), [None], [0, 1.5]])
def test_fractions_are_no_units(sub, units):
    for call in (
        lambda: sub.system("10", units),
        lambda: MacroUnit.all_on(units),
        lambda: iit.phi_batch(SWAP, ["10"], units),
        lambda: iit.derive_macro_tpm(SWAP, [units, [1]], [(0, 1), (0, 1)]),
    ):
        with pytest.raises(SubstrateError, match="neither name nor index"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda s: MacroUnit(("A", "B"), (0, 0, 0.2, 1.9)),
        lambda s: MacroUnit(("A", "B"), (0, 0, np.nan, 1)),
        lambda s: MacroUnit(("A",), (0, 1), 1.5),
        lambda s: MacroUnit.at_least(("A", "B"), 1.5),
        lambda s: s.inactivate({"A": 0.5}),
        lambda s: iit.search_grains(s, ["10", "10"], update_grains=[1.5]),
        lambda s: iit.derive_macro_tpm(SWAP, [(0, 1)], [(0, 0, 0.5, 1)]),
        lambda s: iit.estimate_cost(3.5),
        lambda s: Substrate.from_state_by_state(np.eye(6), alphabet=(2.5, 3)),
    ],
)
def test_fractions_are_not_cut_to_whole_numbers(sub, call):
    with pytest.raises(SubstrateError, match="not whole"):
        call(sub)


def test_whole_numbers_of_any_type_are_taken(sub):
    assert MacroUnit(("A", "B"), np.array([False, False, False, True]), np.float64(1)).mapping == (0, 0, 0, 1)
    assert sub.inactivate({"A": np.float32(1)}).fixed == (("A", 1),)
    assert sub.system(np.array([True, False]), np.array([1])).state == (0,)


def test_masked_entries_stay_unknown(sub):
    masked = np.ma.array(SWAP, mask=False, dtype=float)
    assert Substrate(masked).tpm.tolist() == SWAP
    masked[2, 1] = np.ma.masked
    for call in (
        lambda: Substrate(masked),
        lambda: iit.phi_batch([masked, masked], ["10"]),
        lambda: iit.derive_macro_tpm(masked, [(0, 1)], [(0, 0, 0, 1)]),
        lambda: iit.System.from_tpms(masked, SWAP, "10"),
    ):
        with pytest.raises(SubstrateError, match=r"row 2 \(state 01\).*nan"):
            call()
    for call in (
        lambda: Substrate.logistic(np.ma.array(np.eye(2), mask=np.eye(2))),
        lambda: sub.system(np.ma.array([1, 0], mask=[0, 1])),
        lambda: sub.system("10", np.ma.array([0, 1], mask=[0, 1])),
    ):
        with pytest.raises(SubstrateError):
            call()


def test_what_is_nearly_a_probability_is_shown_as_it_is():
    with pytest.raises(SubstrateError, match=r"P\(ON\) = 1\.0000001"):
        Substrate([[0.0], [1.0000001]])


def test_an_alphabet_that_is_not_the_factors_is_refused(sub):
    with pytest.raises(SubstrateError, match=r"alphabet \[2, 3\]"):
        Substrate.from_dict(sub.to_dict() | {"alphabet": [2, 3]})


def test_values_from_ten_on():
    many = Substrate.from_factors([np.full((12, 2, 12), 1 / 12), np.full((12, 2, 2), 0.5)])
    assert many.check_state("11,1") == many.check_state((11, 1)) == (11, 1)
    with pytest.raises(SubstrateError, match=r"values 0\.\.11"):
        many.check_state("12,0")


@pytest.mark.parametrize("degree", [0, -1, 1.5])
def test_a_degree_below_one_is_no_limit(sub, degree):
    relations = iit.unfold(sub.system("10")).relations
    for call in (relations.by_degree, lambda d: list(relations.enumerate(d)), relations.table):
        with pytest.raises(SubstrateError, match="max_degree"):
            call(degree)
    assert len(list(relations.enumerate(1))) == 2


WRONG = [
    b"01",
    np.array(["2020"], dtype="M8[D]"),
    "x" * 1000,
    5,
    1.5,
    object(),
    {},
    [None],
    [[1, 2], [3]],
    1 + 2j,
    np.array(3),
    10**400,
]
CALLS = {
    "tpm": lambda s, x: Substrate(x),
    "names": lambda s, x: Substrate(SWAP, x),
    "factors": lambda s, x: Substrate.from_factors(x),
    "weights": lambda s, x: Substrate.logistic(x),
    "bias": lambda s, x: Substrate.logistic(np.eye(3), bias=x),
    "inactivate": lambda s, x: s.inactivate({"A": x}),
    "state": lambda s, x: s.system(x),
    "units": lambda s, x: s.system("10", x),
    "dict": lambda s, x: Substrate.from_dict(x),
    "system": lambda s, x: iit.system_phi(x),
    "substrate": lambda s, x: iit.complexes(x, "10"),
    "unfold": lambda s, x: iit.unfold(x),
    "pair": lambda s, x: iit.unfold(s.system("10"), x),
    "fold": lambda s, x: iit.unfold(s.system("10")).fold(x),
    "fold of units": lambda s, x: iit.unfold(s.system("10")).fold(units=[x]),
    "content": lambda s, x: iit.unfold(s.system("10")).fold(content=[x]),
    "touching": lambda s, x: iit.unfold(s.system("10")).relations.touching([x]),
    "batch": lambda s, x: iit.phi_batch(x, ["10"]),
    "states": lambda s, x: iit.phi_batch(SWAP, [x]),
    "threads": lambda s, x: iit.phi_batch(SWAP, ["10"], threads=-1 if isinstance(x, int | np.ndarray) else x),
    "cost of": lambda s, x: iit.estimate_cost(3, x),
    "groups": lambda s, x: iit.derive_macro_tpm(SWAP, x, [(0, 0, 0, 1)]),
    "mapping": lambda s, x: MacroUnit(("A",), x),
    "macro unit": lambda s, x: iit.macro_tpms(s, [x], "10"),
    "history": lambda s, x: iit.search_grains(s, x),
    "shares": lambda s, x: iit.search_grains(s, "10", weights=x),
    "groupings": lambda s, x: iit.search_grains(s, "10", groupings=[x]),
    "unit": lambda s, x: iit.is_maximally_irreducible_within(s, x, "10"),
    "labels": lambda s, x: list(iit.system_partitions(x)) if x not in ([None], {}) else s.system("x"),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_of_another_type_are_refused_in_words(sub, name):
    for wrong in WRONG:
        with pytest.raises(SubstrateError):
            CALLS[name](sub, wrong)


ITSELF = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: Substrate(ITSELF), "not an array of numbers"),
        (lambda s: iit.search_grains(s, ITSELF), "not one number per unit"),
        (lambda s: Substrate(SWAP, {"A", "B"}), "a set has no order"),
        (lambda s: Substrate(SWAP, {"A": 0, "B": 1}), "give a list"),
        (lambda s: Substrate(SWAP, ["A", None]), "None: names are text"),
        (lambda s: Substrate(SWAP, ["A", " "]), "2 distinct names"),
        (lambda s: Substrate(SWAP, np.ma.array(["A", "B"], mask=[1, 0])), "masked"),
        (lambda s: MacroUnit({"A", "B"}, (0, 0, 0, 1)), "a set has no order"),
        (lambda s: MacroUnit.micro(["A", "B"]), "not one micro unit"),
        (lambda s: Substrate.from_state_by_state(np.eye(4), project="no"), "neither True nor False"),
        (lambda s: iit.search_grains(s, "10", valid_only=1), "neither True nor False"),
        (lambda s: iit.search_grains(s, "10", progress=5), "no function"),
        (lambda s: iit.complexes(s, "10", progress="x"), "no function"),
        (lambda s: iit.search_grains(s, "10", max_apportioned=-1), "0 or more"),
        (lambda s: iit.search_grains(s, "10", max_candidates=0), "leaves nothing"),
        (lambda s: iit.search_grains(s, "10").top(0), "leaves nothing"),
        (lambda s: Substrate.logistic([[1e308, 1e308], [-1e308, 1e308]]), "no number"),
        (lambda s: Substrate.from_dict(s.to_dict() | {"fixed": [["A"]]}), "pairs"),
        (lambda s: s.system("x" * 1000), r"x\.\.\. is not one number"),
    ],
)
def test_what_would_be_taken_for_something_else(sub, call, message):
    with pytest.raises(SubstrateError, match=message):
        call(sub)


@pytest.mark.parametrize("wrong", [None, 5, [], {}, "", "{", '{"phi": []}', b"{}", {"units": 5}, {"groupings": 3}])
@pytest.mark.parametrize("kind", [iit.SystemPhi, iit.GrainSearch, iit.MacroUnit, iit.PhiStructure, iit.Distinction])
def test_what_is_no_saved_result_is_refused(kind, wrong):
    with pytest.raises(SubstrateError):
        kind.from_dict(wrong)


# --- improbable, and large ----------------------------------------------------------------------


@pytest.mark.parametrize(("weight", "state"), [(60, "011110"), (100, "011010")])
def test_an_improbable_state_is_not_an_impossible_one(weight, state):
    """Five units follow A; one or two do the opposite, with a probability that is 0 beside 1 or when squared."""
    weights = np.zeros((6, 6))
    weights[0, 1:], weights[1, 0], weights[2, 0] = weight, weight / 2, weight / 3
    steep = Substrate.logistic(weights)
    system = steep.system(state)
    assert steep.likelihood(state).max() < 1e-100
    assert system.reachable
    assert iit.Reason.UNREACHABLE not in iit.system_phi(system).reasons
    assert iit.complexes(steep, state)[0].units == ("A", "B")
    assert iit.unfold(system).distinctions
    pair = iit.system_phi(steep.system(state, "AB"))
    assert pair.phi == pytest.approx(2)
    assert iit.phi_batch([steep], [state], "AB")[0, 0] == pair.phi
    units = [MacroUnit.micro(u) for u in "AB"]
    assert iit.system_phi(iit.macro_system(steep, units, state)).phi == pytest.approx(2)


def test_ratios_of_improbable_states_are_those_of_probable_ones():
    """The cause side depends on ratios of likelihoods only: noise that no state changes is no matter."""
    base = np.random.default_rng(1).random((8, 3))
    rare = np.hstack([np.vstack([base] * 16), np.full((128, 4), 1e-80)])
    few, many = Substrate(base), Substrate(rare)
    want = iit.system_phi(few.system("010"))
    got = iit.system_phi(many.system("0101111", range(3)))
    assert got.cause.intrinsic_information == pytest.approx(want.cause.intrinsic_information, abs=1e-12)
    assert got.phi == pytest.approx(want.phi, abs=1e-12)


def test_structures_too_large_for_a_double_are_compared():
    """Φ of both is over 2**1024."""
    system = Substrate.logistic(0.2 * (1 - np.eye(3))).system("111")
    found = iit.distinctions(system)
    pairs = list(iit.system_phi(system).tied_pairs)
    many = tuple(d for d in found for _ in range(400))
    low = resolve(many, system.labels, pairs)
    assert math.isinf(low.phi)
    assert 1024 < low.log2_phi < 3000
    assert low.log2_phi > resolve(many[:-250], system.labels, pairs).log2_phi
