"""`phiscale inspect` and `phiscale init --from`: from files to a study that passes its check."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import yaml
from made_files import write_caiman, write_nwb, write_spikefinder, write_suite2p

from pipeline.cli import main

Printed = pytest.CaptureFixture[str]


def transients(n: int = 6, frames: int = 3000, rate: float = 10.0, seed: int = 0) -> np.ndarray:
    """Fluorescence (frame, neuron) with a baseline of 20, noise, and transients of 0.7 s."""
    rng = np.random.default_rng(seed)
    onsets = (rng.random((frames, n)) < 0.03) * 10.0
    decay = np.exp(-np.arange(50) / rate / 0.7)
    calcium = np.column_stack([np.convolve(column, decay)[:frames] for column in onsets.T])
    return 20 + calcium + rng.normal(size=(frames, n))


def run(capsys: Printed, *arguments: object, status: int = 0) -> str:
    assert main([str(argument) for argument in arguments]) == status
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err if status else said.out


def written(folder: Path) -> dict:
    return yaml.safe_load((folder / "study.yaml").read_text())


def sheet(folder: Path, name: str = "recordings") -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.tsv", sep="\t", dtype=str, keep_default_na=False)


def test_nwb_with_epochs_becomes_a_study(tmp_path: Path, capsys: Printed) -> None:
    path = write_nwb(tmp_path / "day 1.nwb", transients())
    with h5py.File(path, "a") as file:
        epochs = file["intervals/epochs"]
        epochs["start_time"][:], epochs["stop_time"][:] = [0, 100, 200], [100, 200, 320]
    said = run(capsys, "inspect", path)
    assert "format nwb" in said
    assert "processing/ophys/Fluorescence/plane0  (3000, 6)" in said
    assert "day_1\tmouse7\t" in said
    assert "day_1\tiso_flurane\tiso_flurane\t100\t200" in said
    run(capsys, "init", tmp_path / "new", "--from", path)
    assert sheet(tmp_path / "new").to_dict("records") == [
        {
            **{"recording": "day_1", "subject": "mouse7", "path": "../day 1.nwb", "format": "nwb"},
            "dataset": "processing/ophys/Fluorescence/plane0",
        }
    ]
    rows = sheet(tmp_path / "new", "windows").to_dict("records")
    assert [row["condition"] for row in rows] == ["awake", "iso_flurane", "awake"]
    assert rows[-1]["end_s"] == "300"  # the recording ends before the epoch
    study = written(tmp_path / "new")
    assert study["conditions"] == ["awake", "iso_flurane"]
    assert study["preprocess"] == {"kind": "fluorescence"}
    assert study["ensembles"] == {"method": "position", "iit": 4}
    assert study["binarize"] == {"bin_s": 0.5, "tau_s": 0.7}  # of GCaMP6s
    assert "no problem found" in run(capsys, "check", tmp_path / "new")
    assert "already holds" in run(capsys, "init", tmp_path / "new", "--from", path, status=1)


def test_suite2p_folders_are_told_apart_by_their_path(tmp_path: Path, capsys: Printed) -> None:
    for session in ("a", "b"):
        write_suite2p(tmp_path / "raw" / "sub-1" / f"ses-{session}" / "suite2p" / "plane0", transients())
    said = run(capsys, "init", tmp_path / "new", "--from", tmp_path / "raw")
    assert "fill in subject of ses_a in recordings.tsv" in said
    table = sheet(tmp_path / "new")
    assert list(table["recording"]) == ["ses_a", "ses_b"]
    assert "'?' is not an ID" in run(capsys, "check", tmp_path / "new", status=1)
    run(capsys, "init", tmp_path / "set", "--from", tmp_path / "raw", "--set", "subject=m1", "um_per_pixel=2")
    assert written(tmp_path / "set")["binarize"]["tau_s"] == 1.0  # as suite2p was told
    assert "no problem found" in run(capsys, "check", tmp_path / "set")


def test_what_the_files_do_not_know_is_asked_for(tmp_path: Path, capsys: Printed) -> None:
    write_suite2p(tmp_path / "plane0", transients(), fs=None)
    said = run(capsys, "init", tmp_path / "new", "--from", tmp_path / "plane0")
    assert "fill in rate_hz" in said
    assert "'?' is not a number from 0.001 to 100000" in run(capsys, "check", tmp_path / "new", status=1)
    run(capsys, "init", tmp_path / "set", "--from", tmp_path / "plane0", "--set", "rate_hz=10")
    assert "no problem found" in run(capsys, "check", tmp_path / "set")


def test_a_dataset_is_never_guessed(tmp_path: Path, capsys: Printed) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/raw"], file["a/dff"] = transients(), transients() / 20 - 1
        file["t"] = 5e5 + np.arange(3000) * 0.1 + np.random.default_rng(0).uniform(0, 0.02, 3000)
        file["state"] = np.repeat([0, 1, 0], 1000)
    told = run(capsys, "init", tmp_path / "new", "--from", tmp_path / "x.h5", status=1)
    assert "holds 2 arrays that may be the traces: a/dff (3000, 6), a/raw (3000, 6)" in told
    assert not (tmp_path / "new").exists()
    said = run(capsys, "inspect", tmp_path / "x.h5")
    assert "may hold state codes (0 1)" in said
    run(capsys, "init", tmp_path / "new", "--from", tmp_path / "x.h5", "--set", "dataset=a/dff", "state_dataset=state")
    row = sheet(tmp_path / "new").to_dict("records")[0]
    assert (row["time_dataset"], row["time_zero"], row["state_codes"]) == ("t", "first", "../x.h5")
    study = written(tmp_path / "new")
    assert study["conditions"] == ["state_0", "state_1"]
    assert study["windows"] is None
    assert study["preprocess"]["kind"] == "dff"
    assert study["preprocess"]["resample_hz"] == pytest.approx(10, rel=0.01)  # frames come unevenly
    assert "no problem found" in run(capsys, "check", tmp_path / "new")


def test_a_hypnogram_beside_a_recording_is_its_own(tmp_path: Path, capsys: Printed) -> None:
    files = []
    for session in ("s1", "s2"):
        (tmp_path / session).mkdir()
        files += [tmp_path / session / "dff.mat", tmp_path / session / "hypnogram.mat"]
        scipy.io.savemat(files[-2], {"traces": transients() - 20})
        scipy.io.savemat(files[-1], {"codes": np.repeat([np.nan, 1.0, 3.0, 2.0, np.nan], [50, 1000, 1000, 1000, 20])})
    columns = ("rate_hz=10", "state_rate_hz=10", "subject=m")
    run(capsys, "init", tmp_path / "new", "--from", *files, "--set", *columns)
    table = sheet(tmp_path / "new")
    assert list(table["recording"]) == ["s1", "s2"]
    assert list(table["state_codes"]) == ["../s1/hypnogram.mat", "../s2/hypnogram.mat"]
    assert written(tmp_path / "new")["state_codes"] == {"codes": {1: "state_1", 2: "state_2", 3: "state_3"}}
    assert "6 windows" in run(capsys, "check", tmp_path / "new")


def test_spikes_and_slow_frames_are_binarized_at_the_median(tmp_path: Path, capsys: Printed) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "spikes.npz", **{f"u{i}": np.sort(rng.uniform(0, 400, 800)) for i in range(5)}, rate_hz=20.0)
    np.save(tmp_path / "bold.npy", rng.normal(size=(300, 8)))
    run(capsys, "init", tmp_path / "a", "--from", tmp_path / "spikes.npz")
    run(capsys, "init", tmp_path / "b", "--from", tmp_path / "bold.npy", "--set", "rate_hz=0.5")
    for name, bin_s in (("a", 0.5), ("b", 2.0)):
        assert written(tmp_path / name)["binarize"] == {"method": "median", "bin_s": bin_s}
        assert "no problem found" in run(capsys, "check", tmp_path / name)


def test_where_events_are_not_seen_units_are_on_above_their_median(tmp_path: Path, capsys: Printed) -> None:
    write_caiman(tmp_path / "x.hdf5", np.random.default_rng(0).normal(size=(3000, 7)), accepted=None)
    run(capsys, "init", tmp_path / "new", "--from", tmp_path / "x.hdf5")
    assert written(tmp_path / "new")["binarize"] == {"method": "median", "bin_s": 0.5}
    assert "with 'events', unit e0 is never ON" in (tmp_path / "new" / "study.yaml").read_text()
    assert "no problem found" in run(capsys, "check", tmp_path / "new")


def test_cells_that_were_recorded_alone_are_no_study(tmp_path: Path, capsys: Printed) -> None:
    path = write_spikefinder(tmp_path / "x.mat", transients()[:, 0], transients()[:, 1])
    assert "0  3000 frames" in run(capsys, "inspect", path)
    told = run(capsys, "init", tmp_path / "new", "--from", path, status=1)
    assert "each cell was recorded by itself" in told
    assert told.count("\n") == 2
    np.savetxt(tmp_path / "one.csv", transients(1), header="n0", comments="")
    told = run(capsys, "init", tmp_path / "new", "--from", tmp_path / "one.csv", "--set", "rate_hz=10", status=1)
    assert "One neuron is no system" in told


@pytest.mark.parametrize("command", ["inspect", "init"])
def test_files_of_no_use_are_told_together(command: str, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "notes.docx").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "cut.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    files = [tmp_path / name for name in ("notes.docx", "empty", "cut.h5", "none.nwb")]
    first = ["inspect"] if command == "inspect" else ["init", tmp_path / "new", "--from"]
    told = run(capsys, *first, *files, status=1)
    assert "4 problems" in told
    for part in ("file of no format", "folder of no format", "cut.h5: cannot be read as hdf5", "does not exist"):
        assert part in told


def test_options_that_make_no_sense(tmp_path: Path, capsys: Printed) -> None:
    path = write_nwb(tmp_path / "x.nwb", transients())
    new = tmp_path / "new"
    assert "rate is no column" in run(capsys, "init", new, "--from", path, "--set", "rate=3", status=1)
    assert "is not COLUMN=VALUE" in run(capsys, "init", new, "--from", path, "--set", "rate_hz", status=1)
    assert "given without --from" in run(capsys, "init", new, "--set", "rate_hz=3", status=1)
    assert "no table of intervals 'trials'" in run(capsys, "init", new, "--from", path, "--epochs", "trials", status=1)
    assert not new.exists()


REAL = {
    "suite2p_plane0": ("suite2p_plane0", ["rate_hz=10"]),
    "suite2p_fall_mat": ("suite2p_fall_mat/S62F1_A.mat", ["um_per_pixel=1.5"]),
    "nwb against the schema": ("nwb/optinist_test_nwb.nwb", []),
    "nwb with a series per neuron": ("nwb/scholz2018_AML175_BrainScanner20180223_141721.nwb", []),
    "inscopix traces": ("inscopix_csv/Time_Series_Vader_R_2023_03_09_Raw.csv", []),
    "inscopix events": ("inscopix_csv/Time_Series_Vader_R_2023_03_09_Spikes.csv", ["rate_hz=10"]),
    "worm": (
        "celegans_wholebrain/swf702_with_id__2022-07-26-31-data.h5",
        ["dataset=gcamp/traces_array_F_F20"],
    ),
    "worm whose times are of other frames": (
        "celegans_wholebrain/swf415_no_id__2022-05-02-01-data.h5",
        ["dataset=gcamp/trace_array", "rate_hz=1.6666"],
    ),
    "mouse asleep": (
        "mouse_sleep_mch/MCH10/session_01/*.mat",
        ["rate_hz=10", "state_rate_hz=512"],
    ),
    "people": (
        "propofol_fmri/02CB_rest_01.npy",
        ["rate_hz=0.5", "transpose=true", "zero_frames=missing"],
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_real_recordings_pass_by_the_documented_commands(
    name: str, tmp_path: Path, data_dir: Path, capsys: Printed
) -> None:
    pattern, columns = REAL[name]
    files = sorted(data_dir.glob(pattern))
    run(capsys, "inspect", *files)
    run(capsys, "init", tmp_path / "new", "--from", *files, *(["--set", *columns] if columns else []))
    assert "no problem found" in run(capsys, "check", tmp_path / "new")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("caiman_hdf5/*.hdf5", "its 8 transitions"),
        ("spikefinder/data.1*.mat", "each cell was recorded by itself"),
        ("mouse_ca1_anesthesia_stats/complexity*.csv", "expected a number"),
        ("mouse_sleep_mch/sessions.csv", "expected a number"),
        ("suite2p_plane0/stat.npy", "holds object values"),
    ],
)
def test_real_files_that_are_no_study_are_refused_in_one_line(
    pattern: str, said: str, tmp_path: Path, data_dir: Path, capsys: Printed
) -> None:
    path = next(iter(data_dir.glob(pattern)))
    status = main(["init", str(tmp_path / "new"), "--from", str(path)]) or main(["check", str(tmp_path / "new")])
    told = capsys.readouterr().err
    assert status == 1
    assert said in told
    assert told.count("\n") == 2
