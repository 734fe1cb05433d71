"""Large recordings are read in parts: the same dataset as of one that is read as a whole."""

from __future__ import annotations

import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr
from tiny_study import write_tiny

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.ingest import blocks, open_recording, streaming
from pipeline.study.check import check

RATE = 10.0


def traces(rng: np.random.Generator) -> np.ndarray:
    """Return traces of 14 neurons, one of which has no value; frames without any, and some filled with zeros."""
    values = rng.normal(size=(2500, 14))
    values[:, 3] = np.nan
    values[100:120] = np.nan
    values[1500:1520, [i for i in range(14) if i != 3]] = 0.0
    return values


def row(path: Path, **more: str) -> dict[str, object]:
    return {"recording": "m1", "subject": "a", "path": path, "format": path.suffix[1:], "rate_hz": RATE, **more}


@pytest.mark.parametrize("kind", ["npy", "h5"])
@pytest.mark.parametrize("more", [{"zero_frames": "missing"}, {"zero_frames": "values", "drop": "n1,n9"}])
def test_parts_give_what_the_whole_gives(
    kind: str, more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, values = tmp_path / f"r.{kind}", traces(np.random.default_rng(0))
    if kind == "npy":
        np.save(path, values)
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("traces", data=values.T, compression="gzip")
        more = more | {"format": "hdf5", "transpose": "true"}
    monkeypatch.setattr(streaming, "LARGE", 1000)
    monkeypatch.setattr(blocks, "BLOCK", 1024 * 14)
    for name in ("a.nc", "b.nc"):
        streaming.ingest_into(tmp_path / name, row(path, **more))
    xr.testing.assert_identical(files.load(tmp_path / "a.nc"), open_recording(row(path, **more)))
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda values: values, "20 of 2500 frames are exactly 0 in all 13 neurons"),
        (lambda values: np.where(values == 0, np.inf, values), "fluorescence is infinite in 13 neurons"),
        (lambda values: values * np.nan, "every frame is dropped or NaN"),
    ],
)
def test_what_is_wrong_with_a_large_one_is_told_in_the_same_words(
    spoil: object, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert callable(spoil)
    path = tmp_path / "r.npy"
    np.save(path, spoil(traces(np.random.default_rng(0))))
    told = []
    for large in (2**40, 1000):
        monkeypatch.setattr(streaming, "LARGE", large)
        with pytest.raises(PhiscaleError) as refused:
            streaming.ingest_into(tmp_path / "a.nc", row(path))
        told.append(str(refused.value))
    assert told[0] == told[1]
    assert said in told[0]
    assert [one.name for one in tmp_path.iterdir()] == ["r.npy"]


def test_a_check_of_a_large_recording_says_what_it_says_of_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in a temporary file meanwhile, of which nothing is left."""
    write_tiny(tmp_path / "study")
    told = []
    for large in (2**40, 100):
        monkeypatch.setattr(streaming, "LARGE", large)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
        (tmp_path / "temporary").mkdir(exist_ok=True)
        study, found = check(tmp_path / "study")
        assert study is not None
        told.append((found.problems.found, found.notes, found.read, found.traces, found.held))
    assert told[0] == told[1]
    assert not list((tmp_path / "temporary").iterdir())
