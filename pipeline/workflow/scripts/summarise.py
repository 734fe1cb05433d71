"""Tables of every measure and of its nulls."""

from pipeline.base.files import load, save_table
from pipeline.inference.fits import gather_fits
from pipeline.inference.summary import summarise
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    summary, nulls = summarise(
        [load(path) for path in source.phi],
        [load(path) for path in source.nulls],
        confidence=params.confidence,
    )
    save_table(summary, target.summary)
    save_table(nulls, target.nulls)
    save_table(gather_fits(load(path) for path in source.tpm), target.fits)
