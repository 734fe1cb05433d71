"""Preprocess one recording."""

from pipeline.base.files import opened
from pipeline.traces.preprocess import preprocess_into
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write ΔF/F of all neurons."""
    with opened(job.input.recording) as recording:
        preprocess_into(job.output.preprocessed, recording, **job.params.preprocess)
