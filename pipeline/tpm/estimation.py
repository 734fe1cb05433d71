"""Unit TPM of a window: P(each unit ON next | joint state now), its posterior, and how far to trust it.

The TPM is observational: nothing was perturbed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.base.history import record
from pipeline.base.raster import encode, raster, runs_of, transition_frames
from pipeline.base.seeds import generator
from pipeline.tpm.copies import Copies, copies_of, variables
from pipeline.tpm.diagnostics import flags, held_out_bits, residual_correlation
from pipeline.tpm.latent import LEAST_DRAWS, SETTLED
from pipeline.tpm.parameters import COPY_DRAWS, LAG, QUICK
from pipeline.tpm.registry import (
    ESTIMATORS,
    Estimator,
    FittedRecording,
    Posterior,
    RasterEstimator,
    RecordingEstimator,
    own_parameters,
)
from pipeline.tpm.support import MAX_UNITS, largest_supported
from pipeline.tpm.transitions import count

if TYPE_CHECKING:
    from pipeline.tpm.sampled import SampledWindow

CONNECTION = "probability that unit_b acts on unit"


@dataclass(frozen=True)
class Window:
    """The raster of one window.

    Attributes:
        states: (frame, unit) of 0 and 1.
        runs: (frame,) run of consecutive frames.
        units: names.
        attrs: what is known of it (recording, window, condition, ...).
    """

    states: Array
    runs: Ints
    units: list[str]
    attrs: dict[str, Any]

    def transitions(self, lag: int) -> tuple[Ints, Ints]:
        """Return source and target frames of all transitions that stay within a run."""
        return transition_frames(self.runs, lag)


def estimate(
    states: Array | xr.DataArray | xr.Dataset,
    method: str = QUICK,
    lag: int = LAG,
    segments: Sequence[int] | Ints | None = None,
    draws: int = 0,
    seed: int = 0,
    copies: int = 0,
    **parameters: Any,
) -> xr.Dataset:
    """Estimate the unit TPM of one window.

    Args:
        states: (frame, unit) of 0 and 1; an array, or the states dataset (or its variable `states`) of one window,
            whose coords `segment` and `matched` are then heeded: frames that are not matched are left out.
        method: one of `pipeline.tpm.registry.ESTIMATORS`.
        lag: of a transition [frames].
        segments: (frame,) labels; a transition never joins frames of two segments.
        draws: posterior draws.
        seed: fixes the draws and copies.
        copies: simulated copies of the window (`pipeline.tpm.copies`).
        **parameters: the estimator's own, e.g. `prior`; by default its defaults.

    Returns:
        Dataset with dims state (2**n, little-endian), unit, draw: p_on, p_on_draws, visits, transitions, occupancy,
        residual_correlation, and of copies copy_p_on, copy_p_on_draws, copy_occupancy, copy_stationary (dims copy,
        copy_draw); attrs estimator, lag and the estimator's parameters, held_out_bits (log2-likelihood per transition
        and unit in contiguous blocks left out with a gap of one autocorrelation time), held_out_bits_rate (the same
        for constant rates) and flag (`pipeline.tpm.diagnostics.flags`).

    Raises:
        PhiscaleError: states that are not 0 and 1, several windows at once, more units than the data can carry
            (`largest_supported`), an unknown method, a parameter that is not the method's.

    >>> import numpy as np
    >>> leader = np.random.default_rng(0).integers(0, 2, 2001)
    >>> tpm = estimate(np.stack([leader[1:], leader[:-1]], axis=1), prior=0.5)  # unit 1 copies unit 0
    >>> tpm["p_on"].values[:, 1].round(2).tolist()
    [0.0, 1.0, 0.0, 1.0]
    """
    window = Window(*raster(states, segments))
    estimator, own = _checked(window, method, lag, parameters)
    if isinstance(estimator, RasterEstimator):
        rng, joined = generator(seed, "tpm"), joined_of(window.runs, lag, len(window.units))
        fitted = estimator.fit_raster(window.states, joined, lag, max(draws, LEAST_DRAWS), rng, **own)
        if copies:
            fitted.copy(copies, generator(seed, "copies"))
        return _sampled(window, fitted.posterior(""), estimator, lag, own, draws, seed)
    code, (source, target) = encode(window.states), window.transitions(lag)
    posterior = estimator.fit(count(code[source], window.states[target]), **own)
    dataset = _with_draws(window, posterior, estimator, lag, own, draws, seed)
    if copies:
        rng, occupancy = generator(seed, "copies"), dataset["occupancy"].values
        dataset = _with_copies(
            dataset,
            copies_of(
                posterior.draw(copies, rng),
                lambda counts: estimator.fit(counts, **own).draw(COPY_DRAWS, rng),
                window.runs,
                occupancy,
                lag,
                rng,
            ),
        )
    return dataset


def fit_recording(
    states: xr.Dataset,
    method: str = QUICK,
    lag: int = LAG,
    draws: int = 0,
    seed: int = 0,
    copies: int = 0,
    **parameters: Any,
) -> FittedRecording | None:
    """Fit all windows of a recording at once, where that is what the method does.

    Args:
        states: all windows of a recording (`pipeline.binarize.binarize_windows`).
        method: one of `pipeline.tpm.registry.ESTIMATORS`.
        lag: of a transition [frames].
        draws: posterior draws that `estimate_window` will be asked for.
        seed: fixes them.
        copies: simulated copies of the recording that `estimate_window` will be asked for.
        **parameters: the estimator's own.

    Returns:
        What `estimate_window` takes as `recording`; None for a method that takes windows one by one.

    Raises:
        PhiscaleError: states or parameters that the method cannot be used with.
    """
    estimator = ESTIMATORS.choose(method)
    if not isinstance(estimator, RecordingEstimator):
        return None
    if lag != 1:
        what = f"is {lag}, and hidden states follow each other bin by bin"
        raise PhiscaleError(Problem("tpm.lag", what, fix=f"use 1, or another tpm.method than {method!r}"))
    own = own_parameters(estimator, parameters)
    fitted = estimator.fit_recording(states, draws, generator(seed, "tpm"), **own)
    if copies:
        fitted.copy(copies, generator(seed, "copies"))
    return fitted


def _with_draws(
    window: Window, posterior: Posterior, estimator: Estimator, lag: int, own: dict[str, Any], draws: int, seed: int
) -> xr.Dataset:
    held_out = held_out_bits(window.states, window.runs, estimator, lag, own)
    dataset = described(window, posterior, estimator, lag, own, held_out)
    if draws:
        drawn = posterior.draw(draws, generator(seed, "tpm"))
        about = {"units": "1", "long_name": "posterior draws of P(unit ON next | state)"}
        dataset["p_on_draws"] = (("draw", "state", "unit"), drawn, about)
    return record(dataset, "tpm.estimate", method=estimator.name, lag=lag, **own, draws=draws, seed=seed)


def _with_copies(dataset: xr.Dataset, copies: Copies) -> xr.Dataset:
    return record(dataset.assign(variables(copies)), "tpm.copies", copies=len(copies.p_on))


def estimate_window(
    states: xr.Dataset,
    window: str,
    min_frames: int = 0,
    recording: FittedRecording | None = None,
    **parameters: Any,
) -> xr.Dataset:
    """Estimate the TPM of one window of a states dataset.

    Args:
        states: `states` (frame, unit) with the coord `window` along frame.
        window: which one.
        min_frames: fewer frames add the flag few_frames.
        recording: what `fit_recording` gave for these states and parameters.
        **parameters: as `estimate`'s.

    Returns:
        As `estimate`.

    Raises:
        PhiscaleError: also when the window has no frames.
    """
    inside = states["window"].values.astype(str) == window
    if not inside.any():
        known = ", ".join(sorted(set(states["window"].values.astype(str)))) or "none"
        raise PhiscaleError(
            Problem(
                f"recording {states.attrs.get('recording', '?')!r}, window {window}",
                "has no states: less than two of its bins hold half of their frames or more "
                f"(windows that have: {known})",
                "It has no TPM, and takes part in no contrast",
                "correct its times, or remove it from the sheet of windows; "
                "dropped or missing (NaN) frames do not count",
            )
        )
    part = states.isel(frame=np.flatnonzero(inside))
    if recording is not None and window in recording:
        tpm = _of_recording(part, recording.posterior(window), **parameters)
    else:
        tpm = estimate(part, **parameters)
    words = [w for w in tpm.attrs["flag"].split(";") if w]
    if tpm.attrs["n_frames"] < min_frames and "few_frames" not in words:
        words.insert(0, "few_frames")
    words += [w for w in str(states.attrs.get("units_flag", "")).split(";") if w]
    return tpm.assign_attrs(flag=";".join(words))


def _of_recording(
    states: xr.Dataset,
    posterior: SampledWindow,
    method: str = QUICK,
    lag: int = LAG,
    draws: int = 0,
    seed: int = 0,
    copies: int = 0,
    **parameters: Any,
) -> xr.Dataset:
    """The TPM of a window of a recording whose windows were fitted at once."""
    if copies and posterior.copies is None:
        raise ValueError(f"{copies} copies of a recording that was fitted without")
    window = Window(*raster(states, None))
    estimator, own = _checked(window, method, lag, parameters)
    return _sampled(window, posterior, estimator, lag, own, draws, seed)


def _sampled(
    window: Window, posterior: SampledWindow, estimator: Estimator, lag: int, own: dict[str, Any], draws: int, seed: int
) -> xr.Dataset:
    """The TPM of a window that was sampled; where its states were hidden, what is told of them is of the last path."""
    if posterior.hidden:
        window = replace(window, states=posterior.paths[-1])
    dataset = _with_draws(window, posterior, estimator, lag, own, draws, seed)
    if posterior.driven is not None:
        dataset = _with_drive(dataset, posterior, draws)
    if posterior.hidden:
        visits = np.rint(posterior.occupancy * len(window.states)).astype(np.int64)
        dataset["visits"] = dataset["visits"].copy(data=visits)
        dataset["occupancy"] = dataset["occupancy"].copy(data=posterior.occupancy)
        about = {"units": "1", "long_name": "draws of the hidden states, ON (1) or OFF"}
        dataset["paths"] = (("path", "frame", "unit"), posterior.paths.astype(np.uint8), about)
        dataset = dataset.assign_attrs(
            states_never_visited=int((visits == 0).sum()),
            least_visits=int(visits.min()),
        )
    if posterior.copies is not None:
        dataset = _with_copies(dataset, posterior.copies)
    words = [dataset.attrs["flag"]] if dataset.attrs["flag"] else []
    if posterior.r_hat > SETTLED:
        words.append(f"not_settled:{posterior.r_hat:.2f}")
    return dataset.assign_attrs(r_hat=posterior.r_hat, effective_draws=posterior.effective_draws, flag=";".join(words))


def _with_drive(dataset: xr.Dataset, posterior: SampledWindow, draws: int) -> xr.Dataset:
    """Tell of the drive, and what the TPM is where it is not held."""
    words = "P(unit ON next | state), observational"
    found: dict[str, tuple[Any, Any, str]] = {}
    if posterior.observed:
        found["p_on_observational"] = (("state", "unit"), posterior.p_on_observational, words)
        if draws:
            drawn = posterior.draw_observational(draws)
            found["p_on_observational_draws"] = (("draw", "state", "unit"), drawn, f"posterior draws of {words}")
    found["driven"] = ("unit", posterior.driven, "probability that the common drive acts on the unit")
    dataset = dataset.assign({name: (dims, values, _about(text)) for name, (dims, values, text) in found.items()})
    about = {"units": "logit", "long_name": "mean size of what the common drive adds to a unit's logit"}
    dataset["drive_amplitude"] = ("unit", posterior.amplitude, about)
    return dataset.assign_attrs(tpm_kind="drive-held")


def point_estimates(
    states: Array,
    method: str = QUICK,
    lag: int = LAG,
    segments: Sequence[int] | Array | None = None,
    **parameters: Any,
) -> Floats:
    """Estimate the TPMs of many rasters at once (surrogates), without checks and diagnostics.

    Args:
        states: (..., frame, unit) of 0 and 1.
        method: one of `pipeline.tpm.registry.ESTIMATORS`.
        lag: of a transition [frames].
        segments: (frame,) labels, or (..., frame, unit) where units have borders of their own (`pipeline.nulls`): a
            unit then learns from all its transitions that do not cross one.
        **parameters: the estimator's own.

    Returns:
        P(ON), (..., state, unit): the numbers that `estimate` gives one at a time.
    """
    estimator = ESTIMATORS.choose(method)
    own, states = own_parameters(estimator, parameters), np.asarray(states)
    borders = None if segments is None else np.asarray(segments)
    if isinstance(estimator, RasterEstimator):
        return _points(estimator, states, borders, lag, own)
    code = encode(states)
    if borders is not None and borders.ndim > 1:
        valid = borders[..., :-lag, :] == borders[..., lag:, :]
        counts = count(code[..., :-lag], states[..., lag:, :], valid)
    else:
        source, target = transition_frames(runs_of(borders, states.shape[-2]), lag)
        counts = count(code[..., source], states[..., target, :])
    return estimator.fit(counts, **own).p_on


def _points(estimator: RasterEstimator, states: Array, borders: Array | None, lag: int, own: dict[str, Any]) -> Floats:
    """Estimates of rasters (..., frame, unit), one after the other; chance is fixed by the rasters."""
    flat = states.reshape(-1, *states.shape[-2:])
    n_frames, n_units = flat.shape[1:]
    if borders is not None and borders.ndim > 1:
        own_borders = np.broadcast_to(borders, states.shape).reshape(flat.shape)
        joined = np.zeros(flat.shape, dtype=bool)
        joined[:, lag:] = own_borders[:, :-lag] == own_borders[:, lag:]
    else:
        one = joined_of(runs_of(borders, n_frames), lag, n_units)
        joined = np.repeat(one[None], len(flat), axis=0)  # not a view, which could only be read: a kernel of its own
    found = [
        estimator.fit_raster(s, j, lag, 0, np.random.default_rng(digest(s)), **own).posterior("").p_on
        for s, j in zip(flat, joined, strict=True)
    ]
    return np.stack(found).reshape(*states.shape[:-2], -1, n_units)


def joined_of(runs: Ints, lag: int, n_units: int) -> Bools:
    """Return (frame, unit) which transitions into each frame count: those from `lag` frames before in the same run."""
    joined = np.zeros((len(runs), n_units), dtype=bool)
    joined[transition_frames(runs, lag)[1]] = True
    return joined


def digest(array: Array) -> int:
    """Return a number that only the values of whole numbers decide."""
    text = np.ascontiguousarray(array, dtype=np.int64).tobytes()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "little")


def estimated_with(tpm: xr.Dataset) -> dict[str, Any]:
    """Return how a TPM was estimated (method, lag, the method's parameters), as keywords of `point_estimates`."""
    method = str(tpm.attrs["estimator"])
    fields = ESTIMATORS.choose(method).Parameters.model_fields
    own = {n: bool(tpm.attrs[n]) if field.annotation is bool else tpm.attrs[n] for n, field in fields.items()}
    return {"method": method, "lag": int(tpm.attrs["lag"]), **own}


def described(
    window: Window,
    posterior: Posterior,
    estimator: Estimator,
    lag: int,
    parameters: Mapping[str, Any],
    held_out: tuple[float, float],
) -> xr.Dataset:
    """Return a TPM with all that goes with it but its draws, whatever it was fitted to.

    Args:
        window: the raster that it stands for.
        posterior: its fit, without leading axes.
        estimator: what fitted it.
        lag: of a transition [frames].
        parameters: the estimator's own.
        held_out: log2-likelihoods of `held_out_bits`.
    """
    code, (source, target), n = encode(window.states), window.transitions(lag), len(window.units)
    counts = count(code[source], window.states[target])
    visits = np.bincount(code, minlength=2**n)
    residual = residual_correlation(window.states[target], posterior.p_on[code[source]])
    attrs = dict(window.attrs)
    if "method" in attrs:
        attrs["binarize_method"] = attrs.pop("method")
    said = (
        {}
        if posterior.connection is None
        else {"connection": (("unit", "unit_b"), posterior.connection, _about(CONNECTION))}
    )
    return xr.Dataset(
        {
            "p_on": (("state", "unit"), posterior.p_on, _about("P(unit ON next | state)")),
            "visits": ("state", visits, _about("frames in this state")),
            "transitions": ("state", counts.transitions, _about("transitions that leave this state")),
            "occupancy": ("state", visits / visits.sum(), _about("share of frames in this state")),
            "residual_correlation": (
                ("unit", "unit_b"),
                residual,
                _about("instantaneous correlation left given the past"),
            ),
            **said,
        },
        coords={
            "state": ("state", np.arange(2**n), _about("joint state, bit i = unit i")),
            "unit": ("unit", window.units, _about("unit")),
            "unit_b": ("unit_b", window.units, _about("unit")),
        },
        attrs=attrs,
    ).assign_attrs(
        estimator=estimator.name,
        lag=lag,
        **{name: int(value) if isinstance(value, bool) else value for name, value in parameters.items()},
        tpm_kind="observational",
        route="micro",
        scale=n,
        n_frames=len(window.states),
        n_transitions=len(source),
        states_never_visited=int((visits == 0).sum()),
        least_visits=int(visits.min()),
        held_out_bits=held_out[0],
        held_out_bits_rate=held_out[1],
        flag=";".join(flags(counts, visits, residual, window.units, estimator)),
    )


def _about(long_name: str) -> dict[str, str]:
    return {"units": "1", "long_name": long_name}


def _checked(window: Window, method: str, lag: int, parameters: Mapping[str, Any]) -> tuple[Estimator, dict[str, Any]]:
    """The estimator and its parameters, or a `PhiscaleError` with everything that keeps a TPM from being estimated."""
    where = " / ".join(str(window.attrs[k]) for k in ("recording", "window") if window.attrs.get(k)) or "states"
    problems = Problems()
    own: dict[str, Any] = {}
    try:
        own = own_parameters(ESTIMATORS.choose(method), parameters)
    except PhiscaleError as error:
        problems.found.extend(p for p in error.problems if isinstance(p, Problem))
    if lag < 1:
        problems.add("tpm.lag", f"is {lag}", fix="use 1 or more bins")
    _check_states(window, where, problems)
    problems.raise_if_any()
    _check_support(len(window.transitions(lag)[0]), len(window.units), method, lag, where)
    return ESTIMATORS[method], own


def _check_states(window: Window, where: str, problems: Problems) -> None:
    states = window.states
    if states.ndim != 2 or 0 in states.shape:
        problems.add(
            where,
            f"states of shape {states.shape} instead of (frame, unit)",
            "There is nothing to estimate from",
            "give a window that has frames and units",
        )
    elif not np.isin(states, (0, 1)).all():
        frame, unit = np.argwhere(~np.isin(states, (0, 1)))[0]
        problems.add(
            where,
            f"unit {window.units[unit]} is {states[frame, unit]} at frame {frame}",
            "A TPM needs units that are 0 (OFF) or 1 (ON)",
            "binarise the activity first",
        )


def _check_support(n: int, n_units: int, method: str, lag: int, where: str) -> None:
    """Refuse more units than `n` transitions can carry."""
    can = largest_supported(n, method)
    if n_units <= can:
        return
    carried = f"at most {can} with the method '{method}'" if can else "not even one unit"
    limit = f"the {n} transitions (within segments, lag {lag}) carry {carried}"
    raise PhiscaleError(
        Problem(
            where,
            f"{n_units} units, but {limit if n_units <= MAX_UNITS else f'at most {MAX_UNITS} are supported'}",
            "Most of the TPM, and any phi computed from it, would be chance",
            f"set ensembles.iit to {can} or less, or use longer windows"
            if can
            else "use longer windows or shorter bins",
        )
    )
