"""Unit TPM of a window: P(each unit ON next | joint state now), its posterior, and how far to trust it.

The TPM is observational: nothing was perturbed.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.base.history import record
from pipeline.base.raster import autocorrelation_time, encode, raster, runs_of, transition_frames
from pipeline.base.seeds import generator
from pipeline.tpm.estimators import METHODS, fit
from pipeline.tpm.transitions import Counts, count

MAX_UNITS = 10
FOLDS = 5
# Refused below the first figure, flagged below the second: transitions per parameter (logistic) or
# per source state (beta). At the first the EI of independent fair coins is still overestimated by
# about 0.03 bits per unit (logistic) or 0.08 (beta) at six units.
SUPPORT = {"logistic": (20, 40), "logistic_pairwise": (20, 40), "beta": (10, 50)}


def estimate(
    states: np.ndarray | xr.DataArray | xr.Dataset,
    method: str = "logistic",
    lag: int = 1,
    segments: Sequence[int] | np.ndarray | None = None,
    prior: float = 1.0,
    draws: int = 0,
    seed: int = 0,
) -> xr.Dataset:
    """Estimate the unit TPM of one window.

    states: (frame, unit) of 0 and 1; an array, or the states dataset (or its variable `states`) of one
    window, whose coords `segment` and `matched` are then heeded: frames that are not matched are left out.
    segments: (frame,) labels; a transition never joins frames of two segments. method, prior: see
    `tpm.estimators`. draws: posterior draws. Returns dims state (2**n, little-endian), unit, draw:
    p_on, p_on_draws, visits, transitions, occupancy, residual_correlation; attrs held_out_bits
    (log2-likelihood per transition and unit in contiguous blocks left out with a gap of one
    autocorrelation time), held_out_bits_rate (the same for constant rates) and flag. Raises
    `PhiscaleError` for states that are not 0 and 1, several windows at once, and more units than the
    data can carry (`largest_supported`).
    """
    array, runs, labels, attrs = raster(states, segments)
    _check(array, runs, labels, method, lag, attrs)
    code = encode(array)
    source, target = transition_frames(runs, lag)
    counts = count(code[source], array[target])
    posterior = fit(counts, method, prior)
    visits = np.bincount(code, minlength=2 ** len(labels))
    residual = residual_correlation(array[target], posterior.p_on[code[source]])
    held_out, held_out_rate = held_out_bits(array, runs, method, lag, prior)
    variables = {
        "p_on": (("state", "unit"), posterior.p_on, "1", "P(unit ON next | state)"),
        "visits": ("state", visits, "1", "frames in this state"),
        "transitions": ("state", counts.transitions, "1", "transitions that leave this state"),
        "occupancy": ("state", visits / visits.sum(), "1", "share of frames in this state"),
        "residual_correlation": (
            ("unit", "unit_b"), residual, "1", "instantaneous correlation left given the past",
        ),
    }  # fmt: skip
    if draws:
        drawn = posterior.draw(draws, generator(seed, "tpm"))
        variables["p_on_draws"] = (
            ("draw", "state", "unit"), drawn, "1", "posterior draws of P(unit ON next | state)",
        )  # fmt: skip
    if "method" in attrs:
        attrs["binarize_method"] = attrs.pop("method")
    dataset = xr.Dataset(
        {k: (d, v, {"units": u, "long_name": n}) for k, (d, v, u, n) in variables.items()},
        coords={
            "state": ("state", np.arange(2 ** len(labels)), _about("joint state, bit i = unit i")),
            "unit": ("unit", labels, _about("unit")),
            "unit_b": ("unit_b", labels, _about("unit")),
        },
        attrs=attrs,
    ).assign_attrs(
        estimator=method,
        lag=lag,
        prior=float(prior),
        tpm_kind="observational",
        route="micro",
        scale=len(labels),
        n_frames=len(array),
        n_transitions=len(source),
        states_never_visited=int((visits == 0).sum()),
        least_visits=int(visits.min()),
        held_out_bits=held_out,
        held_out_bits_rate=held_out_rate,
        flag=";".join(flags(counts, visits, residual, labels, method)),
    )
    return record(dataset, "tpm.estimate", method=method, lag=lag, prior=prior, draws=draws, seed=seed)


def estimate_window(states: xr.Dataset, window: str, min_frames: int = 0, **parameters: Any) -> xr.Dataset:
    """Estimate the TPM of one window of a states dataset; `parameters` as `estimate`'s.

    Fewer than `min_frames` frames add the flag few_frames. Raises `PhiscaleError` also when the window
    has no frames.
    """
    inside = states["window"].values.astype(str) == window
    if not inside.any():
        known = ", ".join(sorted(set(states["window"].values.astype(str)))) or "none"
        raise PhiscaleError(
            Problem(f"recording {states.attrs.get('recording', '?')!r}, window {window}",
                    "has no states: less than two of its bins hold half of their frames or more "
                    f"(windows that have: {known})",
                    "It has no TPM, and takes part in no contrast",
                    "correct its times, or remove it from the sheet of windows; dropped or missing (NaN) "
                    "frames do not count")
        )  # fmt: skip
    tpm = estimate(states.isel(frame=np.flatnonzero(inside)), **parameters)
    words = [w for w in tpm.attrs["flag"].split(";") if w]
    if tpm.attrs["n_frames"] < min_frames and "few_frames" not in words:
        words.insert(0, "few_frames")
    return tpm.assign_attrs(flag=";".join(words))


def point_estimates(
    states: np.ndarray,
    method: str = "logistic",
    lag: int = 1,
    segments: Sequence[int] | np.ndarray | None = None,
    prior: float = 1.0,
) -> np.ndarray:
    """P(ON), (..., state, unit), of many rasters (..., frame, unit) at once: surrogates.

    The same numbers as `estimate` gives one at a time, without its checks and diagnostics. segments:
    (frame,) labels, or (..., frame, unit) where units have borders of their own (`nulls.surrogates`): a
    unit then learns from all its transitions that do not cross one.
    """
    states, code = np.asarray(states), encode(states)
    if np.ndim(segments) > 1:
        within = np.asarray(segments)
        valid = within[..., :-lag, :] == within[..., lag:, :]
        counts = count(code[..., :-lag], states[..., lag:, :], valid)
    else:
        source, target = transition_frames(runs_of(segments, states.shape[-2]), lag)
        counts = count(code[..., source], states[..., target, :])
    return fit(counts, method, prior).p_on


def largest_supported(n_frames: int, method: str = "logistic") -> int:
    """Return the largest number of units whose TPM `n_frames` transitions can carry (0: not even one).

    Rule: at least 20 transitions per parameter of a unit's logistic model (1 + n; with pairwise terms
    1 + n + n(n-1)/2), or 10 per joint state (2**n) for `beta`; never more than 10 units.
    """
    fitting = [n for n in range(1, MAX_UNITS + 1) if n_frames >= needed(n, method)]
    return max(fitting, default=0)


def needed(n_units: int, method: str, level: int = 0) -> int:
    """Transitions that `n_units` need: level 0 not to be refused, level 1 not to be flagged."""
    parameters = 2**n_units if method == "beta" else design_size(n_units, method == "logistic_pairwise")
    return SUPPORT[method][level] * parameters


def design_size(n_units: int, pairwise: bool) -> int:
    """Parameters of one unit's logistic model."""
    return 1 + n_units + (n_units * (n_units - 1) // 2 if pairwise else 0)


def residual_correlation(after: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Correlation (unit, unit) of what the past leaves unexplained; NaN for a unit that never changes.

    after: states (transition, unit) of 0 and 1; expected: P(ON) given the state before.
    """
    z = after - expected
    z = z - z.mean(axis=0)
    z = z / np.where(np.ptp(after, axis=0) > 0, z.std(axis=0), np.nan)
    return z.T @ z / len(z)


def held_out_bits(states: np.ndarray, runs: np.ndarray, method: str, lag: int, prior: float) -> tuple[float, float]:
    """Held-out log2-likelihood per transition and unit, of the method and of constant rates.

    Five contiguous blocks, each predicted from the transitions that lie further from it than the
    longest autocorrelation time (at most a tenth of the window) plus the lag.
    """
    source, target = transition_frames(runs, lag)
    gap = lag + min(int(np.ceil(autocorrelation_time(states, runs).max())), len(states) // 10)
    code, after = encode(states)[source], states[target]
    blocks = np.array_split(np.arange(len(source)), FOLDS)
    away = [(source < source[b[0]] - gap) | (source > source[b[-1]] + gap) for b in blocks]
    training = [count(code[far], after[far]) for far in away]
    counts = Counts(np.stack([c.transitions for c in training]), np.stack([c.on for c in training]))
    p_on = fit(counts, method, prior).p_on
    rate = (counts.on.sum(1) + 0.5) / (counts.transitions.sum(1)[:, None] + 1.0)
    fold = np.repeat(np.arange(FOLDS), [len(b) for b in blocks])
    return _bits(p_on[fold, code], after), _bits(rate[fold], after)


def flags(counts: Counts, visits: np.ndarray, residual: np.ndarray, labels: Sequence[str], method: str) -> list[str]:
    """Words of warning that go with the TPM into every table.

    few_frames; unvisited_states:N; constant_unit:NAME; instantaneous_correlation:A-B for the most
    correlated pair, when its residual correlation exceeds 0.1 and the Bonferroni threshold at 1%.
    """
    n, n_units = counts.transitions.sum(), len(labels)
    words = ["few_frames"] if n < needed(n_units, method, level=1) else []
    if unvisited := int((visits == 0).sum()):
        words.append(f"unvisited_states:{unvisited}")
    on = counts.on.sum(axis=0)
    words += [f"constant_unit:{labels[u]}" for u in np.flatnonzero((on == 0) | (on == n))]
    pairs = np.abs(np.nan_to_num(np.triu(residual, 1)))
    a, b = np.unravel_index(pairs.argmax(), pairs.shape)
    tests = max(1, n_units * (n_units - 1) // 2)
    # under conditional independence sqrt(n) r is standard normal: the residuals are unpredictable
    if pairs[a, b] > max(0.1, NormalDist().inv_cdf(1 - 0.005 / tests) / np.sqrt(n)):
        words.append(f"instantaneous_correlation:{labels[a]}-{labels[b]}")
    return words


def _bits(p_on: np.ndarray, after: np.ndarray) -> float:
    return float(np.log2(np.where(after == 1, p_on, 1 - p_on)).mean())


def _about(long_name: str) -> dict[str, str]:
    return {"units": "1", "long_name": long_name}


def _check(array: np.ndarray, runs: np.ndarray, labels: list[str], method: str, lag: int, attrs: dict) -> None:
    """Raise `PhiscaleError` with everything that keeps a TPM from being estimated."""
    where = " / ".join(str(attrs[k]) for k in ("recording", "window") if attrs.get(k)) or "states"
    problems = Problems()
    if method not in METHODS:
        problems.add("tpm.method", f"'{method}' is not one of {', '.join(METHODS)}", fix="choose one")
    if lag < 1:
        problems.add("tpm.lag", f"is {lag}", fix="use 1 or more bins")
    if array.ndim != 2 or 0 in array.shape:
        problems.add(where, f"states of shape {array.shape} instead of (frame, unit)",
                     "There is nothing to estimate from", "give a window that has frames and units")  # fmt: skip
    elif not np.isin(array, (0, 1)).all():
        frame, unit = np.argwhere(~np.isin(array, (0, 1)))[0]
        problems.add(where, f"unit {labels[unit]} is {array[frame, unit]} at frame {frame}",
                     "A TPM needs units that are 0 (OFF) or 1 (ON)", "binarise the activity first")  # fmt: skip
    problems.raise_if_any()
    n, n_units = len(transition_frames(runs, lag)[0]), len(labels)
    can = largest_supported(n, method)
    if n_units > can:
        limit = (
            f"the {n} transitions (within segments, lag {lag}) carry "
            + (f"at most {can} with the method '{method}'" if can else "not even one unit")
            if n_units <= MAX_UNITS
            else f"at most {MAX_UNITS} are supported"
        )
        raise PhiscaleError(
            Problem(where, f"{n_units} units, but {limit}",
                    "Most of the TPM, and any phi computed from it, would be chance",
                    f"set ensembles.iit to {can} or less, or use longer windows" if can
                    else "use longer windows or shorter bins")
        )  # fmt: skip
