"""What decided an analysis, what differs between two, and substrates as graphs."""

import itertools
import json

import numpy as np
import pytest
from systems import KINDS, random_system

from benchmarks import exhaustive
from iitcore import (
    Explanation,
    Substrate,
    SubstrateError,
    canonical,
    complexes,
    diff,
    explain,
    system_phi,
    to_networkx,
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_runner_up_is_the_next_of_all_partitions(kind):
    for seed in range(6):
        system = random_system(kind, seed, n=2 + seed % 2)
        told = explain(system)
        assert told.analysis == system_phi(system)
        if (
            told.decided_by == "none"
            or len(told.analysis.cause.tied_states) + len(told.analysis.effect.tied_states) > 2
        ):
            continue
        gains = exhaustive.gain_tables(system)
        ratios = []
        for partition in exhaustive_partitions(system):
            rows = [sum(1 << i for i in kept) for kept in partition.kept]
            loss = min(max(g[rows, np.arange(system.n)].sum(), 0.0) for g in gains)
            ratios.append((loss / partition.norm, partition.kept != told.analysis.partition.kept))
        least = min(r for r, _ in ratios)
        next_best = min(r for r, other in ratios if other)
        assert told.runner_up.normalized_phi == pytest.approx(next_best, abs=1e-9)
        assert told.runner_up.distance == pytest.approx(next_best - least, abs=1e-9)
        assert told.runner_up.partition.cut_matrix.tolist() != told.analysis.partition.cut_matrix.tolist()


def exhaustive_partitions(system):
    from iitcore import system_partitions

    return list(system_partitions(system.labels))


def test_it_says_what_decided():
    pair = Substrate.logistic([[-0.2, 0.7, 0.2], [0.7, -0.2, 0.0], [0.0, -0.8, 0.2]]).system("011", "AB")
    told = explain(pair)
    assert told.decided_by == "effect"
    assert told.margin == pytest.approx(0.0727, abs=1e-4)
    assert told.binding_cap is None
    capped = explain(pair, "2026-specified")
    assert capped.binding_cap == "effect differentiation"
    assert "capped by effect differentiation" in str(capped)
    assert Explanation.from_dict(json.dumps(capped.to_dict())) == capped
    noise = explain(Substrate(np.full((4, 2), 0.5)).system("10"))
    assert (noise.decided_by, noise.runner_up) == ("none", None)
    assert "because: no cause" in str(noise)
    xor = Substrate([[r >> j & 1 ^ r >> i & 1 for i, j in ((1, 2), (0, 2), (0, 1))] for r in range(8)])
    tied = explain(xor.system("011"))
    assert (tied.tied_cause_states, tied.tied_effect_states) == (2, 1)
    assert "states tie" in str(tied)
    assert explain(Substrate.logistic(0.3 * (1 - np.eye(8))).system([1] * 8)).runner_up is None


def test_diff_names_what_differs():
    sub = Substrate.logistic(np.random.default_rng(0).normal(0, 0.6, (3, 3)))
    first, second = system_phi(sub.system("010")), system_phi(sub.system("110"))
    assert diff(first, first) == ()
    changes = {d.field: d for d in diff(first, second)}
    assert changes["state"].first == "0, 1, 0"
    assert "labels" not in changes
    if first.phi != second.phi:
        assert changes["phi"].change == pytest.approx(second.phi - first.phi)
    with pytest.raises(SubstrateError, match="system_phi"):
        diff(first, None)


@pytest.mark.parametrize("seed", range(4))
def test_canonical_form_is_that_of_every_relabelling(seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.5, (4, 4)) if seed else 0.2 * (1 - np.eye(4))
    if seed == 1:  # two units alike
        weights[1], weights[:, 1] = weights[0], weights[:, 0]
        weights[1, 1] = weights[0, 1] = weights[1, 0] = weights[0, 0]
    state = rng.integers(0, 2, 4)
    digests, phis = set(), set()
    for order in itertools.permutations(range(4)):
        index = np.array(order)
        sub = Substrate.logistic(weights[np.ix_(index, index)], units=[f"unit {i}" for i in order])
        form = canonical(sub, state[index])
        digests.add(form.digest)
        rows = [sum((x >> p & 1) << form.order[p] for p in range(4)) for x in range(16)]
        np.testing.assert_allclose(form.substrate.tpm, sub.tpm[rows][:, list(form.order)], atol=1e-14)
        assert form.state == tuple(state[index][list(form.order)])
        phis.add(round(system_phi(form.substrate.system(form.state)).phi, 9))
    assert len(digests) == 1
    assert len(phis) == 1
    assert canonical(Substrate.logistic(weights + 0.01), state).digest not in digests


def test_canonical_form_of_units_of_several_values():
    rng = np.random.default_rng(2)
    factors = [rng.dirichlet(np.ones(k), (2, 3)) for k in (2, 3)]
    swapped = [factors[1].transpose(1, 0, 2), factors[0].transpose(1, 0, 2)]
    one, two = Substrate.from_factors(factors), Substrate.from_factors(swapped)
    assert canonical(one).digest == canonical(two).digest
    assert canonical(one, (1, 2)).digest == canonical(two, (2, 1)).digest != canonical(two, (0, 1)).digest


def test_too_many_units_alike_are_refused():
    x = (np.arange(2**9)[:, None] >> np.arange(9)) & 1
    with pytest.raises(SubstrateError, match="cannot be told apart"):
        canonical(Substrate(np.where(np.roll(x, 1, axis=1), 0.9, 0.1)))


def test_a_graph_of_connections():
    pytest.importorskip("networkx")
    sub = Substrate.logistic([[0, 0.9, 0], [0.9, 0, 0], [0.1, 0.1, 0.2]])
    first = complexes(sub, "110")[0]
    graph = to_networkx(sub, "110", first.analysis)
    assert set(graph.edges) == {("A", "B"), ("B", "A"), ("C", "A"), ("C", "B"), ("C", "C")}
    assert graph.nodes["C"] == {"values": 2, "state": 0, "system": False}
    cut = {(a, b) for a, b, c in graph.edges(data="cut") if c}
    assert cut
    assert cut <= {("A", "B"), ("B", "A")}
    with pytest.raises(SubstrateError, match="does not have"):
        to_networkx(Substrate(sub.tpm, ["X", "Y", "Z"]), analysis=first.analysis)
