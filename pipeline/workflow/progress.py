"""How far a workflow is, told in one line: each stage that is at work, all jobs, and about how long it will take.

Snakemake says of each job when it starts and ends, whatever runs it, to its logger. Where `phiscale run` asks for it,
its own lines go to the log file only, and the terminal gets this one: rewritten in place, or every `EVERY_S` where the
output is no terminal.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

ASKED = "PHISCALE_PROGRESS"  # in the environment: the terminal is for progress
EVERY_S = 30.0
EVERY_ON_TERMINAL_S = 0.5
SNAKEMAKES_OWN = "DefaultStreamHandler"
TOLD_ELSEWHERE = ("JobFailed", "At least one job did not complete", "Exiting because a job execution failed")


def span(seconds: float) -> str:
    """Return a duration with one significant digit, in the unit that people would use.

    Args:
        seconds: how long.

    >>> span(200.0)
    '3 min'
    """
    for name, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.1g}'):g} {name}"
    return f"{max(1.0, float(f'{seconds:.1g}')):g} s"


def asked() -> bool:
    """Tell whether the terminal is for progress, and not for what Snakemake says."""
    return ASKED in os.environ


def quieten(logger: logging.Logger) -> None:
    """Let only errors of a workflow itself through to the terminal; those of jobs are told at the end.

    Args:
        logger: Snakemake's.
    """
    logging.raiseExceptions = False  # a full disk takes no log either
    for handler in logger.handlers:
        if handler.name == SNAKEMAKES_OWN:
            handler.addFilter(_is_of_the_workflow)


def _is_of_the_workflow(record: logging.LogRecord) -> bool:
    of_a_job = getattr(record, "event", None) in ("job_error", "group_error")
    told = of_a_job or any(words in str(record.msg) for words in TOLD_ELSEWHERE)
    return record.levelno >= logging.ERROR and not told


@dataclass
class Stage:
    """What is known of the jobs of one stage.

    Attributes:
        jobs: how many there are.
        expected_s: what one takes, as far as can be said before.
        done: how many have ended well.
        failed: how many have not.
        taken_s: by those that have ended.
        running: when each that is at work was started, by Snakemake's number.
    """

    jobs: int
    expected_s: float
    done: int = 0
    failed: int = 0
    taken_s: float = 0.0
    running: dict[int, float] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """How many have ended, one way or the other."""
        return self.done + self.failed

    def left_s(self, now: float, slower: float) -> float:
        """Return about how long the rest takes, one job after another.

        Args:
            now: the time.
            slower: how much slower than expected the jobs were that have ended, of all stages.
        """
        each = self.taken_s / self.done if self.done else self.expected_s * slower
        begun = sum(min(now - started, each) for started in self.running.values())
        return max(each * (self.jobs - self.ended) - begun, 0.0)


class Progress:
    """Follows the jobs of a workflow and tells how far they are.

    Args:
        jobs: of each stage.
        expected_s: what a job of each takes; 1 s where it is not known.
        workers: jobs that can be at work at once.
        clock: that the time is taken from [s].
    """

    def __init__(
        self,
        jobs: Mapping[str, int],
        expected_s: Mapping[str, float],
        workers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stages = {name: Stage(count, expected_s.get(name, 1.0)) for name, count in jobs.items()}
        self._workers, self._clock, self._begun = max(workers, 1), clock, clock()
        self._lock = threading.Lock()

    def started(self, stage: str, job: int) -> None:
        """Note that a job is at work.

        Args:
            stage: of the job; one that was not foreseen is left out of account.
            job: Snakemake's number.
        """
        with self._lock:
            if stage in self.stages:
                self.stages[stage].running[job] = self._clock()

    def ended(self, job: int, *, well: bool) -> None:
        """Note that a job has ended.

        Args:
            job: Snakemake's number.
            well: whether it did what it should.
        """
        with self._lock:
            for stage in self.stages.values():
                started = stage.running.pop(job, None)
                if started is None:
                    continue
                if well:
                    stage.done += 1
                    stage.taken_s += self._clock() - started
                else:
                    stage.failed += 1

    def line(self) -> str:
        """Return how far it is: the stages at work, all jobs, the time that is left."""
        with self._lock:
            now = self._clock()
            expected = sum(stage.done * stage.expected_s for stage in self.stages.values())
            slower = sum(stage.taken_s for stage in self.stages.values()) / expected if expected else 1.0
            left = {name: self._together(stage, stage.left_s(now, slower)) for name, stage in self.stages.items()}
            parts = [
                f"{name} {stage.ended}/{stage.jobs}" + (f" ({span(left[name])})" if stage.jobs > stage.ended else "")
                for name, stage in self.stages.items()
                if stage.running
            ]
            done, failed = (sum(getattr(s, what) for s in self.stages.values()) for what in ("done", "failed"))
            jobs = sum(stage.jobs for stage in self.stages.values())
        whole = f"{done} of {jobs} jobs" + (f", {failed} failed" if failed else "")
        return f"{', '.join(parts) or 'between jobs'} · {whole}, about {span(sum(left.values()))} left"

    def _together(self, stage: Stage, left_s: float) -> float:
        """Return how long the rest of a stage takes where several of its jobs are at work at once."""
        return left_s / max(min(self._workers, stage.jobs - stage.ended), 1)

    def end(self) -> str:
        """Return what came of it."""
        done, failed = (sum(getattr(s, what) for s in self.stages.values()) for what in ("done", "failed"))
        took = span(self._clock() - self._begun)
        return f"{done} jobs done" + (f", {failed} failed" if failed else "") + f", in {took}"


class Follower(logging.Handler):
    """Hears of jobs what Snakemake says to its logger, and writes the progress line.

    Args:
        progress: that is kept.
        stream: that the line goes to.
    """

    def __init__(self, progress: Progress, stream: TextIO) -> None:
        super().__init__()
        self._progress, self._stream = progress, stream
        self._terminal = stream.isatty()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a job's start or end."""
        event = getattr(record, "event", None)
        if event == "job_info":
            self._progress.started(_stage(getattr(record, "rule_name", "")), getattr(record, "jobid", -1))
        elif event == "job_finished":
            self._progress.ended(getattr(record, "job_id", -1), well=True)
        elif event == "job_error":
            self._progress.ended(getattr(record, "jobid", -1), well=False)

    def finish(self) -> None:
        """Write the last line."""
        self._over.set()
        self._thread.join()
        self._write(self._progress.end(), last=True)

    def _tell(self) -> None:
        every = EVERY_ON_TERMINAL_S if self._terminal else EVERY_S
        while not self._over.wait(every):
            self._write(self._progress.line())

    def _write(self, line: str, *, last: bool = False) -> None:
        encoding = self._stream.encoding or "utf-8"
        line = line.encode(encoding, "replace").decode(encoding)
        if self._terminal:
            width = os.get_terminal_size(self._stream.fileno()).columns
            line = "\r\033[K" + line[: max(width - 1, 1)] + ("\n" if last else "")
        else:
            line += "\n"
        try:
            self._stream.write(line)
            self._stream.flush()
        except OSError:  # nobody reads it any more
            return


def follow(workflow: Any, logger: logging.Logger, expected_s: Mapping[str, float]) -> None:
    """Follow the jobs of a workflow that is about to run, if that is asked for.

    Args:
        workflow: Snakemake's object.
        logger: Snakemake's.
        expected_s: what a job of each stage takes.
    """
    if asked():
        jobs = Counter(_stage(job.rule.name) for job in workflow.dag.needrun_jobs())
        workers = workflow.cores if workflow.local_exec else workflow.nodes
        foreseen = {stage: count for stage, count in jobs.items() if stage != "all"}
        logger.addHandler(Follower(Progress(foreseen, expected_s, workers), sys.stderr))


def end(logger: logging.Logger) -> None:
    """Write the last line of what followed the jobs.

    Args:
        logger: Snakemake's.
    """
    for handler in list(logger.handlers):
        if isinstance(handler, Follower):
            logger.removeHandler(handler)
            handler.finish()


def _stage(rule: str) -> str:
    """Return the stage of a rule, which has a prefix where the workflow is a module."""
    return rule.rpartition("__")[2]
