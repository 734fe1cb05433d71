"""Criteria of causal emergence that need no training (Rosas et al. 2020, PLoS Comput Biol 16(12): e1008289).

Of a macro variable V of units X_j, with ' for a lag later:

Ψ = I(V; V') - Σ_j I(X_j; V')           > 0: V predicts itself beyond what units do one by one
Δ = max_j [I(V; X_j') - Σ_i I(X_i; X_j')] > 0: V predicts a unit beyond what units do (downward causation)
Γ = max_j I(V; X_j')                     = 0 beside Ψ > 0: V is decoupled from the units

Ψ > 0 and Δ > 0 are sufficient, never necessary: what units share is subtracted once for each of them, so many alike
units (or a unit counted twice) drive both down, and a negative value says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.emergence.pairs import Kind, columns, encoded, information, pairs, resampled, shifts

SHIFTS, RESAMPLED = 50, 200
LEVEL = 5.0  # percent, one-sided


@dataclass(frozen=True)
class Criteria:
    """Ψ, Γ and Δ as estimated, without correction [bit].

    Attributes:
        psi: what V predicts of itself beyond the units.
        gamma: what V predicts of a unit, at most.
        delta: what V predicts of a unit beyond the units, at most.
    """

    psi: float
    gamma: float
    delta: float


@dataclass(frozen=True)
class PsiOfSeries:
    """Ψ of a recording, its bias and its lower bound [bit].

    Attributes:
        raw: the plug-in estimates.
        bias: what Ψ comes out as, on average, when the later frames are turned against the earlier ones, so that no
            variable predicts anything. Mostly negative: one term is added and one for each unit is subtracted.
        psi: Ψ less its bias. Where variables do predict, their own bias is smaller than that, so that as a rule
            this errs upward by less than |bias|; `low` and the sign of the raw Ψ are the careful reading.
        low: one-sided 95% bound of Ψ less its bias, from resampled contiguous blocks of frames.
        emergent: whether `low` is above 0. False says nothing.
    """

    raw: Criteria
    bias: float
    psi: float
    low: float
    emergent: bool


def criteria(now: Array, later: Array, macro_now: Array, macro_later: Array, kind: Kind = "gaussian") -> Criteria:
    """Compute Ψ, Γ and Δ from pairs of samples.

    Args:
        now: (sample, unit) X.
        later: (sample, unit) X'.
        macro_now: (sample, variable) V.
        macro_later: (sample, variable) V'.
        kind: "gaussian" (linear dependence of continuous variables) or "discrete" (frequencies).

    Raises:
        ValueError: an unknown kind, or series that are not finite.
    """
    x, ahead = (_units(z, kind) for z in (now, later))
    v, v_ahead = (encoded(columns(z), kind) for z in (macro_now, macro_later))
    psi = _psi(x, v, v_ahead)
    reach = np.array([information(v, unit) for unit in ahead])
    by_units = np.array([sum(information(source, unit) for source in x) for unit in ahead])
    return Criteria(psi, float(reach.max()), float((reach - by_units).max()))


def psi_of_series(
    micro: Array,
    macro: Array,
    lag: int = 1,
    runs: Array | None = None,
    kind: Kind = "gaussian",
    block: int | None = None,
    seed: int = 0,
) -> PsiOfSeries:
    """Estimate Ψ of a recording, with the bias that shuffles show and a lower bound.

    Args:
        micro: (frame, unit).
        macro: (frame, variable), a function of the units.
        lag: [frames].
        runs: (frame,) run of consecutive frames; one by default.
        kind: "gaussian" or "discrete".
        block: frames resampled together; should exceed the autocorrelation time. By default a twentieth of the pairs.
        seed: same seed, same numbers.

    Raises:
        ValueError: as `criteria`, or too few frames.
    """
    x, v = columns(micro), columns(macro)
    now, later = pairs(len(x), lag, runs)
    raw = criteria(x[now], x[later], v[now], v[later], kind)
    rng = np.random.default_rng(seed)
    units, here, ahead = _units(x[now], kind), encoded(v[now], kind), encoded(v[later], kind)
    bias = float(np.mean([_psi(units, here, np.roll(ahead, s, axis=0)) for s in shifts(len(now), SHIFTS, rng)]))
    rows = resampled(len(now), block or max(1, len(now) // 20), RESAMPLED, rng)
    drawn = _resampled_psi(x[now], v[now], v[later], rows, kind)
    # Resampled pairs repeat, which biases each term upward once more; centring takes that out.
    low = raw.psi - bias + float(np.percentile(drawn - drawn.mean(), LEVEL))
    return PsiOfSeries(raw, bias, raw.psi - bias, low, low > 0)


def _psi(units: list[Array], v: Array, v_ahead: Array) -> float:
    """Ψ of encoded series."""
    return information(v, v_ahead) - sum(information(unit, v_ahead) for unit in units)


def _units(values: Array, kind: Kind) -> list[Array]:
    """Each unit's series, encoded."""
    series = columns(values)
    return [encoded(series[:, [j]], kind) for j in range(series.shape[1])]


def _resampled_psi(x: Floats, v: Floats, v_ahead: Floats, rows: Ints, kind: Kind) -> Floats:
    """Ψ (sample,) of the pairs in each of the samples (sample, pair)."""
    return np.array([_psi(_units(x[r], kind), encoded(v[r], kind), encoded(v_ahead[r], kind)) for r in rows])
