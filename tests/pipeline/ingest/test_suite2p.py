"""Output of suite2p: cells, neuropil, positions and rate come from its own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import xarray as xr
from made_files import write_objects, write_suite2p

from pipeline.base.errors import PhiscaleError
from pipeline.ingest import open_recording
from pipeline.ingest.assembling import told
from pipeline.ingest.registry import READERS

VALUES = np.random.default_rng(0).normal(size=(40, 4)) + 10
ACCEPTED = np.array([1, 0, 1, 1])


def opened(path: Path, **options: Any) -> xr.Dataset:
    return open_recording({"recording": "r", "subject": "m", "format": "suite2p", "path": path, **options})


def fault(path: Path, **options: Any) -> str:
    with pytest.raises(PhiscaleError) as caught:
        opened(path, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_cells_neuropil_and_rate_come_from_the_folder(tmp_path: Path) -> None:
    dataset = opened(write_suite2p(tmp_path / "plane0", VALUES, accepted=ACCEPTED))
    assert list(dataset["neuron"].values) == ["n0", "n2", "n3"]
    np.testing.assert_array_equal(dataset["fluorescence"], VALUES[:, [0, 2, 3]].astype(np.float32))
    np.testing.assert_array_equal(dataset["neuropil"], VALUES[:, [0, 2, 3]].astype(np.float32) / 2)
    assert dataset.attrs["sampling_rate_hz"] == 10
    assert np.isnan(dataset["x"]).all()
    assert told(dataset)["dataset"] == "F"
    assert told(dataset)["columns_left_out"] == ["n1"]
    assert told(dataset)["said"] == ["3 of 4 ROIs are used, those that suite2p or its user accepted as cells"]


def test_the_sheet_wins(tmp_path: Path) -> None:
    folder = write_suite2p(tmp_path / "plane0", VALUES, accepted=ACCEPTED)
    dataset = opened(folder, um_per_pixel=2, rate_hz=5, keep="n3, n1", dataset="spks")
    assert list(dataset["neuron"].values) == ["n1", "n3"]
    assert "neuropil" not in dataset
    np.testing.assert_allclose(dataset["x"], [0.04, 0.12])
    np.testing.assert_allclose(dataset["y"], [0.02, 0.06])
    assert dataset.attrs["sampling_rate_hz"] == 5
    assert list(opened(folder, keep="all", drop="n0")["neuron"].values) == ["n1", "n2", "n3"]


def test_settings_of_the_new_version_and_a_folder_above(tmp_path: Path) -> None:
    folder = write_suite2p(tmp_path / "sub-1" / "suite2p" / "plane0", VALUES, fs=None)
    assert "frame rate is not known" in fault(tmp_path)
    write_objects(folder / "settings.npy", {"fs": 7.5, "diameter": [12.0, 12.0]})
    assert opened(tmp_path).attrs["sampling_rate_hz"] == 7.5


def test_planes_are_not_guessed_and_combined_stands_for_them(tmp_path: Path) -> None:
    whole = tmp_path / "suite2p"
    for plane in (0, 1):
        write_suite2p(whole / f"plane{plane}", VALUES[:, :2])
    assert "holds 2 outputs of suite2p" in fault(whole)
    assert "plane0, plane1" in fault(whole)
    write_suite2p(whole / "combined", VALUES)
    assert opened(whole).attrs["source"] == "suite2p: F"
    dataset = opened(whole, um_per_pixel=1)
    np.testing.assert_allclose(dataset["x"], [0, 0.02, 0, 0.02])  # in each plane, not side by side


def test_matlab_file(tmp_path: Path) -> None:
    stat = np.array([{"med": [10.0 * i, 20.0 * i]} for i in range(4)], dtype=object)
    held = {"F": VALUES.T, "Fneu": VALUES.T / 2, "spks": VALUES.T, "iscell": np.column_stack([ACCEPTED, ACCEPTED])}
    scipy.io.savemat(tmp_path / "Fall.mat", {**held, "stat": stat, "ops": {"fs": 3.0, "tau": 1.5}})
    dataset = opened(tmp_path / "Fall.mat", um_per_pixel=1)
    assert dataset.attrs["sampling_rate_hz"] == 3
    assert list(dataset["neuron"].values) == ["n0", "n2", "n3"]
    np.testing.assert_allclose(dataset["x"], [0, 0.04, 0.06])
    scipy.io.savemat(tmp_path / "other.mat", held)
    assert "is no output of suite2p" in fault(tmp_path / "other.mat")


def test_what_is_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    folder = write_suite2p(tmp_path / "plane0", VALUES)
    assert "has no cell n9" in fault(folder, keep="n9")
    assert "dataset is 'Fneu'" in fault(folder, dataset="Fneu")
    assert "accepts none" in fault(write_suite2p(tmp_path / "none", VALUES, accepted=np.zeros(4)))
    np.save(folder / "Fneu.npy", VALUES[:10].T)
    assert "Fneu has shape (4, 10), F (4, 40)" in fault(folder)
    (tmp_path / "empty").mkdir()
    assert "is no output of suite2p" in fault(tmp_path / "empty")


def test_looking_says_what_there_is_and_what_is_missing(tmp_path: Path) -> None:
    reader = READERS["suite2p"]
    folder = write_suite2p(tmp_path / "a" / "plane0", VALUES, accepted=ACCEPTED)
    assert reader.recordings(tmp_path) == [folder]
    contents = reader.look(folder)
    assert ("F", "(4, 40)") in contents.holds
    assert reader.recordings(folder / "F.npy") == [folder]  # named by the file, it is the folder
    assert opened(folder / "F.npy").sizes["neuron"] == 3
    assert contents.choices == [{}]
    assert "3 of 4 ROIs are accepted as cells (iscell)" in contents.remarks
    bare = write_suite2p(tmp_path / "b" / "plane0", VALUES, fs=None)
    assert reader.look(bare).choices == [{"rate_hz": "?"}]


def test_real_folder(data_dir: Path) -> None:
    assert "frame rate is not known" in fault(data_dir / "suite2p_plane0")
    dataset = opened(data_dir / "suite2p_plane0", rate_hz=30, um_per_pixel=1)
    assert dataset.sizes == {"time": 2000, "neuron": 20}
    assert np.isfinite(dataset["x"]).all()
    assert opened(data_dir / "suite2p_plane0", rate_hz=30, keep="all").sizes["neuron"] == 219


def test_real_matlab_file(data_dir: Path) -> None:
    path = data_dir / "suite2p_fall_mat" / "S62F1_A.mat"
    dataset = opened(path)
    assert dataset.sizes == {"time": 619, "neuron": 22}
    assert dataset.attrs["sampling_rate_hz"] == 5
    assert opened(path, dataset="spks").sizes["neuron"] == 15  # manual ROIs have no spikes
