"""Data files made to do harm, each with the verdict that a check has to come to; of none is anything executed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from sound_study import FRAMES, RATE_HZ

REFUSED, ACCEPTED = "refused", "accepted"


def _h5(make: Callable[[h5py.File, np.ndarray], None]) -> Callable[[Path, np.ndarray], None]:
    def write(path: Path, values: np.ndarray) -> None:
        with h5py.File(path, "w") as file:
            make(file, values)

    return write


def _loop(file: h5py.File, values: np.ndarray) -> None:
    file["traces"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/traces")


def _loop_beside(file: h5py.File, values: np.ndarray) -> None:
    file["traces"] = values
    file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    file["up"] = h5py.SoftLink("/")


def _outside(file: h5py.File, values: np.ndarray) -> None:
    with h5py.File(Path(file.filename).with_name("secret.h5"), "w") as other:
        other["traces"] = values
    file["traces"] = h5py.ExternalLink("secret.h5", "/traces")


def _raw_outside(file: h5py.File, values: np.ndarray) -> None:
    secret = Path(file.filename).with_name("secret.bin")
    secret.write_bytes(values.tobytes())
    file.create_dataset("traces", values.shape, values.dtype, external=[(str(secret), 0, values.nbytes)])


def _virtual(file: h5py.File, values: np.ndarray) -> None:
    with h5py.File(Path(file.filename).with_name("secret.h5"), "w") as other:
        other["traces"] = values
    layout = h5py.VirtualLayout(values.shape, values.dtype)
    layout[:] = h5py.VirtualSource("secret.h5", "traces", values.shape)
    file.create_virtual_dataset("traces", layout)


def _tebibytes(file: h5py.File, values: np.ndarray) -> None:
    file.create_dataset("traces", (2**40, 4), float, chunks=(1000, 4))


def _gibibytes(file: h5py.File, values: np.ndarray) -> None:
    file.create_dataset("traces", (2**27, 4), float, chunks=(1000, 4))


def _many_dimensions(file: h5py.File, values: np.ndarray) -> None:
    file["traces"] = np.zeros((2,) * 12)


def _null(file: h5py.File, values: np.ndarray) -> None:
    file["traces"] = h5py.Empty("f")


def _npy_of(shape: tuple[int, ...], descr: str = "<f8") -> Callable[[Path, np.ndarray], None]:
    def write(path: Path, values: np.ndarray) -> None:
        with path.open("wb") as file:
            header = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(b"\0" * 4096)

    return write


def _wide(path: Path, values: np.ndarray) -> None:
    path.write_text("a,b,c,d\n" + "1,2,3," + "x" * 200_000 + "\n")


def _quoted(path: Path, values: np.ndarray) -> None:
    path.write_text('a,b,c,d\n1,2,3,"' + "4,\n" * 100_000)


def _wide_head(path: Path, values: np.ndarray) -> None:
    path.write_text("a" * 200_000 + ",b\n1,2\n2,1\n")


def _many_columns(path: Path, values: np.ndarray) -> None:
    path.write_text(",".join(f"n{i}" for i in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n")


def _nul(path: Path, values: np.ndarray) -> None:
    path.write_bytes(b"a,b,c,d\n" + b"1,2\x00,3,4\n" * 500)


def _utf16(path: Path, values: np.ndarray) -> None:
    path.write_text("a,b,c,d\n" + "1,2,3,4\n" * 50, encoding="utf-16")


def _names_twice(path: Path, values: np.ndarray) -> None:
    np.savetxt(path, values, delimiter=",", header="n0,n0,n1,n2", comments="")


def _time_back(path: Path, values: np.ndarray) -> None:
    time = np.arange(FRAMES) / RATE_HZ
    time[50] = 2.0
    np.savetxt(path, np.column_stack([time, values]), delimiter=",", header="time_s,a,b,c,d", comments="")


def _formulas(path: Path, values: np.ndarray) -> None:
    np.savetxt(path, values, delimiter=",", header="=1+1,@SUM(A1),-2+3,n4", comments="")


def _markup(path: Path, values: np.ndarray) -> None:
    np.savetxt(path, values, delimiter=",", header="<script>alert(1)</script>,$\\undefined{$,{x},%s", comments="")


def _bomb(path: Path, values: np.ndarray) -> None:
    np.savez_compressed(path, counts=np.zeros((2**24 + 2**20, 4), np.int8))


def _pickled(path: Path, values: np.ndarray) -> None:
    np.savez(path, counts=np.array([{"a": 1}], dtype=object))


HOSTILE: list[tuple[str, str, str, Callable[[Path, np.ndarray], None], str]] = [
    ("named loop", ".h5", "hdf5", _h5(_loop), REFUSED),
    ("loop", ".h5", "hdf5", _h5(_loop), REFUSED),
    ("loop beside named traces", ".h5", "hdf5", _h5(_loop_beside), ACCEPTED),
    ("loop beside traces", ".h5", "hdf5", _h5(_loop_beside), ACCEPTED),
    ("named external link", ".h5", "hdf5", _h5(_outside), REFUSED),
    ("external link", ".h5", "hdf5", _h5(_outside), REFUSED),
    ("named external storage", ".h5", "hdf5", _h5(_raw_outside), REFUSED),
    ("external storage", ".h5", "hdf5", _h5(_raw_outside), REFUSED),
    ("virtual", ".h5", "hdf5", _h5(_virtual), REFUSED),
    ("tebibytes", ".h5", "hdf5", _h5(_tebibytes), REFUSED),
    ("gibibytes", ".h5", "hdf5", _h5(_gibibytes), REFUSED),
    ("dimensions", ".h5", "hdf5", _h5(_many_dimensions), REFUSED),
    ("null", ".h5", "hdf5", _h5(_null), REFUSED),
    ("virtual netcdf", ".nc", "netcdf", _h5(_virtual), REFUSED),
    ("loop as netcdf", ".nc", "netcdf", _h5(_loop), REFUSED),
    ("external link as netcdf", ".nc", "netcdf", _h5(_outside), REFUSED),
    ("npy of tebibytes", ".npy", "npy", _npy_of((2**40, 4)), REFUSED),
    ("npy of no size", ".npy", "npy", _npy_of((0, 4)), REFUSED),
    ("npy of 60 dimensions", ".npy", "npy", _npy_of((1,) * 60), REFUSED),
    ("npy of a negative shape", ".npy", "npy", _npy_of((-1, 4)), REFUSED),
    ("npy of text", ".npy", "npy", _npy_of((10, 4), "<U2"), REFUSED),
    ("npy of complex", ".npy", "npy", _npy_of((30, 4), "<c16"), REFUSED),
    ("npy of dates", ".npy", "npy", _npy_of((60, 4), "<M8[s]"), REFUSED),
    ("wide cell", ".csv", "csv", _wide, REFUSED),
    ("open quote", ".csv", "csv", _quoted, REFUSED),
    ("wide head", ".csv", "csv", _wide_head, REFUSED),
    ("many columns", ".csv", "csv", _many_columns, REFUSED),
    ("NUL in text", ".csv", "csv", _nul, REFUSED),
    ("UTF-16", ".csv", "csv", _utf16, REFUSED),
    ("names twice", ".csv", "csv", _names_twice, REFUSED),
    ("time that goes back", ".csv", "csv", _time_back, REFUSED),
    ("formulas", ".csv", "csv", _formulas, ACCEPTED),
    ("markup", ".csv", "csv", _markup, ACCEPTED),
    ("bomb", ".npz", "spikes", _bomb, REFUSED),
    ("pickle", ".npz", "spikes", _pickled, REFUSED),
]
