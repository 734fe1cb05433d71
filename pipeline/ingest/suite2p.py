"""The format `suite2p`: a folder of suite2p (one plane, or all combined), or its Fall.mat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.base.arrays import Array, Bools
from pipeline.base.recording import Neurons
from pipeline.ingest import cells
from pipeline.ingest.assembling import Found, assemble
from pipeline.ingest.blocks import Stored, gather
from pipeline.ingest.contents import ASK, Contents
from pipeline.ingest.pickles import load_npy
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing, fault, number, option, reading
from pipeline.ingest.tabular import times

if TYPE_CHECKING:
    import xarray as xr

TRACES = {"F": "fluorescence", "spks": "spikes"}  # what may be analysed, and what it is
SETTINGS = ("settings.npy", "ops.npy")  # of suite2p 1.x, and of all versions; the later wins
COMBINED = "combined"


@dataclass(frozen=True)
class Output:
    """What suite2p wrote of one plane, or of all planes combined.

    Attributes:
        path: folder, or Fall.mat.
        arrays: F, Fneu and spks (ROI, frame) and iscell (ROI, 2), those that there are; traces mapped, not read.
        stat: (ROI,) where each ROI lies, a dictionary or a MATLAB struct; empty where that is not known.
        settings: what suite2p was run with: `fs` and others.
        files: that were opened.
    """

    path: Path
    arrays: Mapping[str, Array]
    stat: Sequence[Any]
    settings: Mapping[str, Any]
    files: Sequence[Path]

    @property
    def n_rois(self) -> int:
        """How many ROIs there are."""
        return int(self.arrays["F"].shape[0])

    @property
    def accepted(self) -> Bools | None:
        """(ROI,) those marked as cells; None where nobody has."""
        found = self.arrays.get("iscell")
        return None if found is None else np.asarray(found).reshape(self.n_rois, -1)[:, 0] > 0

    def setting(self, name: str) -> float | None:
        """Return a number that suite2p was run with (`fs`: frame rate of a plane [Hz], `tau`: decay [s])."""
        value = self.settings.get(name)
        return float(np.ravel(value)[0]) if value is not None and np.size(value) else None


class Suite2p(Reader):
    """The format `suite2p`: the folder of one plane or of all planes combined, one above it, or Fall.mat."""

    name = "suite2p"
    apart = True
    summary = "folder of suite2p (plane0, combined), or Fall.mat: cells, neuropil, positions, rate"
    methods = "read from the output of suite2p (cells as accepted there)"
    references = (
        "Pachitariu M, Stringer C, Dipoppa M, et al. Suite2p: beyond 10,000 neurons with standard two-photon "
        "microscopy. bioRxiv 061507 (2017)",
    )
    columns = (
        *("rate_hz", "dataset", "indicator", "positions", "time_dataset", "time_zero"),
        *("um_per_pixel", *cells.COLUMNS),
    )
    files = ("path", "positions")

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the cells that suite2p accepts, or that the row keeps.

        Raises:
            PhiscaleError: the folder is not suite2p's, holds several planes, or lacks what the row asks for.
        """
        path = existing(row)
        found = self.recordings(path)
        if len(found) != 1:
            what = f"holds {len(found)} outputs of suite2p" if found else "is no output of suite2p (it has no F.npy)"
            listed = ", ".join(str(one.relative_to(path)) for one in found[:8])
            raise fault(path, what, f"name one of them as path: {listed}" if found else "name the folder with F.npy")
        with reading(found[0], "output of suite2p"):
            read = _found(row, _opened(found[0]))
        return assemble(row, path, read)

    def recordings(self, path: Path) -> list[Path]:
        """Return Fall.mat, or the folders with F.npy at or below a folder; planes that are combined are one."""
        if path.name == "F.npy" and (path.parent / "stat.npy").is_file():
            return [path.parent]
        if path.is_dir():
            return _folders(path)
        return [path] if path.suffix.lower() == ".mat" and _is_fall(path) else []

    def look(self, path: Path) -> Contents:
        """Return what suite2p found; see `Reader.look`."""
        with reading(path, "output of suite2p"):
            return _look(_opened(path))


def _look(output: Output) -> Contents:
    accepted, rate = output.accepted, output.setting("fs")
    contents = Contents([(name, str(array.shape)) for name, array in output.arrays.items()])
    if accepted is not None:
        contents.remarks.append(f"{int(accepted.sum())} of {output.n_rois} ROIs are accepted as cells (iscell)")
    if rate is None:
        contents.remarks.append("no ops.npy or settings.npy: the frame rate has to be given")
    else:
        contents.holds.append(("fs", f"{rate:g} Hz"))
    if len(output.stat):
        contents.remarks.append("positions are in pixels: give um_per_pixel, and they are used")
    contents.choices = [{"rate_hz": ASK} if rate is None else {}]
    return contents


def _folders(path: Path) -> list[Path]:
    """Return the folders with F.npy; where suite2p has combined the planes of a folder, that stands for them."""
    found = [path] if (path / "F.npy").is_file() else sorted(file.parent for file in path.rglob("F.npy"))
    whole = {folder.parent for folder in found if folder.name == COMBINED}
    return [folder for folder in found if folder.name == COMBINED or folder.parent not in whole]


def _is_fall(path: Path) -> bool:
    import h5py
    from scipy.io import whosmat

    if not path.is_file() or h5py.is_hdf5(path):
        return False
    try:
        return {"F", "iscell", "stat"} <= {name for name, *_ in whosmat(path)}
    except Exception:  # whatever a file that is no MAT file makes of the parser
        return False


def _opened(path: Path) -> Output:
    """Open what suite2p wrote.

    Raises:
        PhiscaleError: a file cannot be read, or parts do not belong together.
    """
    output = _of_folder(path) if path.is_dir() else _of_fall(path)
    for name, array in output.arrays.items():
        shape = output.arrays["F"].shape
        if len(array) != shape[0] or (name != "iscell" and array.shape != shape):
            raise fault(path, f"{name} has shape {array.shape}, F {shape}", "take files of one run of suite2p")
    return output


def _of_folder(path: Path) -> Output:
    files = {name: path / f"{name}.npy" for name in ("F", "Fneu", "spks", "iscell", "stat")}
    files = {name: file for name, file in files.items() if file.is_file()}
    arrays = {name: load_npy(file) for name, file in files.items() if name != "stat"}
    stat = _planes(path, load_npy(files["stat"])) if "stat" in files else ()
    given = [path / name for name in SETTINGS if (path / name).is_file()]
    settings: dict[str, Any] = {}
    for file in given:
        held = load_npy(file)
        settings |= held.item() if held.dtype == object and held.shape == () else {}
    return Output(path, arrays, stat, settings, [*files.values(), *given])


def _planes(path: Path, stat: Array) -> Sequence[Any]:
    """Return where ROIs lie in their own planes: `combined` lays the planes out side by side."""
    if path.name != COMBINED:
        return list(stat)
    planes = sorted((one for one in path.parent.glob("plane*/stat.npy")), key=lambda p: int(p.parent.name[5:] or 0))
    own = [roi for plane in planes for roi in load_npy(plane)]
    return own if len(own) == len(stat) else ()


def _of_fall(path: Path) -> Output:
    from scipy.io import loadmat

    with reading(path, "mat"):
        held = loadmat(path, variable_names=["F", "Fneu", "spks", "iscell", "stat", "ops"])
    arrays = {name: held[name] for name in ("F", "Fneu", "spks", "iscell") if name in held}
    ops = held["ops"] if "ops" in held and held["ops"].size == 1 and held["ops"].dtype.names else None
    settings = {name: ops[name].item() for name in ops.dtype.names} if ops is not None else {}
    stat = [{"med": one["med"].item()} for one in held["stat"].ravel() if one.dtype.names and "med" in one.dtype.names]
    stat = stat if len(stat) == len(arrays["F"]) else []
    return Output(path, arrays, stat, settings, [path])


def _found(row: Mapping[str, Any], output: Output) -> Found:
    wanted = str(option(row, "dataset", "F"))
    if wanted not in TRACES or wanted not in output.arrays:
        held = ", ".join(name for name in TRACES if name in output.arrays)
        raise fault(output.path, f"dataset is {wanted!r}", f"choose one of {held}, or leave it empty for F")
    names = [f"n{i}" for i in range(output.n_rois)]
    kept = cells.chosen(row, names, output.accepted)
    with_neuropil = wanted == "F" and "Fneu" in output.arrays
    values = gather(Stored(wanted, output.arrays[wanted]), True, kept)
    return Found(
        values=values,
        names=list(compress(names, kept)),
        time=times(row, output.path / "F.npy" if output.path.is_dir() else output.path, len(values)),
        rate_hz=output.setting("fs"),
        tau_s=output.setting("tau"),
        neurons=_places(row, output, names, kept),
        neuropil=gather(Stored("Fneu", output.arrays["Fneu"]), True, kept) if with_neuropil else None,
        dataset=wanted,
        kind=TRACES[wanted],
        left_out=list(compress(names, ~kept)),
        said=[] if option(row, "keep") else _said(output, kept),
        files=output.files,
    )


def _said(output: Output, kept: Bools) -> list[str]:
    if output.accepted is None or kept.all():
        return []
    return [f"{int(kept.sum())} of {output.n_rois} ROIs are used, those that suite2p or its user accepted as cells"]


def _places(row: Mapping[str, Any], output: Output, names: Sequence[str], kept: Bools) -> Neurons:
    """Return the centres of the cells [mm], where the size of a pixel is known."""
    scale = number(row, "um_per_pixel")
    used = list(compress(names, kept))
    if scale is None or not len(output.stat):
        return Neurons(used)
    centres = np.array([np.ravel(roi["med"])[:2] for roi in compress(output.stat, kept)], float) * scale / 1000
    return Neurons(used, x=centres[:, 1], y=centres[:, 0])
