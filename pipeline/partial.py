"""After a run in which some recordings failed: tables and report of the others, with the failures listed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from pipeline.job import failures
from pipeline.study import Study


def finish_without_failed(
    workflow: Any, study: Study, omitted: tuple[str, ...], config: dict[str, Any]
) -> None:
    """Run the workflow once more without what failed; only after --keep-going, and only once.

    `workflow` is Snakemake's object of the run that has just ended with errors.
    """
    failed = failures(study.root)
    if not failed or omitted:
        return
    for failure in failed:
        place = "/".join(failure[name] for name in ("recording", "window") if name in failure)
        print(f"failed: {place} in {failure['stage']}: {failure['reason']}", file=sys.stderr)
    if not workflow.execution_settings.keep_going:
        print(
            "To get tables and report of the other recordings, run with --keep-going.",
            file=sys.stderr,
        )
        return
    omit = ",".join(
        "/".join(f[name] for name in ("recording", "window") if name in f) for f in failed
    )
    config = {**config, "omit": omit}
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        workflow.main_snakefile,
        "--nolock",
    ]
    command += ["--cores", str(workflow.cores or 1)]
    command += ["--config", *(f"{name}={value}" for name, value in config.items())]
    subprocess.run(command, check=False)
