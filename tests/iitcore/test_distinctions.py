"""Causes and effects of mechanisms against the definitions, reference values and invariances."""

import itertools
import json

import numpy as np
import pytest
from oracle_structure import Oracle
from systems import KINDS, random_system

from iitcore import _mechanism_partitions as partitions
from iitcore import _screens as screens
from iitcore._distinction_kernels import maximal
from iitcore._layout import SubstrateError
from iitcore._repertoire_kernels import effect_profile
from iitcore.distinctions import Distinction, Tables, distinction_table, distinctions
from iitcore.substrate import Substrate, System


def systems(seeds):
    for kind, seed in itertools.product(KINDS, seeds):
        system = random_system(kind, seed, n=1 + seed % 3, background=seed % 2 == 0)
        if system.reachable:
            yield f"{kind} {seed}", system


def oracle(system):
    return Oracle(system.cause_factors, system.effect_factors, system.state)


def positions(system, names):
    return tuple(system.labels.index(u) for u in names)


def elements(system, purview):
    return frozenset((system.labels.index(u), v) for u, v in purview.elements)


def test_equal_to_the_definitions():
    checked = 0
    larger = [(f"{kind}, 4 units", random_system(kind, 6, n=4)) for kind in KINDS[:-1]]
    for name, system in [*systems(range(24)), *((k, s) for k, s in larger if s.reachable)]:
        expected = oracle(system).distinctions()
        found = {positions(system, d.mechanism): d for d in distinctions(system)}
        assert set(found) == set(expected), name
        for mechanism, (phi, causes, effects) in expected.items():
            d = found[mechanism]
            assert d.phi == pytest.approx(phi, abs=1e-9), name
            assert d.state == tuple(system.state[j] for j in mechanism)
            for wanted, tied in ((causes, d.tied_causes), (effects, d.tied_effects)):
                have = {elements(system, p): p for p in tied}
                assert set(have) == {w[1] for w in wanted}, (name, mechanism)
                for value, z, norm, information in wanted:
                    p = have[z]
                    assert p.phi == pytest.approx(value, abs=1e-9), name
                    assert p.normalized_phi == pytest.approx(value / norm, abs=1e-9), name
                    assert p.intrinsic_information == pytest.approx(information, abs=1e-9), name
                    checked += 1
    assert checked > 500


def test_reported_partition_is_admissible_and_attains_phi():
    for name, system in systems(range(1, 40, 3)):
        reference = oracle(system)
        for d in distinctions(system):
            mechanism = positions(system, d.mechanism)
            for p in (*d.tied_causes, *d.tied_effects):
                z, m = dict(elements(system, p)), {j: system.state[j] for j in mechanism}
                pi = reference.pi_cause if p.direction == "cause" else reference.pi_effect
                q, norm = 1.0, len(m) * len(z)
                for mi, zi in p.partition:
                    held_m, held_z = positions(system, mi), positions(system, zi)
                    assert not (set(held_m) == set(m) and held_z), name
                    q *= pi({j: z[j] for j in held_z}, {j: m[j] for j in held_m})
                    norm -= len(mi) * len(zi)
                assert sorted(u for mi, _ in p.partition for u in mi) == sorted(d.mechanism)
                assert sorted(u for _, zi in p.partition for u in zi) == sorted(p.units)
                whole = pi(z, m)
                weight = whole
                if p.direction == "cause":
                    weight /= sum(pi(dict(zip(z, v, strict=True)), m) for v in reference.values(list(z)))
                assert p.phi == pytest.approx(weight * np.log2(whole / q), abs=1e-9), name
                assert p.normalized_phi == pytest.approx(p.phi / norm, abs=1e-12), name


def brute_force(table, n_side, cause):
    """Smallest ratio, and the largest log-ratio attaining it, over all admissible assignments."""
    full = (1 << n_side) - 1
    best = None
    for picks in itertools.product(range(full + 1), repeat=len(table)):
        chosen = set(picks) - {0}
        if any(a & b for a, b in itertools.combinations(chosen, 2)):
            continue
        if (len(set(picks)) == 1 and chosen) if cause else full in chosen:
            continue
        gain = sum(row[b] - row[full] for row, b in zip(table, picks, strict=True))
        norm = sum(n_side - b.bit_count() for b in picks)
        if best is None or (gain / norm, -gain) < (best[0] - 1e-12, -best[1]):
            best = gain / norm, gain
        elif gain / norm < best[0] + 1e-12 and gain > best[1]:
            best = min(best[0], gain / norm), gain
    return best


@pytest.mark.parametrize("cause", [False, True])
@pytest.mark.parametrize("coarse", [False, True])
def test_branch_and_bound_finds_the_minimum_of_any_table(cause, coarse):
    # Tables of no TPM, to exercise the search itself; small integers make many exact ties.
    rng = np.random.default_rng([cause, coarse])
    for _ in range(150):
        n_rows, n_side = int(rng.integers(1, 4)), int(rng.integers(1, 5))
        if n_side == 4 and n_rows == 3 and rng.random() < 0.8:
            continue
        shape = n_rows, 2**n_side
        table = rng.integers(0, 6, shape).astype(float) if coarse else rng.random(shape)
        table[:, -1] = 0.0  # as with probabilities, holding everything loses nothing
        pick = np.zeros(n_rows, np.int64)
        rows = np.arange(n_rows)
        phi, norm = partitions.minimum_partition(table, rows, n_side, cause, 1.0, 0.0, True, pick)
        ratio, gain = brute_force(table, n_side, cause)
        if gain <= 1e-10:
            assert norm == 0
            continue
        assert phi == pytest.approx(gain, abs=1e-9)
        assert phi / norm == pytest.approx(ratio, abs=1e-9)
        assert phi == pytest.approx(table[rows, pick].sum())
        assert norm == sum(n_side - int(b).bit_count() for b in pick)
        bound, _ = partitions.minimum_partition(table, rows, n_side, cause, 1.0, 0.0, False, pick)
        assert bound >= phi - 1e-9


@pytest.mark.parametrize("coarse", [False, True])
def test_a_screen_never_bounds_phi_from_below(coarse):
    rng = np.random.default_rng(coarse)
    lowered = 0
    for _ in range(40):
        n_side, columns = int(rng.integers(3, 6)), 4
        table = rng.integers(1, 6, (columns, 2**n_side)) / 2 if coarse else rng.random((columns, 2**n_side)) + 0.3
        table[:, -1] = 0.0
        tables = screens.room(n_side, columns)
        for n_rows in range(1, columns + 1):
            rows, pick = np.arange(n_rows), np.zeros(n_rows, np.int64)
            bound, _ = partitions.minimum_partition(table, rows, n_side, False, 0.7, 0.0, False, pick)
            phi, _ = partitions.minimum_partition(table, rows, n_side, False, 0.7, 0.0, True, pick)
            screened = screens.bound(tables, table, rows, bound, (0.7, n_rows * n_side))
            assert phi - 1e-12 <= screened <= bound
            lowered += screened < 0.9 * bound
    assert lowered > 20


def test_phi_never_exceeds_that_of_the_complete_cut():
    system = random_system("logistic", 5, n=4)
    tables = Tables(system)
    for mask in range(1, 16):
        index, phi, _, _, _ = maximal(mask, False, tables.effect, tables.effect_logs, tables.now, tables.geometry)
        p, _ = effect_profile(mask, tables.effect, tables.now, tables.geometry)
        alone, _ = effect_profile(0, tables.effect, tables.now, tables.geometry)
        place = np.argsort(tables.geometry[3])[index]
        assert (phi <= p[place] * np.log2(p[place] / alone[place]) + 1e-12).all()


def summary(found, rename=lambda u: u, flip=frozenset()):
    return {
        frozenset(map(rename, d.mechanism)): (
            round(d.phi, 9),
            *(
                frozenset(frozenset((rename(u), v ^ (u in flip)) for u, v in p.elements) for p in tied)
                for tied in (d.tied_causes, d.tied_effects)
            ),
        )
        for d in found
    }


@pytest.mark.parametrize("kind", ["uniform", "logistic", "coarse"])
def test_neither_order_nor_names_of_values_matter(kind):
    rng = np.random.default_rng(7)
    for n in (3, 4, 5):
        tpm = rng.random((2**n, n))
        if kind == "logistic":
            tpm = Substrate.logistic(rng.normal(0, 1, (n, n)), k=1.0).tpm
        elif kind == "coarse":
            tpm = rng.integers(0, 3, (2**n, n)) / 2
        state = rng.integers(0, 2, n)
        names = "ABCDE"[:n]
        original = Substrate(tpm, names).system(state)
        if not original.reachable:
            continue
        expected = distinctions(original)
        order = rng.permutation(n)
        rows = np.arange(2**n)
        moved_rows = sum(((rows >> k) & 1) << order[k] for k in range(n))
        moved = Substrate(tpm[moved_rows][:, order], [names[j] for j in order])
        assert summary(distinctions(moved.system(state[order]))) == summary(expected)
        flipped = {names[j] for j in range(n) if rng.random() < 0.5}
        mask = sum(1 << j for j in range(n) if names[j] in flipped)
        sign = np.array([u in flipped for u in names])
        mirrored = Substrate(np.where(sign, 1 - tpm[rows ^ mask], tpm[rows ^ mask]), names)
        assert summary(distinctions(mirrored.system(state ^ sign)), flip=flipped) == summary(expected)


def test_threads_change_nothing():
    system = random_system("logistic", 11, n=7)
    assert distinctions(system, threads=1) == distinctions(system, threads=2)


def test_reference_values(golden_dir):
    compared = 0
    for path in sorted((golden_dir / "iit4").glob("[!_]*.json")):
        golden = json.loads(path.read_text())
        for name, structure in golden.get("structures", {}).items():
            if "error" in structure:
                continue
            if golden["kind"] == "kary":
                substrate = Substrate.from_factors([np.array(m) for m in golden["marginals"]])
            else:
                substrate = Substrate(golden["tpm"])
            system = substrate.system(golden["state"], structure["units"])
            unit = dict(zip(system.indices, system.labels, strict=True))
            found = {d.mechanism: d for d in distinctions(system)}
            expected = {tuple(unit[j] for j in d["mechanism"]): d for d in structure["distinctions_before_congruence"]}
            assert set(found) == set(expected), (path.name, name)
            for mechanism, d in expected.items():
                for side in ("cause", "effect"):
                    tied = getattr(found[mechanism], f"tied_{side}s")
                    purview = tuple(unit[j] for j in d[side]["purview"])
                    assert (purview, tuple(d[side]["state"])) in {(p.units, p.state) for p in tied}
                    assert tied[0].phi == pytest.approx(d[side]["phi"], abs=1e-9), path.name
                    compared += 1
    assert compared > 900


def test_figure_2(golden_dir):
    golden = json.loads((golden_dir / "iit4" / "paper_fig1_ABC.json").read_text())
    found = distinctions(Substrate(golden["tpm"]).system(golden["state"], [0, 1]))
    assert [int(100 * d.phi) / 100 for d in found] == [0.33, 0.32, 0.07]
    assert [(d.cause.units, d.effect.units) for d in found] == [
        (("B",), ("B",)),
        (("A",), ("A", "B")),
        (("B",), ("A", "B")),
    ]


def test_results_read_back_and_tabulate():
    found = distinctions(random_system("logistic", 4, n=3))
    text = json.dumps([d.to_dict() for d in found])
    assert tuple(Distinction.from_dict(d) for d in json.loads(text)) == found
    table = distinction_table(found)
    assert list(table["phi"]) == [d.phi for d in found]
    assert list(table["effect"]) == [",".join(d.effect.units) for d in found]
    assert repr(found[0]).startswith(f"Distinction({found[0].mechanism[0]}=")
    assert list(distinction_table([])) == list(table)


def test_structures_beyond_memory_are_refused_before_they_start():
    n = 16
    system = System(*(np.empty((0, 2 * n)),) * 2, (0,) * n, tuple("ABCDEFGHIJKLMNOP"), (), (2,) * n)
    with pytest.raises(SubstrateError, match=r"16 units needs tables of \d+ GiB"):
        distinctions(system)
