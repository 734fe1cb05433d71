"""What failed in a study, and how the rest of it is finished without."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.results.layout import Layout
from pipeline.study.study import Study
from pipeline.workflow import targets
from pipeline.workflow.job import Note, noted, place
from pipeline.workflow.owner import run_through

# Files whose failure for a recording costs nothing else of it
OPTIONAL = ("macro", "truth", "matched", "detection", "encoder", "macro_model")


@dataclass(frozen=True)
class Asked:
    """What a study asks for; notes of anything else were left behind by earlier sheets and parameters.

    Attributes:
        windows: of every recording, those that may occur (from its sheet or its state codes).
        systems: in each window, e.g. "micro-4".
        truths: recordings of which something is known to be true.
        stages: that the study has.
    """

    windows: dict[str, list[str]]
    systems: list[str]
    truths: list[str]
    stages: list[str]

    @classmethod
    def by(cls, study: Study) -> Asked:
        """Return what a study asks for, without opening a recording or its state codes."""
        of_codes = list((study.state_codes().get("codes") or {}).values())
        windows = {
            name: [str(row["window"]) for row in study.sheet_of(name)]
            + (of_codes if study.row(name).get("state_codes") else [])
            for name in study.names
        }
        systems = [*targets.systems(study), *targets.learned_systems(study)]
        return cls(windows, systems, targets.known(study), list(targets.jobs(study)))

    def plain(self) -> dict[str, Any]:
        """Return the fields as the parameters of a rule."""
        return asdict(self)

    def covers(self, note: Note) -> bool:
        """Tell whether a note is about something that the study asks for."""
        name = note["recording"]
        return (
            name in self.windows
            and note["stage"] in self.stages
            and ("window" not in note or note["window"] in self.windows[name])
            and ("system" not in note or note["system"] in self.systems)
            and (note["stage"] != "truth" or name in self.truths)
            and (note["stage"] not in ("macro", "shared_macro") or len(self.systems) > 1)
        )


def standing(layout: Layout, asked: Asked) -> list[Note]:
    """Return the failures that concern a study as it stands: {stage, recording, [window, [system]], reason}.

    Args:
        layout: of the study's results.
        asked: what the study asks for.
    """
    return [note for _, note in noted(layout) if asked.covers(note)]


def failures(study: Study) -> list[Note]:
    """Return the failures that concern the study as it stands now (see `standing`)."""
    return standing(study.layout, Asked.by(study))


def marks(layout: Layout) -> dict[Path, int]:
    """Return when each note was written, to tell later which are new.

    Args:
        layout: of the study's results.
    """
    found = {}
    for path in layout.notes():
        with suppress(FileNotFoundError):  # taken back by its job meanwhile
            found[path] = path.stat().st_mtime_ns
    return found


def failed_since(study: Study, before: Mapping[Path, int]) -> set[str]:
    """Return what the rest of a study has to do without, as `targets` calls it, because of what a run noted.

    Older notes are left out of account: they are of a run that was killed, or of a fault that may be mended, and what
    they are about may not have been tried again yet.

    Args:
        study: that was run.
        before: the notes that there were before the run (`marks`).
    """
    asked, layout = Asked.by(study), study.layout
    new = {path for path, mark in marks(layout).items() if before.get(path) != mark}
    found = {omitted(note) for path, note in noted(layout) if path in new and asked.covers(note)}
    return {name for name in found if name}


def study_failures(study: Study) -> list[str]:
    """Return, in one line each, why a job failed that the study has once: without it there is no whole report.

    Args:
        study: that was run.
    """
    found = []
    for stage in targets.jobs(study):
        log = study.layout.study_log(stage)
        first = log.read_text().partition("\n")[0] if log.exists() else ""
        if first and first not in ("done", "running", "interrupted"):
            found.append(f"failed: {stage}: {first}")
    return found


def told(note: Note) -> str:
    """Return a failure in one line."""
    return f"failed: {place(note)} ({note['stage']}): {' '.join(note['reason'].split())}"


def omitted(note: Note) -> str | None:
    """Return what the rest of the study has to do without, as `targets` calls it; None for a part that was left out."""
    if "window" in note or "system" in note:
        return None
    stage = {"shared_macro": "macro", "encode": "encoder"}.get(note["stage"], note["stage"])
    return f"{note['recording']}:{stage}" if stage in OPTIONAL else note["recording"]


def second_run(argv: Sequence[str], snakefile: str, config: Mapping[str, Any], omit: Sequence[str]) -> list[str]:
    """Return the command that runs the workflow once more as it was run, without what is to be omitted.

    Args:
        argv: arguments that the first run got: its profile, executor, jobs, resources and all else is kept.
        snakefile: the workflow.
        config: its configuration.
        omit: what `omitted` says of the failures.
    """
    settings = {**config, "omit": list(omit)}
    values = [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in settings.items()]
    # an option that is given again replaces the first; the lock is our own, which this run hands on
    return [
        *(sys.executable, "-m", "snakemake", *argv, "--snakefile", snakefile, "--nolock"),
        *("--config", *values),
    ]


def finish_without_failed(
    workflow: Any,
    study: Study,
    already: Sequence[str],
    config: Mapping[str, Any],
    interrupted: bool,
    before: Mapping[Path, int],
) -> None:
    """Run the workflow once more without what failed: after --keep-going, not when interrupted.

    What could not be tried before (phi of a recording whose macro units failed) may fail in that run, which is then
    followed by another. Each leaves out more than the one before, so that they come to an end.

    Args:
        workflow: Snakemake's object of the run that has just ended with errors.
        study: what was run.
        already: what that run left out.
        config: its configuration.
        interrupted: whether somebody stopped it.
        before: the notes that there were before it.
    """
    finish(workflow, sorted({*already, *failed_since(study, before)}), already, config, interrupted)


def finish(
    workflow: Any, omit: Sequence[str], already: Sequence[str], config: Mapping[str, Any], interrupted: bool
) -> None:
    """Run a workflow once more, if that leaves out more than the run that has just ended.

    Args:
        workflow: Snakemake's object of that run, which ended with errors.
        omit: all that is to be left out.
        already: what that run left out.
        config: its configuration.
        interrupted: whether somebody stopped it.
    """
    if interrupted or getattr(workflow.scheduler, "_user_kill", None):
        return
    if sorted(omit) == sorted(already):
        return
    if not workflow.execution_settings.keep_going:
        print("To get tables and report of the rest, run with --keep-going.", file=sys.stderr)
        return
    print(f"Finishing without {', '.join(omit)}, which failed.", file=sys.stderr)
    run_through(second_run(sys.argv[1:], workflow.main_snakefile, config, omit))
