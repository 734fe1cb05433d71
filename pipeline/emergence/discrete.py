"""Effective information, causal power and emergent complexity of discrete systems.

A TPM here is row-stochastic, (..., state, state): T[i, j] = P(next = j | do(i)). Every state, at every
scale, is set equally often (Hoel, Albantakis & Tononi 2013; Hoel 2017; "causal emergence 2.0", 2025).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

Partition = tuple[tuple[int, ...], ...]

EXHAUSTIVE_STATES = 8  # 4,140 partitions; the next size has 21,147
GREEDY_STATES = 64


def state_by_state(p_on: np.ndarray) -> np.ndarray:
    """Row-stochastic TPM (..., state, 2**m) of m conditionally independent units, from P(ON) (..., state, m).

    Little-endian on both sides: bit i of a state is unit i.
    """
    p_on = np.asarray(p_on, dtype=float)
    tpm = np.ones((*p_on.shape[:-1], 1))
    for unit in range(p_on.shape[-1]):
        p = p_on[..., unit, None]
        tpm = np.concatenate([tpm * (1 - p), tpm * p], axis=-1)
    return tpm


def effective_information(tpm: np.ndarray) -> float | np.ndarray:
    """EI [bit]: mutual information of present and next state when every present state is set equally often.

    (..., state, state) -> (...); a float for a single TPM. Raises `ValueError` when rows do not sum to 1.
    """
    tpm = _stochastic(tpm)
    return _scalar(_entropy(tpm.mean(axis=-2)) - _entropy(tpm).mean(axis=-1))


def determinism(tpm: np.ndarray) -> float | np.ndarray:
    """1 - mean row entropy / log2(states): 1 when every state has one successor."""
    tpm = _stochastic(tpm)
    return _scalar(1 - _entropy(tpm).mean(axis=-1) / _bits(tpm))


def specificity(tpm: np.ndarray) -> float | np.ndarray:
    """Entropy of the mean row / log2(states): 1 when all successors are reached equally (1 - `degeneracy`)."""
    tpm = _stochastic(tpm)
    return _scalar(_entropy(tpm.mean(axis=-2)) / _bits(tpm))


def degeneracy(tpm: np.ndarray) -> float | np.ndarray:
    """1 - `specificity`: 1 when all states lead to the same one."""
    return 1 - specificity(tpm)


def causal_power(tpm: np.ndarray) -> float | np.ndarray:
    """CP = EI / log2(states) = determinism + specificity - 1, between 0 and 1; 0 for a single state."""
    return effective_information(tpm) / _bits(np.asarray(tpm))


def singular_values(tpm: np.ndarray) -> np.ndarray:
    """Singular values in decreasing order: 1 for each direction that the dynamics keep reversible."""
    return np.linalg.svd(_stochastic(tpm), compute_uv=False)


def reversibility(tpm: np.ndarray, alpha: float = 1.0) -> float:
    """Γ_α, the sum of the singular values to the power `alpha` (Zhang et al. 2025)."""
    return float((singular_values(tpm) ** alpha).sum())


def coarse_grain(tpm: np.ndarray, partition: Sequence[Sequence[int]]) -> np.ndarray:
    """Macro TPM (block, block): summed over the states of the target block, averaged over the source's.

    `partition` holds each state of `tpm` (state, state) once; raises `ValueError` otherwise.
    """
    tpm = _stochastic(tpm)
    if sorted(s for block in partition for s in block) != list(range(len(tpm))):
        raise ValueError(f"{partition} does not hold each of the {len(tpm)} states once")
    member = np.zeros((len(partition), len(tpm)))
    for row, block in enumerate(partition):
        member[row, list(block)] = 1
    return (member / member.sum(axis=1, keepdims=True)) @ tpm @ member.T


@dataclass(frozen=True)
class Scale:
    """A partition of the states, what the system gains by it, and whether all partitions were tried."""

    partition: Partition
    causal_power: float
    delta_causal_power: float
    effective_information: float
    exhaustive: bool


def best_partition(tpm: np.ndarray) -> Scale:
    """Partition of the states with the largest causal power; the finest wins a tie.

    All partitions up to 8 states; up to 64 states the best along a greedy course of mergers (then a
    lower bound, `exhaustive` False). Raises `ValueError` beyond.
    """
    tpm = _stochastic(tpm)
    n = len(tpm)
    if n > GREEDY_STATES:
        raise ValueError(f"{n} states: partitions are searched up to {GREEDY_STATES} states")
    exhaustive = n <= EXHAUSTIVE_STATES
    tried = _partitions(n) if exhaustive else _greedy_mergers(tpm)
    scored = [(causal_power(coarse_grain(tpm, p)), p) for p in tried]
    top = max(power for power, _ in scored)
    power, partition = max(((v, p) for v, p in scored if v > top - 1e-12), key=lambda item: len(item[1]))
    macro = coarse_grain(tpm, partition)
    gain = float(power - causal_power(tpm))
    return Scale(partition, float(power), gain, float(effective_information(macro)), exhaustive)


def emergent_complexity(values: Sequence[float], definition: str = "running_maximum") -> float:
    """Entropy [bit] of how gains in causal power spread over the scales; `values` from micro to macro.

    "successive": the positive successive differences, the microscale itself left out (Hoel 2025).
    "running_maximum": the first value and each positive excess over the largest so far (Wang et al.
    2025, mouse cortex). 0 when nothing is gained. Raises `ValueError` for an unknown definition, or,
    with "running_maximum", a negative first value.
    """
    v = np.asarray(values, dtype=float)
    if definition == "successive":
        gains = np.clip(np.diff(v), 0, None)
    elif definition == "running_maximum":
        if v.size and v[0] < 0:
            raise ValueError(f"the first value is {v[0]}, but a contribution cannot be negative")
        gains = np.concatenate([v[:1], np.clip(v[1:] - np.maximum.accumulate(v)[:-1], 0, None)])
    else:
        raise ValueError(f"definition '{definition}' is not 'successive' or 'running_maximum'")
    total = gains.sum()
    return float(_entropy(gains / total)) if total > 0 else 0.0


def complexity_over_paths(tpm: np.ndarray, partition: Sequence[Sequence[int]]) -> np.ndarray:
    """Emergent complexity ("successive") along every longest path of mergers from the states to `partition`.

    The definition depends on the path, so the distinct values (rounded to 1e-9, increasing) are
    reported, not the best alone.
    """
    power = lru_cache(maxsize=None)(lambda p: causal_power(coarse_grain(tpm, p)))
    target = {s: b for b, block in enumerate(partition) for s in block}

    def sums(p: Partition) -> Iterator[tuple[float, ...]]:
        following = [merged for merged, (a, b) in _mergers(p) if target[p[a][0]] == target[p[b][0]]]
        if not following:
            yield (power(p),)
        for merged in following:
            for rest in reached(merged):
                yield (power(p), *rest)

    reached = lru_cache(maxsize=None)(lambda p: tuple(sorted(set(sums(p)))))
    paths = reached(tuple((s,) for s in range(len(tpm))))
    return np.unique(np.round([emergent_complexity(p, "successive") for p in paths], 9))


@lru_cache(maxsize=4)
def _partitions(n: int) -> tuple[Partition, ...]:
    """All partitions of 0..n-1."""
    if n == 0:
        return ((),)
    out: list[Partition] = []
    for smaller in _partitions(n - 1):
        out.append((*smaller, (n - 1,)))
        for i, block in enumerate(smaller):
            out.append((*smaller[:i], (*block, n - 1), *smaller[i + 1 :]))
    return tuple(out)


def _mergers(partition: Partition) -> Iterator[tuple[Partition, tuple[int, int]]]:
    """Every partition that joins two blocks, and which they were."""
    for a, b in combinations(range(len(partition)), 2):
        rest = [block for i, block in enumerate(partition) if i not in (a, b)]
        joined = tuple(sorted(partition[a] + partition[b]))
        yield tuple(sorted([*rest, joined])), (a, b)


def _greedy_mergers(tpm: np.ndarray) -> list[Partition]:
    """The course of mergers that takes the largest causal power at each step."""
    course: list[Partition] = [tuple((s,) for s in range(len(tpm)))]
    while len(course[-1]) > 2:
        options = [merged for merged, _ in _mergers(course[-1])]
        course.append(max(options, key=lambda p: causal_power(coarse_grain(tpm, p))))
    return course


def _entropy(p: np.ndarray) -> np.ndarray:
    """Shannon entropy [bit] over the last axis."""
    return -(p * np.log2(p, out=np.zeros_like(p), where=p > 0)).sum(axis=-1)


def _bits(tpm: np.ndarray) -> float:
    return float(np.log2(tpm.shape[-1])) if tpm.shape[-1] > 1 else 1.0


def _stochastic(tpm: np.ndarray) -> np.ndarray:
    tpm = np.asarray(tpm, dtype=float)
    if tpm.ndim < 2 or tpm.shape[-1] != tpm.shape[-2]:
        raise ValueError(f"TPM of shape {tpm.shape}: a (state, state) matrix is needed")
    off = np.abs(tpm.sum(axis=-1) - 1)
    if not (tpm >= -1e-12).all() or not (off < 1e-6).all():
        raise ValueError(
            f"TPM is not row-stochastic: rows sum to between {tpm.sum(-1).min():.6g} and "
            f"{tpm.sum(-1).max():.6g}, least entry {tpm.min():.6g}"
        )
    return tpm


def _scalar(value: np.ndarray) -> float | np.ndarray:
    return float(value) if np.ndim(value) == 0 else value
