"""Contrasts between conditions."""

from pathlib import Path

import pandas as pd

from pipeline.base.files import save_table
from pipeline.base.seeds import derive
from pipeline.inference.adjusted import excess_over_null
from pipeline.inference.classification import classify
from pipeline.inference.contrasts import compare, endpoint_of
from pipeline.inference.parameters import Primary
from pipeline.inference.subjects import subject_values
from pipeline.results.columns import CLASSIFICATION, MATCHED, NULL_COLUMNS, QUALITY_COLUMNS, SUMMARY_COLUMNS
from pipeline.results.tables import read_table, read_tables, table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one row per measure, scale and contrast, and how well the conditions are told apart."""
    p = job.params
    summary = read_table(job.input.summary, SUMMARY_COLUMNS)
    nulls = read_table(job.input.nulls, NULL_COLUMNS)
    primary = Primary(**p.compare["primary"])
    matched = read_tables([Path(path) for path in job.input.matched], MATCHED.names)
    variants = {str(how): rows for how, rows in matched.groupby("adjusted", sort=False)}
    variants |= {"excess_over_null": excess_over_null(summary, nulls, primary.measure)}
    comparison = compare(
        summary,
        p.contrasts,
        p.conditions,
        **p.compare,
        variants=variants,
        seed=derive(p.seed, "compare"),
    )
    save_table(comparison, job.output.comparison)
    save_table(_classified(job, summary, primary), job.output.classification)


def _classified(job: Job, summary: pd.DataFrame, primary: Primary) -> pd.DataFrame:
    """How well the conditions of the primary contrast are told in a subject that was left out."""
    endpoint = endpoint_of(primary, summary, job.params.contrasts)
    if endpoint.target is None or endpoint.pair is None:
        return table([], CLASSIFICATION.names)
    route, scale, measure = endpoint.target
    values = subject_values(summary)
    own = values[(values["route"] == route) & (values["scale"] == scale) & (values["measure"] == measure)]
    quality = read_tables([Path(path) for path in job.input.quality], QUALITY_COLUMNS)
    return classify(own, quality, endpoint.pair, measure, derive(job.params.seed, "classify"))
