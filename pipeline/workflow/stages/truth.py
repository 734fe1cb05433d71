"""Take over what is known to be true of a recording that was simulated before."""

from pathlib import Path

from pipeline.base.files import save_json
from pipeline.simulation.known import read_truth
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Copy the truth into the results.

    Raises:
        PhiscaleError: it cannot be read as JSON.
    """
    save_json(read_truth(Path(job.params.path)), job.output.truth)
