"""Contrasts between conditions."""

from pipeline.base.files import save_table
from pipeline.base.seeds import derive
from pipeline.inference.contrasts import compare
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.reader import read_table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one row per measure, scale and contrast."""
    p = job.params
    comparison = compare(
        read_table(job.input.summary, SUMMARY_COLUMNS),
        p.contrasts,
        p.conditions,
        **p.compare,
        seed=derive(p.seed, "compare"),
    )
    save_table(comparison, job.output.comparison)
