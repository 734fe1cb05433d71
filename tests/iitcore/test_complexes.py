"""Complexes: references, and exclusion applied by brute force over all candidates."""

import json
from itertools import combinations

import numpy as np
import pytest

from iitcore import Substrate, _kernels, complexes, system_phi
from iitcore.complexes import Complex


def brute_force(substrate, state):
    """Exclusion without bounds or ties: analyse everything, take the best, remove, repeat."""
    n = substrate.n
    phi = {
        units: system_phi(substrate.system(state, units)).phi
        for size in range(1, n + 1)
        for units in combinations(range(n), size)
    }
    found = []
    while phi:
        best = max(phi, key=phi.get)
        if phi[best] <= 0:
            break
        rivals = [u for u in phi if abs(phi[u] - phi[best]) < 1e-9 and set(u) & set(best)]
        if len(rivals) > 1:
            return None  # a tie
        found.append((best, phi[best]))
        phi = {u: p for u, p in phi.items() if not set(u) & set(best)}
    return found


def reference_cases(golden_dir):
    for path in sorted((golden_dir / "iit4").glob("*.json")):
        case = json.loads(path.read_text())
        if case.get("kind") == "binary":
            yield case, Substrate(case["tpm"])
        elif case.get("kind") == "kary":
            yield case, Substrate.from_factors(case["marginals"])


def test_reference_complexes(golden_dir):
    for case, substrate in reference_cases(golden_dir):
        found = complexes(substrate, case["state"])
        got = sorted((round(c.phi, 8), c.indices) for c in found)
        want = sorted((round(c["phi_s"], 8), tuple(c["units"])) for c in case.get("complexes") or [])
        assert got == want, case["name"]
        assert [c.phi for c in found] == sorted((c.phi for c in found), reverse=True)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["uniform", "logistic", "nearly deterministic", "modular"])
def test_equals_brute_force(kind, seed):
    rng = np.random.default_rng(seed)
    n = 5
    if kind == "uniform":
        substrate = Substrate(rng.random((2**n, n)))
    elif kind == "logistic":
        substrate = Substrate.logistic(rng.normal(0.1, 0.4, (n, n)))
    elif kind == "modular":
        weights = rng.normal(0, 0.02, (n, n))
        weights[:2, :2] += 0.5
        weights[2:, 2:] += 0.4
        substrate = Substrate.logistic(weights)
    else:
        substrate = Substrate(np.clip(rng.integers(0, 2, (2**n, n)) + rng.normal(0, 0.05, (2**n, n)), 0, 1))
    state = rng.integers(0, 2, n)
    want = brute_force(substrate, state)
    got = complexes(substrate, state)
    if want is not None:
        assert [(c.indices, c.phi) for c in got] == want
    units = [u for c in got for u in c.indices]
    assert len(units) == len(set(units))


def test_threads_and_progress_change_nothing():
    substrate = Substrate.logistic(np.random.default_rng(3).normal(0.1, 0.4, (6, 6)))
    steps = []
    one = complexes(substrate, "010110", threads=1)
    two = complexes(substrate, "010110", threads=2, progress=lambda d, t: steps.append((d, t)))
    assert one == two
    done = [d for d, _ in steps]
    assert done == sorted(done)
    assert steps[-1] == (126, 126)


def test_each_side_alone_is_that_of_both():
    rng = np.random.default_rng(8)
    alphabet = (2, 3, 2, 4)
    substrate = Substrate([rng.dirichlet(np.ones(k), 48) for k in alphabet])
    packed, offsets = substrate.packed, np.concatenate([[0], np.cumsum(alphabet)])
    for state in ((1, 2, 0, 3), (0, 0, 1, 1)):
        now = np.ascontiguousarray(packed[:, offsets[:-1] + state].T)
        for mask in range(1, 16):
            units, own = np.flatnonzero(mask >> np.arange(4) & 1), np.array(state)
            inner, cause, effect = _kernels.room_for(units, offsets)
            _kernels.condition(packed, offsets, own, units, cause, effect)
            _, cause_alone, effect_alone = _kernels.room_for(units, offsets)
            _kernels.condition_effect(packed, offsets, own, units, effect_alone)
            assert np.array_equal(effect_alone, effect)
            scratch = np.empty((2, len(packed)))
            assert _kernels.condition_cause(now, now.prod(0), offsets, own, units, scratch, cause_alone)
            columns = inner[:-1] + own[units]
            assert cause_alone[:, columns] == pytest.approx(cause[:, columns], abs=1e-14)


def test_nothing_integrated_has_no_complex():
    assert complexes(Substrate(np.full((8, 3), 0.5)), "000") == ()
    assert complexes(Substrate(np.zeros((8, 3))), "111") == ()


def test_names_and_round_trip():
    substrate = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]], units=("left", "right"))
    (only,) = complexes(substrate, "10")
    assert only.units == ("left", "right")
    assert Complex.from_dict(json.loads(json.dumps(only.to_dict()))) == only
    assert "left, right" in repr(only)


def test_ten_unit_lattice_is_one_complex(golden_dir):
    lattices = json.loads((golden_dir / "lattices.json").read_text())
    case = next(c for c in lattices if c["n"] == 10)
    found = complexes(Substrate.logistic(case["weights"], case["k"]), case["state"])
    assert found[0].phi == pytest.approx(case["phi_s"], abs=1e-9)
    assert found[0].indices == tuple(range(10))
