"""A check goes as far as the states: what passes, runs; and it says what was read and all that is wrong at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bad_studies import fill, write_recording, write_study
from made_files import write_nwb, write_suite2p

from pipeline.cli import main
from pipeline.study import rehearsal


def write(folder: Path, **parameters: object) -> Path:
    (folder / "study.yaml").write_text(yaml.safe_dump(write_study(folder) | parameters))
    return folder


def checked(folder: Path, capsys: pytest.CaptureFixture[str], status: int = 0) -> str:
    assert main(["check", str(folder)]) == status
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return said.err if status else said.out


def test_units_that_recordings_share_are_made_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shared = {"method": "activity", "iit": 2, "grouping": "study"}
    checked(write(tmp_path, ensembles=shared, macro={"scales": []}), capsys)
    parameters = {"ensembles": shared, "macro": {"scales": []}, "binarize": {"z": 80.0}}
    assert "unit e0: it is never ON" in checked(write(tmp_path, **parameters), capsys, 1)


def test_on_a_part_of_a_long_recording_silence_is_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, binarize={"z": 80.0})
    monkeypatch.setattr(rehearsal, "MOST", 4 * 1000)
    said = checked(tmp_path, capsys)
    assert "note: in the part of recording 'm1' that was looked at: recording 'm1', unit n0: it is never ON" in said
    write(tmp_path, preprocess={"kind": "fluorescence"})
    assert "negative or close to zero" in checked(tmp_path, capsys, 1)


def test_frames_that_come_unevenly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    write(tmp_path, binarize={"bin_s": 0.6, "method": "median"})
    time = np.cumsum(rng.uniform(0.54, 0.66, 600))
    for name in ("m1", "m2"):
        table = pd.DataFrame(rng.normal(size=(600, 4)), columns=[f"n{i}" for i in range(4)])
        table.insert(0, "time_s", time)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    sheet = (tmp_path / "recordings.tsv").read_text().replace("csv\t10", "csv\t")
    (tmp_path / "recordings.tsv").write_text(sheet)
    assert "'m1': frames come unevenly, and " in checked(tmp_path, capsys)
    parameters = yaml.safe_load((tmp_path / "study.yaml").read_text())
    parameters |= {"binarize": {"bin_s": 0.62, "method": "median"}, "preprocess": {"kind": "dff", "resample_hz": 1.65}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert "come unevenly" not in checked(tmp_path, capsys)


def test_what_was_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, ensembles={"method": "none", "iit": 4}, binarize={"method": "median"})
    table = pd.read_csv(tmp_path / "m1.csv").to_numpy() + 20
    write_nwb(tmp_path / "m1.nwb", np.column_stack([table, table[:, 0]]))
    write_suite2p(tmp_path / "m2", table)
    rows = ["m1\tm1\tm1.nwb\tnwb\tn100,n102,n103,n104", "m2\tm2\tm2\tsuite2p\t"]
    header = "recording\tsubject\tpath\tformat\tkeep"
    (tmp_path / "recordings.tsv").write_text("\n".join([header, *rows]) + "\n")
    (tmp_path / "windows.tsv").write_text((tmp_path / "windows.tsv").read_text().replace("300", "299"))
    said = checked(tmp_path, capsys)
    name = "processing/ophys/Fluorescence/plane0"
    assert f"note: recording 'm1': 4 neurons × 3000 frames at 10 Hz, read from {name} of m1.nwb" in said
    assert "note: recording 'm1': the file names the subject mouse7, the sheet 'm1'" in said
    assert "note: recording 'm2': 4 neurons × 3000 frames at 10 Hz, read from F of m2" in said
    assert main(["check", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert not found["problems"]
    assert found["recordings"]["m1"]["dataset"] == name


def test_faults_of_all_sheets_are_told_in_one_round(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, tpm={"lag": 0})
    text = (tmp_path / "recordings.tsv").read_text()
    (tmp_path / "recordings.tsv").write_text(text.replace("m1.csv\tcsv\t10", "m1.csv\tcvs\t-3"))
    (tmp_path / "windows.tsv").write_text("recording\twindow\tstart_s\tend_s\nm1\tawake\t0\t10\n")
    told = checked(tmp_path, capsys, 1)
    assert all(part in told for part in ("tpm.lag", "'cvs'", "'-3'", "has no column condition"))

    write(tmp_path)
    (tmp_path / "windows.tsv").write_text("recording\twindow\tstart_s\tend_s\nm1\tawake\t0\t10\n")
    write_recording(tmp_path / "m1.csv", fill(1, 3.0))
    told = checked(tmp_path, capsys, 1)
    assert "has no column condition" in told
    assert "neuron n1: is constant" in told
    assert "has no window" not in told
    assert main(["check", str(tmp_path), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert {tuple(sorted(problem)) for problem in problems} == {("consequence", "fix", "what", "where")}


def test_47_messages_of_one_kind_are_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, ensembles={"method": "activity", "iit": 4})
    table = pd.read_csv(tmp_path / "m1.csv")
    table = table.assign(**{f"flat{i}": float(i) for i in range(47)})
    table.to_csv(tmp_path / "m1.csv", index=False)
    told = checked(tmp_path, capsys, 1)
    assert told.count("\n") == 2
    assert "neuron flat0: is constant (and 46 more like it: neuron flat1, neuron flat2, neuron flat3, ...)" in told


def test_recordings_that_are_yet_to_be_simulated_are_tried_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each specification of a multiverse may simulate others."""
    parameters: dict[str, object] = {
        **{"study": "s", "conditions": ["awake"], "results": str(tmp_path / "results"), "macro": {"scales": []}},
        "simulate": {"substrate": "pairs", "neurons_per_ensemble": 2, "duration_s": 120.0},
    }
    (tmp_path / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\nm1\tm1\t\tsimulate\n")
    (tmp_path / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\nm1\tw\tawake\t0\t120\n")
    study = tmp_path / "study.yaml"
    for more, status in (({}, 0), ({"binarize": {"method": "zscore", "z": 80.0}}, 1)):
        study.write_text(yaml.safe_dump(parameters | more))
        said = checked(tmp_path, capsys, status)
        assert ("unit e0: it is never ON" in said) == bool(more)
    monkeypatch.setattr(rehearsal, "SIMULATED", 1000)
    assert "too long to be simulated for a check" in checked(tmp_path, capsys)


def test_transitions_are_those_of_the_states(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A simulated movie has frames that must not be used, which the clock does not know."""
    settings = {"units": 4, "neurons_per_ensemble": 5, "duration_s": 167.7, "rate_hz": 2.0, "step_s": 0.25}
    parameters: dict[str, object] = {
        **{"study": "s", "conditions": ["awake"], "results": str(tmp_path / "results"), "seed": 169},
        **{"ensembles": {"method": "activity", "iit": 4}, "macro": {"scales": []}, "tpm": {"method": "beta"}},
        **{"binarize": {"method": "events", "bin_s": 1.019}, "simulate": {"substrate": "modules", **settings}},
    }
    (tmp_path / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\nr0\ta\t\tsimulate\n")
    (tmp_path / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\nr0\tw\tawake\t0\t167.7\n")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert "window w and ensembles.iit: its 15" in checked(tmp_path, capsys, 1)
