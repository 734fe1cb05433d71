"""Failures: one note per job, gone with that job's success, heeded only while the study asks for the job."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.study.study import Study
from pipeline.workflow.failures import KILLED, failures, note_killed, omitted, place
from pipeline.workflow.job import RUNNING, job
from pipeline.workflow.targets import final_targets, per_system, per_window


def study_in(folder: Path, **changes: object) -> Study:
    parameters = {"study": "s", "conditions": ["a", "b"], "results": str(folder / "results")}
    parameters |= {"ensembles": {"method": "none", "iit": 4}, "macro": {"scales": [2, 3]}} | changes
    (folder / "study.yaml").write_text(yaml.safe_dump(parameters))
    (folder / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\n007\tx\ta.csv\tcsv\nm2\ty\tb.csv\tcsv\n")
    rows = [f"{r}\t{w}\t{w}\t{t}\t{t + 9}" for r in ("007", "m2") for t, w in ((0, "a"), (9, "b"))]
    (folder / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\n" + "\n".join(rows) + "\n")
    return Study.load(folder / "study.yaml")


class Wildcards(dict[str, str]):
    def __getattr__(self, name: str) -> str:
        return self[name]


def run_job(study: Study, rule: str, log: str, fault: Exception | None = None, **wildcards: str) -> None:
    snakemake = SimpleNamespace(
        rule=rule,
        log=[str(study.root / "logs" / f"{log}.log")],
        threads=1,
        wildcards=Wildcards(wildcards),
        input=None,
        output=None,
        params=None,
    )
    with job(snakemake):
        if fault is not None:
            raise fault


FAULT = PhiscaleError(Problem("file", "is broken"))


def test_a_failure_outlives_the_success_of_its_siblings(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    where = {"recording": "007", "window": "a"}
    with pytest.raises(SystemExit):
        run_job(
            study,
            "integrate",
            "integrate/007/a/macro_units-2",
            FAULT,
            **where,
            system="macro_units-2",
        )
    run_job(study, "integrate", "integrate/007/a/micro-4", **where, system="micro-4")
    (failure,) = failures(study)
    assert failure["reason"] == "file: is broken."
    assert place(failure) == "007, window a, macro_units-2"
    run_job(study, "integrate", "integrate/007/a/macro_units-2", **where, system="macro_units-2")
    assert failures(study) == []


def test_an_unexpected_error_names_the_log_with_its_traceback(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    with pytest.raises(SystemExit):
        run_job(study, "ingest", "ingest/m2", ZeroDivisionError("oh"), recording="m2")
    (failure,) = failures(study)
    assert "unexpected ZeroDivisionError: oh" in failure["reason"]
    assert "Traceback" in (study.root / "logs" / "ingest" / "m2.log").read_text()


@pytest.mark.parametrize(
    ("rule", "wildcards", "omit"),
    [
        ("ingest", {"recording": "007"}, "007"),
        ("ensembles", {"recording": "007", "k": "4"}, "007"),
        ("ensembles", {"recording": "007", "k": "32"}, "007:dynamics"),
        ("tpm", {"recording": "007", "window": "a", "k": "4"}, "007/a"),
        ("coarse_grain", {"recording": "007", "window": "a", "scale": "2"}, "007/a/macro_units-2"),
        ("nulls", {"recording": "007", "window": "a", "system": "micro-4"}, "007/a/micro-4"),
    ],
)
def test_no_more_is_left_out_than_failed(tmp_path: Path, rule: str, wildcards: dict[str, str], omit: str) -> None:
    study = study_in(tmp_path)
    with pytest.raises(SystemExit):
        run_job(study, rule, f"{rule}/x", FAULT, **wildcards)
    assert omitted(study, failures(study)[0]) == omit


def test_omitted_targets_are_gone_and_the_others_stay(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    whole = per_system(study, "{recording}/{window}/{system}")
    assert len(whole) == 2 * 2 * 3
    assert len(per_system(study, "{recording}/{window}/{system}", ("007",))) == 6
    assert len(per_system(study, "{recording}/{window}/{system}", ("007/a",))) == 9
    assert len(per_system(study, "{recording}/{window}/{system}", ("007/a/micro-4",))) == 11
    assert len(per_window(study, "{recording}/{window}", ("007/a/micro-4",))) == 4
    lost = set(final_targets(study)) - set(final_targets(study, ("007:dynamics",)))
    assert {Path(path).name for path in lost} == {"007-k32.nc"}


def test_notes_of_what_the_study_no_longer_asks_for_are_not_heeded(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    with pytest.raises(SystemExit):
        run_job(study, "coarse_grain", "c/x", FAULT, recording="m2", window="a", scale="3")
    assert len(failures(study)) == 1
    assert failures(study_in(tmp_path, macro={"scales": [2]})) == []


def test_a_killed_job_is_noted_from_its_log(tmp_path: Path) -> None:
    study = study_in(tmp_path)
    for log, text in (
        ("integrate/007/a/micro-4", RUNNING),
        ("tpm/007/b/micro-4", RUNNING),
        ("ensembles/m2-k4", RUNNING),
        ("ingest/m2", "ingest: done\n"),
        ("summarise", RUNNING),
    ):
        path = study.root / "logs" / f"{log}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    note_killed(study)
    found = failures(study)
    assert {failure["reason"] for failure in found} == {KILLED}
    assert {omitted(study, failure) for failure in found} == {"007/a/micro-4", "007/b", "m2"}
    run_job(study, "tpm", "tpm/007/b/micro-4", recording="007", window="b", k="4")
    assert {omitted(study, failure) for failure in failures(study)} == {"007/a/micro-4", "m2"}


def test_ids_survive_the_command_line() -> None:
    from snakemake.cli import parse_config

    omit = ["007", "1e5", "m2/a", "1_0:dynamics"]
    assert list(map(str, parse_config([f"omit={json.dumps(omit)}"])["omit"])) == omit
