"""What a file may not do to whoever reads it: point at other files, or ask for more memory than there is."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.base.errors import PhiscaleError, Problem

RATIO = 900  # of the size of values to that of what is stored of them: more no usual compression gives
LARGE = 2**26  # bytes, from which on that is looked at


def own(path: Path, dataset: Any) -> Any:
    """Return a dataset of HDF5 whose values lie in the file that was named.

    Args:
        path: the file.
        dataset: h5py.Dataset.

    Raises:
        PhiscaleError: its values are in other files (external links, external storage, virtual datasets), or hardly
            any are stored of all that its shape promises.
    """
    elsewhere = dataset.is_virtual or bool(dataset.external)
    if elsewhere or not os.path.samefile(dataset.file.filename, path):
        what = f"{dataset.name} points at another file"
        fix = "name that file itself, or copy the array into this one"
        raise PhiscaleError(Problem(str(path), what, "It could be any file of this computer", fix))
    size = fitting(path, dataset.shape or (), dataset.dtype.itemsize, dataset.name)
    stored_enough(path, size, dataset.id.get_storage_size(), f"{dataset.name} has the shape {dataset.shape}")
    return dataset


def stored_enough(path: Path, size: int, stored: int, what: str) -> None:
    """Return if what is stored of an array is as much as a usual compression leaves.

    Args:
        path: the file.
        size: of the array [bytes].
        stored: of it in the file [bytes].
        what: the array is.

    Raises:
        PhiscaleError: it is less: nearly all of the array would be empty.
    """
    if size > LARGE and size > RATIO * stored:
        what = f"{what}, of which {stored} bytes are stored"
        raise PhiscaleError(Problem(str(path), what, "Nearly all of it would be empty", "is the file damaged?"))


def fitting(path: Path, shape: Sequence[int], itemsize: int, name: str = "") -> int:
    """Return the size of an array [bytes], if the memory of this machine can hold it.

    Args:
        path: the file that it is in.
        shape: of the array.
        itemsize: of one value [bytes].
        name: of the array; empty where the file is the array.

    Raises:
        PhiscaleError: it cannot.
    """
    size = math.prod(int(n) for n in shape) * itemsize
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory:
        what = f"{name or 'the array'} has the shape {tuple(shape)}, {size / 2**30:.3g} GiB"
        here = f"This machine has {memory / 2**30:.3g} GiB of memory"
        raise PhiscaleError(Problem(str(path), what, here, "is the file damaged? Else keep fewer cells, or cut it"))
    return size
