"""Cost estimates against what small analyses really take."""

import itertools
import time

import numpy as np
import pytest

from iitcore import Substrate, SubstrateError, complexes, system_phi, unfold
from iitcore.cost import estimate_cost

RUN = {
    "phi_s": lambda s, state: system_phi(s.system(state)),
    "complexes": complexes,
    "structure": lambda s, state: unfold(s.system(state)),
}


@pytest.mark.parametrize(("what", "n"), [("phi_s", 10), ("complexes", 8), ("structure", 6)])
def test_estimates_are_of_the_right_order(what, n):
    rng = np.random.default_rng(0)
    weights = rng.normal(0.08, 0.03, (n, n))
    weights[np.arange(n), np.roll(np.arange(n), 1)] = 0.7
    substrate = Substrate.logistic(weights)
    RUN[what](substrate, (1,) * n)
    start = time.process_time()
    RUN[what](substrate, (1,) * n)
    spent = time.process_time() - start
    cost = estimate_cost(n, what)
    assert cost.seconds / 50 < spent < 50 * cost.seconds


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
