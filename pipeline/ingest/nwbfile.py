"""What an NWB file holds, found by the types that its groups carry (Neurodata Without Borders, versions 1.0 to 2.x).

The file is read as the HDF5 that it is: every version of the schema and every extension opens, and only what is asked
for is read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.arrays import Floats, Ints, Strings
from pipeline.ingest.contents import Epoch
from pipeline.ingest.rows import fault, reading

ROIS, SINGLE = "RoiResponseSeries", "TimeSeries"
NO_TRACES = (  # series whose rows are not the activity of a neuron each
    *("SpatialSeries", "ImageSeries", "TwoPhotonSeries", "OnePhotonSeries", "OpticalSeries", "ImageMaskSeries"),
    *("IndexSeries", "AnnotationSeries", "IntervalSeries", "OptogeneticSeries", "Position", "CompassDirection"),
)
NEUROPIL = re.compile(r"neuropil|fneu", re.IGNORECASE)
SPIKES = re.compile(r"deconv|spike|event", re.IGNORECASE)
DFF = re.compile(r"dff|df_?over_?f|delta_?f", re.IGNORECASE)
UNKNOWN = ("", "unknown", "none", "n/a", "na")
LABELS = ("condition", "state", "stage", "sleep_state", "label", "epoch", "epoch_name", "name", "tags", "behavior")
MOST_LABELS = 20


@dataclass(frozen=True)
class Series:
    """Traces of neurons.

    Attributes:
        name: path of the group; of one series per neuron with `*` for what differs.
        parts: paths of the groups, one, or one per neuron.
        shape: of the data; (frame, neuron) for one series per neuron.
        kind: "fluorescence", "dff", "spikes", or "" where nothing says so.
    """

    name: str
    parts: tuple[str, ...]
    shape: tuple[int, ...]
    kind: str

    @property
    def is_neuropil(self) -> bool:
        """Whether these are of the tissue around the neurons."""
        return bool(NEUROPIL.search(self.name))


@contextmanager
def open_nwb(path: Path) -> Iterator[Any]:
    """Open an NWB file as h5py.File.

    Args:
        path: the file.

    Raises:
        PhiscaleError: it is no HDF5 file, is cut off, or is HDF5 of another kind.
    """
    import h5py

    with reading(path, "NWB"), h5py.File(path, "r") as file:
        if not is_nwb(file):
            raise fault(path, "is HDF5, but no NWB file", "set format to hdf5, and dataset to what is to be read")
        yield file


def may_be_nwb(path: Path) -> bool:
    """Return whether a file says that it is NWB."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return is_nwb(file)
    except (OSError, RuntimeError, KeyError):
        return False


def is_nwb(file: Any) -> bool:
    """Return whether an open HDF5 file is NWB."""
    return "nwb_version" in file.attrs or "nwb_version" in file or type_of(file) == "NWBFile"


def text(value: Any) -> str:
    """Return text as HDF5 stores it (bytes, or an array of one) as text; empty for None."""
    if value is None:
        return ""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else ", ".join(text(part) for part in value.ravel())
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def type_of(item: Any) -> str:
    """Return the type that NWB gives a group or dataset; empty for none."""
    return text(item.attrs.get("neurodata_type"))


def value_of(group: Any, name: str) -> str:
    """Return the text under a name of a group; empty where there is none, or "unknown" is written."""
    import h5py

    item = group.get(name) if group is not None else None
    found = text(item[()]).strip() if isinstance(item, h5py.Dataset) else ""
    return "" if found.lower() in UNKNOWN else found


def groups(file: Any) -> dict[str, Any]:
    """Return all groups of a file that have a type, by path."""
    import h5py

    found: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and type_of(item):
            found[name] = item

    file.visititems(note)
    return found


def traces(file: Any) -> list[Series]:
    """Return what may be the traces of neurons: series of ROIs, else one series per neuron, else tables of a series.

    Args:
        file: h5py.File.
    """
    typed = {name: group for name, group in groups(file).items() if "data" in group and group["data"].shape}
    rois = [_series(name, group, file) for name, group in typed.items() if type_of(group) == ROIS]
    if rois:
        return rois
    single = [name for name, group in typed.items() if type_of(group) == SINGLE]
    by_stem: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name in single:
        if len(typed[name]["data"].shape) == 1:
            by_stem[re.sub(r"\d+$", "*", name), len(typed[name]["data"])].append(name)
    alike = [
        Series(stem, tuple(sorted(names, key=_number)), (n, len(names)), _kind(stem))
        for (stem, n), names in by_stem.items()
        if len(names) > 1 and stem.endswith("*")
    ]
    tables = [name for name in single if len(typed[name]["data"].shape) == 2 and min(typed[name]["data"].shape) > 1]
    return alike or [_series(name, typed[name], file) for name in tables]


def _number(name: str) -> int:
    found = re.search(r"(\d+)$", name)
    return int(found[1]) if found else -1


def named(path: Path, file: Any, name: str) -> Series:
    """Return the traces that the sheet names.

    Args:
        path: the file, for messages.
        file: h5py.File.
        name: path of a series, or of one series per neuron with `*` for what differs.

    Raises:
        PhiscaleError: there is no such series, or it holds something else.
    """
    import h5py

    wanted = name.strip("/").removesuffix("/data")
    for series in traces(file):
        if series.name == wanted:
            return series
    group = file.get(wanted)
    if not isinstance(group, h5py.Group) or "data" not in group:
        raise fault(path, f"has no series {name!r}; it holds {listed(traces(file))}", "name one of them as dataset")
    if type_of(group) in NO_TRACES or len(group["data"].shape) > 2:
        what = f"{name!r} is a {type_of(group)} of shape {group['data'].shape}: its columns are not neurons"
        raise fault(path, what, f"name traces as dataset; the file holds {listed(traces(file))}")
    return _series(wanted, group, file)


def listed(found: Sequence[Series]) -> str:
    """Return names and shapes for a message."""
    return ", ".join(f"{one.name} {one.shape}" for one in found) or "no traces of neurons"


def _series(name: str, group: Any, file: Any) -> Series:
    parent = type_of(file["/".join(name.split("/")[:-1])]) if "/" in name else ""
    kind = "dff" if parent == "DfOverF" else _kind(name) or ("fluorescence" if parent == "Fluorescence" else "")
    return Series(name, (name,), tuple(int(n) for n in group["data"].shape), kind)


def _kind(name: str) -> str:
    return "spikes" if SPIKES.search(name) else "dff" if DFF.search(name) else ""


@dataclass(frozen=True)
class Rois:
    """The rows of a table of ROIs that a series is about.

    Attributes:
        table: group of the table.
        index: (neuron,) rows.
        plane: group of the imaging plane; None where there is none.
    """

    table: Any
    index: Ints
    plane: Any

    def column(self, *names: str) -> Any:
        """Return the values (neuron, ...) of the first column that there is; None without."""
        for name in names:
            if name in self.table and f"{name}_index" not in self.table:
                return self.table[name][()][self.index]
        return None


def rois_of(file: Any, series: Series) -> Rois | None:
    """Return the ROIs of a series; None where it has no table.

    Args:
        file: h5py.File.
        series: of that file.
    """
    rois = file[series.parts[0]].get("rois")
    reference = rois.attrs.get("table") if rois is not None else None
    if not reference:
        return None
    table = file[reference]
    return Rois(table, np.asarray(rois[()]).astype(np.int64).ravel(), table.get("imaging_plane") or _only_plane(file))


def _only_plane(file: Any) -> Any:
    planes = [group for group in groups(file).values() if type_of(group) == "ImagingPlane"]
    return planes[0] if len(planes) == 1 else None


def clock(group: Any) -> tuple[Floats | None, float | None]:
    """Return the times [s] of a series' frames, or its rate [Hz], or neither.

    Args:
        group: of the series.
    """
    if "timestamps" in group:
        return np.asarray(group["timestamps"][()], float), None
    start = group.get("starting_time")
    rate = float(np.ravel(start.attrs.get("rate", 0.0))[0]) if start is not None else 0.0
    if rate <= 0:
        return None, None
    zero = float(np.ravel(start[()])[0])
    return (None, rate) if zero == 0 else (zero + np.arange(max(group["data"].shape)) / rate, rate)


def epochs(file: Any) -> dict[str, list[Epoch]]:
    """Return the named stretches of a file, by the table that they stand in.

    Args:
        file: h5py.File.
    """
    found = {}
    for name, table in groups(file).items():
        if {"start_time", "stop_time"} <= set(table):
            start, stop = (np.asarray(table[column][()], float) for column in ("start_time", "stop_time"))
            labels = _labels(name, table, len(start))
            rows = zip(labels, start, stop, strict=True)
            found[name] = [Epoch(str(label), float(a), float(b)) for label, a, b in rows if b > a]
    return {name: rows for name, rows in found.items() if rows}


def _labels(name: str, table: Any, n: int) -> Strings:
    """Return what the rows of a table of intervals are called: the column that tells kinds of them apart."""
    columns = [column for column in [*LABELS, *table] if column in table and column not in ("id", "timeseries")]
    for column in dict.fromkeys(columns):
        values = _cells(table, column, n)
        if values is not None and len(set(values)) <= MOST_LABELS:
            return values
    return np.full(n, name.split("/")[-1])


def _cells(table: Any, column: str, n: int) -> Strings | None:
    """Return the cells of a column as text; None for one of numbers that is no label, or of other things."""
    import h5py

    data, index = table[column], table.get(f"{column}_index")
    if not isinstance(data, h5py.Dataset) or column.endswith(("_index", "_time")) or len(data.shape) != 1:
        return None
    if h5py.check_string_dtype(data.dtype) is None and not (data.dtype.kind in "iu" and column in LABELS):
        return None
    values = [text(value) for value in data[()]]
    if index is not None:
        ends = [int(end) for end in index[()]]
        values = ["_".join(values[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
    return np.array(values, str) if len(values) == n else None
