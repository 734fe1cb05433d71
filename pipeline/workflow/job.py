"""What every job shares: its files and parameters by name, its log, its threads, and what becomes of a failure.

A failure is a note under failed/ (stage, recording, what part of it, reason), which the report and `phiscale run` tell.
A job notes that it was killed when it starts, and takes the note back when it ends: a job that is killed says so.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from pipeline.base.errors import PhiscaleError, Problem, unusable
from pipeline.base.files import save_groups, save_json
from pipeline.results.layout import Layout

if TYPE_CHECKING:
    import xarray as xr

KILLED = "the job was killed from outside (out of memory, or out of time?)"
Note = dict[str, str]  # stage, recording, [window, [system]], reason


class JobFailed(Exception):
    """A job did not do what it should; its text is the reason."""


@dataclass
class Job:
    """One job of the workflow, in plain values that can be sent to another process.

    Attributes:
        stage: the rule, and the module under `stages` that does it.
        root: folder of the study's results.
        cwd: folder that relative paths start from.
        wildcards: what the rule's patterns left open, e.g. the recording.
        input, output, params: of the rule, by name; files are text or lists of text.
        threads: how many the numerical libraries may use.
        log: path of the log.
        left_out: notes of the parts that failed.
    """

    stage: str
    root: str
    cwd: str
    wildcards: dict[str, str]
    input: SimpleNamespace
    output: SimpleNamespace
    params: SimpleNamespace
    threads: int
    log: str
    left_out: list[Note] = field(default_factory=list)

    @property
    def recording(self) -> str:
        """Name of the recording; empty for a job that the study, or several recordings, have once."""
        return self.wildcards.get("recording", "")

    @property
    def recordings(self) -> list[str]:
        """Names of the recordings that fail with the job; none for a job that the study has once."""
        return [self.recording] if self.recording else list(getattr(self.params, "members", []))

    @contextmanager
    def part(self, **part: str) -> Iterator[None]:
        """Do a part of the job (a window, a system in it): a fault of the input leaves it out, the rest goes on."""
        try:
            yield
        except PhiscaleError as error:
            self.left_out.append({"stage": self.stage, "recording": self.recording, **part, "reason": str(error)})

    def keep(self, found: Mapping[str, xr.Dataset], path: str) -> None:
        """Write the parts that were found.

        Args:
            found: datasets by name of their group, e.g. "awake/micro-4".
            path: of the file.

        Raises:
            PhiscaleError: none is left.
        """
        if not found:
            raise PhiscaleError(
                Problem(
                    f"recording {self.recording!r}",
                    "none of its windows is left",
                    "It takes part in no contrast",
                    "see what is told of each of them" if self.left_out else "see what is told of the stages before",
                )
            )
        save_groups(found, path)


def perform(job: Job) -> None:
    """Run a job in this process.

    Threads of numerical libraries are limited to those of the rule, so that results do not depend on the machine. The
    log ends with what the job took, as a line of JSON (see `costs`).

    Raises:
        JobFailed: with the reason, which is in the log and noted as well, if they can be written.
        KeyboardInterrupt: somebody interrupted it; that is no failure, and not noted.
    """
    try:
        _perform(job)
    except (OSError, PhiscaleError) as error:  # of the log and the note themselves, on a full disk: told here or never
        reason = str(unusable(error) if isinstance(error, OSError) else error)
        print(f"failed: {job.stage}: {reason}", file=sys.stderr)
        raise JobFailed(reason) from None


def _perform(job: Job) -> None:
    log = Path(job.log)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("running\n")
    note_job(job, KILLED)
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        stage = importlib.import_module(f"pipeline.workflow.stages.{job.stage}")
        with threadpool_limits(job.threads):
            stage.run(job)
    except KeyboardInterrupt:
        note_job(job)
        log.write_text("interrupted\n")
        raise
    except Exception as error:
        expected = isinstance(error, PhiscaleError)
        reason = str(error) if expected else f"unexpected {type(error).__name__}: {error} (see {log})"
        trace = "" if expected else traceback.format_exc()
        log.write_text(f"{reason}\n{trace}" + _told(job) + _cost(job, wall, cpu))
        note_job(job, reason)
        raise JobFailed(reason) from None
    log.write_text("done\n" + _told(job) + _cost(job, wall, cpu))
    note_job(job)


def _told(job: Job) -> str:
    return "".join(f"left out {place(note)}: {note['reason']}\n" for note in job.left_out)


def _cost(job: Job, wall: float, cpu: float) -> str:
    """Return what the job took: time, processor time of the stage's own code [s], peak memory of its process [MB]."""
    taken = {
        "stage": job.stage,
        "wall_s": round(time.perf_counter() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    return json.dumps(taken) + "\n"


def note_job(job: Job, reason: str = "") -> None:
    """Replace the notes of a job by those of its parts, and by the reason why it failed if it did.

    Args:
        job: whose notes they are; one that the study has once has none.
        reason: why it failed; empty where it did not.
    """
    layout = Layout(job.root)
    for recording in job.recordings:  # without any, its failure ends the run, and Snakemake tells it
        head = {"stage": job.stage, "recording": recording}
        for path, note in noted(layout):
            if head.items() <= note.items():
                path.unlink(missing_ok=True)
        for note in [*job.left_out, *([{**head, "reason": reason}] if reason else [])]:
            part = [note[name] for name in ("window", "system") if name in note]
            save_json(note, layout.note(job.stage, recording, *part))


def noted(layout: Layout) -> Iterator[tuple[Path, Note]]:
    """Yield the notes that there are, with their paths."""
    for path in layout.notes():
        try:
            yield path, json.loads(path.read_text())
        except FileNotFoundError:  # taken back by its job meanwhile
            continue


def place(note: Note) -> str:
    """Return what a failure is about, in words."""
    parts = [note["recording"]]
    parts += [f"window {note['window']}"] if "window" in note else []
    parts += [note["system"]] if "system" in note else []
    return ", ".join(parts)
