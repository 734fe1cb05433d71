"""Tables of every measure and of its nulls."""

from pipeline.job import job
from pipeline.store import load, save_table
from pipeline.summarise import summarise

with job(snakemake) as (source, target, params, wildcards):
    summary, nulls = summarise(
        [load(path) for path in source.phi],
        [load(path) for path in source.nulls],
        confidence=params.confidence,
    )
    save_table(summary, target.summary)
    save_table(nulls, target.nulls)
