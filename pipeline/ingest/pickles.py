"""NumPy files of objects (suite2p's `stat.npy` and `ops.npy`), read without running anything that they hold.

Unpickling calls whatever the file names, so that a file from elsewhere could do anything. Here it can name NumPy's
arrays and numbers, and dates and paths, which become text; everything else is refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from pipeline.base.arrays import Array
from pipeline.ingest.rows import fault

ARRAYS = ("numpy.core.multiarray", "numpy._core.multiarray")  # the module was renamed in NumPy 2
AS_TEXT = ("datetime", "pathlib", "pathlib._local")
PATHS_AND_DATES = (
    *("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"),
    *("datetime", "date", "time", "timedelta", "timezone"),
)


class _Refused(pickle.UnpicklingError):
    """What a file asks for is not allowed."""


class _Text(str):
    """What stands for a date or a path: its parts, as text."""

    def __new__(cls, *parts: object) -> _Text:
        return super().__new__(cls, "/".join(str(part) for part in parts))


def _latin(text: str, encoding: str = "latin1") -> bytes:
    """Encode bytes that old protocols write as text."""
    if encoding != "latin1":
        raise _Refused(f"_codecs.encode to {encoding!r}")
    return text.encode("latin1")


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module in ARRAYS and name in ("_reconstruct", "scalar")) or (module, name) in (
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy.core.numeric", "_frombuffer"),
            ("numpy._core.numeric", "_frombuffer"),
        ):
            return super().find_class(module, name)
        if module == "numpy" or module.startswith("numpy.dtypes"):
            return self._number(module, name)
        if module in AS_TEXT and name in PATHS_AND_DATES:
            return _Text
        if (module, name) == ("_codecs", "encode"):
            return _latin
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        raise _Refused(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        raise _Refused("an object outside of the file")

    def _number(self, module: str, name: str) -> Any:
        """Return a type of numbers, such as numpy.float64."""
        found = getattr(np.dtypes if module != "numpy" else np, name, None)
        if isinstance(found, type) and issubclass(found, np.generic | np.dtype) and found is not np.object_:
            return found
        raise _Refused(f"{module}.{name}")


def load_npy(path: Path) -> Array:
    """Read a .npy file that may hold plain objects: dictionaries, lists, text, numbers and arrays of these.

    Args:
        path: the file.

    Returns:
        The array; of numbers mapped, not read, so that a part of it can be taken. Of a file that holds a single
        object the array has no dimension, and `.item()` is that object.

    Raises:
        PhiscaleError: it is no such file, is cut off, or names something that loading it would run.
    """
    try:
        with path.open("rb") as file:
            shape, dtype = _header(file)
            if dtype.hasobject:
                return _objects(file, shape)
        array: Array = np.load(path, mmap_mode="r" if shape and 0 not in shape else None, allow_pickle=False)
        return array
    except _Refused as error:
        raise fault(
            path,
            f"would run code when it is opened (it asks for {error})",
            "only arrays, numbers, text, lists and dictionaries are read; save the arrays anew with numpy.save",
        ) from error
    except OSError:
        raise
    except Exception as error:  # whatever bytes that are no pickle make of the machine that reads them
        raise fault(
            path,
            f"cannot be read as npy ({' '.join(str(error).split()) or type(error).__name__})",
            "check path and format",
        ) from error


def _header(file: BinaryIO) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    return shape, dtype


def _objects(file: BinaryIO, shape: tuple[int, ...]) -> Array:
    value = np.asarray(_Plain(file).load())
    return value if value.shape == shape else value.reshape(shape)
