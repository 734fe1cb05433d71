"""phi_s against an exhaustive enumerator, reference values, the paper's figures and invariances."""

import json

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iitcore import Reason, Substrate, System, SystemPhi, system_phi
from iitcore.partitions import SystemPartition, system_partitions

KINDS = ("uniform", "logistic", "deterministic", "coarse", "sparse", "degenerate", "nearly")


def random_tpm(kind, n, seed):
    rng = np.random.default_rng(seed)
    rows = (2**n, n)
    if kind == "uniform":
        return rng.random(rows)
    if kind == "logistic":
        return Substrate.logistic(rng.normal(0, 0.5, (n, n)), k=rng.choice([1.0, 4.0])).tpm
    if kind == "deterministic":
        return rng.integers(0, 2, rows).astype(float)
    if kind == "coarse":  # many ties
        return rng.choice([0.0, 0.25, 0.5, 1.0], rows)
    if kind == "nearly":
        return np.clip(rng.integers(0, 2, rows) + rng.normal(0, 1e-3, rows), 0, 1)
    tpm = rng.random(rows)
    for j in range(n):  # sparse, degenerate: units that ignore some inputs, or all of them
        inputs = rng.random(n) < (0.5 if kind == "sparse" else 0.25)
        mask = sum(1 << i for i in range(n) if inputs[i])
        tpm[:, j] = tpm[np.arange(2**n) & mask, j]
    return tpm


@st.composite
def cases(draw, max_units=4):
    n = draw(st.integers(1, max_units))
    tpm = random_tpm(draw(st.sampled_from(KINDS)), n, draw(st.integers(0, 2**32 - 1)))
    state = tuple(draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    units = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=n, unique=True))
    return tpm, state, tuple(sorted(units))


def check(result, answer):
    assert result.phi == pytest.approx(answer.phi, abs=1e-9)
    assert (result.phi > 0) == (result.reason is None)
    if answer.phi > 1e-8:
        assert any(abs(result.normalized_phi - v) < 1e-9 for v in answer.normalized)
        assert set(result.tied_pairs) == answer.pairs
    if answer.phi > 1e-8 and answer.cuts == 1 and len(answer.pairs) == 1:
        assert result.cause.phi == pytest.approx(answer.phi_c, abs=1e-9)
        assert result.effect.phi == pytest.approx(answer.phi_e, abs=1e-9)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(cases())
def test_equals_the_exhaustive_enumerator(case):
    tpm, state, units = case
    answer = oracle.phi_s(oracle.marginals_of(tpm), state, units)
    check(system_phi(Substrate(tpm).system(state, units)), answer)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(2, 4), min_size=1, max_size=3),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_multi_valued_units_equal_the_enumerator(alphabet, deterministic, seed):
    rng = np.random.default_rng(seed)
    marginals = []
    for k in alphabet:
        m = rng.random((*alphabet, k)) ** 3
        if deterministic:
            m = (m == m.max(axis=-1, keepdims=True)).astype(float)
        marginals.append(m / m.sum(axis=-1, keepdims=True))
    state = tuple(int(rng.integers(k)) for k in alphabet)
    units = sorted(rng.choice(len(alphabet), rng.integers(1, len(alphabet) + 1), replace=False))
    units = [int(u) for u in units]
    answer = oracle.phi_s(marginals, state, units)
    check(system_phi(Substrate.from_factors(marginals).system(state, units)), answer)


@pytest.mark.parametrize("seed", range(6))
def test_five_units_equal_the_enumerator(seed):
    tpm = random_tpm(KINDS[seed], 5, seed)
    state = tuple(np.random.default_rng(seed).integers(0, 2, 5).tolist())
    check(system_phi(Substrate(tpm).system(state)), oracle.phi_s(oracle.marginals_of(tpm), state))


def candidates(golden_dir):
    for path in sorted((golden_dir / "iit4").glob("*.json")):
        case = json.loads(path.read_text())
        if case.get("kind") == "binary":
            yield case, Substrate(case["tpm"]), oracle.marginals_of(case["tpm"])
        elif case.get("kind") == "kary":
            marginals = [np.array(m) for m in case["marginals"]]
            yield case, Substrate.from_factors(marginals), marginals


def test_reference_values(golden_dir):
    seen = 0
    for case, substrate, _ in candidates(golden_dir):
        for want in case["candidates"]:
            got = system_phi(substrate.system(case["state"], want["units"]))
            where = f"{case['name']} {want['units']}"
            assert got.phi == pytest.approx(want["phi_s"], abs=1e-9), where
            if want["phi_s"] > 0:
                assert got.normalized_phi == pytest.approx(want["normalized_phi"], abs=1e-9), where
            if want.get("ii_c") is not None and got.reason is not Reason.UNREACHABLE:
                assert got.cause.intrinsic_information == pytest.approx(want["ii_c"], abs=1e-9)
                assert got.effect.intrinsic_information == pytest.approx(want["ii_e"], abs=1e-9)
            if "tied_cause_states" in want:  # the reference misses ties that differ by rounding
                assert {*map(tuple, want["tied_cause_states"])} <= {*got.cause.tied_states}, where
                assert {*map(tuple, want["tied_effect_states"])} <= {*got.effect.tied_states}, where
            seen += 1
    assert seen == 800


def test_reference_sides_and_cuts_where_one_minimum_exists(golden_dir):
    compared = 0
    for case, substrate, marginals in candidates(golden_dir):
        for want in case["candidates"]:
            if want["phi_s"] <= 0:
                continue
            answer = oracle.phi_s(marginals, case["state"], want["units"])
            if answer.cuts != 1 or len(answer.pairs) != 1:
                continue
            got = system_phi(substrate.system(case["state"], want["units"]))
            where = f"{case['name']} {want['units']}"
            assert got.cause.phi == pytest.approx(want["phi_c"], abs=1e-9), where
            assert got.effect.phi == pytest.approx(want["phi_e"], abs=1e-9), where
            assert got.partition.cut_matrix.tolist() == want["mip_cut_matrix"], where
            compared += 1
    assert compared == 272


def test_lattices_up_to_fourteen_units(golden_dir):
    for case in json.loads((golden_dir / "lattices.json").read_text()):
        if case["n"] <= 14 and case.get("phi_s") is not None:
            substrate = Substrate.logistic(case["weights"], case["k"])
            got = system_phi(substrate.system(case["state"]))
            assert got.phi == pytest.approx(case["phi_s"], abs=1e-9), case["n"]


PAPER = [  # figure file, units, published phi_s (two decimals, mostly truncated)
    ("paper_fig1_ABC", (0,), 0.04),
    ("paper_fig1_ABC", (0, 1), 0.17),
    ("paper_fig1_ABC", (0, 1, 2), 0.13),
    ("paper_fig6A", (0, 1), 0.05),
    ("paper_fig6B", (0, 1), 0.53),
    ("paper_fig6B", (2, 3), 0.45),
    ("paper_fig6B", (4, 5), 0.45),
    ("paper_fig6C", (0, 1, 2, 3, 4, 5), 1.74),
    ("paper_fig6D", (0, 1, 2, 3, 4, 5), 1.05),
    ("paper_fig6E", (0, 1, 4, 5), 0.27),
    ("paper_fig6E", (0, 1, 2, 3, 4, 5), 0.15),
    ("paper_fig7A", (0, 1, 2, 3, 4), 1.1),
    ("paper_fig7B", (0, 1, 2, 3, 4), 1.31),
    ("paper_fig7C", (0, 1, 2, 3), 0.11),
]


@pytest.mark.parametrize(("name", "units", "published"), PAPER)
def test_published_figures(golden_dir, name, units, published):
    case = json.loads((golden_dir / "iit4" / f"{name}.json").read_text())
    got = system_phi(Substrate(case["tpm"]).system(case["state"], units))
    assert got.phi == pytest.approx(published, abs=0.01)


def test_figure_one_sides(golden_dir):
    case = json.loads((golden_dir / "iit4" / "paper_fig1_ABC.json").read_text())
    got = system_phi(Substrate(case["tpm"]).system(case["state"], "AB"))
    assert got.cause.phi == pytest.approx(0.24, abs=0.01)
    assert got.effect.phi == pytest.approx(0.17, abs=0.01)


def test_inactivating_a_unit_gives_figure_7c(golden_dir):
    folder = golden_dir / "iit4"
    weights = json.loads((folder / "_paper_weights.json").read_text())["fig7"]["weights"]
    case = json.loads((folder / "paper_fig7C.json").read_text())
    five = Substrate.logistic(weights)
    dead = five.inactivate({"E": 0})
    np.testing.assert_allclose(dead.tpm, case["tpm"], atol=1e-12)
    assert system_phi(dead.system(case["state"])).phi == pytest.approx(0.11, abs=0.01)
    background = system_phi(five.system([*case["state"], 0], "ABCD"))
    assert abs(background.phi - system_phi(dead.system(case["state"])).phi) > 1e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases(), st.randoms(use_true_random=False))
def test_relabelling_units_changes_nothing(case, random):
    tpm, state, units = case
    n = len(state)
    order = list(range(n))
    random.shuffle(order)  # new unit p is old unit order[p]
    rows = [sum((x >> p & 1) << order[p] for p in range(n)) for x in range(2**n)]
    moved = Substrate(tpm[rows][:, order])
    got = system_phi(moved.system([state[i] for i in order], [order.index(u) for u in units]))
    want = system_phi(Substrate(tpm).system(state, units))
    assert got.phi == pytest.approx(want.phi, abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases(), st.integers(0, 15))
def test_swapping_the_names_of_states_changes_nothing(case, flips):
    tpm, state, units = case
    n = len(state)
    flips &= 2**n - 1
    bits = np.array([flips >> i & 1 for i in range(n)])
    flipped = np.abs(tpm[np.arange(2**n) ^ flips] - bits)
    got = system_phi(Substrate(flipped).system(np.array(state) ^ bits, units))
    want = system_phi(Substrate(tpm).system(state, units))
    assert got.phi == pytest.approx(want.phi, abs=1e-9)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(cases(max_units=3), st.floats(0.05, 0.95))
def test_an_isolated_unit_changes_nothing_and_never_integrates(case, p):
    tpm, state, units = case
    n = len(state)
    larger = np.hstack([np.vstack([tpm, tpm]), np.full((2 ** (n + 1), 1), p)])
    substrate = Substrate(larger)
    got = system_phi(substrate.system([*state, 1], units))
    assert got.phi == pytest.approx(system_phi(Substrate(tpm).system(state, units)).phi, abs=1e-9)
    assert system_phi(substrate.system([*state, 1], [*units, n])).phi == 0


@settings(max_examples=100, deadline=None, derandomize=True)
@given(cases())
def test_bounds(case):
    tpm, state, units = case
    result = system_phi(Substrate(tpm).system(state, units))
    if result.phi == 0:
        assert result.reasons
        return
    assert result.phi <= result.partition.norm + 1e-9
    n = len(units)
    norm = result.partition.norm
    assert result.normalized_phi * norm == pytest.approx(result.phi)
    if n > 1:
        complete = SystemPartition(tuple((j,) for j in range(n)), ("<->",) * n, result.labels)
        system = Substrate(tpm).system(state, units)
        whole = min(loss_under(system, result, complete))
        assert result.phi <= whole + 1e-9
        assert result.normalized_phi <= whole / complete.norm + 1e-9


def loss_under(system, result, partition):
    """Both sides' phi under any partition, by the oracle's own arithmetic."""
    out = []
    shape = (2,) * system.n
    for tpm, required, inputs, side in (
        (system.cause_tpm, system.state, result.cause.state, result.cause),
        (system.effect_tpm, result.effect.state, system.state, result.effect),
    ):
        marginals = oracle.marginals_of(tpm)
        assert marginals[0].shape[:-1] == shape
        whole = oracle.joint(marginals, required, inputs)
        cut = oracle.joint(marginals, required, inputs, partition.kept)
        out.append(side.selectivity * max(0.0, np.log2(whole / cut)))
    return out


def test_reported_partition_reproduces_both_sides():
    system = Substrate(random_tpm("uniform", 4, 3)).system("0110")
    result = system_phi(system)
    assert loss_under(system, result, result.partition) == pytest.approx(
        [result.cause.phi, result.effect.phi], abs=1e-12
    )


def reason(tpm, state, units=None):
    return system_phi(Substrate(tpm).system(state, units)).reasons


def test_reasons_for_zero():
    # Nothing ever turns A on.
    assert Reason.UNREACHABLE in reason([[0, 0], [0, 1], [0, 0], [0, 1]], "10")
    # Coins: no information either way.
    assert reason(np.full((4, 2), 0.5), "10")[:2] == (Reason.NO_CAUSE, Reason.NO_EFFECT)
    # B copies A, A copies itself.
    feedforward = [[0.1, 0.1], [0.9, 0.9], [0.1, 0.1], [0.9, 0.9]]
    assert reason(feedforward, "11") == (Reason.NOT_STRONGLY_CONNECTED,)
    # Two strongly connected units whose cut costs nothing in this state.
    for seed in range(200):
        tpm = random_tpm("uniform", 2, seed)
        if reason(tpm, "00") == (Reason.REDUCIBLE,):
            break
    else:
        pytest.fail("no reducible system among 200 random ones")


def test_unreachable_states_are_answers_at_every_size():
    tpm = np.zeros((8, 3))
    result = system_phi(Substrate(tpm).system("111"))
    assert result.phi == 0
    assert not Substrate(tpm).system("111", [0]).reachable
    assert "no state of the universe" in repr(result)


def test_tied_states_keep_every_winning_pair():
    tpm = [[0, 0], [0, 1], [1, 0], [1, 1]]  # swap: every side specifies one state
    result = system_phi(Substrate(tpm).system("10"))
    assert list(result.tied_pairs) == [((0, 1), (0, 1))]
    # XOR of both: each output state has two causes, equally good.
    tpm = [[0, 0], [1, 1], [1, 1], [0, 0]]
    assert set(system_phi(Substrate(tpm).system("11")).cause.tied_states) == {(0, 1), (1, 0)}


def test_single_unit_is_cut_from_itself():
    result = system_phi(Substrate([[0.1], [0.8]]).system("1"))
    select = 0.8 / 0.9
    assert result.cause.phi == pytest.approx(select * np.log2(0.8 / 0.45))
    assert result.effect.phi == pytest.approx(0.8 * np.log2(0.8 / 0.45))
    assert result.partition.norm == 1


def test_round_trip():
    for tpm, state in (
        (random_tpm("uniform", 3, 1), "010"),
        (random_tpm("coarse", 3, 1), "010"),
        (np.zeros((8, 3)), "111"),
    ):
        result = system_phi(Substrate(tpm).system(state))
        assert SystemPhi.from_dict(json.dumps(result.to_dict())) == result


def test_own_tpms_for_both_sides():
    substrate = Substrate(random_tpm("uniform", 4, 9))
    inside = substrate.system("0110", [0, 2, 3])
    own = System.from_tpms(inside.cause_tpm, inside.effect_tpm, inside.state)
    assert system_phi(own).phi == pytest.approx(system_phi(inside).phi, abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_listed_partitions_are_the_oracles(n):
    labels = "ABCD"[:n]
    assert {p.kept for p in system_partitions(labels)} == set(oracle.cuts(n))
    assert all(p.norm == oracle.cuts(n)[p.kept] for p in system_partitions(labels))
    assert len(oracle.cuts(n)) == {2: 3, 3: 22, 4: 150}[n]
