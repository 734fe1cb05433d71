"""Which estimator the recordings of a study favour: how well each candidate predicts bins that it has not seen.

Candidates that are fitted to states are compared by what they say of the states in contiguous blocks that were left
out (`pipeline.tpm.diagnostics.held_out_bits`). Whether the states had better be taken as hidden is another question,
since only what was seen of them can be left out: both `latent` and the best candidate with given states predict the
*category of the signal* (`pipeline.tpm.hidden`) in the last fifth of every window, one bin after the other, from
what they learned of the rest and the bins before. A study has one estimator for all its recordings, so that a
difference between them is not one of methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.base.raster import encode, raster
from pipeline.base.seeds import generator
from pipeline.tpm.diagnostics import held_out_bits
from pipeline.tpm.registry import ESTIMATORS, own_parameters

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.base.arrays import Array, Floats, Ints

GIVEN = ("average", "logistic_pairwise", "logistic", "beta")  # candidates that are fitted to states
HIDDEN = "latent"
LEFT_OUT = 0.2  # the share of each window, its end, that is to be predicted
DRAWS, THIN, WARM_UP = 20, 5, 150  # of the chains that predict
SMOOTHED = 0.5  # added to the count of every category


class Scores(NamedTuple):
    """How well the candidates predict one recording.

    Attributes:
        states: candidate: log2-likelihood per transition and unit of left-out states [bit].
        signal: candidate: log2-likelihood per bin and unit of left-out categories of the signal [bit]; empty where
            hidden states cannot be fitted.
        transitions: in all windows.
        reason: why hidden states cannot be fitted; "" where they can.
    """

    states: dict[str, float]
    signal: dict[str, float]
    transitions: int
    reason: str = ""


class Choice(NamedTuple):
    """The estimator of a study.

    Attributes:
        method: its name.
        reason: in words.
        states: candidate: mean over the recordings, weighted by their transitions [bit].
        signal: the same of the signal's categories.
    """

    method: str
    reason: str
    states: dict[str, float]
    signal: dict[str, float]


def score(states: xr.Dataset, lag: int, given: Mapping[str, Any], seed: int = 0) -> Scores:
    """Score the candidates on one recording.

    Args:
        states: its windows (`pipeline.binarize.binarize_windows`).
        lag: of a transition [frames].
        given: parameters of the section `tpm` that candidates may share; each takes those that it has.
        seed: fixes the chains.
    """
    names = list(dict.fromkeys(states["window"].values.astype(str)))
    parts = [states.isel(frame=np.flatnonzero(states["window"].values.astype(str) == name)) for name in names]
    rasters = [raster(part, None)[:2] for part in parts]
    usable = [(array, runs) for array, runs in rasters if len(array) > lag + 1]
    weight = [len(array) for array, _ in usable]
    bits: dict[str, float] = {}
    n_units = states.sizes["unit"]
    carried = [m for m in GIVEN if weight and ESTIMATORS[m].needed(n_units) <= np.median(weight) - lag]
    for method in carried:
        own = parameters_of(method, given)
        values = [held_out_bits(array, runs, ESTIMATORS[method], lag, own)[0] for array, runs in usable]
        if values and np.isfinite(values).all():
            bits[method] = float(np.average(values, weights=weight))
    reason = _why_not_hidden(states, lag, "average" in carried)
    signal = {} if reason else _predict_signal(states, parameters_of(HIDDEN, given), generator(seed, "score"))
    return Scores(bits, signal, int(sum(weight)), reason)


def choose(scores: Sequence[Scores]) -> Choice:
    """Choose the estimator of a study.

    Args:
        scores: of its recordings.

    >>> dull = Scores({"average": -0.4, "logistic": -0.5}, {"latent": -3.0, "average": -3.2}, 100)
    >>> choose([dull]).method
    'latent'
    """
    weight = np.array([max(s.transitions, 1) for s in scores], float)

    def mean(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
        common = [m for m in values[0] if all(m in v for v in values)] if values else []
        return {m: float(np.average([v[m] for v in values], weights=weight)) for m in common}

    states, signal = mean([s.states for s in scores]), mean([s.signal for s in scores])
    best = max(states, key=lambda m: states[m]) if states else "logistic"
    why_not = next((s.reason for s in scores if s.reason), "")
    if HIDDEN in signal and signal[HIDDEN] > signal["average"]:
        gain = signal[HIDDEN] - signal["average"]
        reason = (
            f"it predicts the signal of left-out bins better than states behind a threshold do, by {gain:.3f} bit per "
            "bin and unit: thresholds misread the states"
        )
        return Choice(HIDDEN, reason, states, signal)
    reason = "it predicts left-out states best"
    if why_not:
        reason += f"; hidden states were no candidate: {why_not}"
    elif signal:
        reason += "; taking the states as hidden does not predict the signal of left-out bins better"
    return Choice(best, reason, states, signal)


def parameters_of(method: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a candidate: those given that it has, else its defaults."""
    fields = ESTIMATORS[method].Parameters.model_fields
    own = {name: value for name, value in given.items() if name in fields}
    if method == HIDDEN and own.get("family", 0) > 2:  # free tables of hidden states have to be asked for
        del own["family"]
    return own_parameters(ESTIMATORS[method], own)


def _why_not_hidden(states: xr.Dataset, lag: int, carried: bool) -> str:
    if not carried:
        return "there are too many units for the recordings, or more than 8"
    if "signal" not in states:
        return "the states came without a signal"
    if lag != 1:
        return f"they follow each other bin by bin, and tpm.lag is {lag}"
    return ""


def _predict_signal(states: xr.Dataset, own: Mapping[str, Any], rng: np.random.Generator) -> dict[str, float]:
    """Log2-likelihood per bin and unit of the signal's categories in the last part of each window."""
    from pipeline.tpm.chain import sample_recording
    from pipeline.tpm.latent import seen_of
    from pipeline.tpm.recorded import Model, Recorded, Sweeps
    from pipeline.tpm.sampled import SampledRecording

    names, whole, given = seen_of(states)
    category, first, border, kind = whole.category, whole.first, whole.border, whole.kind
    ends = [round(b - LEFT_OUT * (b - a)) for a, b in pairwise(border.tolist())]
    learned = np.concatenate([np.arange(a, e) for a, e in zip(border[:-1], ends, strict=True)])
    lengths = [e - a for a, e in zip(border[:-1], ends, strict=True)]
    inner = np.r_[0, np.cumsum(lengths)].astype(np.int64)
    recorded = Recorded(
        category[learned], first[learned], whole.joined[learned], inner, 1, kind[learned], whole.n_kinds
    )
    totals = {HIDDEN: 0.0, "average": 0.0}
    for name in totals:
        model = Model(int(own["family"]), bool(own["drive"]), hidden=name == HIDDEN)
        drawn = sample_recording(recorded, given[learned], model, Sweeps(DRAWS, THIN, WARM_UP), rng)
        fitted = SampledRecording(names, recorded, drawn, model)
        shares = None if model.hidden else _category_shares(category[learned], given[learned], int(category.max()) + 1)
        for w, (a, e, b) in enumerate(zip(border[:-1], ends, border[1:], strict=True)):
            p_on = _of_states(fitted, w)
            if shares is None:
                totals[name] += _of_hidden(p_on, drawn.emission, category[e:b], first[e:b], kind[e:b])
            else:
                start = max(e - 1, int(a))
                totals[name] += _of_given(p_on, shares, given[start:b], category[start:b], first[start:b])
    n = sum(int(b) - e for e, b in zip(ends, border[1:], strict=True)) * given.shape[1]
    return {name: total / np.log(2) / max(n, 1) for name, total in totals.items()}


def _of_states(fitted: Any, w: int) -> Floats:
    """(draw, state, unit) P(ON | state) of a window as it was recorded, the drive not held."""
    window = fitted.posterior(fitted.names[w])
    n = len(fitted.draws.logits)
    found: Floats = window.draw_observational(n) if window.observed else window.draw(n)
    return found


def _of_hidden(p_on: Floats, emission: Floats, category: Ints, first: Array, kind: Ints) -> float:
    """Log-likelihood of categories, averaged over the draws of TPM and emission."""
    from scipy.special import logsumexp

    from pipeline.tpm.hidden import filter_forward, joint_steps
    from pipeline.tpm.recorded import Recorded

    if not len(category):
        return 0.0
    starts = first.copy()
    starts[0] = True
    joined = np.repeat(~starts[:, None], category.shape[1], axis=1)
    border, n_kinds = np.array([0, len(category)]), emission.shape[2] // 4
    recorded = Recorded(np.ascontiguousarray(category), starts, joined, border, 1, kind, n_kinds)
    level = np.zeros(len(category), np.int64)
    each = [
        filter_forward(recorded, 0, len(category), joint_steps(np.ascontiguousarray(p.T)), level, e)[1]
        for p, e in zip(p_on, emission, strict=True)
    ]
    return float(logsumexp(each) - np.log(len(each)))


def _of_given(p_on: Floats, shares: Floats, states: Ints, category: Ints, first: Array) -> float:
    """Log-likelihood of the categories after the first frame, each by its state and the state's categories."""
    from scipy.special import logsumexp

    joined = np.flatnonzero(~first[1:]) + 1
    code, after = encode(states)[joined - 1], states[joined]
    p = p_on[:, code]
    each = np.log(np.where(after == 1, p, 1 - p)).sum(axis=(1, 2))
    units = np.arange(states.shape[1])
    within = np.log(shares[units, states[1:], category[1:]]).sum()
    alone = len(states) - 1 - len(joined)  # a state without the one before: as likely as not
    return float(logsumexp(each) - np.log(len(each)) + within + alone * states.shape[1] * np.log(0.5))


def _category_shares(category: Ints, states: Ints, n: int) -> Floats:
    """(unit, state, category) how often each category has been seen of a unit that is OFF or ON."""
    from pipeline.tpm.hidden import OFF_CATEGORIES

    found = np.full((states.shape[1], 2, n), 1e-12)  # a category is of one side of the threshold
    found[:, 0, :OFF_CATEGORIES], found[:, 1, OFF_CATEGORIES:] = SMOOTHED, SMOOTHED
    for u in range(states.shape[1]):
        np.add.at(found[u], (states[:, u], category[:, u]), 1.0)
    shares: Floats = found / found.sum(axis=2, keepdims=True)
    return shares
