"""Where jobs run: each in a process of its own, forked from one that has the libraries loaded.

A job of a small recording takes a tenth of a second, but starting Python and importing what stages need (torch 1.7 s,
scikit-learn 1.2 s, scipy.stats 0.8 s, pandas, xarray and numba 1.3 s, compiled kernels 0.5 s) takes up to five. A child
of a process that has all that loaded starts in 0.03 s (measured on one core of 2026).

So rules have `run:` directives, which the default profile lets Snakemake call in its own process
(`force-use-threads`): they hand the job to a child of multiprocessing's fork server. Where Snakemake starts a process
for the job (without that setting, or on a cluster) the job runs in that process.

A child dies at once when it is interrupted, in whatever it is doing, and when the process that waits for it is gone:
files get their names when they are whole, so that nothing of it can be taken for a result. The process that waits
for it then clears away what the job had begun.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

from pipeline.base.files import remove_partial
from pipeline.results.layout import Layout
from pipeline.workflow.job import KILLED, Job, JobFailed, note_job, perform
from pipeline.workflow.owner import heed_owner

PRELOADED = ["pipeline.workflow.preload"]
INTERRUPTED = "interrupted"


class Workers:
    """Runs the jobs of a workflow.

    Args:
        root: folder of the study's results.
        forking: this process is not there for a single job, so that jobs get processes of their own.
        elsewhere: folders of stages whose results several studies share (see `Layout`).
    """

    interrupted = threading.Event()  # one for all workers of the process, as are the children
    _lock = threading.Lock()

    def __init__(self, root: str | Path, forking: bool, elsewhere: Mapping[str, str] | None = None) -> None:
        self.layout, self.forking = Layout(root, elsewhere or {}), forking
        self._context = multiprocessing.get_context("forkserver")
        if forking:
            self._context.set_forkserver_preload(PRELOADED)
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, self._interrupt)
                heed_owner()

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
        if self.interrupted.is_set():  # Snakemake goes on where it was interrupted while it wrote to its log
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            raise JobFailed(f"{job.stage}: {INTERRUPTED}")
        child, ours = self._started(job)
        try:
            word = ours.recv()
        except EOFError:
            word = None
        finally:
            ours.close()
        with self._lock:
            child.join()
        if word is None:
            word = self._ended_without_a_word(job, child)
        if word:
            raise JobFailed(f"{job.stage}: {word}")

    def _started(self, job: Job) -> tuple[BaseProcess, Connection]:
        """Start the child of a job, and return our end of the connection with it."""
        with self._lock:  # starting and joining look after all children, and must not do so at once
            ours, theirs = self._context.Pipe(duplex=False)
            child = self._context.Process(target=_child, args=(job, theirs), name=job.stage)
            try:
                child.start()
            except (EOFError, OSError):  # the server is gone
                ours.close()
                if not self.interrupted.wait(1.0):  # the main thread may hear of it after this one
                    raise
                raise JobFailed(f"{job.stage}: {INTERRUPTED}") from None
            finally:
                theirs.close()
        return child, ours

    def _ended_without_a_word(self, job: Job, child: BaseProcess) -> str:
        """Clear away what a job had begun, and return why it ended; if it was interrupted, its note is taken back."""
        for root in self.layout.roots:
            remove_partial(root, child.pid)
        if child.exitcode != -signal.SIGINT and not self.interrupted.is_set():
            return KILLED  # as its own note says
        self.interrupted.set()
        Path(job.log).write_text("interrupted\n")
        note_job(job)
        return INTERRUPTED

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Interrupt this thread, unless it is ending because of that already.

        A job that Snakemake had handed over when it was interrupted interrupts it again (`_in_child`).
        """
        self.interrupted.set()
        if not isinstance(sys.exception(), KeyboardInterrupt):
            signal.default_int_handler(number, frame)


def _child(job: Job, connection: Connection) -> None:
    """Run a job and send the reason if it fails, or nothing."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.unraisablehook = lambda _: None  # HDF5 repeats, file by file that it closes, what was raised of a full disk
    threading.Thread(target=_die_with_parent, daemon=True).start()
    os.chdir(job.cwd)
    try:
        perform(job)
        connection.send("")
    except JobFailed as failed:
        connection.send(str(failed))


def _die_with_parent() -> None:
    """End this process when the one that waits for it is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)


def _named(files: Any) -> SimpleNamespace:
    """Return the files of a rule by name, as plain text."""
    items: Iterable[tuple[str, Any]] = files.items()
    plain: Mapping[str, Any] = {name: str(v) if isinstance(v, str) else list(map(str, v)) for name, v in items}
    return SimpleNamespace(**plain)
