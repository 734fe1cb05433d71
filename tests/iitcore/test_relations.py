"""Relations counted and summed analytically against relations listed one by one."""

import json
import math
from itertools import combinations

import numpy as np
import pytest
from oracle_structure import relations as list_relations

from iitcore import relations as module
from iitcore.distinctions import Distinction, Purview
from iitcore.relations import Relation, Relations
from iitcore.structure import unfold
from iitcore.substrate import Substrate

LABELS = tuple("ABCDEFGH")


def purview(direction, mask, state):
    units = tuple(u for j, u in enumerate(LABELS) if mask >> j & 1)
    values = tuple(state[LABELS.index(u)] for u in units)
    return Purview(direction, units, values, 1.0, 1.0, 1.0, ())


def invented(seed, count, n_units):
    """Distinctions with random purviews congruent with one random cause-effect state."""
    rng = np.random.default_rng(seed)
    cause_state, effect_state = rng.integers(0, 2, (2, len(LABELS))).tolist()
    found = []
    for i in range(count):
        sides = [
            purview(direction, int(rng.integers(1, 2**n_units)), state)
            for direction, state in (("cause", cause_state), ("effect", effect_state))
        ]
        phi = float(rng.choice([0.25, 0.5, rng.random()]))  # equal densities too
        c, e = sides
        found.append(Distinction((f"m{i}",), (1,), phi, c, e, (c,), (e,)))
    return Relations(tuple(found), LABELS)


def oracle(relations):
    return list_relations([(d.phi, d.cause.elements, d.effect.elements) for d in relations.distinctions])


@pytest.mark.parametrize("seed", range(12))
def test_analytic_counts_and_sums_equal_the_list(seed):
    relations = invented(seed, 1 + seed % 9, n_units=1 + seed % 5)
    listed = oracle(relations)
    assert relations.count == len(listed)
    assert relations.sum_phi == pytest.approx(sum(phi for _, phi, _ in listed), rel=1e-12)
    assert relations.self_count == sum(len(members) == 1 for members, _, _ in listed)
    by_degree = {}
    for members, phi, _ in listed:
        count, total = by_degree.get(len(members), (0, 0.0))
        by_degree[len(members)] = count + 1, total + phi
    found = relations.by_degree()
    assert {k: v[0] for k, v in found.items()} == {k: v[0] for k, v in by_degree.items()}
    for k, (_, total) in by_degree.items():
        assert found[k][1] == pytest.approx(total, rel=1e-12)
    if listed:
        assert relations.log2_count == pytest.approx(math.log2(len(listed)))
        assert relations.log2_sum_phi == pytest.approx(math.log2(relations.sum_phi))


@pytest.mark.parametrize("seed", range(6))
def test_listed_relations_and_faces(seed):
    relations = invented(seed + 50, 6, n_units=2 + seed % 3)
    listed = oracle(relations)
    found = list(relations.enumerate(max_degree=None))
    members = {d.mechanism: i for i, d in enumerate(relations.distinctions)}
    have = sorted((tuple(members[m] for m in r.mechanisms), round(r.phi, 12), len(r.faces)) for r in found)
    assert have == sorted((m, round(phi, 12), faces) for m, phi, faces in listed)
    for r in found:
        for face in r.faces:
            for d, which in zip(r.distinctions, face.relata, strict=True):
                if which != "effect":
                    assert set(face.overlap) <= d.cause.elements
                if which != "cause":
                    assert set(face.overlap) <= d.effect.elements
    pairs = list(relations.enumerate(max_degree=2))
    assert pairs == [r for r in found if r.degree <= 2]
    assert len(relations.table(max_degree=2)) == len(pairs)
    assert list(relations.by_degree(max_degree=2)) == [k for k in relations.by_degree() if k <= 2]


def test_element_sets_beyond_one_table(monkeypatch):
    relations = invented(3, 9, n_units=5)
    masks = [int(m) for m in relations.arrays[1]]
    n = len(relations.elements)
    whole = module.overlap_histogram(masks, n)
    for table in (0, 2, n - 1):
        monkeypatch.setattr(module, "_TABLE", table)
        halved = module.overlap_histogram(masks, n)
        for k in range(2, 10):  # sets of fewer distinctions are no relations
            assert sum(w * math.comb(c, k) for c, w in halved.items()) == sum(
                w * math.comb(c, k) for c, w in whole.items()
            )


def test_counts_have_any_size_and_sums_are_kept_as_logarithms():
    # m distinctions, all of whose purviews are the one element A=1: every subset is related.
    for m in (64, 200, 1500):
        side = [Purview(d, ("A",), (1,), 0.5, 0.5, 0.5, ()) for d in ("cause", "effect")]
        same = tuple(Distinction((f"m{i}",), (1,), 0.5, *side, (side[0],), (side[1],)) for i in range(m))
        relations = Relations(same, ("A",))
        assert relations.count == 2**m - 1
        assert relations.log2_count == pytest.approx(m)
        assert relations.log2_sum_phi == pytest.approx(m - 1)
        assert relations.by_degree(3)[3][0] == math.comb(m, 3)
        degrees = relations.by_degree()  # all of one density: so many relations, so much phi each
        assert {k: count for k, (count, _) in degrees.items()} == {k: math.comb(m, k) for k in range(1, m + 1)}
        for k in (2, 17, m // 4, m - 1, m):
            total = 0.5 * math.comb(m, k) if math.comb(m, k) < 2**1024 else math.inf
            assert degrees[k][1] == pytest.approx(total, rel=1e-11)
    assert math.isinf(relations.sum_phi)
    assert "2^1500.00" in repr(relations)
    assert next(iter(relations.enumerate())).degree == 1


def test_relation_read_back_from_json():
    for relation in invented(3, 6, n_units=3).enumerate():
        again = Relation.from_dict(json.loads(json.dumps(relation.to_dict())))
        assert again == relation
        assert again.faces == relation.faces


def test_no_distinctions_no_relations():
    nothing = Relations((), LABELS)
    assert nothing.count == 0
    assert nothing.sum_phi == 0
    assert nothing.by_degree() == {}
    assert nothing.log2_count == nothing.log2_sum_phi == -math.inf
    assert list(nothing.enumerate(None)) == []
    assert list(nothing.table()) == ["degree", "mechanisms", "overlap", "phi", "faces"]


def test_figure_4(golden_dir):
    golden = json.loads((golden_dir / "iit4" / "paper_fig1_ABC.json").read_text())
    structure = unfold(Substrate(golden["tpm"]).system(golden["state"], [0, 1]))
    (relation,) = [r for r in structure.relations.enumerate() if r.mechanisms == (("A",), ("A", "B"))]
    assert int(1000 * relation.phi) / 1000 == 0.035
    assert len(relation.faces) == 9
    assert relation.overlap == (("B", 0),)


def test_reference_relations_by_degree(golden_dir):
    compared = 0
    for path in sorted((golden_dir / "iit4").glob("[!_]*.json")):
        golden = json.loads(path.read_text())
        for name, expected in golden.get("structures", {}).items():
            degrees = expected.get("relations_by_degree")
            if not degrees or name in golden["tie_sensitive_structures"]:
                continue
            if golden["kind"] != "binary":
                continue
            system = Substrate(golden["tpm"]).system(golden["state"], expected["units"])
            state = expected["resolution_state"]
            found = unfold(system, (state["cause"], state["effect"])).relations.by_degree()
            assert {k: v[0] for k, v in found.items()} == {int(k): v["num"] for k, v in degrees.items()}, path.name
            for k, v in degrees.items():
                assert found[int(k)][1] == pytest.approx(v["sum_phi"], rel=1e-6), path.name
                compared += 1
    assert compared > 50


def test_touching_is_what_contains_a_member():
    relations = invented(8, 7, n_units=4)
    listed = oracle(relations)
    for size in (1, 2, 7):
        for members in combinations(range(7), size):
            inside = [r for r in listed if set(r[0]) & set(members)]
            count, total = relations.touching([relations.distinctions[i] for i in members])
            assert count == len(inside)
            assert total == pytest.approx(sum(r[1] for r in inside), rel=1e-12)
