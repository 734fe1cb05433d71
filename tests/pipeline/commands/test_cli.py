"""The command line: what it takes, how it ends, and that it is quick to explain itself."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline import cli
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import write_text
from pipeline.commands import run as run_command
from pipeline.commands.run import resource
from pipeline.results.layout import Layout, RecordingFile
from pipeline.workflow.owner import Stopped

DEFAULT = [
    *("--workflow-profile", "none", "--keep-going", "--rerun-incomplete", "--nolock", "--force-use-threads"),
    *("--scheduler", "greedy", "--quiet", "host", "reason"),
]


@pytest.mark.parametrize(
    "arguments",
    [["init", "d"], ["check", "s"], ["run", "s", "-c", "2"], ["report", "s"], ["demo"], ["simulate", "d"]],
)
def test_every_command_says_what_runs_it(arguments: list[str]) -> None:
    args = cli.parser().parse_args(arguments)
    assert args.run.__module__.startswith("pipeline.commands.")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'pandas', 'pydantic', 'yaml', 'xarray', 'iitcore', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "COMMAND" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (PhiscaleError(Problem("here", "is wrong")), 1, "phiscale: a problem:\n- here: is wrong.\n"),
        (PhiscaleError("one", "two"), 1, "phiscale: 2 problems:\n- one\n- two\n"),
        (PermissionError(13, "Permission denied", "file"), 1, "file: cannot be used (Permission denied)"),
        (KeyboardInterrupt(), 130, "interrupted; the same command goes on from here"),
        (Stopped(15), 143, "phiscale: interrupted; the same command goes on from here"),
        (ZeroDivisionError("by\nnought"), 1, "- an unexpected fault: ZeroDivisionError: by nought (test_cli.py, line "),
    ],
)
def test_how_a_command_ends(
    error: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr("pipeline.commands.init.run", fail)
    assert cli.main(["init", "folder"]) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("writes", "said"), [(True, "report: "), (False, "report of an earlier run: ")])
def test_a_page_that_this_run_did_not_write_is_called_so(
    writes: bool,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    page = Layout("results/demo").of_study("page")
    write_text("page", page)
    os.utime(page, (0, 0))

    def start(command: list[str], _: object = None) -> int:
        if writes:
            os.utime(page, (time.time() + 1, time.time() + 1))
        return 1

    monkeypatch.setattr(run_command, "run_owned", start)
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().out == f"{said}{page}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [*DEFAULT, "--cores", "1", "--config", "study=S", "root=."]),
        (["-c", "3"], [*DEFAULT, "--cores", "3", "--config", "study=S", "root=."]),
        (["--", "--profile", "mine"], ["--profile", "mine", "--config", "study=S", "root=."]),
        (["-c", "2", "--", "--profile=mine"], ["--cores", "2", "--profile=mine", "--config", "study=S", "root=."]),
        (
            ["--", "--config", "a=1", "-n"],
            [
                *DEFAULT,
                "--cores",
                "1",
                "--config",
                "study=S",
                "root=.",
                "a=1",
                "-n",
            ],
        ),
        (
            ["--data", "/data"],
            [
                *(*DEFAULT, "--cores", "1"),
                *("--config", "study=S", "root=.", "data=file:///data"),
            ],
        ),
    ],
)
def test_what_snakemake_is_given(
    arguments: list[str], expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def start(command: list[str], _: object = None) -> int:
        given.extend(command)
        return 3

    study = resource("config/demo/study.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_command, "run_owned", start)
    assert cli.main(["run", str(study), *arguments]) in (1, 3)
    assert given[:6] == [sys.executable, "-m", "snakemake", "--snakefile", str(resource("Snakefile")), "--nolock"]
    assert given[6:8] == ["--directory", str(tmp_path / "results" / "demo")]
    assert [option.replace(study.as_uri(), "S") for option in given[8:]] == expected


@pytest.mark.parametrize("name", ["sleep #2", "a: b", "new\nline", "1e5", "100%25", "qu\"o'te é", "end "])
def test_the_study_that_is_named_is_the_one_that_is_run(name: str, tmp_path: Path) -> None:
    """Whatever its folder is called; Snakemake reads settings as YAML, and strips quotes."""
    from snakemake.cli import parse_config

    from pipeline.workflow import multiverse

    assert cli.main(["init", str(tmp_path / name)]) == 0
    assert cli.main(["init", str(tmp_path / name.partition(" ")[0])]) in (0, 1)  # where YAML saw a comment
    args = cli.parser().parse_args(["run", str(tmp_path / name), "--data", str(tmp_path / "x: y")])
    args.extra = []
    config = parse_config(run_command._with_config(args)[1:])
    study = multiverse.study_of(config, Path("none"))
    assert study.path == tmp_path / name / "study.yaml"
    assert all(path.startswith(str(tmp_path / "x: y")) for path in study.recordings["path"] if path)


def test_a_path_that_a_workflow_takes_for_a_pattern_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text("study: s\nconditions: [a, b]\nresults: '{x}/results'\n")
    (tmp_path / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\nm\tm\t{ y }/m.csv\tcsv\n")
    (tmp_path / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\nm\ta\ta\t0\t9\n")
    assert cli.main(["run", str(tmp_path)]) == 1
    assert "2 paths with braces, such as {x}/results" in capsys.readouterr().err


def test_an_output_without_greek_is_told_all_the_rest(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "check", str(tmp_path / "φ")],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"phiscale: a problem:\n- ")
    assert b"/?" in done.stderr


def faulty_study(folder: Path) -> Path:
    """Write a study of two recordings: the windows of the second end after it."""
    for seed, name in enumerate(("m1", "m2")):
        np.save(folder / f"{name}.npy", np.random.default_rng(seed).random((4000, 4)))
    (folder / "study.yaml").write_text(
        "study: s\nconditions: [a, b]\nensembles: {method: none, iit: 4}\nbinarize: {method: otsu, bin_s: 0.5}\n"
    )
    rows = "".join(f"{name}\t{name}\t{name}.npy\tnpy\t{rate}\n" for name, rate in (("m1", 10), ("m2", 12)))
    (folder / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\trate_hz\n" + rows)
    rows = "".join(f"{n}\t{w}\t{w}\t{t}\t{t + 200}\n" for n in ("m1", "m2") for w, t in (("a", 0), ("b", 200)))
    (folder / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\n" + rows)
    return folder


def test_what_check_refuses_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless it is asked for; the results then say what was wrong, until it is no longer."""
    monkeypatch.chdir(tmp_path)
    study, started = faulty_study(tmp_path), list[list[str]]()
    monkeypatch.setattr(run_command, "run_owned", lambda command, *_: started.append(command) or 0)
    assert cli.main(["check", str(study)]) == cli.main(["run", str(study)]) == 1
    refused = capsys.readouterr().err.splitlines()
    assert "m2" in refused[1]
    assert refused[2] == "with --anyway, the study is run in spite of what is told here"
    assert [refused[1]] == [line for line in refused[3:] if line.startswith("- ")]
    assert not started
    assert cli.main(["run", str(study), "--anyway"]) == 0
    assert f"note: {refused[1].removeprefix('- ')}" in capsys.readouterr().err
    kept = Layout("results/s").of_study("problems")
    assert json.loads(kept.read_text()) == [refused[1].removeprefix("- ")]
    assert cli.main(["report", str(study)]) == 0  # which checks nothing
    assert kept.exists()
    (study / "recordings.tsv").write_text((study / "recordings.tsv").read_text().replace("12", "10"))
    assert cli.main(["run", str(study)]) == 0
    assert not kept.exists()
    assert len(started) == 3


def test_one_recording_can_be_made_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    study, given = faulty_study(tmp_path), list[str]()
    monkeypatch.setattr(run_command, "run_owned", lambda command, *_: given.extend(command) or 0)
    assert cli.main(["run", str(study), "--anyway", "--only", "m2"]) == 0
    layout = Layout("")  # the workflow works in the folder of results
    files: tuple[RecordingFile, ...] = ("quality", "phi", "nulls", "matched", "detection")
    wanted = [layout.of(name, "m2") for name in files]
    assert given[3 : given.index("--snakefile")] == list(map(str, wanted))
    assert cli.main(["run", str(study), "--anyway", "--only", "m3"]) == 1
    assert "--only m3: is no recording of the study. Fix: name some of m1, m2." in capsys.readouterr().err


def test_a_working_directory_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The results go elsewhere, and with them what the workflow keeps of its own."""
    monkeypatch.chdir(tmp_path)
    study = faulty_study(tmp_path)
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(f"{text}results: {tmp_path / 'elsewhere'}\n")
    allowed = os.access  # root may write anywhere
    monkeypatch.setattr(os, "access", lambda p, mode: Path(p) != tmp_path and allowed(p, mode))
    (tmp_path / "elsewhere").mkdir()
    before = {path.name for path in tmp_path.iterdir()}
    monkeypatch.setattr(run_command, "run_owned", lambda *_: 0)
    assert cli.main(["report", str(study)]) == 0
    assert "Permission denied" not in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == before
