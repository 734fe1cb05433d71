"""Macro units and macro TPMs: reference values, and an enumerator of micro sequences as oracle."""

import itertools
import json

import numpy as np
import pytest

from iitcore import Substrate, SubstrateError, phi_batch, system_phi
from iitcore._bits import joint
from iitcore.macro import (
    MacroTPMs,
    MacroUnit,
    derive_macro_tpm,
    macro_system,
    macro_tpms,
)
from iitcore.structure import unfold

CASES = (
    "macro1_cg_marshall_ex1",
    "macro2_bbx_marshall_ex2",
    "macro4_random_cg_with_background",
    "macro5_random_bbx_grain2",
    "macro6_random_custom_map_apportioned",
    "macro7_logistic_cg_pos",
)


def load(golden_dir, name):
    case = json.loads((golden_dir / "iit4" / f"{name}.json").read_text())
    units = [MacroUnit.from_dict(u) for u in case["units"]]
    return case, Substrate(case["micro_tpm"]), units, case["micro_history_oldest_first"]


def states(n):
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def random_substrate(rng, n):
    return Substrate(rng.random((2**n, n)))


def random_table(rng, size):
    while True:
        table = rng.integers(0, 2, size)
        if 0 < table.sum() < size:
            return tuple(int(v) for v in table)


@pytest.mark.parametrize("name", CASES)
def test_reference_macro_tpms(golden_dir, name):
    case, sub, units, history = load(golden_dir, name)
    tpms = macro_tpms(sub, units, history)
    np.testing.assert_allclose(tpms.effect.T, case["macro_effect_tpm_by_unit"], atol=1e-12)
    np.testing.assert_allclose(tpms.cause.T, case["macro_cause_tpm_by_unit"], atol=1e-12)
    assert list(tpms.state) == case["macro_state"]


@pytest.mark.parametrize("name", CASES)
def test_reference_macro_phi(golden_dir, name):
    case, sub, units, history = load(golden_dir, name)
    expected = case["system"]
    result = system_phi(macro_system(sub, units, history))
    assert result.phi == pytest.approx(expected["phi_s"], abs=1e-9)
    assert result.normalized_phi == pytest.approx(expected["normalized_phi"], abs=1e-9)
    assert result.cause.intrinsic_information == pytest.approx(expected["ii_c"], abs=1e-9)
    assert result.effect.intrinsic_information == pytest.approx(expected["ii_e"], abs=1e-9)
    assert list(result.cause.state) == expected["cause_state"]
    assert list(result.effect.state) == expected["effect_state"]
    if expected["phi_s"] > 0:
        assert result.cause.phi == pytest.approx(expected["phi_c"], abs=1e-9)
        assert result.effect.phi == pytest.approx(expected["phi_e"], abs=1e-9)
    alone = [system_phi(macro_system(sub, [unit], history)).phi for unit in units]
    assert alone == pytest.approx(case["single_unit_macro_phi_s"], abs=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_reference_macro_structure(golden_dir, name):
    case, sub, units, history = load(golden_dir, name)
    assert case["tie_sensitive_structures"] == []
    expected = case["structure"]
    state = expected["resolution_state"]
    system = macro_system(sub, units, history)
    found = unfold(system, (state["cause"], state["effect"]))
    assert len(found.distinctions) == expected["num_distinctions"]
    everything = len(found.distinctions) + len(found.incongruent)
    assert everything == expected["num_distinctions_before"]
    assert found.relations.count == expected["num_relations"]
    assert found.sum_phi_d == pytest.approx(expected["sum_phi_d"], rel=1e-6)
    assert found.sum_phi_r == pytest.approx(expected["sum_phi_r"], rel=1e-6)
    assert found.phi == pytest.approx(case["big_phi"], rel=1e-6)


# --- oracle: every sequence of universe states, probabilities multiplied out ------------------


def bits(index, n):
    return tuple((index >> i) & 1 for i in range(n))


def discounted(sub, unit, units):
    """P(ON) of every micro unit for updating `unit`, straight from the definition."""
    n, tpm = sub.n, sub.tpm
    out = np.tile(tpm.mean(axis=0), (2**n, 1))
    for i in unit.constituents:
        out[:, i] = tpm[:, i]
    for owner in units:
        kept = owner.constituents + owner.background_apportionment
        for i in owner.background_apportionment:
            for x in range(2**n):
                same = [y for y in range(2**n) if all((x ^ y) >> k & 1 == 0 for k in kept)]
                out[x, i] = tpm[same, i].mean()
    return out


def oracle_tpm(sub, units, q):
    """(2**m, m) by enumeration; q maps each background state (tuple over all units) to weight."""
    n, m = sub.n, len(units)
    inside = [i for u in units for i in u.constituents]
    on = np.zeros((2**n, m))
    for j, unit in enumerate(units):
        p = discounted(sub, unit, units)
        for start in range(2**n):
            for path in itertools.product(range(2**n), repeat=unit.update_grain):
                chance, x, index = 1.0, start, 0
                for t, y in enumerate(path):
                    chance *= np.prod(np.where(bits(y, n), p[x], 1 - p[x]))
                    part = sum(((y >> c) & 1) << k for k, c in enumerate(unit.constituents))
                    index += part << (t * len(unit.constituents))
                    x = y
                on[start, j] += chance * unit.mapping[index]
    tpm = np.zeros((2**m, m))
    for s in range(2**m):
        for x in range(2**n):
            r = 1.0
            for j, unit in enumerate(units):
                k = len(unit.constituents)
                part = sum(((x >> c) & 1) << b for b, c in enumerate(unit.constituents))
                image = [i for i, v in enumerate(unit.mapping) if v == (s >> j) & 1]
                r *= sum(i >> (k * (unit.update_grain - 1)) == part for i in image) / len(image)
            w = tuple(b for i, b in enumerate(bits(x, n)) if i not in inside)
            tpm[s] += r * q[w] * on[x]
    return tpm


def oracle_posterior(sub, units, first):
    inside = [i for u in units for i in u.constituents]
    weight = {}
    for x in range(2**sub.n):
        w = tuple(b for i, b in enumerate(bits(x, sub.n)) if i not in inside)
        chance = np.prod(np.where(first, sub.tpm[x], 1 - sub.tpm[x]))
        weight[w] = weight.get(w, 0.0) + chance
    total = sum(weight.values())
    return {w: v / total for w, v in weight.items()}


LAYOUTS = [
    (3, 1, [((0, 1), ()), ((2,), ())]),
    (3, 2, [((2, 0), (1,))]),
    (3, 2, [((1,), ()), ((2,), (0,))]),
    (3, 3, [((1,), (2,)), ((0,), ())]),
    (4, 1, [((3, 0), ()), ((1,), ())]),
    (4, 2, [((3, 0), (1,)), ((2,), ())]),
    (4, 2, [((0,), (2,)), ((1,), (3,))]),
]


@pytest.mark.parametrize(("n", "grain", "layout"), LAYOUTS)
def test_macro_tpms_equal_enumeration(n, grain, layout):
    rng = np.random.default_rng([n, grain, len(layout)])
    sub = random_substrate(rng, n)
    units = [MacroUnit(c, random_table(rng, 2 ** (len(c) * grain)), grain, through) for c, through in layout]
    history = rng.integers(0, 2, (grain, n))
    tpms = macro_tpms(sub, units, history)
    inside = [i for u in units for i in u.constituents]
    q_cause = oracle_posterior(sub, units, history[0])
    now = tuple(int(b) for i, b in enumerate(history[-1]) if i not in inside)
    q_effect = {w: float(w == now) for w in q_cause}
    np.testing.assert_allclose(tpms.cause, oracle_tpm(sub, units, q_cause), atol=1e-12)
    np.testing.assert_allclose(tpms.effect, oracle_tpm(sub, units, q_effect), atol=1e-12)


def test_apportioned_background_matters_only_between_updates():
    rng = np.random.default_rng(5)
    sub = random_substrate(rng, 3)
    for grain, differs in ((1, False), (2, True)):
        table = random_table(rng, 2 ** (2 * grain))
        history = rng.integers(0, 2, (grain, 3))
        alone = macro_tpms(sub, [MacroUnit((0, 1), table, grain)], history)
        through = macro_tpms(sub, [MacroUnit((0, 1), table, grain, (2,))], history)
        assert (np.abs(alone.effect - through.effect).max() > 1e-6) == differs


def test_macro_tpms_round_trip_through_json():
    sub = random_substrate(np.random.default_rng(4), 3)
    tpms = macro_tpms(sub, [MacroUnit.all_on((0, 2))], "101")
    again = MacroTPMs.from_dict(json.loads(json.dumps(tpms.to_dict())))
    assert again.to_dict() == tpms.to_dict()
    assert repr(again) == "MacroTPMs((A,C)=1)"


@pytest.mark.parametrize("units", [(0, 1, 2), (1,), (0, 2)])
def test_micro_units_are_the_micro_system(units):
    sub = random_substrate(np.random.default_rng(2), 3)
    micro = sub.system((1, 0, 1), units)
    macro = macro_system(sub, [MacroUnit.micro(i) for i in units], (1, 0, 1))
    np.testing.assert_allclose(macro.cause_tpm, micro.cause_tpm, atol=1e-14)
    np.testing.assert_allclose(macro.effect_tpm, micro.effect_tpm, atol=1e-14)
    assert (macro.state, macro.labels) == (micro.state, micro.labels)


def test_unreachable_micro_state_has_no_cause():
    sub = Substrate([[0, 0.5], [0, 0.2], [0, 0.7], [0, 0.9]])  # A is never ON
    system = macro_system(sub, [MacroUnit.micro("B")], "10")
    assert not system.reachable
    assert np.isfinite(system.cause_tpm).all()


# --- the batched path --------------------------------------------------------------------------

GROUPINGS = [
    (3, [[0, 1], [2]]),
    (4, [[2, 0], [3, 1]]),
    (5, [[4], [0, 3, 1], [2]]),
    (6, [[5, 1, 2], [0, 3, 4]]),
    (4, [[3, 1, 2, 0]]),
]


@pytest.mark.parametrize(("n", "groups"), GROUPINGS)
def test_batch_is_both_macro_tpms_in_every_state(n, groups):
    rng = np.random.default_rng(n)
    draws = rng.random((4, 2**n, n))
    mappings = [random_table(rng, 2 ** len(g)) for g in groups]
    out = derive_macro_tpm(draws, groups, mappings)
    assert out.shape == (4, 2 ** len(groups), len(groups))
    units = [MacroUnit(tuple(g), m) for g, m in zip(groups, mappings, strict=True)]
    for tpm, derived in zip(draws, out, strict=True):
        for state in rng.integers(0, 2, (3, n)):
            tpms = macro_tpms(Substrate(tpm), units, state)
            np.testing.assert_allclose(derived, tpms.cause, atol=1e-14)
            np.testing.assert_allclose(derived, tpms.effect, atol=1e-14)
    np.testing.assert_array_equal(derive_macro_tpm(draws[2], groups, mappings), out[2])


def test_batch_of_planted_pairs():
    """Two pairs that drive each other: logit P(ON) = -4 + 3.5 x ON units of the other pair."""
    rows = states(4)
    drive = -4 + 3.5 * rows[:, [2, 2, 0, 0]] + 3.5 * rows[:, [3, 3, 1, 1]]
    micro = 1 / (1 + np.exp(-drive))
    p = np.full(16, 1 / 16)
    for _ in range(2000):
        p = p @ joint(micro)
    pairs = [[0, 1], [2, 3]]
    tpm = derive_macro_tpm(np.stack([micro, micro]), pairs, [(0, 0, 0, 1)] * 2)
    both_on = np.stack([rows[:, g].all(axis=1) for g in pairs], axis=1).astype(int)
    visited, index = np.unique(both_on, axis=0, return_inverse=True)
    for phi in phi_batch(tpm, visited):
        assert p @ phi[index.ravel()] == pytest.approx(1.262, abs=5e-4)
    assert p @ phi_batch(micro, rows)[0] == pytest.approx(0.297, abs=5e-4)


def test_batch_of_certain_units():
    copies = np.array([[0, 0], [1, 1], [1, 1], [1, 1]], dtype=float)  # both units: A or B
    np.testing.assert_array_equal(derive_macro_tpm(copies, [[0, 1]], [(0, 1, 1, 1)]), [[0], [1]])


def test_batch_refuses_groups_that_leave_units_out():
    with pytest.raises(SubstrateError, match="depends on the background"):
        derive_macro_tpm(np.full((8, 3), 0.5), [[0, 1]], [(0, 0, 0, 1)])
    with pytest.raises(SubstrateError, match=r"\(7, 3\)"):
        derive_macro_tpm(np.full((7, 3), 0.5), [[0, 1], [2]], [(0, 0, 0, 1), (0, 1)])
    with pytest.raises(SubstrateError, match="2 groups and 1 mappings"):
        derive_macro_tpm(np.full((8, 3), 0.5), [[0, 1], [2]], [(0, 0, 0, 1)])


# --- units -------------------------------------------------------------------------------------


def table_of(rule):
    """Truth table of two units over two updates; a1 b1 the older update, a2 b2 the newer."""
    return tuple(int(rule(i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3 & 1)) for i in range(16))


@pytest.mark.parametrize(
    ("unit", "table", "rule"),
    [
        (MacroUnit.all_on(tuple("AB")), (0, 0, 0, 1), "all ON"),
        (MacroUnit.any_on(tuple("AB")), (0, 1, 1, 1), "any ON"),
        (MacroUnit.majority(tuple("ABC")), (0, 0, 0, 1, 0, 1, 1, 1), "at least 2 ON"),
        (MacroUnit.majority(tuple("AB")), (0, 0, 0, 1), "all ON"),
        (MacroUnit.black_box(tuple("AB"), "B"), (0, 0, 1, 1), "output B"),
        (
            MacroUnit.black_box(tuple("ABC"), tuple("AC")),
            (0, 0, 0, 0, 0, 1, 0, 1),
            "outputs A and C",
        ),
        (MacroUnit.micro("A"), (0, 1), "as is"),
        (MacroUnit.micro("A", 2), (0, 0, 1, 1), "output A"),
        (MacroUnit(("A", "B"), (0, 1, 1, 0)), (0, 1, 1, 0), "exactly 1 ON"),
        (
            MacroUnit.at_least(tuple("AB"), 3, 2),
            table_of(lambda a1, b1, a2, b2: a1 + b1 + a2 + b2 >= 3),
            "at least 3 ON",
        ),
        (
            MacroUnit.black_box(tuple("AB"), "B", 2),
            table_of(lambda a1, b1, a2, b2: b2),
            "output B",
        ),
    ],
)
def test_mapping_helpers(unit, table, rule):
    assert unit.mapping == table
    assert unit.rule == rule
    assert rule in repr(unit)


def test_unit_round_trips_through_json():
    unit = MacroUnit(("A", 2), (0, 1, 1, 0) * 4, 2, ("D",))
    assert MacroUnit.from_dict(json.loads(json.dumps(unit.to_dict()))) == unit
    assert hash(unit) == hash(MacroUnit.from_dict(unit.to_dict()))
    numpy_made = MacroUnit(np.array([0, 2]), np.array([0, 0, 0, 1]))
    assert numpy_made == MacroUnit((0, 2), (0, 0, 0, 1))
    json.dumps(numpy_made.to_dict())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 1), (0, 1)), "2 entries; 4 are needed"),
        (((0, 1), (0, 0, 0, 0)), "always 0"),
        (((0, 0), (0, 0, 0, 1)), "listed twice"),
        (((0, 1), (0, 0, 0, 1), 1, (1,)), "listed twice"),
        (((), (0, 1)), "no constituents"),
        (((0,), (0, 2)), "other than 0 and 1"),
        (((0,), (0, 1), 0), "update grain 0"),
        (((0, 1, 2), (0, 1), 9), "limit is 2\\*\\*20"),
    ],
)
def test_units_that_cannot_be(arguments, message):
    with pytest.raises(SubstrateError, match=message):
        MacroUnit(*arguments)


def test_every_fault_of_a_unit_is_listed():
    with pytest.raises(SubstrateError, match=r"listed twice.*3 entries.*other than 0 and 1"):
        MacroUnit((0, 0), (0, 3, 1))


@pytest.mark.parametrize("count", [0, 5])
def test_counts_out_of_reach_are_refused(count):
    with pytest.raises(SubstrateError, match="always"):
        MacroUnit.at_least((0, 1), count)


def test_black_box_outputs_are_constituents():
    with pytest.raises(SubstrateError, match="outputs C"):
        MacroUnit.black_box(tuple("AB"), "C")


def test_units_that_do_not_make_a_system():
    sub = random_substrate(np.random.default_rng(1), 3)
    pair = MacroUnit.all_on((0, 1))
    with pytest.raises(SubstrateError, match="B constituent of two units"):
        macro_tpms(sub, [pair, MacroUnit.any_on((1, 2))], (0, 0, 0))
    with pytest.raises(SubstrateError, match=r"grains \[1, 2\] differ"):
        macro_tpms(sub, [pair, MacroUnit.micro(2, 2)], np.zeros((2, 3), int))
    with pytest.raises(SubstrateError, match="B both a constituent and background"):
        macro_tpms(sub, [pair, MacroUnit((2,), (0, 1), 1, (1,))], (0, 0, 0))
    with pytest.raises(SubstrateError, match="no unit 'Z'"):
        macro_tpms(sub, [MacroUnit.all_on(tuple("AZ"))], (0, 0, 0))
    with pytest.raises(SubstrateError, match="no macro units"):
        macro_tpms(sub, [], (0, 0, 0))
    with pytest.raises(SubstrateError, match="history has 1 micro states; update grain 2"):
        macro_tpms(sub, [MacroUnit.micro(2, 2)], (0, 0, 0))
    three = Substrate.from_factors([np.full((3, 3), 1 / 3)])
    with pytest.raises(SubstrateError, match="binary"):
        macro_tpms(three, [MacroUnit.micro(0)], (0,))


def test_history_forms_agree():
    sub = random_substrate(np.random.default_rng(1), 3)
    unit = MacroUnit.all_on((0, 1), 2)
    as_array = macro_tpms(sub, [unit], np.array([[1, 1, 0], [0, 1, 1], [1, 1, 1]]))
    as_text = macro_tpms(sub, [unit], ["011", "111"])
    np.testing.assert_array_equal(as_array.cause, as_text.cause)
    assert as_array.state == as_text.state == (0,)
    single = macro_tpms(sub, [MacroUnit.micro(0)], "100")
    assert single.state == macro_tpms(sub, [MacroUnit.micro(0)], [(1, 0, 0)]).state == (1,)


@pytest.mark.parametrize(("grain", "updates"), [(1, 1), (2, 1), (1, 2), (2, 2)])
def test_a_unit_of_meso_units_reads_their_states(grain, updates):
    rng = np.random.default_rng([grain, updates])
    first = MacroUnit(("A", "B"), (0, *rng.integers(0, 2, 2 ** (2 * grain) - 2), 1), grain, ("D",))
    second = MacroUnit.black_box(("C",), ("C",), grain)
    mapping = (0, *rng.integers(0, 2, 2 ** (2 * updates) - 2), 1)
    unit = MacroUnit.of_units((first, second), mapping, updates)
    assert (unit.constituents, unit.update_grain) == (("A", "B", "C"), grain * updates)
    assert unit.background_apportionment == ("D",)
    for _ in range(100):
        window = rng.integers(0, 2, (grain * updates, 3))  # oldest first
        read = 0
        for u in range(updates):
            part = window[u * grain : (u + 1) * grain]
            own = sum(int(a | b << 1) << 2 * t for t, (a, b, _) in enumerate(part))
            read |= first.mapping[own] << 2 * u | int(part[-1, 2]) << 2 * u + 1
        row = sum(int(a | b << 1 | c << 2) << 3 * t for t, (a, b, c) in enumerate(window))
        assert unit.mapping[row] == mapping[read]


def test_meso_units_have_one_grain_and_every_sequence_a_value():
    pair, slow = MacroUnit.all_on(("A", "B")), MacroUnit.all_on(("C",), 2)
    for units, mapping in (
        ((pair, slow), (0, 0, 0, 1)),
        ((pair,), (0, 0, 0, 1)),
        ((), (0, 1)),
        ((pair, pair), (0, 0, 0, 1)),
    ):
        with pytest.raises(SubstrateError):
            MacroUnit.of_units(units, mapping)
