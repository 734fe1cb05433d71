"""Take over what is known to be true of a recording that was simulated before."""

import json

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import save_json
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Copy the truth into the results."""
    try:
        with open(job.params.path, encoding="utf-8") as file:
            truth = json.load(file)
    except (OSError, ValueError) as error:
        raise PhiscaleError(
            Problem(
                job.params.path,
                f"cannot be read as JSON ({error})",
                "Estimates cannot be held against the truth",
                "correct the column truth, or leave it empty",
            )
        ) from error
    save_json(truth, job.output.truth)
