"""The command line: what it takes, how it ends, and that it is quick to explain itself."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import write_text
from pipeline.commands import run as run_command
from pipeline.commands.run import resource
from pipeline.results.layout import Layout


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

    def start(command: list[str]) -> int:
        if writes:
            os.utime(page, (time.time() + 1, time.time() + 1))
        return 1

    monkeypatch.setattr(run_command, "run_owned", start)
    assert cli.main(["demo"]) == 1
    assert capsys.readouterr().out == f"{said}{page}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["--workflow-profile", str(resource("profiles/default")), "--cores", "1", "--config", "study=S"]),
        (["-c", "3"], ["--workflow-profile", str(resource("profiles/default")), "--cores", "3", "--config", "study=S"]),
        (["--", "--profile", "mine"], ["--profile", "mine", "--config", "study=S"]),
        (["-c", "2", "--", "--profile=mine"], ["--cores", "2", "--profile=mine", "--config", "study=S"]),
        (
            ["--", "--config", "a=1", "-n"],
            [
                "--workflow-profile",
                str(resource("profiles/default")),
                "--cores",
                "1",
                "--config",
                "study=S",
                "a=1",
                "-n",
            ],
        ),
        (
            ["--data", "/data"],
            [
                *("--workflow-profile", str(resource("profiles/default")), "--cores", "1"),
                *("--config", "study=S", "data=/data"),
            ],
        ),
    ],
)
def test_what_snakemake_is_given(
    arguments: list[str], expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def start(command: list[str]) -> int:
        given.extend(command)
        return 3

    study = resource("config/demo/study.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_command, "run_owned", start)
    assert cli.main(["run", str(study), *arguments]) in (1, 3)
    assert given[:6] == [sys.executable, "-m", "snakemake", "--snakefile", str(resource("Snakefile")), "--nolock"]
    assert [option.replace(str(study), "S") for option in given[6:]] == expected
