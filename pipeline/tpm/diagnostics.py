"""How far to trust a TPM: what it says of data left out, what it leaves unexplained, words of warning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import autocorrelation_time, encode, transition_frames
from pipeline.tpm.registry import Estimator
from pipeline.tpm.transitions import Counts, count

FOLDS = 5
NOTABLE_CORRELATION = 0.1


def residual_correlation(after: Array, expected: Floats) -> Floats:
    """Correlate what the past leaves unexplained.

    Args:
        after: (transition, unit) states of 0 and 1.
        expected: (transition, unit) P(ON) given the state before.

    Returns:
        (unit, unit), NaN for a unit that never changes.
    """
    z = after - expected
    z = z - z.mean(axis=0)
    z = z / np.where(np.ptp(after, axis=0) > 0, z.std(axis=0), np.nan)
    correlation: Floats = z.T @ z / len(z)
    return correlation


def held_out_bits(
    states: Array, runs: Ints, estimator: Estimator, lag: int, parameters: Mapping[str, Any]
) -> tuple[float, float]:
    """Predict blocks that were left out of the fit.

    Five contiguous blocks, each predicted from the transitions that lie further from it than the longest
    autocorrelation time (at most a tenth of the window) plus the lag.

    Args:
        states: (frame, unit) of 0 and 1.
        runs: (frame,) run of consecutive frames.
        estimator: how the TPM is estimated.
        lag: of a transition [frames].
        parameters: the estimator's own.

    Returns:
        log2-likelihood per transition and unit [bit], of the estimator and of constant rates.
    """
    source, target = transition_frames(runs, lag)
    gap = lag + min(int(np.ceil(autocorrelation_time(states, runs).max())), len(states) // 10)
    code, after = encode(states)[source], states[target]
    blocks = np.array_split(np.arange(len(source)), FOLDS)
    away = [(source < source[b[0]] - gap) | (source > source[b[-1]] + gap) for b in blocks]
    training = [count(code[far], after[far]) for far in away]
    counts = Counts(np.stack([c.transitions for c in training]), np.stack([c.on for c in training]))
    p_on = estimator.fit(counts, **parameters).p_on
    rate = (counts.on.sum(1) + 0.5) / (counts.transitions.sum(1)[:, None] + 1.0)
    fold = np.repeat(np.arange(FOLDS), [len(b) for b in blocks])
    return _bits(p_on[fold, code], after), _bits(rate[fold], after)


def flags(counts: Counts, visits: Ints, residual: Floats, labels: Sequence[str], estimator: Estimator) -> list[str]:
    """Words of warning that go with the TPM into every table.

    few_frames; unvisited_states:N; constant_unit:NAME; instantaneous_correlation:A-B for the most correlated pair,
    when its residual correlation exceeds 0.1 and the Bonferroni threshold at 1%.

    Args:
        counts: transitions.
        visits: (state,) frames in each joint state.
        residual: (unit, unit) of `residual_correlation`.
        labels: names of the units.
        estimator: how the TPM was estimated.
    """
    n, n_units = counts.transitions.sum(), len(labels)
    words = ["few_frames"] if n < estimator.needed(n_units, level=1) else []
    if unvisited := int((visits == 0).sum()):
        words.append(f"unvisited_states:{unvisited}")
    on = counts.on.sum(axis=0)
    words += [f"constant_unit:{labels[u]}" for u in map(int, np.flatnonzero((on == 0) | (on == n)))]
    pairs = np.abs(np.nan_to_num(np.triu(residual, 1)))
    a, b = divmod(int(pairs.argmax()), n_units)
    tests = max(1, n_units * (n_units - 1) // 2)
    # under conditional independence sqrt(n) r is standard normal: the residuals are unpredictable
    if pairs[a, b] > max(NOTABLE_CORRELATION, NormalDist().inv_cdf(1 - 0.005 / tests) / np.sqrt(n)):
        words.append(f"instantaneous_correlation:{labels[a]}-{labels[b]}")
    return words


def _bits(p_on: Floats, after: Array) -> float:
    return float(np.log2(np.where(after == 1, p_on, 1 - p_on)).mean())
