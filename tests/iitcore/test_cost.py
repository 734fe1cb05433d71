"""Cost estimates against what small analyses really take."""

import itertools
import time

import numpy as np
import pytest

from iitcore import Substrate, SubstrateError, complexes, system_phi, unfold
from iitcore.cost import estimate_cost

RUN = {
    "phi_s": lambda s, state: system_phi(s.system(state)),
    "complexes": lambda s, state: complexes(s, state, threads=1),
    "structure": lambda s, state: unfold(s.system(state), threads=1),
}


def lattice(n):
    weights = np.random.default_rng([0, n]).normal(0.08, 0.03, (n, n))
    weights[np.arange(n), np.roll(np.arange(n), 1)] = 0.7
    return Substrate.logistic(weights)


def random_weights(n):
    return Substrate.logistic(np.random.default_rng(n).normal(0, 3 / np.sqrt(n), (n, n)))


def noisy(function):
    """Units that do what a function of their states says, but for 5% of errors."""

    def make(n):
        on = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return Substrate(0.05 + 0.9 * np.broadcast_to(function(on, n), on.shape))

    return make


FAMILIES = {
    "lattice": lattice,
    "random weights": random_weights,
    "uniform": lambda n: Substrate(np.random.default_rng(n).random((2**n, n))),
    "rules": noisy(lambda on, n: np.random.default_rng(n).random(on.shape) < 0.5),
    "copies": noisy(lambda on, n: np.roll(on, 1, axis=1)),
    "differences": noisy(lambda on, n: on ^ np.roll(on, 1, axis=1)),
    "parity": noisy(lambda on, n: on.sum(axis=1, keepdims=True) % 2),  # half of all states tie
    "majority": noisy(lambda on, n: 2 * on.sum(axis=1, keepdims=True) > n),  # units that are alike: everything ties
    "alike": lambda n: Substrate.logistic(np.full((n, n), 1 / n)),
}


def spent(work):
    times = []
    for _ in range(3):  # the first compiles
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize(("what", "n"), [("phi_s", 9), ("phi_s", 12), ("complexes", 8), ("structure", 7)])
def test_estimates_are_within_a_factor_of_five_whatever_the_system(what, n):
    """Of what is measured on this machine, whatever its speed: families are compared with their middle."""
    ratios = {}
    for name, make in FAMILIES.items():
        substrate, state = make(n), [i < n // 2 for i in range(n)]
        cost = estimate_cost(substrate if what == "complexes" else substrate.system(state), what)
        ratios[name] = spent(lambda s=substrate, x=state: RUN[what](s, x)) / cost.seconds
    middle = np.exp(np.mean(np.log(list(ratios.values()))))
    assert 0.1 < middle < 10, ratios  # slower and faster machines
    assert all(middle / 5 < r < 5 * middle for r in ratios.values()), ratios


def test_where_units_are_alike_structures_and_complexes_take_longer():
    n = 8
    common, majority, parity = (FAMILIES[name](n) for name in ("lattice", "majority", "parity"))
    for what in RUN:
        plain = estimate_cost(n, what)
        assert estimate_cost(common, what).seconds == plain.seconds
        assert estimate_cost(parity, what).seconds == plain.seconds, "alike, but one by one they do nothing"
        longer = plain.seconds if what == "phi_s" else plain.seconds_hard
        assert estimate_cost(majority, what).seconds == longer
        assert estimate_cost(majority.system("1" * n), what).seconds == longer
    wide = Substrate.from_factors([np.full((3, 2, 3), 1 / 3), np.full((3, 2, 2), 0.5)])
    assert estimate_cost(wide, "structure").n == 3


def test_estimates_grow_with_units_and_systems():
    for what in ("phi_s", "complexes", "structure"):
        costs = [estimate_cost(n, what) for n in range(1, 24)]
        assert all(a.seconds <= b.seconds for a, b in itertools.pairwise(costs))
        assert all(c.seconds <= c.seconds_hard for c in costs)
        assert estimate_cost(8, what, 100).seconds == pytest.approx(costs[7].seconds * 100)
    assert "century" in repr(estimate_cost(40, "structure"))
    assert "MiB" in repr(estimate_cost(4))


def test_unknown_analyses_are_refused():
    with pytest.raises(SubstrateError, match="phi_s, complexes, structure"):
        estimate_cost(4, "everything")
    with pytest.raises(SubstrateError, match="at least one unit"):
        estimate_cost(0)
