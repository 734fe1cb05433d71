import json
import time

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
