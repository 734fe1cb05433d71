"""Values of the first half of each window beside those of its second half."""

from pipeline.base.files import load, save_table
from pipeline.validation.halves import split_halves
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write a row per window and measure, of all recordings."""
    save_table(split_halves(map(load, job.input.states), **job.params.tpm), job.output.halves)
