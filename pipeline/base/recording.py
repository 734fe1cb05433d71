"""The Recording dataset: fluorescence of neurons over time, and what every recording must carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.base import history
from pipeline.base.arrays import Array, Bools, Floats, Strings
from pipeline.base.errors import Problems

if TYPE_CHECKING:
    import xarray as xr

BLOCK = 256  # neurons that are looked at at once
GAP = 1.5  # a step longer than this many frame intervals ends a run of frames
LARGEST_FIELD_MM = 250.0  # a human head
LARGEST_MOUSE_MM = 50.0  # beyond, positions may well be µm or pixels
POSITION = ("x", "y", "z")  # axes of a neuron's position; z is there only where it is known
PLACES = ("neuron", *POSITION, "region")  # what is known of a neuron besides its trace


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a recording is of and where it comes from, kept as text.

    Attributes:
        recording: identifier.
        subject: identifier of the animal.
        indicator: name of the calcium indicator.
        source: name of the file, without its folder, and of the array in it where it names arrays.
        source_sha256: hash of that file.
        format: name of the reader.
    """

    recording: str
    subject: str
    indicator: str = ""
    source: str = ""
    source_sha256: str = ""
    format: str = ""


@dataclass(frozen=True)
class Neurons:
    """The neurons of a recording, as far as they are known.

    Attributes:
        names: (neuron,); "n0", "n1", ... where they have none.
        x: (neuron,) position [mm], NaN where it is unknown.
        y: (neuron,) position [mm], NaN where it is unknown.
        region: (neuron,) label, "" where it is unknown.
        z: (neuron,) position [mm] along the third axis, where there is one.
    """

    names: Sequence[str] | None = None
    x: Sequence[float] | Floats | None = None
    y: Sequence[float] | Floats | None = None
    region: Sequence[str] | Strings | None = None
    z: Sequence[float] | Floats | None = None

    def coords(self, n: int) -> dict[str, tuple[str, Array]]:
        """Return the coordinates of `n` neurons."""
        unknown = np.full(n, np.nan)
        names = [f"n{i}" for i in range(n)] if self.names is None else [str(name) for name in self.names]
        return {
            "neuron": ("neuron", np.array(names, dtype=str)),
            "x": ("neuron", unknown if self.x is None else np.asarray(self.x, float)),
            "y": ("neuron", unknown if self.y is None else np.asarray(self.y, float)),
            **({} if self.z is None else {"z": ("neuron", np.asarray(self.z, float))}),
            "region": ("neuron", np.array([""] * n if self.region is None else self.region, str)),
        }


TEXT_ATTRS = tuple(part.name for part in fields(Origin))


def build(
    fluorescence: Array,
    *,
    time: Array,
    sampling_rate_hz: float,
    origin: Origin,
    neurons: Neurons | None = None,
    neuropil: Array | None = None,
    dropped: Bools | None = None,
) -> xr.Dataset:
    """Assemble a Recording from arrays.

    Missing values are treated as in `mark_missing`.

    Args:
        fluorescence: (time, neuron), arbitrary units or ΔF/F.
        time: (time,) start of each frame [s]; need not be regular.
        sampling_rate_hz: nominal frame rate [Hz].
        origin: what is recorded, and where it comes from.
        neurons: their names and places; by default nothing is known of them.
        neuropil: (time, neuron) signal around each neuron, same units.
        dropped: (time,) True for frames that must not be used (motion, light off).

    Returns:
        Dataset (time, neuron) `fluorescence` and, where given, `neuropil`, float32; (time,) `dropped`; coords time
        [s], neuron, x, y, perhaps z [mm], region; attrs of `origin`, and `sampling_rate_hz`.
    """
    values = single(fluorescence)
    dataset = blank(*values.shape, time=time, sampling_rate_hz=sampling_rate_hz, origin=origin, neurons=neurons)
    layers = {"fluorescence": values} | ({} if neuropil is None else {"neuropil": single(neuropil)})
    lost = np.zeros(len(values), bool) if dropped is None else np.asarray(dropped, bool)
    dataset = dataset.drop_vars("dropped").assign({name: (("time", "neuron"), held) for name, held in layers.items()})
    return mark_missing(describe(dataset.assign(dropped=("time", lost))))


def single(values: Array) -> Array:
    """Return values in single precision; what is too large for it becomes infinite, which `validate` refuses."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32)


def blank(
    n_frames: int,
    n_neurons: int,
    *,
    time: Array,
    sampling_rate_hz: float,
    origin: Origin,
    neurons: Neurons | None = None,
) -> xr.Dataset:
    """Return a Recording without its traces; arguments are those of `build`, and the numbers of frames and neurons."""
    text = {name: str(value) for name, value in asdict(origin).items()}
    first = {name: text.pop(name) for name in ("recording", "subject", "indicator")}
    import xarray as xr

    return xr.Dataset(
        {"dropped": ("time", np.zeros(n_frames, bool))},
        coords={"time": ("time", np.asarray(time, float)), **(neurons or Neurons()).coords(n_neurons)},
        attrs={**first, "sampling_rate_hz": float(sampling_rate_hz), **text},
    )


def mark_missing(dataset: xr.Dataset) -> xr.Dataset:
    """Leave out neurons that are NaN throughout, then mark frames without any value as dropped.

    A neuron without a value says nothing, so leaving it out changes no result; it is named in the
    history. A recording of such neurons only is kept, for `validate` to refuse.
    """
    missing = np.isnan(dataset["fluorescence"].values)
    return marked(dataset, missing.all(axis=0), missing)


def marked(dataset: xr.Dataset, empty: Bools, missing: Bools) -> xr.Dataset:
    """Return what `mark_missing` does, given what is missing.

    Args:
        dataset: a Recording, with or without its traces.
        empty: (neuron,) those without any value.
        missing: (time, neuron) where there is none; or (time,) frames without any.
    """
    excluded = [str(name) for name in dataset["neuron"].values[empty]]
    if 0 < len(excluded) < len(empty):
        dataset, missing = dataset.isel(neuron=~empty), missing[:, ~empty] if missing.ndim > 1 else missing
    lost = missing.all(axis=1) if missing.ndim > 1 else missing
    dataset = dataset.assign(dropped=dataset["dropped"].copy(data=dataset["dropped"].values | lost))
    return history.record(dataset, "recording.mark_missing", neurons_left_out=excluded)


def describe(dataset: xr.Dataset) -> xr.Dataset:
    """Return `dataset` with `units` and `long_name` on every variable of a Recording."""
    labels = {
        "fluorescence": ("a.u.", "fluorescence"),
        "neuropil": ("a.u.", "fluorescence of the surrounding neuropil"),
        "dropped": ("1", "frame not to be used"),
        "time": ("s", "start of the frame"),
        "neuron": ("1", "neuron"),
        "x": ("mm", "position of the neuron, first axis"),
        "y": ("mm", "position of the neuron, second axis"),
        "z": ("mm", "position of the neuron, third axis"),
        "region": ("1", "brain region of the neuron"),
    }
    for name, (units, long_name) in labels.items():
        if name in dataset.variables:
            dataset[name].attrs.update(units=units, long_name=long_name)
    return dataset


def validate(dataset: xr.Dataset) -> None:
    """Return if `dataset` is a Recording.

    Raises:
        PhiscaleError: with everything that keeps it from being one.
    """
    where = f"recording {dataset.attrs.get('recording', '?')!r}"
    problems = Problems()
    for name, dims in _expected_dims(dataset).items():
        if name not in dataset.variables:
            problems.add(where, f"has no {name!r} with dims {dims}", fix=f"add {name!r}")
        elif dataset[name].dims != dims:
            problems.add(where, f"{name!r} has dims {dataset[name].dims}, expected {dims}")
    for name in TEXT_ATTRS:
        if not isinstance(dataset.attrs.get(name), str):
            problems.add(where, f"attribute {name!r} is {dataset.attrs.get(name)!r}, expected text")
    problems.raise_if_any()  # what follows reads these variables
    _check_time(dataset, where, problems)
    _check_neurons(dataset, where, problems)
    problems.raise_if_any()


def _expected_dims(dataset: xr.Dataset) -> dict[str, tuple[str, ...]]:
    dims: dict[str, tuple[str, ...]] = {"fluorescence": ("time", "neuron"), "dropped": ("time",)}
    if "neuropil" in dataset.variables:
        dims["neuropil"] = ("time", "neuron")
    dims |= {"time": ("time",)}
    return dims | dict.fromkeys(("neuron", "x", "y", "region"), ("neuron",))


def _check_time(dataset: xr.Dataset, where: str, problems: Problems) -> None:
    time = dataset["time"].values
    rate = dataset.attrs.get("sampling_rate_hz")
    if len(time) < 2:
        problems.add(where, f"has {len(time)} frames", "No transition can be counted")
        return
    if not np.isfinite(time).all():
        problems.add(where, f"{int((~np.isfinite(time)).sum())} frame times are NaN or infinite")
        return
    backwards = np.flatnonzero(np.diff(time) <= 0)
    if backwards.size:
        i = int(backwards[0])
        problems.add(
            where,
            f"time does not increase at frame {i + 1} ({time[i]:g} s, then {time[i + 1]:g} s), "
            f"{backwards.size} such steps in all",
            "Transitions would be counted in the wrong order",
            "sort the frames by time and remove repeated ones",
        )
    if not isinstance(rate, float | int) or not np.isfinite(rate) or rate <= 0:
        problems.add(where, f"sampling_rate_hz is {rate!r}", fix="give rate_hz, frames per second")
    elif not backwards.size and not 0.8 < rate * float(np.median(np.diff(time))) < 1.25:
        problems.add(
            where,
            f"sampling_rate_hz is {rate:g}, but the median step between frames is "
            f"{np.median(np.diff(time)):g} s ({1 / np.median(np.diff(time)):g} Hz)",
            "Time constants and bins would be wrong",
            "correct rate_hz, or give the frame times in seconds",
        )
    if dataset["dropped"].values.all():
        problems.add(where, "every frame is dropped or NaN", "Nothing is left to analyse")


def _check_neurons(dataset: xr.Dataset, where: str, problems: Problems) -> None:
    names = pd.Series(dataset["neuron"].values.astype(str))
    repeated = sorted(names[names.duplicated()].unique())
    if len(names) == 0:
        problems.add(where, "has no neurons")
    if repeated:
        problems.add(where, f"neuron names occur more than once: {', '.join(repeated[:10])}")
    for name in ("fluorescence", "neuropil"):
        if name not in dataset.variables:
            continue
        blocks = range(0, len(names), BLOCK)
        found = [np.isinf(dataset[name][:, a : a + BLOCK].values).any(axis=0) for a in blocks]
        infinite = np.concatenate([np.zeros(0, bool), *found])
        if infinite.any():
            which = ", ".join(names[infinite][:10])
            problems.add(
                where,
                f"{name} is infinite in {int(infinite.sum())} neurons ({which})",
                "Baselines and correlations of these neurons would be undefined",
                "mark missing values as NaN, or leave these neurons out",
            )
    for name in (axis for axis in POSITION if axis in dataset.coords):
        known = dataset[name].values[np.isfinite(dataset[name].values)]
        if known.size and np.ptp(known) > LARGEST_FIELD_MM:
            problems.add(
                where,
                f"{name} of the neurons spans {np.ptp(known):g} mm",
                "Distances would be wrong",
                "give positions in mm, not in µm or pixels",
            )


def runs(time: Floats, rate_hz: float, dropped: Bools | None = None) -> list[tuple[int, int]]:
    """Return (first, last + 1) of each stretch of consecutive frames.

    A stretch ends where the step exceeds 1.5 frame intervals, and before a dropped frame.

    Args:
        time: (time,) start of each frame [s].
        rate_hz: nominal frame rate [Hz].
        dropped: (time,) frames that belong to no stretch.
    """
    keep = np.ones(len(time), bool) if dropped is None else ~np.asarray(dropped, bool)
    joined = keep[1:] & keep[:-1] & (np.diff(time) * rate_hz <= GAP)
    first = np.flatnonzero(keep & ~np.append(False, joined))
    last = np.flatnonzero(keep & ~np.append(joined, False))
    return [(int(a), int(b) + 1) for a, b in zip(first, last, strict=True)]


def frames_of(windows: pd.DataFrame, time: Floats) -> dict[str, Bools]:
    """Return, per window of one recording, which frames (time,) begin in one of its segments.

    Args:
        windows: columns window, start_s, end_s; rows of the same window are united; a segment is [start_s, end_s).
        time: (time,) start of each frame [s].
    """
    masks: dict[str, Bools] = {}
    for row in windows.itertuples():
        inside = (time >= row.start_s) & (time < row.end_s)
        masks[str(row.window)] = masks.get(str(row.window), np.zeros(len(time), bool)) | inside
    return masks
