"""Contrasts between conditions."""

from pipeline.base.files import save_table
from pipeline.base.seeds import derive
from pipeline.inference.contrasts import compare
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.reader import read_table
from pipeline.workflow.job import job

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
