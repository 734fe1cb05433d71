"""Bad studies: each fault gives one clear message and status 1, and leaves nothing behind."""

from __future__ import annotations

import errno
import io
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bad_studies import (
    COUNTS,
    FAULTS,
    fill,
    simulated,
    stretch,
    write_recording,
    write_study,
)

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import raster, transition_frames
from pipeline.binarize.states import binarize_windows
from pipeline.cli import main
from pipeline.ingest import open_recording
from pipeline.study.check import check
from pipeline.study.study import Study
from pipeline.traces.ensembles import group
from pipeline.traces.preprocess import preprocess


@pytest.mark.parametrize("name", FAULTS)
def test_one_clear_message_and_status_1(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fault, expected = FAULTS[name]
    parameters = write_study(tmp_path)
    (tmp_path / "study.yaml").write_text("")
    fault(tmp_path, parameters)
    if not (tmp_path / "study.yaml").read_text():
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    before = {path.name for path in tmp_path.rglob("*")}

    status = main(["check", str(tmp_path)])

    message = capsys.readouterr().err
    assert status == 1
    count = COUNTS.get(name, 1)
    assert message.startswith(f"phiscale: {count} problems:" if count > 1 else "phiscale: a problem:")
    assert message.count("\n- ") == count
    for text in expected:
        assert text in message
    assert "Traceback" not in message
    assert {path.name for path in tmp_path.rglob("*")} == before


def test_the_sound_study_has_no_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write_study(tmp_path)))
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "2 recordings of 2 subjects, 4 windows" in said
    assert "no problem found" in said


def test_several_faults_are_told_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = write_study(tmp_path)
    for name in ("file missing", "condition unknown", "neuron that does not exist"):
        FAULTS[name][0](tmp_path, parameters)
    parameters["ensembles"]["neurons"] = {"m2": ["n77"]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert main(["check", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert "3 problems" in message
    assert all(text in message for text in ("m1.csv", "'awakee'", "n77"))


def test_a_neuron_without_any_value_is_left_out_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = write_study(tmp_path) | {"ensembles": {"method": "activity", "iit": 3}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    write_recording(tmp_path / "m1.csv", fill(2, np.nan))
    assert main(["check", str(tmp_path)]) == 0
    assert "note: recording 'm1': left out, having no value at all: n2" in capsys.readouterr().out


def test_a_stretch_missing_in_one_neuron_is_told_where_neurons_are_units(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parameters = write_study(tmp_path)
    write_recording(tmp_path / "m1.csv", stretch(100, 900, 1))
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert main(["check", str(tmp_path)]) == 0
    notes = [line for line in capsys.readouterr().out.splitlines() if "a stretch of" in line]
    assert len(notes) == 1
    assert "'m1', window awake: a stretch of 80 s is missing (dropped or NaN in n1)" in notes[0]

    parameters["ensembles"] = {"method": "activity", "iit": 3}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert main(["check", str(tmp_path)]) == 0
    assert "a stretch of" not in capsys.readouterr().out


@pytest.mark.parametrize("match_length", [True, False])
def test_check_counts_the_transitions_that_a_run_has(
    match_length: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(traces: np.ndarray) -> None:
        traces[200:900, 1] = np.nan
        traces[1750:1800, 2] = np.nan

    parameters = write_study(tmp_path)
    settings = {"lag": 40}, {"match_length": match_length, "min_frames": 100, "method": "median"}
    parameters |= {"tpm": {**settings[0], "method": "beta"}, "binarize": settings[1]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    write_recording(tmp_path / "m1.csv", change)
    assert main(["check", str(tmp_path)]) == 1
    told = re.findall(r"'m1', window (\w+) and .*?: its (\d+) transitions", capsys.readouterr().err)

    study = Study.load(tmp_path)
    dff = preprocess(open_recording(study.row("m1")), kind="dff")
    grouped = group(dff, n_ensembles=4, method="none")
    states = binarize_windows(grouped, pd.DataFrame(study.sheet_of("m1")), **settings[1])
    for window, n in told:
        _, runs, *_ = raster(states.isel(frame=states["window"].values == window), None)
        assert int(n) == len(transition_frames(runs, 40)[0])
    assert [window for window, _ in told] == ["awake", "anesthesia"][: 1 + match_length]


def test_a_simulated_study_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parameters = write_study(tmp_path)
    simulated("awake", "recovery")(tmp_path, parameters)
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert main(["check", str(tmp_path)]) == 0
    assert "no problem found" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["study.yaml", "recordings.tsv", "m1.csv"])
def test_a_file_that_may_not_be_read(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write_study(tmp_path)))
    opened = io.open

    def refuse(path: object, *args: object, **options: object) -> object:
        if str(path).endswith(name):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(io, "open", refuse)  # what pathlib calls
    monkeypatch.setattr("builtins.open", refuse)
    assert main(["check", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 2
    assert f"{tmp_path / name}" in message
    assert "Permission denied" in message


@pytest.mark.parametrize("command", ["check", "run", "report"])
def test_no_study_at_all(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, str(tmp_path / "nowhere.yaml")]) == 1
    assert "no such file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_init_does_not_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "new")]) == 0
    before = (tmp_path / "new" / "study.yaml").read_text()
    assert main(["init", str(tmp_path / "new")]) == 1
    assert "already holds" in capsys.readouterr().err
    assert (tmp_path / "new" / "study.yaml").read_text() == before


@pytest.mark.parametrize("command", ["check", "run", "report"])
@pytest.mark.parametrize("barred", ["file", "folder"])
def test_a_results_folder_that_cannot_be_written(
    command: str,
    barred: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = write_study(tmp_path)
    target = tmp_path / "barred"
    if barred == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        allowed = os.access  # root may write anywhere
        monkeypatch.setattr(os, "access", lambda p, mode: p != target and allowed(p, mode))
    parameters["results"] = str(target / "results")
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(parameters))
    assert main([command, str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 2
    assert f"{target}: cannot be used" in message
    assert ("Not a directory" if barred == "file" else "Permission denied") in message


def test_init_and_simulate_need_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert main(["init", str(tmp_path / "file")]) == 1
    assert "file: is a file, not a folder" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "file" / "new")]) == 1
    assert "file" in capsys.readouterr().err
    assert main(["simulate", str(tmp_path / "file"), "--subjects", "1"]) == 1
    assert "file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("subjects", ["0", "-2"])
def test_simulate_needs_a_subject(subjects: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(tmp_path / "new"), "--subjects", subjects]) == 1
    message = capsys.readouterr().err
    assert f"subjects: is {subjects}" in message
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("option", "known"), [("--substrate", "'modules'"), ("--drive", "'ar1'")])
def test_simulate_knows_its_substrates_and_drives(
    option: str, known: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", str(tmp_path / "new"), option, "grid"]) == 1
    message = capsys.readouterr().err
    assert f"simulate.{option[2:]}: 'grid' is refused" in message
    assert known in message
    assert not list(tmp_path.iterdir())


def one_condition_each(folder: Path, **ensembles: object) -> None:
    """Write a study of one subject, awake in one recording and under anesthesia in the other."""
    parameters = write_study(folder) | {"ensembles": {"method": "activity", "iit": 2, **ensembles}}
    parameters |= {"binarize": {"method": "median"}, "macro": {"scales": []}}
    (folder / "recordings.tsv").write_text(
        "recording\tsubject\tpath\tformat\trate_hz\nm1\tm\tm1.csv\tcsv\t10\nm2\tm\tm2.csv\tcsv\t10\n"
    )
    rows = ["m1\tawake\tawake\t0\t150", "m2\tanesthesia\tanesthesia\t0\t150"]
    (folder / "windows.tsv").write_text("\n".join(["recording\twindow\tcondition\tstart_s\tend_s", *rows]) + "\n")
    (folder / "study.yaml").write_text(yaml.safe_dump(parameters))


def test_shared_units_are_advised_where_conditions_stand_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_condition_each(tmp_path)
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "note: ensembles.grouping: conditions of m stand in different recordings" in said
    assert "note: binarize.method: conditions of m" in said
    one_condition_each(tmp_path, grouping="subject")
    write_recording(tmp_path / "m2.csv", fill(2, np.nan))
    assert main(["check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "note: ensembles.grouping" not in said
    assert "subject 'm': 3 neurons are usable in all 2 recordings and shared by them; 1 are left out (n2)" in said
    assert "is your word" in said


def test_neurons_that_cannot_be_identified_are_refused_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_condition_each(tmp_path, grouping="subject")
    table = pd.read_csv(tmp_path / "m2.csv")
    table.rename(columns=lambda name: f"x{name}").to_csv(tmp_path / "m2.csv", index=False)
    assert main(["check", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert message.count("\n- ") == 1
    assert "subject 'm', ensembles.grouping: no neurons are usable in all 2 recordings, for 2 units" in message


def test_neurons_of_a_whole_study_are_chosen_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one_condition_each(tmp_path, grouping="study", method="none", neurons={"m": ["n0", "n1"]})
    assert main(["check", str(tmp_path)]) == 1
    assert 'choose them once, under "*"' in capsys.readouterr().err
    one_condition_each(tmp_path, grouping="study", method="none", neurons={"*": ["n0", "n1"]})
    assert main(["check", str(tmp_path)]) == 0


def test_a_field_as_large_as_a_human_head_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write_study(tmp_path)))
    (tmp_path / "where.csv").write_text("neuron,x,y,z\nn0,0,0,0\nn1,122,5,1\nn2,3,163,2\nn3,4,4,110\n")
    rows = ["m1\tm1\tm1.csv\tcsv\t10\twhere.csv", "m2\tm2\tm2.csv\tcsv\t10\t"]
    sheet = "\n".join(["recording\tsubject\tpath\tformat\trate_hz\tpositions", *rows]) + "\n"
    (tmp_path / "recordings.tsv").write_text(sheet)
    assert main(["check", str(tmp_path)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "human head" in line]
    assert len(said) == 1
    assert "recording 'm1': the positions span 122 × 163 × 110 mm" in said[0]


def test_a_file_that_a_library_stumbles_over_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = yaml.safe_dump({"study": "s", "conditions": ["a", "b"], "ensembles": {"method": "none"}})
    (tmp_path / "study.yaml").write_text(study)
    rows = "".join(f"{name}\t{name}\t{name}.csv\tcsv\t10\n" for name in ("m1", "m2"))
    (tmp_path / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\trate_hz\n" + rows)
    rows = "".join(f"{name}\ta\ta\t0\t9\n{name}\tb\tb\t9\t18\n" for name in ("m1", "m2"))
    (tmp_path / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\n" + rows)
    for name in ("m1", "m2"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n")

    def stumble(row: dict[str, str]) -> None:
        if row["recording"] == "m1":
            raise ZeroDivisionError("in a\nlibrary")
        raise PhiscaleError(Problem(f"recording {row['recording']!r}", "is broken"))

    monkeypatch.setattr("pipeline.ingest.streaming.open_recording", stumble)
    told = [str(problem) for problem in check(tmp_path)[1].problems.found]
    assert told[0].startswith("recording 'm1': cannot be read (ZeroDivisionError: in a library). ")
    assert told[1] == "recording 'm2': is broken."
