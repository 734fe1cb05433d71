"""Some variables of a group of a file, read without opening the rest of it: a page asks few of many."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.base.arrays import Array


def arrays(path: Path, group: str, names: Sequence[str]) -> dict[str, Array] | None:
    """Return variables as arrays, texts as str.

    Args:
        path: a NetCDF4 file.
        group: in it.
        names: of the variables; those that are not there are left out.

    Returns:
        The arrays; None where there is no such file or group.
    """
    import h5py

    if not path.is_file():
        return None
    with h5py.File(path) as file:
        if group not in file:
            return None
        return {name: _decoded(file[group][name][()]) for name in names if name in file[group]}


def _decoded(values: Array) -> Array:
    return np.array([v.decode() for v in values.ravel()]).reshape(values.shape) if values.dtype.kind == "O" else values
