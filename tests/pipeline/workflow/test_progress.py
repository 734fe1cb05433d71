"""The progress line: what Snakemake says of jobs becomes counts, and times that follow what jobs really take."""

from __future__ import annotations

import io
import logging
import re
from types import SimpleNamespace

import pytest

from pipeline.workflow import progress
from pipeline.workflow.progress import Follower, Progress


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_time_that_is_left_follows_the_jobs_that_ended() -> None:
    clock = Clock()
    followed = Progress({"tpm": 4, "phi": 4, "report": 1}, {"tpm": 10.0, "phi": 100.0, "report": 20.0}, 2, clock)
    assert followed.line() == "between jobs · 0 of 9 jobs, about 4 min left"  # (4 · 10 + 4 · 100) / 2 + 20
    for job in (1, 2):
        followed.started("tpm", job)
    clock.now = 20.0  # twice as slow as expected
    followed.ended(1, well=True)
    followed.started("tpm", 3)
    followed.started("unforeseen", 99)
    # tpm: three of 20 s, one of which is done but for its end; phi 4 · 200, report 40; two at once
    assert followed.line() == "tpm 1/4 (20 s) · 1 of 9 jobs, about 8 min left"
    followed.ended(2, well=False)
    followed.ended(99, well=True)
    assert "tpm 2/4" in followed.line()
    assert ", 1 failed, about" in followed.line()
    clock.now = 80.0
    assert followed.end() == "1 jobs done, 1 failed, in 1 min"


def test_the_line_is_written_at_times_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY_S", 0.05)
    logger, told = logging.Logger("snakemake"), io.StringIO()
    follower = Follower(Progress({"tpm": 2}, {}, 1), told)
    logger.addHandler(follower)
    logger.info("", extra={"event": "job_info", "rule_name": "spec_main__tpm", "jobid": 7})
    while "tpm 0/2" not in told.getvalue():
        pass
    logger.info("", extra={"event": "job_finished", "job_id": 7})
    logger.error("", extra={"event": "job_error", "jobid": 8})  # of another stage
    progress.end(logger)
    assert logger.handlers == []
    lines = r"((between jobs|tpm [01]/2 \(\d s\)) · [01] of 2 jobs, about \d s left\n)+1 jobs done, in 1 s\n"
    assert re.fullmatch(lines, told.getvalue())


def test_a_terminal_has_one_line_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

        def fileno(self) -> int:
            return 1

    monkeypatch.setattr(progress.os, "get_terminal_size", lambda _: SimpleNamespace(columns=20))
    told = Terminal()
    follower = Follower(Progress({"tpm": 2}, {}, 1), told)
    follower._write("tpm 0/2 (2 s) · 0 of 2 jobs")
    follower.finish()
    assert told.getvalue() == "\r\033[Ktpm 0/2 (2 s) ? 0 o\r\033[K0 jobs done, in 1 s\n"


def test_only_faults_of_the_workflow_itself_reach_a_quiet_terminal() -> None:
    told = io.StringIO()
    handler = logging.StreamHandler(told)
    handler.name = progress.SNAKEMAKES_OWN
    logger = logging.Logger("snakemake")
    logger.addHandler(handler)
    progress.quieten(logger)
    logger.info("Building DAG of jobs...")
    logger.error("Error in rule tpm, jobid: 7", extra={"event": "job_error"})
    logger.error("RuleException:\nJobFailed in file", extra={"event": "error"})
    logger.error("MissingInputException", extra={"event": "error"})
    assert told.getvalue() == "MissingInputException\n"
