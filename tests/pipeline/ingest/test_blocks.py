"""Traces are read in blocks, and only the cells that are used."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.ingest import blocks, open_recording
from pipeline.ingest.blocks import Stored, gather

VALUES = np.arange(70.0).reshape(10, 7)
KEPT = np.array([False, True, False, True, True, False, False])


class Watched:
    """An array that notes what is read of it."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.shape, self.dtype, self.read = values, values.shape, values.dtype, []

    def __getitem__(self, key: object) -> np.ndarray:
        part = self.values[key]
        self.read.append(part.size)
        return part


@pytest.mark.parametrize("neurons_first", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("block", [1, 9, 1000])
def test_blocks_make_the_whole(
    neurons_first: bool, backwards: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK", block)
    stored = Watched(VALUES.T if neurons_first != backwards else VALUES)
    found = gather(Stored("x", stored, backwards), neurons_first, KEPT)
    np.testing.assert_array_equal(found, VALUES[:, KEPT])
    assert found.dtype == np.float32
    assert max(stored.read) <= max(block, 4)  # a frame of the kept cells' span at the least
    assert sum(stored.read) == 10 * 4


def test_counts_stay_whole_and_no_cell_is_no_column() -> None:
    assert gather(Stored("x", VALUES.astype(int))).dtype == int
    assert gather(Stored("x", VALUES), kept=np.zeros(7, bool)).shape == (10, 0)


def test_a_file_is_never_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4000, 50)).astype(np.float32) + 10
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["traces"] = values
    np.save(tmp_path / "x.npy", values)
    largest = []
    read = h5py.Dataset.__getitem__

    def watch(self: h5py.Dataset, *args: object, **options: object) -> object:
        found = read(self, *args, **options)
        largest.append(np.size(found))
        return found

    monkeypatch.setattr(h5py.Dataset, "__getitem__", watch)
    monkeypatch.setattr(blocks, "BLOCK", 3000)
    for name, kind in (("x.h5", "hdf5"), ("x.npy", "npy")):
        row = {"recording": "r", "subject": "m", "path": tmp_path / name, "format": kind, "rate_hz": 10}
        dataset = open_recording({**row, "keep": "n3,n7,n49"})
        np.testing.assert_array_equal(dataset["fluorescence"], values[:, [3, 7, 49]])
    assert max(largest) <= 3000
