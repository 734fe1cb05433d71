import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.base import files, history
from pipeline.base.errors import PhiscaleError
from pipeline.base.recording import Neurons, Origin, build


def a_recording():
    values = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    values[5, 2] = np.nan
    return build(
        values,
        time=np.arange(300) / 10,
        sampling_rate_hz=10,
        origin=Origin(recording="007", subject="m"),
        neurons=Neurons(region=["MOs", "", "é", "VISp"]),
    )


def test_same_dataset_same_bytes_whenever_it_is_written(tmp_path):
    files.save(a_recording(), tmp_path / "a.nc")
    time.sleep(1.1)  # HDF5 counts time in seconds
    files.save(a_recording(), tmp_path / "b.nc")
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_a_dataset_comes_back_as_it_was(tmp_path):
    dataset = a_recording()
    files.save(dataset, tmp_path / "deep" / "a.nc")
    loaded = files.load(tmp_path / "deep" / "a.nc")
    xr.testing.assert_equal(loaded, dataset)
    assert loaded.attrs == dataset.attrs
    for name in dataset.variables:
        assert loaded[name].attrs == dataset[name].attrs
    assert loaded["dropped"].dtype == bool


def test_saving_a_loaded_dataset_gives_the_same_bytes(tmp_path):
    files.save(a_recording(), tmp_path / "a.nc")
    files.save(files.load(tmp_path / "a.nc"), tmp_path / "b.nc")
    files.save(files.load(tmp_path / "b.nc"), tmp_path / "c.nc")
    assert (tmp_path / "b.nc").read_bytes() == (tmp_path / "c.nc").read_bytes()


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail(partial):
        partial.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        files.write_whole(path, fail)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("flush failed (errno = 28, error message = '...')"),
        OSError(-101, "NetCDF: HDF error"),
    ],
)
def test_a_full_disk_is_told_in_one_line_and_leaves_what_was_there(tmp_path, monkeypatch, error):
    """HDF5 tells it in the text of another error, NetCDF not at all."""
    usage = files.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage._replace(free=0))
    path = tmp_path / "a.nc"
    path.write_text("before")

    def fail(partial):
        partial.write_text("half")
        raise error

    with pytest.raises(PhiscaleError) as told:
        files.write_whole(path, fail)
    assert str(told.value).startswith(f"{path}: cannot be written (No space left on device). Fix: make room")
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.nc"]


def test_a_disk_without_room_is_told_before_anything_is_begun(tmp_path, monkeypatch):
    usage = files.shutil.disk_usage(tmp_path)
    files.check_writable(tmp_path / "new" / "deeper")
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OSError, match="No space left on device"):
        files.check_writable(tmp_path / "new" / "deeper")
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "a.nc"
    path.write_bytes(b"not netcdf")
    with pytest.raises(PhiscaleError, match=r"a\.nc"):
        files.load(path)


def test_history_grows_and_leaves_the_original_alone():
    first = history.record(xr.Dataset(), "one", seed=1)
    second = history.record(first, "two", kinds=["a", "b"])
    assert [e["operation"] for e in json.loads(second.attrs["history"])] == ["one", "two"]
    assert json.loads(second.attrs["history"])[1]["parameters"] == {"kinds": ["a", "b"]}
    assert len(json.loads(first.attrs["history"])) == 1


def test_tables_have_a_parquet_twin(tmp_path):
    table = pd.DataFrame({"recording": ["007"], "value": [0.1]})
    files.save_table(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "recording,value\n007,0.1\n"
    assert pd.read_parquet(tmp_path / "t.parquet")["recording"].tolist() == ["007"]


def test_groups_come_back_as_they_were_written(tmp_path):
    one = xr.Dataset({"x": ("t", np.arange(100.0))}, attrs={"recording": "007"})
    two = xr.Dataset({"y": ("u", ["a", "b"])})
    path = tmp_path / "tpm" / "007.nc"
    files.save_groups({"awake/micro-4": one, "awake/macro_units-2": two, "NA/micro-4": one}, path)
    assert files.groups_of(path) == ["NA/micro-4", "awake/macro_units-2", "awake/micro-4"]
    found = files.load_groups(path)
    xr.testing.assert_identical(found["awake/micro-4"], one)
    xr.testing.assert_identical(files.load(path, "awake/macro_units-2"), two)
    with pytest.raises(PhiscaleError, match="cannot be read"):
        files.load(path, "asleep/micro-4")


def test_a_file_of_no_group_is_a_file(tmp_path):
    files.save_groups({}, tmp_path / "macro.nc")
    assert files.load_groups(tmp_path / "macro.nc") == {}


def test_groups_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "phi.nc"
    files.save_groups({"a/micro-2": xr.Dataset({"x": 1.0})}, path)
    with pytest.raises(ValueError):
        files.save_groups(
            {"a/micro-2": xr.Dataset({"x": 2.0}), "b/micro-2": xr.Dataset({"x": ("t", [object()])})}, path
        )
    assert float(files.load(path, "a/micro-2")["x"]) == 1.0
    assert [p.name for p in tmp_path.iterdir()] == ["phi.nc"]


def test_attributes_are_read_without_the_values(tmp_path):
    files.save(xr.Dataset({"x": ("t", np.arange(3))}, attrs={"source": "a.csv"}), tmp_path / "r.nc")
    assert files.attributes(tmp_path / "r.nc")["source"] == "a.csv"


def test_a_spreadsheet_computes_nothing(tmp_path: Path) -> None:
    table = pd.DataFrame({"unit": ["=1+1", "@SUM(A1)", "n1", "-2+3", None], "value": [-1.0, 2.0, 3.0, 4.0, 5.0]})
    files.save_csv(table, tmp_path / "a.csv")
    written = (tmp_path / "a.csv").read_text().splitlines()
    assert written == ["unit,value", "'=1+1,-1.0", "'@SUM(A1),2.0", "n1,3.0", "'-2+3,4.0", ",5.0"]
    assert table["unit"].iloc[0] == "=1+1"
