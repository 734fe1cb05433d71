"""CaImAn's HDF5, cells of the spikefinder challenge, and spikes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray as xr
from made_files import write_caiman, write_spikefinder

from pipeline.base.errors import PhiscaleError
from pipeline.ingest import open_recording
from pipeline.ingest.assembling import told
from pipeline.ingest.registry import READERS

VALUES = np.random.default_rng(0).normal(size=(40, 4)) + 10
EVENTS = "Time (s), Cell Name, Value\n0.05, C1, 2\n0.25, C1, 1\n0.95, C0, 3\n"


def opened(path: Path, format: str, **options: Any) -> xr.Dataset:
    return open_recording({"recording": "r", "subject": "m", "format": format, "path": path, **options})


def fault(path: Path, format: str, **options: Any) -> str:
    with pytest.raises(PhiscaleError) as caught:
        opened(path, format, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_caiman_gives_accepted_components(tmp_path: Path) -> None:
    dataset = opened(write_caiman(tmp_path / "x.hdf5", VALUES), "caiman")
    assert list(dataset["neuron"].values) == ["n0", "n2", "n3"]
    np.testing.assert_allclose(dataset["fluorescence"], VALUES[:, [0, 2, 3]], rtol=1e-6)
    assert (dataset.attrs["sampling_rate_hz"], told(dataset)["dataset"], told(dataset)["kind"]) == (
        *(10, "estimates/C+YrA", "dff"),
    )
    assert np.isnan(dataset["x"]).all()
    placed = opened(tmp_path / "x.hdf5", "caiman", um_per_pixel=3)
    np.testing.assert_allclose(placed["x"], [0, 0.006, 0.009])
    np.testing.assert_allclose(placed["y"], [0.006] * 3)
    assert np.isfinite(opened(write_caiman(tmp_path / "y.hdf5", VALUES, dxy=2.0), "caiman")["x"]).all()


def test_caiman_prefers_its_own_dff_and_takes_what_is_named(tmp_path: Path) -> None:
    path = write_caiman(tmp_path / "x.hdf5", VALUES, dff=VALUES.T * 2, accepted=None)
    dataset = opened(path, "caiman")
    np.testing.assert_allclose(dataset["fluorescence"], VALUES * 2, rtol=1e-6)
    assert told(opened(path, "caiman", dataset="S"))["kind"] == "spikes"
    np.testing.assert_allclose(opened(path, "caiman", dataset="C")["fluorescence"], VALUES - 0.25, rtol=1e-6)
    assert "choose one of F_dff, C+YrA, C, S" in fault(path, "caiman", dataset="YrA")
    assert "choose one of C+YrA, C, S" in fault(write_caiman(tmp_path / "y.hdf5", VALUES), "caiman", dataset="F_dff")


def test_files_that_are_not_caimans(tmp_path: Path) -> None:
    path = write_caiman(tmp_path / "x.hdf5", VALUES)
    assert "is a file of the format caiman" in fault(path, "hdf5", rate_hz=10)
    assert opened(path, "hdf5", rate_hz=10, dataset="estimates/C", transpose="true").sizes["neuron"] == 4
    path.write_bytes(path.read_bytes()[:2000])
    assert "cannot be read as HDF5" in fault(path, "caiman")
    with h5py.File(path, "w") as file:
        file["traces"] = VALUES
    assert "holds no estimates of CaImAn" in fault(path, "caiman")


def test_cells_of_the_challenge_are_recordings_of_their_own(tmp_path: Path) -> None:
    path = write_spikefinder(tmp_path / "x.mat", VALUES[:, 0], VALUES[:30, 1])
    told_of = fault(path, "spikefinder")
    assert "holds 2 cells: 0 (40 frames), 1 (30 frames); each cell was recorded by itself" in told_of
    dataset = opened(path, "spikefinder", dataset="1")
    np.testing.assert_allclose(dataset["fluorescence"][:, 0], VALUES[:30, 1], rtol=1e-6)
    assert dataset.attrs["sampling_rate_hz"] == 100
    table = tmp_path / "1.train.calcium.csv"
    table.write_text("0,1\n" + "\n".join(f"{i},{i * 2 if i < 25 else ''}" for i in range(30)))
    assert opened(table, "spikefinder", dataset="1").sizes["time"] == 25
    assert READERS["spikefinder"].recordings(table) == [table]
    assert not READERS["spikefinder"].recordings(tmp_path / "none.mat")


def test_spikes_are_counted(tmp_path: Path) -> None:
    trains = {"a": np.array([0.05, 0.06, 0.31]), "b": np.array([0.1])}
    np.savez(tmp_path / "trains.npz", **trains, end_s=0.6)
    dataset = opened(tmp_path / "trains.npz", "spikes", rate_hz=10)
    assert dataset["fluorescence"].values.T.tolist() == [[2, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0]]
    assert "fill in rate_hz" in fault(tmp_path / "trains.npz", "spikes")
    times, unit = np.concatenate(list(trains.values())), np.array([7, 7, 7, 9])
    np.savez(tmp_path / "phy.npz", spike_times=times, spike_clusters=unit)
    dataset = opened(tmp_path / "phy.npz", "spikes", rate_hz=10)
    assert list(dataset["neuron"].values) == ["unit7", "unit9"]
    assert dataset["fluorescence"].values.sum() == 4
    np.savez(tmp_path / "counts.npz", counts=np.eye(5, dtype=int), rate_hz=20.0)
    assert opened(tmp_path / "counts.npz", "spikes", drop="n0").sizes == {"time": 5, "neuron": 4}


def test_events_of_a_table_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(EVENTS)
    assert READERS["spikes"].recordings(path) == [path]
    dataset = opened(path, "spikes", rate_hz=10)
    assert list(dataset["neuron"].values) == ["C0", "C1"]
    assert np.flatnonzero(dataset["fluorescence"][:, 1]).tolist() == [0, 2]
    path.write_text("a,b\n1,2\n")
    assert "is no table of events" in fault(path, "spikes", rate_hz=10)


def test_files_without_spikes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=np.zeros((3, 3, 3)), label=np.array(["a"]))
    assert "holds no spikes (arrays: image)" in fault(tmp_path / "x.npz", "spikes", rate_hz=10)
    np.savez(tmp_path / "x.npz", spike_times=np.zeros(3), spike_clusters=np.zeros(2))
    assert "3 spike_times for 2 spike_clusters" in fault(tmp_path / "x.npz", "spikes", rate_hz=10)
    np.savez(tmp_path / "x.npz", counts=np.array([{}], dtype=object))
    assert "cannot be read as npz" in fault(tmp_path / "x.npz", "spikes", rate_hz=10)
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 no archive")
    assert "cannot be read as npz" in fault(tmp_path / "x.npz", "spikes", rate_hz=10)


def test_real_caiman_file(data_dir: Path) -> None:
    dataset = opened(data_dir / "caiman_hdf5" / "sample_cellset_msr_1.hdf5", "caiman", um_per_pixel=3)
    assert dataset.sizes == {"time": 100, "neuron": 5}
    assert dataset.attrs["sampling_rate_hz"] == pytest.approx(20.015, abs=1e-3)
    assert float(dataset["y"].max()) < 400 * 0.003
    assert float(dataset["x"].max()) < 640 * 0.003


@pytest.mark.parametrize(("number", "cells"), [(1, 5), (3, 6)])
def test_real_spikefinder_files(data_dir: Path, number: int, cells: int) -> None:
    path = data_dir / "spikefinder" / f"data.{number}.test.preprocessed.mat"
    assert len(READERS["spikefinder"].look(path).choices) == cells
    assert opened(path, "spikefinder", dataset="0").sizes["neuron"] == 1


def test_real_inscopix_files(data_dir: Path) -> None:
    traces, events = sorted((data_dir / "inscopix_csv").glob("*.csv"))
    assert opened(traces, "csv").sizes == {"time": 17220, "neuron": 11}
    assert opened(traces, "csv", keep="all").sizes["neuron"] == 19
    assert opened(events, "spikes", rate_hz=10).sizes["neuron"] == 10
