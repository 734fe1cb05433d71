"""What every script of the workflow shares: its log, its threads, and what becomes of a failure."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from pipeline.errors import PhiscaleError
from pipeline.store import save_json


@contextmanager
def job(snakemake: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Run a stage: yields (input, output, params, wildcards) of the Snakemake job.

    Threads of numerical libraries are limited to those of the rule, so that results do not depend on the machine. A
    failure is logged, noted in failed/ (which the report lists) and ends the job with status 1.
    """
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    note = _note(snakemake, log)
    try:
        with threadpool_limits(snakemake.threads):
            yield snakemake.input, snakemake.output, snakemake.params, snakemake.wildcards
    except Exception as error:
        expected = isinstance(error, PhiscaleError)
        reason = (
            str(error) if expected else f"unexpected {type(error).__name__}: {error} (see {log})"
        )
        log.write_text(reason + "\n" if expected else traceback.format_exc())
        print(f"{snakemake.rule}: {reason}", file=sys.stderr)
        if note is not None:
            save_json({**_concerns(snakemake), "stage": snakemake.rule, "reason": reason}, note)
        sys.exit(1)
    log.write_text(f"{snakemake.rule}: done\n")
    if (
        note is not None
        and note.exists()
        and json.loads(note.read_text())["stage"] == snakemake.rule
    ):
        note.unlink()


def _concerns(snakemake: Any) -> dict[str, str]:
    """Return the recording, and the window if it is about one, of a job; empty for jobs of the whole study."""
    wildcards = snakemake.wildcards
    return {
        name: getattr(wildcards, name)
        for name in ("recording", "window")
        if hasattr(wildcards, name)
    }


def _note(snakemake: Any, log: Path) -> Path | None:
    """Return where the failure of this job's recording or window is noted (None for jobs of the whole study)."""
    concerns = _concerns(snakemake)
    root = next(folder.parent for folder in log.parents if folder.name == "logs")
    return root / "failed" / f"{'--'.join(concerns.values())}.json" if concerns else None


def failures(root: Path) -> list[dict[str, str]]:
    """Return what failed in a study (recording, window unless all are concerned, stage, reason)."""
    return [json.loads(path.read_text()) for path in sorted((root / "failed").glob("*.json"))]
