"""Rasters of ON and OFF: joint states and their bits, runs of consecutive frames, autocorrelation time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem


def encode(states: np.ndarray) -> np.ndarray:
    """Joint state (..., frame) of a raster (..., frame, unit), little-endian: bit i = unit i."""
    return np.asarray(states, dtype=np.int64) @ (1 << np.arange(np.shape(states)[-1]))


def bits(states: np.ndarray, n: int) -> np.ndarray:
    """Values of the units (state, n) in joint states (state,)."""
    return np.asarray(states, dtype=int)[:, None] >> np.arange(n) & 1


def states_of(n: int) -> np.ndarray:
    """All states (2**n, n), little-endian: bit i of the row index is unit i."""
    return bits(np.arange(2**n), n)


def runs_of(segments: Sequence[int] | np.ndarray | None, n_frames: int, keep: np.ndarray | None = None) -> np.ndarray:
    """Number the runs of consecutive frames, (frame,): a new one where the segment changes or frames are left out."""
    labels = np.zeros(n_frames, dtype=int) if segments is None else np.asarray(segments)
    keep = np.ones(n_frames, dtype=bool) if keep is None else keep
    border = (labels[1:] != labels[:-1]) | (keep[1:] != keep[:-1])
    return np.concatenate([np.zeros(min(1, n_frames), dtype=int), np.cumsum(border)])[keep]


def transition_frames(runs: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Source and target frames of all transitions that stay within a run."""
    source = np.flatnonzero(runs[:-lag] == runs[lag:])
    return source, source + lag


def autocorrelation_time(states: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Integrated autocorrelation time (unit,) [frames]: 1 + 2 Σ ρ(lag) up to the first ρ <= 0, within runs.

    States or traces (frame, unit); 1 for a unit that never varies.
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


def raster(
    states: np.ndarray | xr.DataArray | xr.Dataset, segments: Any
) -> tuple[np.ndarray, np.ndarray, list[str], dict[str, Any]]:
    """Read states or traces in whatever form: values (frame, unit), runs (frame,), unit names, attrs.

    Of a dataset (its variable `states`) or DataArray, the coords `segment` and `matched` are heeded:
    frames that are not matched are left out, and end a run. Raises `PhiscaleError` when it holds
    several windows, or when `segments` (frame,) is not one label per frame.
    """
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
            found = sorted(set(variable[name].values.astype(str)))
            if len(found) > 1:
                raise PhiscaleError(
                    Problem("states", f"hold {len(found)} {name}s ({', '.join(found)})",
                            "One TPM over several would describe none of them",
                            f"select one {name} before estimating its TPM")
                )  # fmt: skip
            attrs[name] = str(found[0])  # NetCDF takes no numpy strings
    if segments is None and "segment" in variable.coords:
        segments = variable["segment"].values
    keep = variable["matched"].values.astype(bool) if "matched" in variable.coords else None
    _one_each(segments, variable.sizes["frame"])
    runs = runs_of(segments, variable.sizes["frame"], keep)
    array = variable.values if keep is None else variable.values[keep]
    labels = [str(u) for u in variable["unit"].values]
    return array, runs, labels, attrs


def _one_each(segments: Any, n_frames: int) -> None:
    if segments is not None and np.shape(segments) != (n_frames,):
        raise PhiscaleError(
            Problem("segments", f"have shape {np.shape(segments)} for {n_frames} frames",
                    "Transitions across borders could not be left out", "give one label per frame")
        )  # fmt: skip
