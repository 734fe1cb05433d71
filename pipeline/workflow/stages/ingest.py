"""Read one recording."""

from pipeline.base.files import save
from pipeline.ingest import open_recording
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the recording as one dataset."""
    save(open_recording(job.params.row), job.output.recording)
