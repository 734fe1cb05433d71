"""Contrasts between conditions."""

from pipeline.compare import compare
from pipeline.job import job
from pipeline.results import read_table
from pipeline.seeds import derive
from pipeline.store import save_table
from pipeline.summarise import SUMMARY_COLUMNS

with job(snakemake) as (source, target, params, wildcards):
    summary = read_table(source[0], SUMMARY_COLUMNS)
    comparison = compare(
        summary,
        params.contrasts,
        params.conditions,
        **params.compare,
        seed=derive(params.seed, "compare"),
    )
    save_table(comparison, target.comparison)
