"""Random systems of every kind for tests against the oracle: seeded, small, often degenerate."""

import numpy as np

from iitcore.substrate import Substrate, System

KINDS = ("uniform", "logistic", "deterministic", "noisy gates", "coarse", "sparse", "kary")


def random_system(kind: str, seed: int, n: int = 3, background: bool = False) -> System:
    """A system of n units, in a universe of one unit more with `background`."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    m = n + background
    if kind == "kary":
        alphabet = tuple(int(k) for k in rng.integers(2, 4 if n < 3 else 3, m))
        alphabet = (3, *alphabet[1:])
        factors = [rng.dirichlet(np.ones(k), alphabet) for k in alphabet]
        substrate = Substrate.from_factors(factors)
    else:
        rows = 2**m
        gates = rng.integers(0, 2, (rows, m)).astype(float)
        weights = rng.normal(0, 1, (m, m))
        table = {
            "uniform": lambda: rng.random((rows, m)),
            "deterministic": lambda: gates,
            "noisy gates": lambda: 0.1 + 0.8 * gates,
            "coarse": lambda: rng.integers(0, 3, (rows, m)) / 2,
        }
        if kind in table:
            substrate = Substrate(table[kind]())
        else:
            keep = rng.random((m, m)) < (1.0 if kind == "logistic" else 0.5)
            substrate = Substrate.logistic(weights * keep, k=float(rng.choice([1.0, 4.0])))
    state = [int(rng.integers(k)) for k in substrate.alphabet]
    return substrate.system(state, range(n))
