"""NWB files: traces are found by type, never guessed, and what the file knows comes along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from made_files import typed, write_nwb, write_series

from pipeline.base.errors import PhiscaleError
from pipeline.ingest import open_recording
from pipeline.ingest.assembling import told
from pipeline.ingest.registry import READERS

VALUES = np.random.default_rng(0).normal(size=(40, 4)) + 10
F = "processing/ophys/Fluorescence/plane0"


def opened(path: Path, format: str = "nwb", **options: Any) -> xr.Dataset:
    return open_recording({"recording": "r", "subject": "m", "format": format, "path": path, **options})


def fault(path: Path, format: str = "nwb", **options: Any) -> str:
    with pytest.raises(PhiscaleError) as caught:
        opened(path, format, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_that_the_file_knows(tmp_path: Path) -> None:
    dataset = opened(write_nwb(tmp_path / "x.nwb", VALUES))
    assert list(dataset["neuron"].values) == ["n100", "n102", "n103"]
    np.testing.assert_array_equal(dataset["fluorescence"], VALUES[:, [0, 2, 3]].astype(np.float32))
    np.testing.assert_array_equal(dataset["neuropil"], VALUES[:, [0, 2, 3]].astype(np.float32) / 2)
    np.testing.assert_allclose(dataset["x"], [0, 0.004, 0.006])
    np.testing.assert_allclose(dataset["y"], [0.002, 0.006, 0.008])
    assert set(dataset["region"].values) == {"VISp"}
    assert (dataset.attrs["sampling_rate_hz"], dataset.attrs["indicator"]) == (10, "GCaMP6s")
    found = told(dataset)
    assert (found["dataset"], found["kind"], found["subject"]) == (F, "fluorescence", "mouse7")
    assert found["said"] == ["neuropil is processing/ophys/Neuropil/plane0"]


def test_the_sheet_wins(tmp_path: Path) -> None:
    path = write_nwb(tmp_path / "x.nwb", VALUES)
    dataset = opened(path, keep="n101,n103", um_per_pixel=10, indicator="OGB-1", dataset=F + "/data", rate_hz=5)
    assert list(dataset["neuron"].values) == ["n101", "n103"]
    np.testing.assert_allclose(dataset["x"], [0.01, 0.03])
    assert (dataset.attrs["sampling_rate_hz"], dataset.attrs["indicator"]) == (5, "OGB-1")
    assert "neuropil" not in opened(path, dataset="processing/ophys/Deconvolved/plane0")


def test_several_sets_of_traces_are_listed(tmp_path: Path) -> None:
    path = write_nwb(tmp_path / "x.nwb", VALUES)
    with h5py.File(path, "a") as file:
        typed(file, "processing/ophys/DfOverF", "DfOverF")
        write_series(typed(file, "processing/ophys/DfOverF/plane0", "RoiResponseSeries"), VALUES, 10.0)
    told_of = fault(path)
    assert "holds 2 sets of traces: processing/ophys/DfOverF/plane0 (40, 4), " + F in told_of
    assert "name one of them as dataset" in told_of
    assert told(opened(path, dataset="processing/ophys/DfOverF/plane0"))["kind"] == "dff"
    assert [one["dataset"] for one in READERS["nwb"].look(path).choices] == ["processing/ophys/DfOverF/plane0", F]


def test_a_position_in_space_is_no_neuron(tmp_path: Path) -> None:
    path = write_nwb(tmp_path / "x.nwb", VALUES)
    assert "is a SpatialSeries of shape (40, 2): its columns are not neurons" in fault(
        path, dataset="processing/behavior/Position/place"
    )
    assert "has no series 'nothing'" in fault(path, dataset="nothing")
    path.rename(tmp_path / "x.h5")
    assert "is a file of the format nwb" in fault(tmp_path / "x.h5", "hdf5")
    assert "set format to nwb" in fault(tmp_path / "x.h5", "hdf5", dataset="processing/behavior/Position/place/data")
    assert READERS["nwb"].recordings(tmp_path / "x.h5") == [tmp_path / "x.h5"]


def test_traces_against_the_schema_are_turned_and_it_is_said(tmp_path: Path) -> None:
    path = write_nwb(tmp_path / "x.nwb", VALUES, transposed=True, rate=0.0)
    dataset = opened(path)
    np.testing.assert_array_equal(dataset["fluorescence"], VALUES[:, [0, 2, 3]].astype(np.float32))
    assert dataset.attrs["sampling_rate_hz"] == 7.5
    said = told(dataset)["said"]
    assert "the data are (4, 40) (neuron, frame), against the schema: turned, as the table of ROIs tells" in said
    assert "the series gives no rate; that of its imaging plane is taken (7.5 Hz)" in said
    bare = write_nwb(tmp_path / "bare.nwb", VALUES, transposed=True, table=False)
    assert "set transpose to true if it is (neuron, frame)" in fault(bare)
    assert opened(bare, transpose="true").sizes["neuron"] == 4
    with h5py.File(path, "a") as file:
        del file[F]["rois"]
        file[F]["rois"] = np.arange(3)
        file[F]["rois"].attrs["table"] = file["processing/ophys/ImageSegmentation/PlaneSegmentation"].ref
    assert "has shape (4, 40) for 3 ROIs" in fault(path)


def write_worm(path: Path, n: int = 12, **changed: np.ndarray) -> Path:
    """Write one TimeSeries per neuron, and the worm's place."""
    time = np.arange(40) * 0.17 + np.where(np.arange(40) > 20, 3.0, 0.0)
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = b"2.1.0"
        for i in range(n):
            group = typed(file, f"acquisition/Activity_{i}", "TimeSeries")
            write_series(group, VALUES[:, 0] * i, None, changed.get(f"time{i}", time))
        place = typed(file, "acquisition/Place", "Position")
        write_series(typed(place, "xy", "SpatialSeries"), np.zeros((40, 2)), None, time)
    return path


def test_one_series_per_neuron(tmp_path: Path) -> None:
    dataset = opened(write_worm(tmp_path / "x.nwb"))
    assert list(dataset["neuron"].values) == [f"Activity_{i}" for i in range(12)]
    np.testing.assert_allclose(dataset["fluorescence"][:, 11], VALUES[:, 0] * 11, rtol=1e-6)
    assert told(dataset)["dataset"] == "acquisition/Activity_*"
    assert dataset.attrs["sampling_rate_hz"] == pytest.approx(1 / 0.17, rel=1e-5)
    assert opened(tmp_path / "x.nwb", drop="Activity_1").sizes["neuron"] == 11
    assert "have times of their own" in fault(write_worm(tmp_path / "y.nwb", time3=np.arange(40) / 7))


def test_units_are_counted_in_frames(tmp_path: Path) -> None:
    path = write_nwb(tmp_path / "x.nwb", VALUES)
    assert "fill in rate_hz" in fault(path, dataset="units")
    dataset = opened(path, dataset="units", rate_hz=1)
    assert dataset["fluorescence"].values.tolist() == [[2, 1], [0, 0], [0, 0], [1, 0]]
    assert told(dataset)["kind"] == "spikes"


def test_looking(tmp_path: Path) -> None:
    contents = READERS["nwb"].look(write_nwb(tmp_path / "x.nwb", VALUES))
    assert contents.choices == [{"dataset": F}]
    assert contents.subject == "mouse7"
    rows = [(one.condition, one.start_s, one.end_s) for one in contents.epochs["intervals/epochs"]]
    assert rows == [("awake", 0, 2), ("iso flurane", 2, 3), ("awake", 3, 4)]
    assert ("units", "spike times of 2 units") in contents.holds


@pytest.mark.parametrize("keep", [0, 100, 3000, -200])
def test_a_file_that_is_cut_off_is_refused_in_one_line(keep: int, tmp_path: Path) -> None:
    path = write_nwb(tmp_path / "x.nwb", VALUES)
    path.write_bytes(path.read_bytes()[:keep])
    assert "cannot be read as NWB" in fault(path)
    with pytest.raises(PhiscaleError, match="cannot be read as NWB"):
        READERS["nwb"].look(path)


def test_hdf5_that_is_no_nwb_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.nwb", "w") as file:
        file["traces"] = VALUES
    assert "is HDF5, but no NWB file" in fault(tmp_path / "x.nwb")
    with h5py.File(tmp_path / "empty.nwb", "w") as file:
        file.attrs["nwb_version"] = "2.0"
    assert "holds no traces of neurons" in fault(tmp_path / "empty.nwb")


def test_real_file_against_the_schema(data_dir: Path) -> None:
    dataset = opened(data_dir / "nwb" / "optinist_test_nwb.nwb")
    assert dataset.sizes == {"time": 1000, "neuron": 19}
    assert set(dataset["region"].values) == {"V1"}
    assert len(told(dataset)["said"]) == 2


def test_real_file_with_a_series_per_neuron_is_not_the_place_of_the_worm(data_dir: Path) -> None:
    path = data_dir / "nwb" / "scholz2018_AML175_BrainScanner20180223_141721.nwb"
    dataset = opened(path)
    assert dataset.sizes == {"time": 2244, "neuron": 62}
    assert dataset["neuron"].values[-1] == "Activity_0061"
    assert "is a file of the format nwb" in fault(path, "hdf5")
