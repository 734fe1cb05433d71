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

from pipeline.base.arrays import Array, Floats

Partition = tuple[tuple[int, ...], ...]

EXHAUSTIVE_STATES = 8  # 4,140 partitions; the next size has 21,147
GREEDY_STATES = 64


def state_by_state(p_on: Array) -> Floats:
    """Return the row-stochastic TPM of conditionally independent units.

    Args:
        p_on: (..., state, m) P(each unit ON next | state).

    Returns:
        (..., state, 2**m); little-endian on both sides: bit i of a state is unit i.

    >>> import numpy as np
    >>> state_by_state(np.array([[0.5, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.5]])).tolist()
    [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.5]]
    """
    p_on = np.asarray(p_on, dtype=float)
    tpm = np.ones((*p_on.shape[:-1], 1))
    for unit in range(p_on.shape[-1]):
        p = p_on[..., unit, None]
        tpm = np.concatenate([tpm * (1 - p), tpm * p], axis=-1)
    return tpm


def effective_information(tpm: Array) -> float | Floats:
    """Compute EI: mutual information of present and next state when every present state is set equally often.

    Args:
        tpm: (..., state, state), row-stochastic.

    Returns:
        (...) [bit]; a float for a single TPM.

    Raises:
        ValueError: rows that do not sum to 1.

    >>> import numpy as np
    >>> effective_information(np.eye(4))
    2.0
    """
    return _scalar(_information(_stochastic(tpm)))


def information_of_rows(tpm: Array, rows: Array) -> float | Floats:
    """Return the least effective information that some rows of a TPM alone imply, whatever the others are.

    With G for whether the present state S is one of the rows, I(S; S') >= I(S; S' | G) >= P(G) I(S; S' | S in rows).

    Args:
        tpm: (..., state, state), row-stochastic.
        rows: (state,) True for those that are known.

    Returns:
        (...) [bit]; a float for a single TPM.

    Raises:
        ValueError: rows that do not sum to 1.

    >>> import numpy as np
    >>> information_of_rows(np.eye(4), np.array([True, True, False, False]))
    0.5
    """
    rows = np.asarray(rows, bool)
    if not rows.any():
        return _scalar(np.zeros(np.shape(tpm)[:-2]))
    return _scalar(rows.mean() * _information(_stochastic(tpm)[..., rows, :]))


def determinism(tpm: Array) -> float | Floats:
    """Return 1 - mean row entropy / log2(states): 1 when every state has one successor."""
    tpm = _stochastic(tpm)
    return _scalar(1 - _entropy(tpm).mean(axis=-1) / _bits(tpm))


def specificity(tpm: Array) -> float | Floats:
    """Return the entropy of the mean row / log2(states): 1 - `degeneracy`, 1 when all successors are equally likely."""
    tpm = _stochastic(tpm)
    return _scalar(_entropy(tpm.mean(axis=-2)) / _bits(tpm))


def degeneracy(tpm: Array) -> float | Floats:
    """Return 1 - `specificity`: 1 when all states lead to the same one."""
    return 1 - specificity(tpm)


def causal_power(tpm: Array) -> float | Floats:
    """Return CP = EI / log2(states) = determinism + specificity - 1, between 0 and 1; 0 for a single state.

    >>> import numpy as np
    >>> causal_power(np.full((4, 4), 0.25))
    0.0
    """
    tpm = _stochastic(tpm)
    return _scalar(_information(tpm) / _bits(tpm))


def singular_values(tpm: Array) -> Floats:
    """Return the singular values in decreasing order: 1 for each direction that the dynamics keep reversible."""
    values: Floats = np.asarray(np.linalg.svd(_stochastic(tpm), compute_uv=False), dtype=np.float64)
    return values


def reversibility(tpm: Array, alpha: float = 1.0) -> float:
    """Return Γ_α, the sum of the singular values to the power `alpha` (Zhang et al. 2025).

    Args:
        tpm: (state, state), rows sum to 1.
        alpha: power of the singular values.

    Raises:
        ValueError: not a square matrix, or rows that are no distributions.
    """
    return float((singular_values(tpm) ** alpha).sum())


def coarse_grain(tpm: Array, partition: Sequence[Sequence[int]]) -> Floats:
    """Return the macro TPM: summed over the states of the target block, averaged over the source's.

    Args:
        tpm: (state, state), row-stochastic.
        partition: blocks of states; each state stands in one of them.

    Returns:
        (block, block), row-stochastic.

    Raises:
        ValueError: a partition that does not hold each state once.
    """
    tpm = _stochastic(tpm)
    if sorted(s for block in partition for s in block) != list(range(len(tpm))):
        raise ValueError(f"{partition} does not hold each of the {len(tpm)} states once")
    member = np.zeros((len(partition), len(tpm)))
    for row, block in enumerate(partition):
        member[row, list(block)] = 1
    macro: Floats = (member / member.sum(axis=1, keepdims=True)) @ tpm @ member.T
    return macro


@dataclass(frozen=True)
class Scale:
    """A partition of the states, and what the system gains by it.

    Attributes:
        partition: blocks of states.
        causal_power: of the macro TPM.
        delta_causal_power: that minus the causal power of the states themselves.
        effective_information: of the macro TPM [bit].
        exhaustive: whether all partitions were tried.
    """

    partition: Partition
    causal_power: float
    delta_causal_power: float
    effective_information: float
    exhaustive: bool


def best_partition(tpm: Array) -> Scale:
    """Find the partition of the states with the largest causal power; the finest wins a tie.

    Args:
        tpm: (state, state), row-stochastic.

    Returns:
        The best of all partitions up to 8 states; up to 64 states the best along a greedy course of mergers (then a
        lower bound, `exhaustive` False).

    Raises:
        ValueError: more than 64 states.
    """
    tpm = _stochastic(tpm)
    n = len(tpm)
    if n > GREEDY_STATES:
        raise ValueError(f"{n} states: partitions are searched up to {GREEDY_STATES} states")
    exhaustive = n <= EXHAUSTIVE_STATES
    tried = _partitions(n) if exhaustive else _greedy_mergers(tpm)
    scored = [(_power(coarse_grain(tpm, p)), p) for p in tried]
    top = max(power for power, _ in scored)
    power, partition = max(((v, p) for v, p in scored if v > top - 1e-12), key=lambda item: len(item[1]))
    macro = coarse_grain(tpm, partition)
    gain = power - _power(tpm)
    return Scale(partition, power, gain, float(effective_information(macro)), exhaustive)


def emergent_complexity(values: Sequence[float], definition: str = "running_maximum") -> float:
    """Compute the entropy of how gains in causal power spread over the scales.

    Args:
        values: causal power from micro to macro.
        definition: what a gain is. "successive": the positive successive differences, the microscale itself left
            out (Hoel 2025). "running_maximum": the first value and each positive excess over the largest so far
            (Wang et al. 2025, mouse cortex).

    Returns:
        Entropy [bit]; 0 when nothing is gained.

    Raises:
        ValueError: an unknown definition, or, with "running_maximum", a negative first value.

    >>> emergent_complexity([0.2, 0.4, 0.4, 0.6], "successive")
    1.0
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


def complexity_over_paths(tpm: Array, partition: Sequence[Sequence[int]]) -> Floats:
    """Compute emergent complexity ("successive") along every longest path of mergers from the states to a partition.

    The definition depends on the path, so all values are reported, not the best alone.

    Args:
        tpm: (state, state), row-stochastic.
        partition: blocks of states, where the paths end.

    Returns:
        The distinct values [bit], rounded to 1e-9, increasing.
    """
    power = lru_cache(maxsize=None)(lambda p: _power(coarse_grain(tpm, p)))
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


def _greedy_mergers(tpm: Floats) -> list[Partition]:
    """The course of mergers that takes the largest causal power at each step."""
    course: list[Partition] = [tuple((s,) for s in range(len(tpm)))]
    while len(course[-1]) > 2:
        options = [merged for merged, _ in _mergers(course[-1])]
        course.append(max(options, key=lambda p: _power(coarse_grain(tpm, p))))
    return course


def _entropy(p: Floats) -> Floats:
    """Shannon entropy [bit] over the last axis."""
    bits: Floats = -(p * np.log2(p, out=np.zeros_like(p), where=p > 0)).sum(axis=-1)
    return bits


def _information(tpm: Floats) -> Floats:
    """EI (...) [bit] of TPMs that are known to be row-stochastic."""
    information: Floats = _entropy(tpm.mean(axis=-2)) - _entropy(tpm).mean(axis=-1)
    return information


def _power(tpm: Floats) -> float:
    """Causal power of a single TPM."""
    return float(causal_power(tpm))


def _bits(tpm: Floats) -> float:
    """Entropy [bit] of a uniform distribution over the states."""
    return float(np.log2(tpm.shape[-1])) if tpm.shape[-1] > 1 else 1.0


def _stochastic(tpm: Array) -> Floats:
    """The TPM as floats; `ValueError` unless its rows are distributions."""
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


def _scalar(value: Floats) -> float | Floats:
    return float(value) if np.ndim(value) == 0 else value
