"""The format `caiman`: the result of CNMF or CNMF-E that CaImAn saves as HDF5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import compress, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.recording import Neurons
from pipeline.ingest import arrays, cells
from pipeline.ingest.assembling import Found, assemble
from pipeline.ingest.blocks import Stored, gather
from pipeline.ingest.contents import ASK, Contents
from pipeline.ingest.guards import own
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, fault, number, option, reading
from pipeline.ingest.tabular import times

if TYPE_CHECKING:
    import xarray as xr

DENOISED, RAW, DFF, SPIKES = "C", "C+YrA", "F_dff", "S"
KINDS = {DFF: "dff", RAW: "dff", DENOISED: "dff", SPIKES: "spikes"}  # C has no baseline left to divide by
WORDS = {
    DFF: "ΔF/F as CaImAn detrends it",
    RAW: "C + YrA, the traces with their noise; background and baseline are taken off already",
    DENOISED: "C, the denoised traces: what the model of the indicator's decay makes of them",
    SPIKES: "S, the deconvolved activity",
}


class Caiman(Reader):
    """The format `caiman`: components of CNMF or CNMF-E, those that CaImAn accepts."""

    name = "caiman"
    apart = True
    summary = "CaImAn's HDF5: F_dff, C + YrA, C or S of the accepted components"
    methods = "read from the output of CaImAn (components as accepted there)"
    references = (
        "Giovannucci A, Friedrich J, Gunn P, et al. CaImAn an open source tool for scalable calcium imaging data "
        "analysis. eLife 8, e38173 (2019)",
    )
    columns = (
        *("rate_hz", "dataset", "indicator", "positions", "time_dataset", "time_zero"),
        *("um_per_pixel", *cells.COLUMNS),
    )
    files = ("path", "positions")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the components: F_dff where there is one, else C + YrA, or what the row names.

        Raises:
            PhiscaleError: the file is not CaImAn's, or lacks what the row names.
        """
        path = existing_file(row, "path")
        with _open(path) as estimates:
            found = _found(row, path, estimates)
        return assemble(row, path, found)

    def recordings(self, path: Path) -> list[Path]:
        """Return a file that has CaImAn's estimates."""
        return [path] if path.suffix.lower() in arrays.SUFFIXES["hdf5"] and _is_caiman(path) else []

    def look(self, path: Path) -> Contents:
        """Return what CaImAn found; see `Reader.look`."""
        with _open(path) as estimates:
            held = _held(estimates)
            contents = Contents(
                [(name, str(estimates[name].shape)) for name in ("F_dff", "C", "YrA", "S") if name in held]
            )
            accepted = _indices(estimates)
            if accepted is not None:
                contents.remarks.append(f"{len(accepted)} of {len(estimates['C'])} components are accepted")
            contents.remarks.append(f"{_default(held)} would be read: {WORDS[_default(held)]}")
            rate = _rate(estimates)
            contents.choices = [{} if rate else {"rate_hz": ASK}]
            if rate:
                contents.holds.append(("params/data/fr", f"{rate:g} Hz"))
            if "A" in held and _pixel_um(estimates) is None:
                contents.remarks.append("positions are in pixels: give um_per_pixel, and they are used")
        return contents


def _is_caiman(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "estimates/C" in file
    except (OSError, RuntimeError, KeyError):
        return False


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Yield the group of the estimates."""
    import h5py

    with reading(path, "HDF5"), h5py.File(path, "r") as file:
        if "estimates/C" not in file:
            raise fault(path, "is HDF5, but holds no estimates of CaImAn", "set format to hdf5, and name a dataset")
        yield file["estimates"]


def _held(estimates: Any) -> set[str]:
    """Return the names that hold something: CaImAn writes the text "NoneType" for what there is none of."""
    import h5py

    def is_array(item: Any) -> bool:
        return isinstance(item, h5py.Group) or (len(item.shape) > 0 and item.dtype.kind in arrays.NUMBERS)

    return {name for name in estimates if is_array(estimates[name])}


def _default(held: set[str]) -> str:
    return DFF if DFF in held else RAW if "YrA" in held else DENOISED


def _indices(estimates: Any) -> Array | None:
    """Return the components that CaImAn accepts; None where it has not judged them."""
    if "idx_components" not in _held(estimates):
        return None
    return np.asarray(estimates["idx_components"][()], np.int64)


def _rate(estimates: Any) -> float | None:
    rate = estimates.file.get("params/data/fr")
    return float(rate[()]) if rate is not None and rate.dtype.kind in arrays.NUMBERS and rate[()] > 0 else None


def _pixel_um(estimates: Any) -> float | None:
    """Return the size of a pixel [µm]; 1 is what CaImAn writes where nobody has said."""
    size = estimates.file.get("params/data/dxy")
    found = np.ravel(size[()]) if size is not None else np.ones(1)
    return float(found[0]) if found.dtype.kind in arrays.NUMBERS and np.ptp(found) == 0 and found[0] != 1 else None


def _found(row: Mapping[str, Any], path: Path, estimates: Any) -> Found:
    held = _held(estimates)
    wanted = str(option(row, "dataset", _default(held)))
    if wanted not in KINDS or not set(wanted.split("+")) <= held:
        offered = ", ".join(name for name in KINDS if set(name.split("+")) <= held)
        raise fault(path, f"dataset is {wanted!r}", f"choose one of {offered}, or leave it empty")
    shape = estimates["C"].shape
    names, accepted = [f"n{i}" for i in range(shape[0])], _indices(estimates)
    mask = None if accepted is None else np.isin(np.arange(shape[0]), accepted)
    kept = cells.chosen(row, names, mask)
    for part in wanted.split("+"):
        if estimates[part].shape != shape:
            raise fault(path, f"{part} has shape {estimates[part].shape}, C {shape}", "save the result of one run")
    values = sum(gather(Stored(part, own(path, estimates[part])), True, kept) for part in wanted.split("+"))
    used = list(compress(names, kept))
    return Found(
        values=np.asarray(values),
        names=used,
        time=times(row, path, shape[1]),
        rate_hz=_rate(estimates),
        neurons=_places(row, estimates, used, kept),
        dataset=f"estimates/{wanted}",
        kind=KINDS[wanted],
        left_out=list(compress(names, ~kept)),
        said=[f"read is {WORDS[wanted]}"],
    )


def _places(row: Mapping[str, Any], estimates: Any, names: list[str], kept: Bools) -> Neurons:
    """Return the centres of mass of the components [mm], where the size of a pixel is known."""
    scale = number(row, "um_per_pixel") or _pixel_um(estimates)
    if scale is None or "A" not in estimates or "data" not in estimates["A"] or "dims" not in estimates:
        return Neurons(names)
    rows, columns = (int(n) for n in estimates["dims"][()])
    sparse = estimates["A"]
    weight, pixel, first = (np.asarray(sparse[name][()]) for name in ("data", "indices", "indptr"))
    if len(first) != len(kept) + 1 or int(sparse["shape"][0]) != rows * columns:
        return Neurons(names)
    centres = np.array([_centre(weight[a:b], pixel[a:b], rows) for a, b in pairwise(first)])
    return Neurons(names, x=centres[kept, 1] * scale / 1000, y=centres[kept, 0] * scale / 1000)


def _centre(weight: Floats, pixel: Array, rows: int) -> Floats:
    """Return the centre (row, column) of a component; CaImAn counts pixels column by column."""
    total = weight.sum()
    if total <= 0:
        return np.full(2, np.nan)
    return np.array([weight @ (pixel % rows) / total, weight @ (pixel // rows) / total])
