"""Failures: a job's own note from start to end, heeded while the study asks for it, and the rest finished without."""

from __future__ import annotations

import errno
import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.results.layout import Layout
from pipeline.study.study import Study
from pipeline.workflow import failures as failing
from pipeline.workflow.failures import (
    Asked,
    failed_since,
    failures,
    finish_without_failed,
    marks,
    omitted,
    second_run,
    study_failures,
    told,
)
from pipeline.workflow.job import KILLED, Job, JobFailed, perform

FAULT = PhiscaleError(Problem("file", "is broken"))


def study_in(folder: Path, **changes: object) -> Study:
    parameters = {"study": "s", "conditions": ["a", "b"], "results": str(folder / "results")}
    parameters |= {"ensembles": {"method": "none", "iit": 4}, "macro": {"scales": [2, 3]}} | changes
    (folder / "study.yaml").write_text(yaml.safe_dump(parameters))
    (folder / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\n007\tx\ta.csv\tcsv\nm2\ty\tb.csv\tcsv\n")
    rows = [f"{r}\t{w}\t{w}\t{t}\t{t + 9}" for r in ("007", "m2") for t, w in ((0, "a"), (9, "b"))]
    (folder / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\n" + "\n".join(rows) + "\n")
    return Study.load(folder / "study.yaml")


def run_job(
    study: Study,
    stage: str,
    recording: str,
    does: Any,
    monkeypatch: pytest.MonkeyPatch,
    params: SimpleNamespace | None = None,
) -> None:
    """Run a job of which `does` is the work."""
    layout = Layout(study.root)
    job = Job(
        stage=stage,
        root=str(study.root),
        cwd=".",
        wildcards={"recording": recording} if recording else {"name": "x"},
        input=SimpleNamespace(),
        output=SimpleNamespace(),
        params=params or SimpleNamespace(),
        threads=1,
        log=str(layout.log(stage, recording)),
    )
    module = ModuleType("stage")
    module.run = does  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"pipeline.workflow.stages.{stage}", module)
    perform(job)


def fails_with(error: BaseException) -> Any:
    def run(job: Job) -> None:
        raise error

    return run


def parts_fail(*parts: dict[str, str]) -> Any:
    def run(job: Job) -> None:
        for part in parts:
            with job.part(**part):
                raise FAULT

    return run


def test_a_note_is_there_from_the_start_and_gone_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study, seen = study_in(tmp_path), []
    run_job(study, "tpm", "007", lambda job: seen.extend(failures(study)), monkeypatch)
    assert [(note["stage"], note["recording"], note["reason"]) for note in seen] == [("tpm", "007", KILLED)]
    assert failures(study) == []


@pytest.mark.parametrize("where", ["logs", "failed"])
def test_a_disk_that_takes_no_log_or_note_is_told_at_once(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write, study = Path.write_text, study_in(tmp_path)

    def refuse(path: Path, *args: Any, **options: Any) -> int:
        if where in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(JobFailed, match="No space left on device"):
        run_job(study, "tpm", "007", lambda job: None, monkeypatch)
    told = capsys.readouterr().err
    assert told.startswith("failed: tpm: ")
    assert told.count("\n") == 1


def test_a_failure_replaces_the_note_and_success_takes_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    with pytest.raises(JobFailed, match="file: is broken"):
        run_job(study, "phi", "007", fails_with(FAULT), monkeypatch)
    run_job(study, "nulls", "007", lambda job: None, monkeypatch)
    run_job(study, "phi", "m2", lambda job: None, monkeypatch)
    (failure,) = failures(study)
    assert told(failure) == "failed: 007 (phi): file: is broken."
    run_job(study, "phi", "007", lambda job: None, monkeypatch)
    assert failures(study) == []


def test_a_part_that_fails_is_noted_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    parts = ({"window": "a"}, {"window": "b", "system": "macro_units-2"}, {"system": "macro_units-3"})
    run_job(study, "macro", "007", parts_fail(*parts), monkeypatch)
    assert {told(note) for note in failures(study)} == {
        "failed: 007, window a (macro): file: is broken.",
        "failed: 007, window b, macro_units-2 (macro): file: is broken.",
        "failed: 007, macro_units-3 (macro): file: is broken.",
    }
    assert {omitted(note) for note in failures(study)} == {None}
    run_job(study, "macro", "007", parts_fail(parts[0]), monkeypatch)
    assert [note.get("window") for note in failures(study)] == ["a"]


def test_a_job_of_which_nothing_is_left_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)

    def run(job: Job) -> None:
        parts_fail({"window": "a"}, {"window": "b"})(job)
        job.keep({}, str(tmp_path / "tpm.nc"))

    with pytest.raises(JobFailed, match="none of its windows is left"):
        run_job(study, "tpm", "007", run, monkeypatch)
    assert {omitted(note) for note in failures(study)} == {None, "007"}
    assert len(failures(study)) == 3
    assert not (tmp_path / "tpm.nc").exists()


def test_an_unexpected_error_fails_the_job_and_names_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)

    def run(job: Job) -> None:
        with job.part(window="a"):
            raise ZeroDivisionError("oh")

    with pytest.raises(JobFailed):
        run_job(study, "tpm", "m2", run, monkeypatch)
    (failure,) = failures(study)
    assert "unexpected ZeroDivisionError: oh" in failure["reason"]
    assert "window" not in failure
    assert "Traceback" in Layout(study.root).log("tpm", "m2").read_text()


def test_a_job_of_several_recordings_is_noted_for_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path, ensembles={"method": "none", "iit": 4, "grouping": "study"})
    members = SimpleNamespace(members=["007", "m2"])
    with pytest.raises(JobFailed):
        run_job(study, "shared_units", "", fails_with(FAULT), monkeypatch, members)
    assert {told(note) for note in failures(study)} == {
        "failed: 007 (shared_units): file: is broken.",
        "failed: m2 (shared_units): file: is broken.",
    }
    assert failures(study_in(tmp_path)) == []  # the study does not ask for it any more
    run_job(study, "shared_units", "", lambda job: None, monkeypatch, SimpleNamespace(members=["m2"]))
    assert [note["recording"] for note in failures(study)] == ["007"]
    run_job(study, "shared_units", "", lambda job: None, monkeypatch, members)
    assert failures(study) == []


def test_a_job_of_the_whole_study_says_why_it_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    logs = {"compare": ZeroDivisionError("oh"), "summarise": FAULT, "validate": KeyboardInterrupt()}
    for stage, error in logs.items():
        with pytest.raises((JobFailed, KeyboardInterrupt)):
            run_job(study, stage, "", fails_with(error), monkeypatch)
        Layout(study.root).log(stage, "").rename(study.layout.study_log(stage))
    run_job(study, "report", "", lambda job: None, monkeypatch)
    Layout(study.root).log("report", "").rename(study.layout.study_log("report"))
    lines = study_failures(study)
    assert lines[0] == "failed: summarise: file: is broken."
    assert lines[1].startswith("failed: compare: unexpected ZeroDivisionError: oh (see ")
    assert len(lines) == 2


def test_what_a_killed_run_noted_leaves_nothing_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor what an earlier fault did that may be mended; it was not tried again yet."""
    study = study_in(tmp_path)
    for recording in ("007", "m2"):
        with pytest.raises(JobFailed):
            run_job(study, "phi", recording, fails_with(FAULT), monkeypatch)
    before = marks(study.layout)
    assert failed_since(study, before) == set()
    with pytest.raises(JobFailed):
        run_job(study, "phi", "007", fails_with(FAULT), monkeypatch)
    assert failed_since(study, before) == {"007"}
    assert failed_since(study, {}) == {"007", "m2"}


def test_an_interrupted_job_leaves_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_job(study, "tpm", "m2", fails_with(KeyboardInterrupt()), monkeypatch)
    assert failures(study) == []


def test_notes_of_what_the_study_no_longer_asks_for_are_not_heeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_in(tmp_path)
    run_job(study, "macro", "m2", parts_fail({"window": "a", "system": "macro_units-3"}), monkeypatch)
    run_job(study, "phi", "m2", parts_fail({"window": "gone", "system": "micro-4"}), monkeypatch)
    run_job(study, "truth", "m2", parts_fail({}), monkeypatch)
    run_job(study, "tpm", "gone", parts_fail({}), monkeypatch)
    assert [note["system"] for note in failures(study)] == ["macro_units-3"]
    assert failures(study_in(tmp_path, macro={"scales": [2]})) == []


def test_windows_of_state_codes_may_be_any_condition_of_the_codes(tmp_path: Path) -> None:
    study_in(tmp_path, state_codes={"codes": {1: "a", 2: "b"}})
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({**yaml.safe_load(study.read_text()), "windows": None}))
    sheet = "recording\tsubject\tpath\tformat\tstate_codes\n007\tx\ta.csv\tcsv\tnone.npy\n"
    (tmp_path / "recordings.tsv").write_text(sheet)
    asked = Asked.by(Study.load(tmp_path / "study.yaml"))  # the file of codes is not there, and not opened
    assert asked.windows == {"007": ["a", "b"]}


@pytest.mark.parametrize(
    ("note", "omit"),
    [
        ({"stage": "ingest"}, "007"),
        ({"stage": "tpm"}, "007"),
        ({"stage": "macro"}, "007:macro"),
        ({"stage": "truth"}, "007:truth"),
        ({"stage": "shared_units"}, "007"),
        ({"stage": "shared_macro"}, "007:macro"),
        ({"stage": "macro", "system": "macro_units-2"}, None),
        ({"stage": "tpm", "window": "a"}, None),
    ],
)
def test_no_more_is_left_out_than_failed(note: dict[str, str], omit: str | None) -> None:
    assert omitted({"recording": "007", **note}) == omit


CLUSTER = [
    *("--snakefile", "Snakefile", "--executor", "cluster-generic", "--jobs", "7", "--keep-going"),
    *("--workflow-profile", "profiles/slurm", "--default-resources", "mem_mb=9", "--latency-wait", "60"),
    *("--set-resources", "phi:mem_mb=5000", "--forcerun", "report", "--config", "study=a b/study.yaml"),
]


def test_the_second_run_is_the_first_without_what_failed() -> None:
    """Executor, profile, jobs, resources and all else are as they were; the configuration is whole."""
    from snakemake.cli import get_argument_parser, parse_config

    config = {"study": "a b/study.yaml", "data": "d"}
    command = second_run(CLUSTER, "Snakefile", config, ["007", "1e5:macro"])
    at = command.index("snakemake") + 1
    assert command[at : at + len(CLUSTER)] == CLUSTER
    parser = get_argument_parser()
    ours, theirs = (vars(parser.parse_args(_without_profile(argv))) for argv in (command[at:], CLUSTER))
    plain = {name for name, value in theirs.items() if value is None or type(value).__module__ == "builtins"}
    assert {name for name in plain if ours[name] != theirs[name]} == {"config", "nolock"}
    assert parse_config(ours["config"]) == {**config, "omit": ["007", "1e5:macro"]}


def _without_profile(argv: list[str]) -> list[str]:
    """Options that need files or plugins, left out where only the parser is asked."""
    left = list(argv)
    for option, width in (("--executor", 2), ("--workflow-profile", 2)):
        at = left.index(option)
        del left[at : at + width]
    return left


def workflow(keep_going: bool = True, killed: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(
        execution_settings=SimpleNamespace(keep_going=keep_going),
        scheduler=SimpleNamespace(_user_kill=killed),
        main_snakefile="Snakefile",
    )


@pytest.mark.parametrize(
    ("how", "already", "interrupted", "runs"),
    [
        (workflow(), (), False, True),
        (workflow(), ("007:macro",), False, True),  # phi could not be tried before
        (workflow(), ("007",), False, False),  # there is nothing more to leave out
        (workflow(keep_going=False), (), False, False),
        (workflow(), (), True, False),
        (workflow(killed="graceful"), (), False, False),
    ],
)
def test_the_rest_is_finished_after_keep_going_as_long_as_more_is_left_out(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: SimpleNamespace,
    already: tuple[str, ...],
    interrupted: bool,
    runs: bool,
) -> None:
    study, started = study_in(tmp_path), []
    with pytest.raises(JobFailed):
        run_job(study, "phi", "007", fails_with(FAULT), monkeypatch)
    monkeypatch.setattr(failing, "run_through", started.append)
    finish_without_failed(how, study, already, {}, interrupted, {})
    assert len(started) == runs
    if runs:
        assert json.loads(started[0][-1].removeprefix("omit=")) == ["007", *already]


def test_nothing_is_run_again_where_only_parts_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = study_in(tmp_path)
    run_job(study, "tpm", "007", parts_fail({"window": "a"}), monkeypatch)
    monkeypatch.setattr(failing, "run_through", lambda command: pytest.fail("started"))
    finish_without_failed(workflow(), study, (), {}, interrupted=False, before={})
