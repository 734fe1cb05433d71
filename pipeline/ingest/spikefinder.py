"""The format `spikefinder`: cells whose calcium was recorded together with their spikes, one cell at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Floats
from pipeline.ingest.assembling import Found, assemble
from pipeline.ingest.contents import Contents
from pipeline.ingest.reader import Reader
from pipeline.ingest.rows import existing_file, fault, option, reading

if TYPE_CHECKING:
    import xarray as xr

RATE_HZ = 100.0  # to which the challenge has resampled all recordings
ALONE = "each cell was recorded by itself, so that no two of them are units of one system"


class Spikefinder(Reader):
    """The format `spikefinder`: one cell of a file of the spikefinder challenge, to hold a detection against spikes."""

    name = "spikefinder"
    apart = True
    summary = "one cell of a file of the spikefinder challenge (a cell is a recording of its own)"
    methods = "read from the spikefinder data"
    references = (
        "Berens P, Freeman J, Deneux T, et al. Community-based benchmarking improves spike rate inference from "
        "two-photon calcium imaging data. PLoS Computational Biology 14, e1006157 (2018)",
    )
    columns = ("rate_hz", "dataset", "indicator")
    files = ("path",)

    def read(self, row: Mapping[str, Any]) -> xr.Dataset:
        """Return the Recording of the cell whose number stands in the column `dataset`.

        Raises:
            PhiscaleError: no such file or cell; without a number, the text lists the cells.
        """
        path = existing_file(row, "path")
        calcium = _cells(path)
        cell = str(option(row, "dataset", "0" if len(calcium) == 1 else ""))
        if cell not in calcium:
            lengths = ", ".join(f"{name} ({len(trace)} frames)" for name, trace in list(calcium.items())[:25])
            raise fault(path, f"holds {len(calcium)} cells: {lengths}; {ALONE}", "give the number of one as dataset")
        return assemble(
            row,
            path,
            Found(
                values=calcium[cell][:, None],
                names=[f"cell{cell}"],
                rate_hz=RATE_HZ,
                dataset=f"data/{cell}/calcium" if path.suffix.lower() == ".mat" else cell,
                kind="dff",
                said=[ALONE],
            ),
        )

    def recordings(self, path: Path) -> list[Path]:
        """Return a .mat whose only variable `data` holds calcium and spikes, or a .csv named as the challenge's."""
        suffix, name = path.suffix.lower(), path.name.lower()
        named = suffix == ".csv" and name.endswith((".train.calcium.csv", ".test.calcium.csv"))
        return [path] if path.is_file() and (named or (suffix == ".mat" and _is_challenge(path))) else []

    def look(self, path: Path) -> Contents:
        """Return the cells of a file; see `Reader.look`."""
        found = _cells(path)
        contents = Contents([(name, f"{len(trace)} frames at {RATE_HZ:g} Hz") for name, trace in found.items()])
        contents.choices = [{"dataset": name} for name in found]
        contents.remarks, contents.no_study = [ALONE], ALONE
        return contents


def _is_challenge(path: Path) -> bool:
    import h5py
    from scipy.io import whosmat

    try:
        if h5py.is_hdf5(path):
            return False
        return [(name, kind) for name, _, kind in whosmat(path)] == [("data", "cell")] and bool(_of_mat(path))
    except Exception:  # whatever a file that is no MAT file makes of the parser
        return False


def _cells(path: Path) -> dict[str, Floats]:
    """Return the calcium (frame,) of each cell by its number; the frames that fill up shorter columns are cut off."""
    with reading(path, "spikefinder data"):
        found = _of_mat(path) if path.suffix.lower() == ".mat" else _of_text(path)
    if not found:
        raise fault(path, "holds no cell with calcium", "check path and format")
    return found


def _of_mat(path: Path) -> dict[str, Floats]:
    from scipy.io import loadmat

    data = loadmat(path, variable_names=["data"])["data"].ravel()
    names = [(cell.dtype.names or ()) if isinstance(cell, np.ndarray) else () for cell in data]
    if not all({"calcium", "spikes"} <= set(fields) for fields in names):
        return {}
    return {str(i): np.asarray(cell["calcium"].item(), float).ravel() for i, cell in enumerate(data)}


def _of_text(path: Path) -> dict[str, Floats]:
    table = pd.read_csv(path)  # its header is the numbers of the cells
    found = {}
    for name in table.columns:
        column = table[name].to_numpy(float)
        known = np.flatnonzero(np.isfinite(column))
        if known.size:
            found[str(name)] = column[: known[-1] + 1]
    return found
