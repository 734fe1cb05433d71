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

from pipeline.base.errors import PhiscaleError
from pipeline.base.files import save_json

RUNNING = "running\n"  # what a log holds until its job ends; one that was killed leaves it


@contextmanager
def job(snakemake: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Run a stage: yields (input, output, params, wildcards) of the Snakemake job.

    Threads of numerical libraries are limited to those of the rule, so that results do not depend on the machine. A
    failure is logged, noted in failed/ (which the report lists) and ends the job with status 1.
    """
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(RUNNING)
    wildcards = {name: str(value) for name, value in snakemake.wildcards.items()}
    note = root_of(log) / "failed" / ("--".join([snakemake.rule, *wildcards.values()]) + ".json")
    try:
        with threadpool_limits(snakemake.threads):
            yield snakemake.input, snakemake.output, snakemake.params, snakemake.wildcards
    except KeyboardInterrupt:
        log.write_text("interrupted\n")
        raise
    except Exception as error:
        expected = isinstance(error, PhiscaleError)
        reason = str(error) if expected else f"unexpected {type(error).__name__}: {error} (see {log})"
        log.write_text(reason + "\n" if expected else traceback.format_exc())
        print(f"{snakemake.rule}: {reason}", file=sys.stderr)
        if "recording" in wildcards:
            save_json({**wildcards, "stage": snakemake.rule, "reason": reason}, note)
        sys.exit(1)
    log.write_text(f"{snakemake.rule}: done\n")
    note.unlink(missing_ok=True)


def root_of(log: Path) -> Path:
    """Return the folder of the results in which a log lies."""
    return next(folder.parent for folder in log.parents if folder.name == "logs")


def noted(root: Path) -> list[dict[str, str]]:
    """Return the notes of failed jobs: wildcards of the job, stage, reason."""
    return [json.loads(path.read_text()) for path in sorted((root / "failed").glob("*.json"))]
