"""Rasters of ON and OFF: joint states and their bits, runs of consecutive frames, autocorrelation time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem

if TYPE_CHECKING:
    import xarray as xr


def encode(states: ArrayLike) -> Ints:
    """Return the joint state (..., frame) of a raster (..., frame, unit), little-endian: bit i is unit i.

    >>> encode([[0, 1, 1]])
    array([6])
    """
    return np.asarray(np.asarray(states, dtype=np.int64) @ (1 << np.arange(np.shape(states)[-1])))


def bits(states: ArrayLike, n: int) -> Ints:
    """Return the values (state, n) of `n` units in joint states (state,): the inverse of `encode`.

    Args:
        states: (state,) joint states, little-endian: bit i is unit i.
        n: number of units.
    """
    return np.asarray(np.asarray(states, dtype=np.int64)[:, None] >> np.arange(n) & 1)


def states_of(n: int) -> Ints:
    """Return all states (2**n, n) of `n` units, little-endian: bit i of the row index is unit i."""
    return bits(np.arange(2**n), n)


def runs_of(segments: ArrayLike | None, n_frames: int, keep: Bools | None = None) -> Ints:
    """Number the runs of consecutive frames.

    Args:
        segments: (frame,) labels; a run ends where they change. None: one segment.
        n_frames: number of frames.
        keep: (frame,) frames that count; a run ends where some are left out.

    Returns:
        (kept frame,) number of the run.
    """
    labels = np.zeros(n_frames, dtype=int) if segments is None else np.asarray(segments)
    keep = np.ones(n_frames, dtype=bool) if keep is None else keep
    border = (labels[1:] != labels[:-1]) | (keep[1:] != keep[:-1])
    return np.concatenate([np.zeros(min(1, n_frames), dtype=int), np.cumsum(border)])[keep]


def transition_frames(runs: Ints, lag: int) -> tuple[Ints, Ints]:
    """Return the source and target frames of all transitions that stay within a run.

    Args:
        runs: (frame,) numbers of the runs, as from `runs_of`.
        lag: frames between source and target.
    """
    source = np.flatnonzero(runs[:-lag] == runs[lag:])
    return source, source + lag


def autocorrelation_time(states: Array, runs: Ints) -> Floats:
    """Return the integrated autocorrelation time of each unit: 1 + 2 Σ ρ(lag) up to the first ρ <= 0, within runs.

    Args:
        states: (frame, unit) states or traces.
        runs: (frame,) numbers of the runs.

    Returns:
        (unit,) in frames; 1 for a unit that never varies.
    """
    z = np.asarray(states, dtype=float)
    spread = z.std(axis=0)
    z = (z - z.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    time, open_ = np.ones(z.shape[1]), spread > 0
    for lag in range(1, max(2, len(z) // 4)):
        pairs = runs[:-lag] == runs[lag:]
        if not pairs.any() or not open_.any():
            break
        rho = (z[:-lag][pairs] * z[lag:][pairs]).mean(axis=0)
        open_ &= rho > 0
        time += 2 * np.where(open_, rho, 0.0)
    return time


def raster(states: Array | xr.DataArray | xr.Dataset, segments: Any) -> tuple[Array, Ints, list[str], dict[str, Any]]:
    """Read states or traces in whatever form.

    Args:
        states: (frame, unit). Of a dataset (its variable `states`) or DataArray, the coords `segment` and `matched`
            are heeded: frames that are not matched are left out, and end a run.
        segments: (frame,) labels, across whose borders nothing is counted; None takes those of the coords.

    Returns:
        Values (frame, unit), runs (frame,), names of the units, and attrs.

    Raises:
        PhiscaleError: it holds several windows, or `segments` is not one label per frame.
    """
    import xarray as xr

    if not isinstance(states, xr.DataArray | xr.Dataset):
        array = np.asarray(states)
        _one_each(segments, len(array))
        labels = [f"u{i}" for i in range(array.shape[-1])] if array.ndim == 2 else []
        return array, runs_of(segments, len(array)), labels, {"recording": "", "window": ""}
    attrs = {k: v for k, v in states.attrs.items() if k not in ("units", "long_name")}
    variable = states["states"] if isinstance(states, xr.Dataset) else states
    variable = variable.transpose("frame", "unit")
    for name in ("window", "condition"):
        if name in variable.coords and variable.sizes["frame"]:
            attrs[name] = _the_only(name, variable[name].values)
    if segments is None and "segment" in variable.coords:
        segments = variable["segment"].values
    keep = variable["matched"].values.astype(bool) if "matched" in variable.coords else None
    _one_each(segments, variable.sizes["frame"])
    runs = runs_of(segments, variable.sizes["frame"], keep)
    array = variable.values if keep is None else variable.values[keep]
    labels = [str(u) for u in variable["unit"].values]
    return array, runs, labels, attrs


def _the_only(name: str, values: Array) -> str:
    """Return the one value (as plain text: NetCDF takes no numpy strings) that all frames have."""
    found = sorted(set(values.astype(str)))
    if len(found) > 1:
        what = f"hold {len(found)} {name}s ({', '.join(found)})"
        fix = f"select one {name} before estimating its TPM"
        raise PhiscaleError(Problem("states", what, "One TPM over several would describe none of them", fix))
    return str(found[0])


def _one_each(segments: Any, n_frames: int) -> None:
    if segments is not None and np.shape(segments) != (n_frames,):
        what = f"have shape {np.shape(segments)} for {n_frames} frames"
        consequence = "Transitions across borders could not be left out"
        raise PhiscaleError(Problem("segments", what, consequence, "give one label per frame"))
