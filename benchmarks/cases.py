"""What is measured: dense logistic lattices, draws around them, and hard families, each a function of the size."""

import time
from collections.abc import Callable

import numpy as np

import iitcore as iit
from benchmarks import exhaustive, hierarchy
from iitcore import search
from iitcore._arrays import Bools


def lattice(n: int, seed: int = 0) -> iit.Substrate:
    """Every unit drives every other weakly, one ring through all of them strongly (k = 4)."""
    rng = np.random.default_rng([seed, n])
    weights = rng.normal(0.08, 0.03, (n, n))
    ring = rng.permutation(n)
    weights[ring, np.roll(ring, -1)] = 0.7
    return iit.Substrate.logistic(weights)


def integrated_state(substrate: iit.Substrate) -> tuple[int, ...]:
    """The first of a series of random states in which the lattice is integrated."""
    rng = np.random.default_rng(substrate.n)
    while True:
        state = tuple(rng.integers(0, 2, substrate.n).tolist())
        if iit.system_phi(substrate.system(state)).phi > 0:
            return state


def best_time(
    work: Callable[[], object], least: float = 0.5, repeats: int = 20, clock: Callable[[], float] = time.process_time
) -> float:
    """Shortest of several runs in seconds of CPU time; long ones run once more, after a first run."""
    work()
    times: list[float] = []
    while (len(times) < repeats and sum(times) < least) or not times:
        start = clock()
        work()
        times.append(clock() - start)
    return min(times)


def phi_s(n: int) -> dict[str, float]:
    substrate = lattice(n)
    state = integrated_state(substrate)
    result = iit.system_phi(substrate.system(state))
    seconds = best_time(lambda: iit.system_phi(substrate.system(state)))
    return {"seconds": seconds, "value": result.phi}


def complexes(n: int) -> dict[str, float]:
    substrate = lattice(n)
    state = integrated_state(substrate)
    found = iit.complexes(substrate, state)
    seconds = best_time(lambda: iit.complexes(substrate, state))
    return {"seconds": seconds, "value": found[0].phi}


def unfolded(system: iit.System) -> dict[str, float]:
    """Time of one structure; of more than eight units the first counts, once the code is compiled."""
    if system.n < 9:
        return {"seconds": best_time(lambda: iit.unfold(system)), "value": iit.unfold(system).phi}
    iit.unfold(lattice(3).system([1] * 3))
    start = time.process_time()
    value = iit.unfold(system).phi
    return {"seconds": time.process_time() - start, "value": value}


def structure(n: int) -> dict[str, float]:
    substrate = lattice(n)
    return unfolded(substrate.system(integrated_state(substrate)))


def structure_on(n: int) -> dict[str, float]:
    """Of the lattice in the state in which all units are ON: every mechanism has many purviews of nearly equal phi."""
    return unfolded(lattice(n).system([1] * n))


def structure_random(n: int) -> dict[str, float]:
    """Of uniform random probabilities: every mechanism makes a distinction."""
    return unfolded(iit.Substrate(np.random.default_rng(n).random((2**n, n))).system([0] * n))


def spins(n: int) -> Bools:
    """(2**n, n) whether each unit is ON, per state."""
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype(bool)


def zero(n: int) -> dict[str, float]:
    """Uniform random probabilities: phi_s is 0, and what takes time is to say so and why."""
    system = iit.Substrate(np.random.default_rng(n).random((2**n, n))).system([0] * n)
    return {"seconds": best_time(lambda: iit.system_phi(system)), "value": iit.system_phi(system).phi}


def rules(n: int) -> dict[str, float]:
    """Random deterministic rules with errors of 1%: most unions of parts survive the bounds of the search."""
    on = np.random.default_rng(n).random((2**n, n)) < 0.5
    system = iit.Substrate(np.where(on, 0.99, 0.01)).system(on[5].astype(int))
    return {"seconds": best_time(lambda: iit.system_phi(system)), "value": iit.system_phi(system).phi}


def parity(n: int) -> dict[str, float]:
    """Every unit the parity of all: half of all states tie as causes."""
    system = iit.Substrate(np.repeat(spins(n).sum(1) % 2, n).reshape(-1, n)).system([1] * n)
    return {"seconds": best_time(lambda: iit.system_phi(system)), "value": iit.system_phi(system).phi}


def identical(n: int) -> dict[str, float]:
    """Units that weigh all alike, half of them ON: every balanced state ties as cause and as effect."""
    system = iit.Substrate.logistic(np.full((n, n), 1 / n)).system([i < n // 2 for i in range(n)])
    return {"seconds": best_time(lambda: iit.system_phi(system)), "value": iit.system_phi(system).phi}


def alike(n: int) -> dict[str, float]:
    """Identical majority units, unfolded: purviews and states tie in every way."""
    on = spins(n).sum(1) * 2 > n
    system = iit.Substrate(np.repeat(on, n).reshape(-1, n)).system([1] * n)
    return {"seconds": best_time(lambda: iit.unfold(system)), "value": iit.unfold(system).phi}


def batch(n: int) -> dict[str, float]:
    count = max(2000 // 4 ** max(n - 4, 0), 16)
    tpms = np.array([lattice(n, seed).tpm for seed in range(count)])
    states = np.random.default_rng(n).integers(0, 2, (16, n))
    phi = iit.phi_batch(tpms, states)
    seconds = best_time(lambda: iit.phi_batch(tpms, states), repeats=5, clock=time.perf_counter)
    return {"seconds": seconds, "per_second": phi.size / seconds, "value": (phi > 0).mean()}


def jacobians(n: int) -> dict[str, float]:
    """Jacobians of a residual network at 10,000 samples at once; one by one, 500 of them are timed, times 20."""
    import torch

    from pipeline.emergence.jacobians import jacobians as at_once

    torch.set_num_threads(1)  # of both: threads that wait for one another count as CPU time
    torch.manual_seed(n)
    layers = (torch.nn.Linear(n, 64), torch.nn.LeakyReLU(), torch.nn.Linear(64, 64), torch.nn.LeakyReLU())
    net = torch.nn.Sequential(*layers, torch.nn.Linear(64, n))
    points = torch.randn(10_000, n)

    def step(y: torch.Tensor) -> torch.Tensor:
        return torch.tanh(y + net(y))

    def one_by_one() -> torch.Tensor:
        return torch.stack([torch.autograd.functional.jacobian(step, y) for y in points[:500]])

    difference = float((one_by_one() - at_once(step, points)[:500]).abs().max())
    if difference > 1e-5:
        raise ArithmeticError(f"Jacobians differ by {difference}")
    slow, fast = 20 * best_time(one_by_one, 0.2), best_time(lambda: at_once(step, points))
    return {"seconds": fast, "value": slow / fast}


def enumeration(n: int) -> dict[str, float]:
    """Both methods on the same gain tables, in turns."""
    substrate = lattice(n)
    gains = exhaustive.gain_tables(substrate.system(integrated_state(substrate)))
    parts, marks = np.zeros(n, np.int64), np.zeros(n, np.int64)
    slow = fast = np.inf
    for _ in range(3):
        fast = min(fast, best_time(lambda: search.minimum_of_both(*gains, parts, marks), 0.2))
        slow = min(slow, best_time(lambda: exhaustive.minimum(*gains), 0.2))
    phi, _, tried = exhaustive.minimum(*gains)
    loss, _ = search.minimum_of_both(*gains, parts, marks)
    if abs(loss - phi) > 1e-9:
        raise ArithmeticError(f"search found {loss}, enumeration {phi}")
    return {"seconds": fast, "exhaustive_seconds": slow, "tried": tried, "ratio": slow / fast}


CASES: dict[str, tuple[Callable[[int], dict[str, float]], tuple[int, ...]]] = {
    "phi_s": (phi_s, (4, 6, 8, 10, 12, 14, 16, 18, 20, 22)),
    "complexes": (complexes, (4, 6, 8, 10, 12, 14)),
    "structure": (structure, (3, 4, 5, 6, 7, 8, 10, 12)),
    "structure_on": (structure_on, (6, 8, 10)),
    "structure_random": (structure_random, (6, 8, 10)),
    "zero": (zero, (12, 14, 16)),
    "rules": (rules, (10, 12, 14, 16)),
    "parity": (parity, (9, 11, 13)),
    "identical": (identical, (10, 12, 14)),
    "alike": (alike, (5, 6, 7, 8)),
    "jacobians": (jacobians, (8, 16, 32)),
    "batch": (batch, (3, 4, 5, 6, 8)),
    "enumeration": (enumeration, (4, 5, 6, 7, 8)),
    "published_step": (hierarchy.published_step, (32,)),
    "hierarchy_window": (hierarchy.hierarchy_window, (32,)),
}
