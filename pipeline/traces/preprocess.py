"""From fluorescence to ΔF/F: neuropil, running baseline, detrending, common frame rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import xarray as xr

from pipeline.base import files, history
from pipeline.base.arrays import Bools, Floats
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.parameters import filled
from pipeline.base.recording import PLACES, runs
from pipeline.traces.parameters import Preprocess

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    Weights: TypeAlias = csr_matrix[Any]

DEFAULT = Preprocess()

NODES_PER_WINDOW = 10  # the baseline varies slowly: exact here, linear in between
FLOOR = 0.1  # least denominator of ΔF/F, as a share of the neuron's median fluorescence
BLOCK = 64  # neurons that are worked on at once
MOSTLY = 0.5  # of the frames, in which a neuron that lacks a baseline has none
LABELS = {
    "dff": {"units": "dF/F", "long_name": "ΔF/F"},
    "f0": {"units": "a.u.", "long_name": "baseline fluorescence F0"},
}
LOBES = 3  # half width of the resampling kernel, in periods of the lower rate


def preprocess(
    recording: xr.Dataset,
    *,
    kind: str = DEFAULT.kind,
    neuropil_factor: float = DEFAULT.neuropil_factor,
    baseline_percentile: float = DEFAULT.baseline_percentile,
    baseline_window_s: float = DEFAULT.baseline_window_s,
    detrend: str = DEFAULT.detrend,
    highpass_s: float = DEFAULT.highpass_s,
    resample_hz: float | None = DEFAULT.resample_hz,
) -> xr.Dataset:
    """Return ΔF/F of every neuron.

    Fluorescence F is corrected for neuropil, F - factor * Fneu, where the recording has it; F0 is
    its running percentile; ΔF/F = (F - F0) / F0. Where F0 falls below a tenth of the median
    fluorescence of the neuron before correction (dim cells, too much neuropil), that floor divides
    instead, so that noise is not blown up; the history counts these values. Neurons for
    which that is so in most frames have no ΔF/F: they are left out and named in the history; half
    of the neurons being so is an error. With kind "dff" none of this is done. Dropped frames are NaN
    in the result and count for nothing.

    Args:
        recording: a Recording (see `recording.build`).
        kind: "fluorescence", or "dff" when the recording holds ΔF/F already.
        neuropil_factor: share of the neuropil subtracted.
        baseline_percentile: percentile taken as F0 [%].
        baseline_window_s: length of its centred window, cut off at both ends [s].
        detrend: "none", "linear" (the least-squares slope of each neuron is taken out, its mean
            stays) or "highpass" (the running median is taken out).
        highpass_s: window of that median [s].
        resample_hz: common frame rate [Hz]; None keeps the frames. See `resample`.

    Returns:
        Dataset (time, neuron) `dff` float32, `f0` float32 (kind "fluorescence"), `dropped`.

    Raises:
        PhiscaleError: fluorescence that cannot be divided by its baseline.
    """
    how = _How(kind, neuropil_factor, baseline_percentile, baseline_window_s, detrend, highpass_s, resample_hz)
    layers: dict[str, Floats] = {}

    def put(name: str, first: int, values: Floats, attrs: Mapping[str, str]) -> None:
        if name not in layers:
            layers[name] = np.empty((len(values), recording.sizes["neuron"]), np.float32)
        layers[name][:, first : first + values.shape[1]] = values

    made = _by_blocks(recording, how, put)
    dark = _dark(recording, made.low)
    return _finished(recording, how, made).assign(
        {
            name: (("time", "neuron"), values[:, ~dark] if dark.any() else values, LABELS[name])
            for name, values in layers.items()
        }
    )


def preprocess_into(path: str | Path, recording: xr.Dataset, **parameters: Any) -> None:
    """Write what `preprocess` returns, some neurons at a time: memory does not grow with their number.

    Args:
        path: of the file (NetCDF).
        recording: a Recording, whose values may still lie in a file (`files.opened`).
        **parameters: those of `preprocess`.

    Raises:
        PhiscaleError: fluorescence that cannot be divided by its baseline.
    """
    how = _How.by(filled(Preprocess, parameters, "preprocess"))

    def write(partial: Path) -> None:
        whole = _written(partial, recording, how)
        dark = _dark(recording, whole.low)
        if dark.any():
            partial.unlink()
            _written(partial, recording.isel(neuron=~dark), how)
        files.add(_finished(recording, how, whole), partial)

    files.write_whole(path, write)


def _written(path: Path, recording: xr.Dataset, how: _How) -> _Made:
    with files.Layers(path, recording.sizes["neuron"]) as layers:
        return _by_blocks(recording, how, layers.put)


@dataclass(frozen=True)
class _How:
    """The parameters of `preprocess`, by name."""

    kind: str
    neuropil_factor: float
    percentile: float
    window_s: float
    detrend: str
    highpass_s: float
    resample_hz: float | None

    @classmethod
    def by(cls, p: Preprocess) -> _How:
        """Return those of a section of a study."""
        window = p.baseline_percentile, p.baseline_window_s
        return cls(p.kind, p.neuropil_factor, *window, p.detrend, p.highpass_s, p.resample_hz)


@dataclass(frozen=True)
class _Made:
    """What is known when all neurons are done.

    Attributes:
        time: (frame,) [s].
        low: (neuron,) share of frames in which it lacks a baseline.
        lost: (frame,) whether no neuron has a value.
    """

    time: Floats
    low: Floats
    lost: Bools


def _by_blocks(recording: xr.Dataset, how: _How, put: Callable[[str, int, Floats, Mapping[str, str]], None]) -> _Made:
    """Hand the layers over some neurons at a time: what is worked with is in double precision, and several times that.

    Args:
        recording: the Recording.
        how: the parameters.
        put: takes the name of a layer, the first of its neurons, their values (time, neuron) and attributes.
    """
    n = recording.sizes["neuron"]
    low, time, lost = np.zeros(n), recording["time"].values, np.ones(1, bool)
    for first in range(0, n, BLOCK):
        block = slice(first, min(first + BLOCK, n))
        time, found, low[block] = _of_block(recording.isel(neuron=block), how)
        for name, values in found.items():
            put(name, first, values, LABELS[name])
        usable = np.asarray(found["dff"], np.float32)[:, low[block] <= MOSTLY]
        lost = lost & np.isnan(usable).all(axis=1)
    return _Made(time, low, lost)


def _of_block(recording: xr.Dataset, how: _How) -> tuple[Floats, dict[str, Floats], Floats]:
    """Do what `preprocess` says, for some neurons."""
    time, low = recording["time"].values, np.zeros(recording.sizes["neuron"])
    if how.kind == "fluorescence":
        layers, lacking = _delta_f(recording, how.neuropil_factor, how.percentile, how.window_s)
        low = lacking.mean(axis=0)
    else:
        layers = {"dff": _values(recording, "fluorescence")}
    if how.detrend == "linear":
        layers["dff"] = _without_slope(time, layers["dff"])
    elif how.detrend == "highpass":
        layers["dff"] = layers["dff"] - running_percentile(time, layers["dff"], 50.0, how.highpass_s)
    if how.resample_hz is not None:
        rate = float(recording.attrs["sampling_rate_hz"])
        time, layers = resample(time, layers, rate, how.resample_hz)
    return time, layers, low


def _delta_f(
    recording: xr.Dataset, neuropil_factor: float, percentile: float, window_s: float
) -> tuple[dict[str, Floats], Bools]:
    """Return ΔF/F and F0 (time, neuron), and where the floor had to divide."""
    values = raw = _values(recording, "fluorescence")
    if "neuropil" in recording:
        values = raw - neuropil_factor * recording["neuropil"].values
    baseline = running_percentile(recording["time"].values, values, percentile, window_s)
    floor = FLOOR * _percentile(raw, 50.0)
    low = ~((baseline >= floor) & (floor > 0))
    dff = (values - baseline) / np.where(low, np.where(floor > 0, floor, np.nan), baseline)
    return {"dff": dff, "f0": baseline}, low


def _dark(recording: xr.Dataset, low: Floats) -> Bools:
    """Return which neurons mostly lack a baseline to divide by (`low`: share of frames)."""
    dark: Bools = low > MOSTLY
    names = [str(name) for name in recording["neuron"].values[dark]]
    if names and len(names) >= len(dark) / 2:
        raise PhiscaleError(
            Problem(
                f"recording {recording.attrs['recording']!r}",
                f"{len(names)} of {len(dark)} neurons ({', '.join(names[:10])}) have a baseline "
                "that is negative or close to zero",
                "ΔF/F cannot be formed: it divides by the baseline",
                "set preprocess.kind to dff if these are ΔF/F or z-scores already, lower "
                "preprocess.neuropil_factor, or add the camera's offset to the fluorescence",
            )
        )
    return dark


def _values(recording: xr.Dataset, name: str) -> Floats:
    """Return (time, neuron) values, NaN in dropped frames."""
    return np.where(recording["dropped"].values[:, None], np.nan, recording[name].values)


def running_percentile(time: Floats, values: Floats, percentile: float, window_s: float) -> Floats:
    """Return the percentile over a window centred on each frame.

    It is exact at ten nodes per window and linear between them. Windows are in time, so gaps count
    as time without values; at both ends they are cut off, and NaN are left out of them.

    Args:
        time: (time,) start of each frame [s].
        values: (time, neuron).
        percentile: that is wanted [%].
        window_s: length of the window [s].

    Returns:
        (time, neuron) percentiles; NaN for a neuron without values.
    """
    span = max(float(time[-1] - time[0]), np.finfo(float).tiny)
    count = max(2, int(np.ceil(span / window_s * NODES_PER_WINDOW)) + 1)
    nodes = np.linspace(time[0], time[-1], count)
    first = np.searchsorted(time, nodes - window_s / 2, side="left")
    last = np.searchsorted(time, nodes + window_s / 2, side="right")
    at_nodes = np.stack([_percentile(values[a:b], percentile) for a, b in zip(first, last, strict=True)])
    result = np.full(values.shape, np.nan)
    for i in range(values.shape[1]):
        known = np.isfinite(at_nodes[:, i])
        if known.any():
            result[:, i] = np.interp(time, nodes[known], at_nodes[known, i])
    return result


def _percentile(block: Floats, percentile: float) -> Floats:
    """Return the percentile of each column, without NaN (linear between ranks, as numpy's)."""
    if not len(block):
        return np.full(block.shape[1], np.nan)
    ordered = np.sort(block, axis=0)  # NaN go last
    rank = (np.isfinite(block).sum(axis=0) - 1) * percentile / 100
    below = np.floor(rank).astype(int).clip(0)
    above = np.ceil(rank).astype(int).clip(0)
    columns = np.arange(block.shape[1])
    low, high = ordered[below, columns], ordered[above, columns]
    between: Floats = low + (rank - below) * (high - low)
    return between


def _without_slope(time: Floats, values: Floats) -> Floats:
    """Take each neuron's least-squares slope out of (time, neuron) values; its mean stays."""
    known = np.isfinite(values)
    n = known.sum(axis=0).clip(1)
    shifted = np.where(known, time[:, None] - (time @ known) / n, 0.0)
    centred = np.where(known, values - np.nansum(values, axis=0) / n, 0.0)
    spread = (shifted**2).sum(axis=0)
    slope = (shifted * centred).sum(axis=0) / np.where(spread > 0, spread, 1.0)
    flat: Floats = values - slope * shifted
    return flat


def resample(
    time: Floats, layers: dict[str, Floats], rate_hz: float, new_hz: float
) -> tuple[Floats, dict[str, Floats]]:
    """Bring layers to the times k / new_hz, low-passed below both Nyquist rates.

    The kernel is a Lanczos window of three periods of the lower rate, normalised over the frames
    that are there, so that irregular steps and missing frames are no obstacle. It never reaches
    across a gap (a step over 1.5 frame intervals). A new frame is NaN where less than half of its
    weight falls on values.

    Args:
        time: (time,) start of each frame [s].
        layers: (time, neuron) values by name.
        rate_hz: nominal frame rate [Hz].
        new_hz: the rate that is wanted [Hz].

    Returns:
        The new times [s] and layers.
    """
    times: list[Floats] = []
    pieces: dict[str, list[Floats]] = {name: [] for name in layers}
    for a, b in runs(time, rate_hz):
        slack = 1e-6  # a frame at k / new_hz up to rounding is that frame
        k = np.arange(np.ceil(time[a] * new_hz - slack), np.floor(time[b - 1] * new_hz + slack) + 1)
        weights = _lanczos(time[a:b], k / new_hz, min(rate_hz, new_hz))
        times.append(k / new_hz + 0.0)  # no -0
        for name, values in layers.items():
            pieces[name].append(_weighted(weights, values[a:b]))
    return np.concatenate(times), {name: np.concatenate(parts) for name, parts in pieces.items()}


def _lanczos(time: Floats, new_time: Floats, cutoff_hz: float) -> Weights:
    """Return the (new, old) weights of a Lanczos kernel with lobes of 1 / cutoff_hz."""
    from scipy.sparse import csr_matrix

    reach = LOBES / cutoff_hz
    first = np.searchsorted(time, new_time - reach, side="left")
    last = np.searchsorted(time, new_time + reach, side="right")
    counts = last - first
    rows = np.repeat(np.arange(len(new_time)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = np.repeat(first, counts) + offset
    u = (time[columns] - new_time[rows]) * cutoff_hz
    weights = np.sinc(u) * np.sinc(u / LOBES)
    return csr_matrix((weights, (rows, columns)), shape=(len(new_time), len(time)))


def _weighted(weights: Weights, values: Floats) -> Floats:
    """Return the weighted means of (old, neuron) values, over those that are not NaN."""
    known = np.isfinite(values)
    total = np.asarray(weights.sum(axis=1))
    found = weights @ known.astype(float)
    enough = found > 0.5 * total
    sums = weights @ np.where(known, values, 0.0)
    means: Floats = np.where(enough, sums / np.where(enough, found, 1.0), np.nan)
    return means


def _finished(recording: xr.Dataset, how: _How, made: _Made) -> xr.Dataset:
    """Return the dataset without its layers: the recording's coordinates and attributes, and what was done."""
    dark, n_frames = _dark(recording, made.low), recording.sizes["time"]
    kept = recording.isel(neuron=~dark) if dark.any() else recording
    rate = float(recording.attrs["sampling_rate_hz"] if how.resample_hz is None else how.resample_hz)
    dataset = xr.Dataset(
        {"dropped": ("time", made.lost, {"units": "1", "long_name": "frame not to be used"})},
        coords={
            "time": ("time", made.time, recording["time"].attrs),
            **{name: kept[name] for name in PLACES if name in kept.coords},
        },
        attrs={**recording.attrs, "sampling_rate_hz": rate},
    )
    return history.record(
        dataset,
        "preprocess.preprocess",
        kind=how.kind,
        neuropil_factor=how.neuropil_factor if "neuropil" in recording else None,
        baseline_percentile=how.percentile,
        baseline_window_s=how.window_s,
        detrend=how.detrend,
        highpass_s=how.highpass_s,
        resample_hz=how.resample_hz,
        values_divided_by_floor=round(float(made.low[~dark].sum()) * n_frames),
        neurons_left_out=[str(name) for name in recording["neuron"].values[dark]],
    )
