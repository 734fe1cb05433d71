"""Read one recording."""

from pipeline.ingest.streaming import ingest_into
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the recording as one dataset."""
    ingest_into(job.output.recording, job.params.row)
