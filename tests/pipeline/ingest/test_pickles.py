"""Pickled arrays: plain ones are read, and nothing that a file names is run."""

from __future__ import annotations

import datetime
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from made_files import write_objects

from pipeline.base.errors import PhiscaleError
from pipeline.ingest.pickles import load_npy


class Runs:
    """An object whose unpickling calls a function."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> object:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_plain_objects_come_back(protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dump = __import__("pickle").dump
    monkeypatch.setattr("pickle.dump", lambda value, file: dump(value, file, protocol=protocol))
    plain = {
        "numbers": [1, 2.5, True, None, np.float32(3.5), np.int64(4)],
        "array": np.arange(6.0).reshape(2, 3),
        "bytes": b"\x00\xff",
        "mask": np.array([True, False]),
        "dtype": np.dtype("f4"),
        "nested": OrderedDict(a={"b": ("c", np.array([{"d": 1}], dtype=object))}),
    }
    found = load_npy(write_objects(tmp_path / "x.npy", plain)).item()
    assert found["numbers"] == plain["numbers"]
    assert found["bytes"] == plain["bytes"]
    np.testing.assert_array_equal(found["array"], plain["array"])
    np.testing.assert_array_equal(found["mask"], plain["mask"])
    assert found["nested"]["a"]["b"][1][0] == {"d": 1}


def test_paths_and_dates_become_text(tmp_path: Path) -> None:
    ops = {"path": Path("a") / "b", "date": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)}
    found = load_npy(write_objects(tmp_path / "x.npy", ops)).item()
    assert found["path"] == "a/b"
    assert isinstance(found["date"], str)


@pytest.mark.parametrize(
    "bad",
    [
        Runs(os.system, "touch ran"),
        Runs(eval, "open('ran', 'w')"),
        Runs(getattr, "a", "upper"),
        Runs(np.load, "x.npy", None, True),
        Runs(np.fromfile, "x.npy"),
        Runs(__import__, "os"),
        {"fs": 10, "inside": [Runs(os.mkdir, "ran")]},
        np.array([{"deep": Runs(os.mkdir, "ran")}], dtype=object),
    ],
)
def test_what_would_run_is_refused_in_one_line(bad: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_objects(tmp_path / "x.npy", bad)
    with pytest.raises(PhiscaleError) as caught:
        load_npy(path)
    assert "x.npy: would run code when it is opened (it asks for " in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [file.name for file in tmp_path.iterdir()] == ["x.npy"]


@pytest.mark.parametrize("keep", [5, 60, 130, -3])
def test_a_file_that_is_cut_off_is_refused(keep: int, tmp_path: Path) -> None:
    path = write_objects(tmp_path / "x.npy", {"a": list(range(50)), "b": np.arange(50)})
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(PhiscaleError, match="cannot be read as npy"):
        load_npy(path)


def test_arrays_of_numbers_are_mapped(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(3, 4))
    found = load_npy(tmp_path / "x.npy")
    assert isinstance(found, np.memmap)
    np.save(tmp_path / "none.npy", np.zeros((0, 4)))
    assert load_npy(tmp_path / "none.npy").shape == (0, 4)
