"""Tables of every measure and of its nulls."""

import pandas as pd

from pipeline.base.files import load_groups, save_table
from pipeline.inference.fits import gather_fits
from pipeline.inference.latents import summarise_latents
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
    p = job.params
    how = {"confidence": p.confidence, "min_row_visits": p.min_row_visits, "shown": p.shown}
    tables = summarise(phi, nulls, **how)
    latents = [found for path in job.input.encoder for found in load_groups(path).values()]
    if latents:
        more = summarise_latents(latents, p.confidence)
        tables = tuple(pd.concat(parts, ignore_index=True) for parts in zip(tables, more, strict=True))
    save_table(tables[0], job.output.summary)
    save_table(tables[1], job.output.nulls)
    fits = gather_fits(tpm for path in job.input.tpm for tpm in load_groups(path).values())
    save_table(fits, job.output.fits)
