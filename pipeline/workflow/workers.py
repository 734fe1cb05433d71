"""Where jobs run: each in a process of its own, forked from one that has the libraries loaded.

A job of a small recording takes a tenth of a second, but starting Python and importing what stages need (torch 1.7 s,
scikit-learn 1.2 s, scipy.stats 0.8 s, pandas, xarray and numba 1.3 s, compiled kernels 0.5 s) takes up to five. A child
of a process that has all that loaded starts in 0.03 s (measured on one core of 2026).

So rules have `run:` directives, which the default profile lets Snakemake call in its own process
(`force-use-threads`): they hand the job to a child of multiprocessing's fork server. Where Snakemake starts a process
for the job (without that setting, or on a cluster) the job runs in that process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

from pipeline.results.layout import Layout
from pipeline.workflow.job import KILLED, Job, JobFailed, perform

PRELOADED = ["pipeline.workflow.preload"]
INTERRUPTED = "interrupted"


class Workers:
    """Runs the jobs of a workflow.

    Args:
        root: folder of the study's results.
        forking: this process is not there for a single job, so that jobs get processes of their own.
        elsewhere: folders of stages whose results several studies share (see `Layout`).
    """

    _lock = threading.Lock()  # one for all: each start looks after all children of the process

    def __init__(self, root: str | Path, forking: bool, elsewhere: Mapping[str, str] | None = None) -> None:
        self.layout, self.forking = Layout(root, elsewhere or {}), forking
        self.interrupted = threading.Event()
        self._context = multiprocessing.get_context("forkserver")
        if forking:
            self._context.set_forkserver_preload(PRELOADED)
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, self._interrupt)

    def run(self, rule: str, files: tuple[Any, Any, Any], params: Any, wildcards: Any, threads: int) -> None:
        """Run a job of a rule, given what Snakemake gives to a `run:` directive.

        Args:
            rule: name of the rule, which is that of its stage; `NAME__STAGE` where the workflow is a module.
            files: input, output and log.
            params: parameters of the rule.
            wildcards: e.g. the recording.
            threads: how many the job may use.

        Raises:
            JobFailed: with the reason.
        """
        source, target, log = files
        stage = rule.rpartition("__")[2]
        job = Job(
            stage=stage,
            root=str(self.layout.root_of(stage)),
            cwd=os.getcwd(),
            wildcards={name: str(value) for name, value in wildcards.items()},
            input=_named(source),
            output=_named(target),
            params=SimpleNamespace(**dict(params.items())),
            threads=int(threads),
            log=str(log[0]),
        )
        if self.forking:
            self._in_child(job)
        else:
            perform(job)

    def _in_child(self, job: Job) -> None:
        with self._lock:  # starting and joining look after all children, and must not do so at once
            ours, theirs = self._context.Pipe(duplex=False)
            child = self._context.Process(target=_child, args=(job, theirs), name=job.stage)
            child.start()
            theirs.close()
        try:
            word = ours.recv()
        except EOFError:  # it ended without a word, and its own note says so
            word = KILLED
        finally:
            ours.close()
        with self._lock:
            child.join()
        if word == INTERRUPTED:
            self.interrupted.set()
        if word:
            raise JobFailed(f"{job.stage}: {word}")

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.interrupted.set()
        signal.default_int_handler(number, frame)


def _child(job: Job, connection: Connection) -> None:
    """Run a job and send the reason if it fails, or nothing."""
    os.chdir(job.cwd)
    try:
        perform(job)
        connection.send("")
    except JobFailed as failed:
        connection.send(str(failed))
    except KeyboardInterrupt:
        connection.send(INTERRUPTED)


def _named(files: Any) -> SimpleNamespace:
    """Return the files of a rule by name, as plain text."""
    items: Iterable[tuple[str, Any]] = files.items()
    plain: Mapping[str, Any] = {name: str(v) if isinstance(v, str) else list(map(str, v)) for name, v in items}
    return SimpleNamespace(**plain)
