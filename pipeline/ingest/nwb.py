"""The format `nwb`: traces, or spike times, of a file of Neurodata Without Borders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.recording import Neurons
from pipeline.ingest import arrays, cells, nwbfile
from pipeline.ingest.assembling import Found, assemble
from pipeline.ingest.blocks import Stored, gather
from pipeline.ingest.contents import ASK, Contents
from pipeline.ingest.guards import own
from pipeline.ingest.nwbfile import Rois, Series
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, fault, flag, number, option
from pipeline.ingest.spiketrains import counts
from pipeline.ingest.tabular import lies_across

if TYPE_CHECKING:
    import xarray as xr

UNITS = "units"
ACCEPTED = ("iscell", "is_cell", "accepted", "Accepted")


class Nwb(Reader):
    """The format `nwb`: the traces of a file's ROIs, one series per neuron, or the spike times of its units."""

    name = "nwb"
    apart = True
    summary = "Neurodata Without Borders: ROI traces, one series per neuron, or units"
    methods = "read from NWB files"
    references = (
        "Rübel O, Tritt A, Ly R, et al. The Neurodata Without Borders ecosystem for neurophysiological data science. "
        "eLife 11, e78362 (2022)",
    )
    suffixes = (".nwb",)
    columns = (
        *("rate_hz", "dataset", "transpose", "indicator", "neuropil_dataset", "positions"),
        *("time_zero", "um_per_pixel", *cells.COLUMNS),
    )
    files = ("path", "positions")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the traces that the row names, or of the only ones that there are.

        Raises:
            PhiscaleError: the file is not NWB, holds several series to choose from or none, or what the row names is
                not the activity of neurons.
        """
        path = existing_file(row, "path")
        with nwbfile.open_nwb(path) as file:
            series = _chosen(path, file, option(row, "dataset"))
            found = _units(row, path, file) if series is None else _Reading(row, path, file, series).found()
        return assemble(row, path, found)

    def recordings(self, path: Path) -> list[Path]:
        """Return a file that ends in .nwb, or is HDF5 of another ending that says that it is NWB."""
        if path.suffix.lower() in arrays.SUFFIXES["hdf5"] and path.is_file():
            return [path] if nwbfile.may_be_nwb(path) else []
        return super().recordings(path)

    def look(self, path: Path) -> Contents:
        """Return what the file holds; see `Reader.look`."""
        with nwbfile.open_nwb(path) as file:
            found = nwbfile.traces(file)
            contents = Contents([(one.name, str(one.shape)) for one in found])
            contents.choices = [_columns(file, one) for one in _may_be_meant(found)]
            if UNITS in file and "spike_times" in file[UNITS]:
                contents.holds.append((UNITS, f"spike times of {len(file[UNITS]['id'])} units"))
                contents.choices += [] if found else [{"dataset": UNITS, "rate_hz": ASK}]
            contents.epochs = nwbfile.epochs(file)
            contents.subject = nwbfile.value_of(file.get("general/subject"), "subject_id")
            if not contents.choices:
                contents.remarks.append("the file holds no traces of neurons and no units")
        return contents


def _may_be_meant(found: Sequence[Series]) -> list[Series]:
    """Leave out neuropil; and what was deconvolved, where there is what it was deconvolved from."""
    own = [one for one in found if not one.is_neuropil]
    return [one for one in own if one.kind != "spikes"] or own


def _columns(file: Any, series: Series) -> dict[str, str]:
    time, rate = nwbfile.clock(file[series.parts[0]])
    rois = nwbfile.rois_of(file, series)
    known = time is not None or rate or (rois and nwbfile.value_of(rois.plane, "imaging_rate"))
    return {"dataset": series.name} | ({} if known else {"rate_hz": ASK})


def _chosen(path: Path, file: Any, name: str | None) -> Series | None:
    """Return the series that is to be read; None for the units."""
    has_units = UNITS in file and "spike_times" in file[UNITS]
    if name is not None and str(name).strip("/") == UNITS and has_units:
        return None
    if name is not None:
        return nwbfile.named(path, file, str(name))
    meant = _may_be_meant(nwbfile.traces(file))
    if len(meant) == 1:
        return meant[0]
    if not meant and has_units:
        return None
    what = f"holds {len(meant)} sets of traces: {nwbfile.listed(meant)}" if meant else "holds no traces of neurons"
    raise fault(path, what, "name one of them as dataset" if meant else "name what is to be read as dataset")


@dataclass(frozen=True)
class _Reading:
    """The traces of one row.

    Attributes:
        row: of the sheet.
        path: the file.
        file: h5py.File.
        series: what is read.
    """

    row: Mapping[str, Any]
    path: Path
    file: Any
    series: Series

    def found(self) -> Found:
        """Return what the file knows of them."""
        rois = nwbfile.rois_of(self.file, self.series)
        across, said = self._lies_across(rois)
        n = self.series.shape[0 if across else 1] if len(self.series.shape) == 2 else 1
        names = _names(self.series, rois, n)
        kept = cells.chosen(self.row, names, _accepted(rois, n))
        time, rate = nwbfile.clock(self.file[self.series.parts[0]])
        if time is None and rate is None and rois is not None and nwbfile.value_of(rois.plane, "imaging_rate"):
            rate = float(nwbfile.value_of(rois.plane, "imaging_rate"))
            said.append(f"the series gives no rate; that of its imaging plane is taken ({rate:g} Hz)")
        neuropil = self._neuropil()
        if neuropil is not None and not option(self.row, "neuropil_dataset"):
            said.append(f"neuropil is {neuropil.name}")
        plane = rois.plane if rois else None
        return Found(
            values=self._values(self.series, across, kept),
            names=list(compress(names, kept)),
            time=time,
            rate_hz=rate,
            neurons=_places(self.row, rois, list(compress(names, kept)), kept),
            neuropil=None if neuropil is None else self._values(neuropil, across, kept),
            indicator=nwbfile.value_of(plane, "indicator"),
            subject=nwbfile.value_of(self.file.get("general/subject"), "subject_id"),
            dataset=self.series.name,
            kind=self.series.kind,
            left_out=list(compress(names, ~kept)),
            said=said,
        )

    def _lies_across(self, rois: Rois | None) -> tuple[bool, list[str]]:
        """Return whether the data are (neuron, frame), against the schema, and what is to be said of it."""
        shape = self.series.shape
        if len(self.series.parts) > 1 or len(shape) == 1:
            return False, []
        if rois is None or flag(self.row, "transpose") is not None:
            return lies_across(self.row, shape), []
        if shape[1] == len(rois.index):
            return False, []
        if shape[0] == len(rois.index):
            turned = f"the data are {shape} (neuron, frame), against the schema: turned, as the table of ROIs tells"
            return True, [turned]
        raise fault(
            self.path,
            f"{self.series.name} has shape {shape} for {len(rois.index)} ROIs",
            "correct the file, or set transpose to say which way it lies",
        )

    def _neuropil(self) -> Series | None:
        name = option(self.row, "neuropil_dataset")
        if name is not None:
            return nwbfile.named(self.path, self.file, str(name))
        if self.series.kind != "fluorescence":
            return None
        last = self.series.name.split("/")[-1]
        around = [one for one in nwbfile.traces(self.file) if one.is_neuropil and one.shape == self.series.shape]
        same = [one for one in around if one.name.split("/")[-1] == last] or around
        return same[0] if len(same) == 1 else None

    def _values(self, series: Series, across: bool, kept: Bools) -> Array:
        """Return (frame, neuron) values of the neurons that are kept, in the unit that the file gives them."""
        if len(series.parts) == 1:
            group = self.file[series.name]
            if len(series.shape) == 1:
                return _scaled(group, own(self.path, group["data"])[()].reshape(-1, 1))
            return _scaled(group, gather(Stored(series.name, own(self.path, group["data"])), across, kept))
        parts = [self.file[name] for name in compress(series.parts, kept)]
        time = nwbfile.clock(parts[0])[0]
        if any(not _same(time, nwbfile.clock(part)[0]) for part in parts[1:]):
            raise fault(self.path, f"the series {series.name} have times of their own", "give them common times")
        return np.column_stack([_scaled(part, own(self.path, part["data"])[()]) for part in parts])


def _same(a: Floats | None, b: Floats | None) -> bool:
    return (a is None) == (b is None) and (a is None or b is None or np.array_equal(a, b))


def _scaled(group: Any, values: Array) -> Array:
    attrs = group["data"].attrs
    factor, offset = (float(attrs.get(name, default)) for name, default in (("conversion", 1.0), ("offset", 0.0)))
    as_it_is = (factor, offset) == (1.0, 0.0) or not np.isfinite([factor, offset]).all()
    return values if as_it_is else values * factor + offset


def _names(series: Series, rois: Rois | None, n: int) -> list[str]:
    """Return the names of the neurons: of their series, or "n" and the number of the ROI, or of the place."""
    if len(series.parts) > 1:
        return [name.split("/")[-1] for name in series.parts]
    ids = rois.column("id") if rois is not None and len(rois.index) == n else None
    unique = ids is not None and len(set(ids.tolist())) == n
    return [f"n{i}" for i in (ids.tolist() if unique and ids is not None else range(n))]


def _accepted(rois: Rois | None, n: int) -> Array | None:
    column = rois.column(*ACCEPTED) if rois is not None and len(rois.index) == n else None
    return None if column is None or column.dtype.kind not in "biuf" else column.reshape(n, -1)[:, 0] > 0


def _places(row: Mapping[str, Any], rois: Rois | None, names: list[str], kept: Bools) -> Neurons:
    """Return the region of the imaging plane and, where the size of a pixel is known, the centres of the cells [mm]."""
    if rois is None or len(rois.index) != len(kept):
        return Neurons(names)
    location = nwbfile.value_of(rois.plane, "location")
    region = [location] * len(names)
    scale = number(row, "um_per_pixel")
    step = (scale / 1000, scale / 1000) if scale else _grid_mm(rois.plane)
    if step is None or "image_mask" not in rois.table:
        return Neurons(names, region=region)
    mask = rois.table["image_mask"]
    centres = np.array([_centre(mask[int(i)]) for i in rois.index[kept]]) * step
    return Neurons(names, x=centres[:, 0], y=centres[:, 1], region=region)


def _grid_mm(plane: Any) -> tuple[float, float] | None:
    """Return the size of a pixel [mm] that the imaging plane gives."""
    grid = plane.get("grid_spacing") if plane is not None else None
    if grid is None:
        return None
    per_unit = {"meters": 1000.0, "m": 1000.0, "millimeters": 1.0, "mm": 1.0, "micrometers": 0.001, "um": 0.001}
    unit = nwbfile.text(grid.attrs.get("unit", "meters")).lower()
    found = np.ravel(grid[()])[:2] * per_unit.get(unit, np.nan)
    return (float(found[0]), float(found[1])) if len(found) == 2 and np.isfinite(found).all() else None


def _centre(mask: Array) -> Floats:
    """Return the centre of mass (first axis, second axis) of an image [pixels]."""
    weight = np.asarray(mask, float)
    weight = weight if weight.sum() > 0 else np.ones_like(weight)
    sums = [weight.sum(axis=1 - axis) for axis in (0, 1)]
    return np.array([float(along @ np.arange(len(along)) / along.sum()) for along in sums])


def _units(row: Mapping[str, Any], path: Path, file: Any) -> Found:
    """Return the spikes of the units, counted in frames of the rate that the row gives."""
    rate, table = number(row, "rate_hz"), file[UNITS]
    if rate is None:
        fix = "fill in rate_hz, frames per second in which spikes are counted, e.g. 100"
        raise fault(path, "holds spike times, and no frame rate is given", fix)
    ends = [int(end) for end in table["spike_times_index"][()]]
    names = [f"unit{i}" for i in table["id"][()]]
    kept = cells.chosen(row, names)
    spans = compress(zip([0, *ends], ends, strict=False), kept)
    trains = [np.asarray(table["spike_times"][a:b], float) for a, b in spans]
    return Found(
        values=counts(trains, rate),
        names=list(compress(names, kept)),
        rate_hz=rate,
        subject=nwbfile.value_of(file.get("general/subject"), "subject_id"),
        dataset=UNITS,
        kind="spikes",
        left_out=list(compress(names, ~kept)),
    )
