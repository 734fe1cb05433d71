"""Search over grains: reference values, and a plain search by definition as oracle."""

import itertools
import json
import math

import numpy as np
import pytest
from oracle_grains import Oracle, mappings

from iitcore import Substrate, SubstrateError, complexes, system_phi
from iitcore._bits import joint
from iitcore._grain_phi import GrainPhi, bodies
from iitcore._validity import groupings_of
from iitcore.grain_results import GrainSearch, Irreducibility
from iitcore.grains import search_grains
from iitcore.macro import macro_system
from iitcore.macro_units import MacroUnit, few_mappings, mapping_family


def states(n):
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def planted_pairs(strangers=0):
    """Units 0-3: logit P(ON) = -4 + 3.5 x ON units of the other pair; then units of pure noise."""
    s = states(4 + strangers)
    first, second = s[:, [0]] + s[:, [1]], s[:, [2]] + s[:, [3]]
    drive = -4 + 3.5 * np.hstack([second, second, first, first])
    noise = np.full((len(s), strangers), 0.3)
    return Substrate(np.hstack([1 / (1 + np.exp(-drive)), noise]))


def stationary(sub):
    transition, p = joint(sub.tpm), np.full(sub.n_states, 1 / sub.n_states)
    for _ in range(2000):
        p = p @ transition
    return p


def parts(grain):
    return {frozenset(u.constituents) for u in grain.units}


def test_planted_pairs_in_the_stationary_distribution():
    sub = planted_pairs()
    p = stationary(sub)
    np.testing.assert_allclose(p @ states(4), 0.15, atol=0.005)
    found = search_grains(sub, states(4)[:, None, :], weights=p)
    assert found.exhaustive
    assert found.micro.phi == pytest.approx(0.297, abs=5e-4)
    assert found.best.phi == pytest.approx(1.262, abs=5e-4)
    assert parts(found.best) == {frozenset("AB"), frozenset("CD")}
    assert [u.rule for u in found.best.units] == ["all ON", "all ON"]
    # The theory does not allow these units: members of a pair do not affect each other.
    assert not found.best.valid
    assert "{A, B} is not a unit: its micro units are reducible" in found.best.fault
    assert found.winner.valid
    assert found.micro.phi < found.winner.phi < found.best.phi


# --- oracle -----------------------------------------------------------------------------------


def excitable(seed, n=3):
    """Random substrates in which units and their groups both matter."""
    rng = np.random.default_rng(seed)
    return Substrate.logistic(rng.normal(0.25, 0.35, (n, n)), 1.5), rng


def by_index(sub, units):
    """Micro units by position, as the oracle has them."""
    at = {name: i for i, name in enumerate(sub.units)}
    return frozenset(
        (
            tuple(at[c] for c in u.constituents),
            u.mapping,
            u.update_grain,
            tuple(at[c] for c in u.background_apportionment),
        )
        for u in units
    )


def as_set(units):
    return frozenset((u.constituents, u.mapping, u.update_grain, u.background_apportionment) for u in units)


def compared(sub, history, apportioned=0):
    """The search and the enumeration agree on every valid system and every verdict."""
    found = search_grains(sub, history, max_apportioned=apportioned)
    oracle = Oracle(sub, history, apportioned)
    want = {as_set(system): oracle.phi(system) for system in oracle.everything()}
    have = {
        by_index(sub, grain.units): grain.phi
        for g in found.groupings
        if g.fault is None
        for grain in map(g.grain, range(len(g)))
    }
    assert have.keys() == want.keys()
    assert sum(len(g) for g in found.groupings if g.fault is None) == len(have), "nothing is tried twice"
    assert all(have[key] == pytest.approx(phi, abs=1e-12) for key, phi in want.items())
    assert found.winner.phi == pytest.approx(max(want.values()), abs=1e-12)
    for verdict in found.irreducibility:
        area, lent = (tuple(sub.units.index(u) for u in names) for names in (verdict.units, verdict.apportioned))
        made = oracle.constituents(area, lent)
        assert bool(verdict) == (made is not None)
        if made is not None:
            assert verdict.phi == pytest.approx(oracle.phi(made), abs=1e-12)
            rivals = [oracle.phi(s) for s in oracle.inside(area, lent) if s != made] if len(area) > 1 else []
            assert verdict.rival_phi == pytest.approx(max(rivals, default=0.0), abs=1e-12)
            assert by_index(sub, verdict.through) == (as_set(made) if verdict.through else frozenset())
        if verdict.rival:
            assert system_phi(macro_system(sub, verdict.rival, history)).phi == pytest.approx(
                verdict.rival_phi, abs=1e-12
            )
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("length", "apportioned"), [(1, 0), (2, 0), (2, 1)])
def test_search_equals_the_enumeration(seed, length, apportioned):
    sub, rng = excitable(seed)
    compared(sub, rng.integers(0, 2, (length, 3)), apportioned)


def bound_pairs(seed):
    """Two pairs that drive each other, each pair's units bound to each other, and disorder."""
    rng = np.random.default_rng(seed)
    s = states(4)
    first, second = s[:, [0]] * s[:, [1]], s[:, [2]] * s[:, [3]]
    drive = -3 + 6 * np.hstack([second, second, first, first]) + 1.5 * s[:, [1, 0, 3, 2]] + rng.normal(0, 0.3, (16, 4))
    return Substrate(1 / (1 + np.exp(-drive))), rng.integers(0, 2, (2, 4))


def leaky_ring(seed):
    """Four units in a ring, two of which persist: what is left out of a system relays between those inside."""
    rng = np.random.default_rng(seed)
    w = np.roll(np.diag(1 + rng.normal(0, 0.2, 4)), 1, axis=1)
    w[0, 0], w[2, 2] = 0.5, 0.4
    return Substrate.logistic(w, 2), rng.integers(0, 2, (2, 4))


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_units_of_meso_units_equal_the_enumeration(seed):
    sub, history = bound_pairs(seed)
    found = compared(sub, history[-1:])
    assert any(any(m) for m in found.winner.through)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "seed", "most"), [(bound_pairs, 4, 1), (leaky_ring, 3, 2), (leaky_ring, 2, 1)])
def test_slow_units_of_meso_units_with_background_equal_the_enumeration(make, seed, most):
    found = compared(*make(seed), apportioned=most)
    if seed > 2:
        assert any(any(m) for m in found.winner.through)
        assert any(u.background_apportionment for u in found.winner.units)


def area(units):
    return {str(c) for u in units for c in u.constituents}


@pytest.mark.parametrize(("make", "seed"), [(bound_pairs, 3), (leaky_ring, 2), (leaky_ring, 0)])
def test_complexes_across_grains_exclude_each_other(make, seed):
    sub, history = make(seed)
    found = search_grains(sub, history, max_apportioned=1)
    left = [(g.phi[i], g.grain(i)) for g in found.groupings if g.fault is None for i in range(len(g))]
    struck = found.undecided
    for complex_ in found.complexes:
        larger = [g for phi, g in left if phi > complex_.phi + 1e-10]
        struck -= len(larger)  # what ties with another that it overlaps
        assert all(
            any(o is not g and abs(o.phi - g.phi) < 1e-10 and area(o.units) & area(g.units) for o in larger)
            for g in larger
        )
        left = [(phi, g) for phi, g in left if phi <= complex_.phi + 1e-10 and not area(g.units) & area(complex_.units)]
    assert struck == 0
    assert max((phi for phi, _ in left), default=0.0) <= 1e-10


def test_overlapping_systems_that_tie_are_told_apart_by_their_structure():
    """Micro systems of a cellular automaton (rule 154): the complexes are those of the micro search."""
    rule = np.array([154 >> k & 1 for k in range(8)], dtype=float)
    s = states(5)
    sub = Substrate(rule[4 * np.roll(s, 1, axis=1) + 2 * s + np.roll(s, -1, axis=1)])
    every = [[[u] for u in units] for k in range(1, 6) for units in itertools.combinations("ABCDE", k)]
    tied = 0
    for state in states(5)[::4]:
        found = search_grains(sub, state, groupings=every)
        assert {frozenset(area(c.units)) for c in found.complexes} == {
            frozenset(c.units) for c in complexes(sub, state)
        }
        tied += len(found.tied) + found.undecided > 0
    assert tied


def test_a_slower_micro_unit_has_to_be_irreducible_too():
    swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])  # neither unit affects itself
    found = search_grains(swap, ["11", "11"])
    faults = {(g.groups, g.update_grain): g.fault for g in found.groupings}
    both = (("A",), ("B",))
    assert faults[both, 1] is None
    assert "{A} is not a unit" in faults[both, 2]
    assert found.winner.is_micro
    assert found.winner.phi == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("groups", "grain", "windows"),
    [
        (((0, 2), (1,)), 1, 1),
        (((3, 1), (0, 2)), 1, 3),
        (((0,), (1, 2)), 2, 2),
        (((0, 2, 3), (1,)), 1, 2),
        (((2,),), 2, 4),
    ],
)
def test_phi_of_every_mapping_is_that_of_the_macro_system(groups, grain, windows):
    rng = np.random.default_rng(windows)
    sub = Substrate(rng.random((16, 4)))
    history = rng.integers(0, 2, (windows, 2, 4))
    shares = rng.dirichlet(np.ones(windows))
    values = GrainPhi(sub, history, shares, 3)(bodies(groups), grain)
    families = [mapping_family(len(g), grain, 3) for g in groups]
    assert len(values) == math.prod(map(len, families))
    for index in rng.integers(0, len(values), 12):
        picks = np.unravel_index(index, [len(f) for f in families])
        units = [MacroUnit(g, f[p], grain) for g, f, p in zip(groups, families, picks, strict=True)]
        phi = sum(
            share * system_phi(macro_system(sub, units, window)).phi
            for share, window in zip(shares, history, strict=True)
        )
        assert values[index] == pytest.approx(phi, abs=1e-12)


def meso_substrate():
    """Two planted pairs that drive each other, each pair's units bound to each other."""
    s = states(4)
    first, second = s[:, [0]] * s[:, [1]], s[:, [2]] * s[:, [3]]
    drive = -3 + 6 * np.hstack([second, second, first, first]) + 1.5 * s[:, [1, 0, 3, 2]]
    return Substrate(1 / (1 + np.exp(-drive)))


def test_a_unit_may_be_made_of_meso_units():
    sub = meso_substrate()
    found = {v.units: v for v in search_grains(sub, "0000").irreducibility}
    whole = found[tuple("ABCD")]
    assert whole.through, "its micro units alone are less irreducible than its two pairs"
    assert {frozenset(u.constituents) for u in whole.through} == {frozenset("AB"), frozenset("CD")}
    assert whole.phi > system_phi(sub.system("0000")).phi
    assert whole.holds
    assert "as " in whole.reason
    assert Irreducibility.from_dict(json.dumps(whole.to_dict())) == whole


def test_complexes_across_grains_share_no_unit():
    two = meso_substrate().tpm
    rows = np.arange(2**6)
    pair = np.where((rows[:, None] >> np.array([5, 4])) & 1, 0.8, 0.2)  # E and F copy each other
    sub = Substrate(np.hstack([two[rows & 15], pair]))
    found = search_grains(
        sub, "000000", groupings=[["AB", "CD"], [["A"], ["B"], ["C"], ["D"]], [["E"], ["F"]], [["B"], ["C"]], ["EF"]]
    )
    complexes_ = found.complexes
    assert complexes_[0] == found.winner
    taken = [u for grain in complexes_ for unit in grain.units for u in unit.constituents]
    assert len(taken) == len(set(taken))
    assert {"E", "F"} <= set(taken)
    assert [g.phi for g in complexes_] == sorted((g.phi for g in complexes_), reverse=True)


# --- what is tried ----------------------------------------------------------------------------


def test_groupings_are_the_set_partitions():
    assert [len(groupings_of(tuple(range(n)))) for n in range(1, 7)] == [1, 2, 5, 15, 52, 203]
    assert len(set(groupings_of((1, 4, 5, 7)))) == 15


def test_mapping_families():
    assert [len(mapping_family(n, 1, 3)) for n in range(1, 5)] == [1, 7, 127, 29]
    tables = set(mapping_family(3, 1, 3))
    swapped = {tuple(1 - v for v in t) for t in tables}
    assert not tables & swapped
    assert len(tables | swapped) == 2**8 - 2
    four = mapping_family(4, 1, 3)
    exactly_two = tuple(int(bin(x).count("1") == 2) for x in range(16))
    two_outputs = MacroUnit.black_box(range(4), (0, 2)).mapping
    assert {exactly_two, two_outputs} <= set(four)
    assert [MacroUnit.at_least(range(4), k).mapping for k in range(1, 5)] == list(four[:4]), "saved places stay"
    assert not any(tuple(1 - v for v in t) in four for t in four)
    assert mapping_family(1, 2, 3) == ((0, 1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 0)), "saved places stay"
    assert few_mappings(1, 2) == 3
    for size, grain in ((2, 2), (3, 2), (4, 2), (2, 3), (5, 2), (6, 2), (4, 1), (5, 1)):
        family = mapping_family(size, grain, 3)
        assert len(set(family)) == len(family)
        assert sorted(family) == mappings(size, grain)
    assert MacroUnit.majority(range(5)).mapping in mapping_family(5, 1, 3)
    assert all(len(set(t)) == 2 for n in (1, 2, 3, 4, 6) for t in mapping_family(n, 2, 3))


def test_swapping_on_and_off_changes_nothing():
    sub, _ = excitable(3)
    flipped = Substrate(1 - sub.tpm[::-1])  # every unit's ON is now called OFF
    a, b = search_grains(sub, (1, 0, 1)), search_grains(flipped, (0, 1, 0))
    assert a.winner.phi == pytest.approx(b.winner.phi, abs=1e-12)
    assert a.best.phi == pytest.approx(b.best.phi, abs=1e-12)
    assert parts(a.best) == parts(b.best)


@pytest.mark.parametrize("seed", range(5))
def test_micro_candidates_include_the_complex(seed):
    sub, rng = excitable(seed + 40, n=4)
    state = rng.integers(0, 2, 4)
    found = search_grains(sub, state)
    first = complexes(sub, state)[0]
    assert found.micro_complex.phi == pytest.approx(first.phi, abs=1e-12)
    assert found.winner.phi >= first.phi - 1e-12


def test_windows_are_averaged():
    sub, rng = excitable(8)
    windows = rng.integers(0, 2, (3, 2, 3))
    together = search_grains(sub, windows, weights=[1, 0, 3])
    single = [search_grains(sub, w) for w in windows]
    each = (s.groupings for s in (together, single[0], single[2]))
    for g, a, c in zip(*each, strict=True):
        np.testing.assert_allclose(g.phi, 0.25 * np.array(a.phi) + 0.75 * np.array(c.phi))


def test_given_groupings_only():
    found = search_grains(planted_pairs(), "0000", groupings=[["AB", "CD"], [["A", "C"]]])
    assert [g.groups for g in found.groupings] == [
        (("A", "B"), ("C", "D")),
        (("A", "C"),),
        (("A",), ("B",), ("C",), ("D",)),
    ]
    assert not found.exhaustive
    assert "2 given groupings" in found.scope


def test_leaving_out_invalid_systems():
    sub = planted_pairs()
    full, valid = search_grains(sub, "0000"), search_grains(sub, "0000", valid_only=True)
    assert valid.winner == full.winner
    assert valid.irreducibility == full.irreducibility
    skipped = [g for g in valid.groupings if g.phi is None]
    assert skipped
    assert all(g.fault for g in skipped)
    with pytest.raises(SubstrateError, match="was not computed"):
        skipped[0].grain(0)


def test_nothing_wins_in_a_state_without_cause():
    sub = Substrate([[0, 0.5], [0, 0.2], [0, 0.7], [0, 0.9]])  # A is never ON
    found = search_grains(sub, (1, 0))
    assert found.winner is None
    assert found.gain == 0
    assert "winner         None" in repr(found)


def test_progress_reaches_the_end():
    seen = []
    found = search_grains(planted_pairs(), "0000", progress=lambda a, b: seen.append((a, b)))
    assert seen[-1] == (found.n_candidates, found.n_candidates)
    assert seen == sorted(seen)
    assert len({total for _, total in seen}) == 1


# --- more than six micro units ----------------------------------------------------------------


def test_large_substrates_are_bounded_and_say_so():
    found = search_grains(planted_pairs(strangers=3), "0000000", max_candidates=20_000)
    assert not found.exhaustive
    assert "not exhaustive: all groupings of subsets of up to 4 of 7" in found.scope
    assert parts(found.best) == {frozenset("AB"), frozenset("CD")}
    alone = search_grains(planted_pairs(), "0000")
    assert found.best.phi == pytest.approx(alone.best.phi, abs=1e-12)
    assert len(found.micro.units) == 7


def test_merging_finds_systems_of_all_units():
    s = states(8)
    halves = s[:, :4].sum(axis=1), s[:, 4:].sum(axis=1)
    drive = -5 + 2.5 * np.stack([halves[1]] * 4 + [halves[0]] * 4, axis=1)
    sub = Substrate(1 / (1 + np.exp(-drive)))
    found = search_grains(sub, "11111111", max_candidates=100)
    whole = [g for g in found.groupings if sum(map(len, g.groups)) == 8]
    assert {len(g.groups) for g in whole} == set(range(2, 9))
    best = max((g.best() for g in whole), key=lambda g: g.phi)
    assert best.phi > found.micro.phi
    again = system_phi(macro_system(sub, best.units, "11111111")).phi
    assert again == pytest.approx(best.phi, abs=1e-12)


# --- results ----------------------------------------------------------------------------------


def test_search_round_trips_through_json():
    sub, rng = excitable(1)
    found = search_grains(sub, rng.integers(0, 2, (2, 3)))
    text = json.dumps(found.to_dict())
    again = GrainSearch.from_dict(text)
    assert again == found
    assert repr(again) == repr(found)
    data = json.loads(text)
    assert data["winner"] == found.winner.to_dict()
    verdict = found.irreducibility[0]
    assert Irreducibility.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


def test_candidates_in_order_and_as_table():
    found = search_grains(planted_pairs(), "0000")
    top = found.top(5)
    assert top[0] == found.best
    assert [g.phi for g in top] == sorted((g.phi for g in top), reverse=True)
    assert found.top(1, valid_only=True)[0] == found.winner
    table = found.table()
    assert len(table) == len(found.groupings) == 51
    assert table.n_mappings.sum() == found.n_candidates
    row = table.loc[table.phi_s.idxmax()]
    assert (row.grouping, row.mappings, row.valid) == ("(A,B) (C,D)", "all ON; all ON", False)


def test_results_are_frozen_and_readable():
    found = search_grains(planted_pairs(), "0000")
    with pytest.raises(AttributeError):
        found.winner = None
    assert "A,B: all ON | C,D: all ON" in repr(found.best)
    assert "(A,B) (C,D)" in repr(next(g for g in found.groupings if len(g) == 49))
    assert "51 groupings" in repr(found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"history": "000"}, "3 values for 4 units"),
        ({"history": "0000", "update_grains": [2]}, "history of 1 micro states"),
        ({"history": []}, "history has 0 micro states"),
        ({"history": "0000", "update_grains": []}, "choose from"),
        ({"history": "0000", "weights": [1, 2]}, "for 1 windows"),
        ({"history": "0000", "weights": [-1]}, "non-negative"),
        ({"history": "0000", "groupings": [[["A", "B"], ["B"]]]}, "share no unit"),
        ({"history": "0000", "groupings": [[]]}, "non-empty"),
        ({"history": "0000", "groupings": [[["Z"]]]}, "no unit 'Z'"),
    ],
)
def test_requests_that_cannot_be(arguments, message):
    with pytest.raises(SubstrateError, match=message):
        search_grains(planted_pairs(), **arguments)
