"""Estimates beside the truth of simulated recordings."""

import json
from pathlib import Path

from pipeline.base.files import load, save_table
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.reader import read_table
from pipeline.validation.truth import hold_against_truth
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    truths = {Path(path).name.removesuffix(".truth.json"): json.loads(Path(path).read_text()) for path in source.truth}
    ensembles = map(load, source.ensembles if truths else ())
    values, groupings = hold_against_truth(
        read_table(source.summary, SUMMARY_COLUMNS),
        truths,
        [load(path) for path in source.tpm] if truths else [],
        {dataset.attrs["recording"]: dataset for dataset in ensembles},
    )
    save_table(values, target.truth)
    save_table(groupings, target.groupings)
