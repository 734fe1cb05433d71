"""Preprocess one recording."""

from pipeline.base.files import load, save
from pipeline.traces.preprocess import preprocess
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write ΔF/F of all neurons."""
    save(preprocess(load(job.input.recording), **job.params.preprocess), job.output.preprocessed)
