"""Tables of every measure and of its nulls."""

from pipeline.base.files import load_groups, save_table
from pipeline.inference.fits import gather_fits
from pipeline.inference.summary import summarise
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write summary and nulls of the systems that have both, and how well the unit TPMs fit."""
    phi, nulls = [], []
    for ours, theirs in zip(job.input.phi, job.input.nulls, strict=True):
        values, tests = load_groups(ours), load_groups(theirs)
        both = [group for group in values if group in tests]
        phi += [values[group] for group in both]
        nulls += [tests[group] for group in both]
    summary, table = summarise(phi, nulls, confidence=job.params.confidence, min_row_visits=job.params.min_row_visits)
    save_table(summary, job.output.summary)
    save_table(table, job.output.nulls)
    fits = gather_fits(tpm for path in job.input.tpm for tpm in load_groups(path).values())
    save_table(fits, job.output.fits)
