"""The exact search against every partition, on gain tables of systems and on arbitrary ones."""

import json

import numpy as np
import pytest

from benchmarks import exhaustive
from iitcore import Substrate, _unions, search


def minimum_of_both(gain_c, gain_e):
    n = gain_c.shape[1]
    parts, marks = np.zeros(n, np.int64), np.zeros(n, np.int64)
    loss, norm = search.minimum_of_both(gain_c, gain_e, parts, marks)
    losses = [search.evaluate(g, parts, marks) for g in (gain_c, gain_e)]
    assert min(max(v, 0) for v, _ in losses) == pytest.approx(max(loss, 0), abs=1e-12)
    assert {m for _, m in losses} == {norm}
    assert sum(parts[j] >> j & 1 for j in range(n)) == n
    return loss, loss / norm


def by_unions(*tables):
    """The search for many units, whatever their number."""
    n = tables[0].shape[1]
    parts, marks = np.zeros(n, np.int64), np.zeros(n, np.int64)
    search.first_guess(tables[0], parts, marks)
    loss, norm = search.evaluate(tables[0], parts, marks)
    for gain in tables:
        if loss > 1e-10:
            loss, norm, _ = search.improve_many(gain, loss, norm, parts, marks)
    return loss, loss / norm


def arbitrary_gain(rng, n, kind):
    """Any table with no loss where nothing is cut is a fair problem for the search."""
    gain = rng.random((2**n, n)) if kind == "noise" else np.zeros((2**n, n))
    size = np.array([bin(k).count("1") for k in range(2**n)])
    if kind == "ties":
        gain += rng.integers(1, 4, (2**n, n)) / 4
    if kind == "concave":  # the more is cut the less each further cut costs: large norms win
        gain += np.sqrt(n - size)[:, None] * rng.uniform(0.9, 1.1, (2**n, n))
    if kind == "convex":
        gain += ((n - size) ** 2)[:, None] * rng.uniform(0.9, 1.1, (2**n, n))
    if kind == "modules":  # inputs from the other half are nearly free to cut
        for j in range(n):
            half = sum(1 << i for i in range(n) if (i < n // 2) == (j < n // 2))
            for mask in range(2**n):
                lost = half & ~mask
                gain[mask, j] = bin(lost).count("1") + 0.05 * rng.random() * (n - size[mask])
    gain[-1] = 0
    return gain


@pytest.mark.parametrize("kind", ["noise", "ties", "concave", "convex", "modules"])
@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 7])
def test_arbitrary_tables(kind, n, many):
    rng = np.random.default_rng([n, len(kind)])
    for _ in range(8 if n < 7 else 2):
        tables = arbitrary_gain(rng, n, kind), arbitrary_gain(rng, n, kind)
        phi, normalized, _ = exhaustive.minimum(*tables)
        loss, ratio = (by_unions if many else minimum_of_both)(*tables)
        assert max(ratio, 0) == pytest.approx(normalized, abs=1e-9)
        assert max(loss, 0) == pytest.approx(phi, abs=1e-8)


@pytest.mark.parametrize("n", [6, 7])
@pytest.mark.parametrize("kind", ["uniform", "lattice", "deterministic", "ring"])
def test_systems(n, kind):
    rng = np.random.default_rng(n)
    for _ in range(3):
        if kind == "uniform":
            tpm = rng.random((2**n, n))
        elif kind == "deterministic":
            tpm = rng.integers(0, 2, (2**n, n)).astype(float)
        else:
            weights = rng.normal(0.08, 0.03, (n, n)) * (kind == "lattice")
            weights[np.arange(n), np.roll(np.arange(n), 1)] = 0.7
            tpm = Substrate.logistic(weights).tpm
        state = (tpm[rng.integers(2**n)] > 0.5).astype(int)
        tables = exhaustive.gain_tables(Substrate(tpm).system(state))
        phi, normalized, _ = exhaustive.minimum(*tables)
        for loss, ratio in (minimum_of_both(*tables), by_unions(*tables)):
            assert max(ratio, 0) == pytest.approx(normalized, abs=1e-9)
            assert max(loss, 0) == pytest.approx(phi, abs=1e-8)


def test_enumeration_is_complete():
    # Touchard polynomials T_n(3) without the one-part partitions.
    for n, count in ((2, 9), (3, 54), (4, 306), (5, 1863)):
        tried = exhaustive.minimum(np.ones((2**n, n)), np.ones((2**n, n)))[2]
        assert tried == count


@pytest.mark.slow
def test_sixteen_units(golden_dir):
    case = json.loads((golden_dir / "lattices.json").read_text())[-1]
    gains = exhaustive.gain_tables(Substrate.logistic(case["weights"], case["k"]).system(case["state"]))
    assert minimum_of_both(*gains)[0] == pytest.approx(case["phi_s"], abs=1e-9)


@pytest.mark.parametrize("m", [1, 2, 4, 5, 7])
def test_cheapest_set_partition_is_that_of_all(m):
    """Costs of either sign, ties among them: the value below a limit, and inf from the value itself on."""
    rng = np.random.default_rng(m)
    _, inverse = _unions.sizes_of(m)
    for kind in range(6):
        cost = rng.integers(-2, 4, 2**m) / 4 if kind % 2 else rng.normal(0.1, 1, 2**m)
        best = np.full(2**m, np.inf)  # of every set of units, its lowest unit's block tried in every way
        best[0] = 0.0
        for mask in range(1, 2**m):
            blocks = [b for b in range(1, mask + 1) if b & mask == b and b & mask & -mask]
            best[mask] = min(cost[b] + best[mask ^ b] for b in blocks)
        for limit in (best[-1] + 1, best[-1] + 1e-9, best[-1] - 1e-9):
            scratch, origin = (cost.copy(), np.empty(2**m), np.empty(2**m)), np.zeros(2**m, np.int64)
            value = _unions.cheapest(scratch, m, limit, inverse, origin)
            assert value == (pytest.approx(best[-1], abs=1e-12) if limit > best[-1] else np.inf)
            if limit > best[-1]:
                left, total = 0, 0.0
                while left != 2**m - 1:
                    total += cost[origin[left] ^ left]
                    left = origin[left]
                assert total == pytest.approx(best[-1], abs=1e-12)


@pytest.mark.parametrize("kind", ["noise", "ties", "modules"])
def test_bounds_are_below_what_every_union_costs(kind):
    """Of partitions drawn at random, by their unions of parts marked <-."""
    n = 5
    rng = np.random.default_rng(len(kind))
    gain = arbitrary_gain(rng, n, kind)
    size, inverse = _unions.sizes_of(n)
    rate = 0.07
    inner, outer = _unions.bounds(gain, _unions.alone(gain), size, inverse, rate)
    for _ in range(2000):
        label = rng.integers(0, n, n)
        parts = np.array([sum(1 << i for i in range(n) if label[i] == label[j]) for j in range(n)])
        if len(set(label)) == 1:
            continue
        marks = rng.integers(0, 3, n)[label]
        loss, norm = search.evaluate(gain, parts, marks)
        union = sum(1 << j for j in range(n) if marks[j] == search.INPUTS)
        assert inner[union] + outer[union] <= loss - rate * norm + 1e-12
