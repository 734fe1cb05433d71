"""What every reader owes the sheet, the words and whoever adds another one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr
from made_files import write_caiman, write_nwb, write_spikefinder, write_suite2p

from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.base.recording import Origin, build
from pipeline.base.registry import Registry
from pipeline.ingest import arrays, opening
from pipeline.ingest.reader import Reader
from pipeline.ingest.registry import READERS, file_columns, option_columns
from pipeline.simulation.parameters import Simulate

VALUES = np.random.default_rng(0).normal(size=(40, 3)) + 10
ROW = {"recording": "007", "subject": "m1", "rate_hz": 10}
EVERY_FORMAT = pytest.mark.parametrize("reader", READERS.values(), ids=list(READERS))


def write(folder: Path, reader: Reader) -> dict[str, Any]:
    """Write VALUES in a reader's format and return the row that describes them."""
    path = folder / f"x{reader.suffixes[0] if reader.suffixes else ''}"
    if reader.name == "csv":
        path.write_text("a,b,c\n" + "\n".join(",".join(map(str, row)) for row in VALUES))
    elif reader.name == "npy":
        np.save(path, VALUES)
    elif reader.name == "mat":
        scipy.io.savemat(path, {"traces": VALUES})
    elif reader.name == "hdf5":
        with h5py.File(path, "w") as file:
            file["traces"] = VALUES
    elif reader.name == "netcdf":
        origin = Origin(recording="else", subject="other")
        files.save(build(VALUES, time=np.arange(40) / 10, sampling_rate_hz=10, origin=origin), path)
    elif reader.name == "suite2p":
        write_suite2p(path, VALUES)
    elif reader.name == "caiman":
        path = write_caiman(folder / "x.hdf5", VALUES, accepted=[0, 1, 2])
    elif reader.name == "nwb":
        write_nwb(path, VALUES)
        with h5py.File(path, "a") as file:
            file["processing/ophys/ImageSegmentation/PlaneSegmentation/iscell"][:] = True
            file["processing/ophys/ImageSegmentation/PlaneSegmentation/id"][:] = range(3)
    elif reader.name == "spikefinder":
        return {**ROW, "format": reader.name, "path": write_spikefinder(folder / "x.mat", VALUES[:, 0])}
    elif reader.name == "spikes":
        np.savez(path, counts=VALUES)
    else:
        return {**ROW, "format": reader.name, "duration_s": 4.0, "neurons_per_ensemble": 3}
    return {**ROW, "format": reader.name, "path": path}


@EVERY_FORMAT
def test_a_reader_gives_a_recording_that_is_the_same_each_time(reader: Reader, tmp_path: Path) -> None:
    row = write(tmp_path, reader)
    dataset = opening.open_recording(row)
    assert dataset.attrs["recording"] == "007"
    assert dataset.attrs["subject"] == "m1"
    assert dataset.attrs["format"] == reader.name
    assert dataset.attrs["history"].count(f"ingest.{reader.name}") == 1
    if reader.name != "simulate":
        np.testing.assert_allclose(dataset["fluorescence"], VALUES[:, : dataset.sizes["neuron"]], rtol=1e-6)
    xr.testing.assert_identical(opening.open_recording(row), dataset)


@EVERY_FORMAT
def test_a_reader_has_words_and_declares_its_columns(reader: Reader) -> None:
    assert reader.summary
    assert not reader.summary.endswith(".")
    assert reader.sentence(Simulate().model_dump())
    assert "{" not in reader.sentence(Simulate().model_dump())
    assert all(isinstance(text, str) and text for text in reader.references)
    assert set(reader.columns) <= set(option_columns())
    assert set(reader.files) <= {"path", *reader.columns}
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in reader.suffixes)


@pytest.mark.parametrize(
    "reader", [reader for reader in READERS.values() if reader.files], ids=lambda reader: reader.name
)
def test_a_file_that_is_not_there_is_named(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(PhiscaleError, match=r"recording '007', path: .*none does not exist"):
        opening.open_recording({**ROW, "format": reader.name, "path": tmp_path / "none"})


@EVERY_FORMAT
def test_only_declared_columns_change_a_recording(reader: Reader, tmp_path: Path) -> None:
    row = write(tmp_path, reader)
    np.save(tmp_path / "time.npy", np.arange(40) / 5)
    (tmp_path / "where.csv").write_text(
        "neuron,x,y\n" + "".join(f"{n},0,0\n" for n in ("n0", "n1", "n2", "a", "b", "c"))
    )
    options = {"rate_hz": 9.0, "indicator": "G", "positions": "where.csv", "neuropil_path": "x.npy"}
    np.save(tmp_path / "x.npy", VALUES)
    before = opening.open_recording(row)
    for name, value in options.items():
        after = opening.open_recording({**row, name: value} if reader.name != "simulate" else {**row, "indicator": "G"})
        assert after.identical(before) == (name not in reader.columns), name


def test_no_ending_belongs_to_two_formats() -> None:
    endings = [suffix for reader in READERS.values() for suffix in reader.suffixes]
    assert len(set(endings)) == len(endings)
    assert set(arrays.KINDS) < set(endings)


def test_the_columns_of_the_sheet_are_those_of_readers_state_codes_and_truth() -> None:
    assert option_columns() == (
        *("rate_hz", "dataset", "transpose", "zero_frames", "indicator", "neuropil_path", "neuropil_dataset"),
        *("positions", "time_dataset", "time_zero", "keep", "drop", "um_per_pixel"),
        *("state_codes", "state_dataset", "state_rate_hz", "truth"),
    )
    assert file_columns() == ("path", "neuropil_path", "positions", "state_codes", "truth")


def test_the_words_of_simulated_recordings_count_their_motifs() -> None:
    words = READERS["simulate"].sentence
    one = "ensembles (1 motif of two planted pairs, couplings jittered by 5% between subjects, updated every 0.5 s"
    assert one in words(Simulate().model_dump())
    assert "ensembles (2 motifs of" in words(Simulate(motifs=2).model_dump())


def test_another_format_is_a_class_and_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mine(Reader):
        name = "mine"
        summary = "mine"
        methods = "read from mine"

        def read(self, row: Mapping[str, Any]) -> xr.Dataset:
            origin = Origin(recording=row["recording"], subject=row["subject"])
            return build(VALUES, time=np.arange(40) / 3, sampling_rate_hz=3, origin=origin)

    monkeypatch.setattr(opening, "READERS", Registry("format", "format", *READERS.values(), Mine()))
    assert opening.open_recording({**ROW, "format": "mine"}).attrs["sampling_rate_hz"] == 3


def test_the_registry_is_light_to_import() -> None:
    heavy = ("numba", "torch", "h5py", "scipy.io", "scipy.signal", "sklearn", "matplotlib")
    code = f"import sys, pipeline.ingest.registry; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
