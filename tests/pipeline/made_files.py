"""Small files as the programs of the field write them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np

SECONDS = "seconds"


def write_suite2p(
    folder: Path, values: np.ndarray, *, accepted: np.ndarray | None = None, fs: float | None = 10.0
) -> Path:
    """Write (frame, neuron) values as suite2p writes the folder of a plane; Fneu is half of F."""
    folder.mkdir(parents=True, exist_ok=True)
    n = values.shape[1]
    accepted = np.ones(n) if accepted is None else accepted
    np.save(folder / "F.npy", values.T.astype(np.float32))
    np.save(folder / "Fneu.npy", values.T.astype(np.float32) / 2)
    np.save(folder / "spks.npy", np.maximum(values.T, 0).astype(np.float32))
    np.save(folder / "iscell.npy", np.column_stack([accepted, np.full(n, 0.5)]))
    stat = [{"med": [10 * i, 20 * i], "ypix": np.arange(3), "npix": np.int64(3), "name": "x"} for i in range(n)]
    np.save(folder / "stat.npy", np.array(stat, dtype=object), allow_pickle=True)
    if fs is not None:
        ops = {"fs": fs, "tau": 1.0, "data_path": [folder], "meanImg": np.zeros((2, 2)), "nested": {"a": [1, "b"]}}
        np.save(folder / "ops.npy", np.array(ops, dtype=object), allow_pickle=True)
    return folder


def write_objects(path: Path, value: object) -> Path:
    """Write a .npy of objects whose pickle is that of `value`, whatever it is."""
    with path.open("wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        pickle.dump(value, file)
    return path
