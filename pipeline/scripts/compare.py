"""Contrasts between conditions."""

import pandas as pd

from pipeline.compare import compare
from pipeline.job import job
from pipeline.seeds import derive
from pipeline.store import save_table

with job(snakemake) as (source, target, params, wildcards):
    summary = pd.read_csv(
        source[0], dtype=dict.fromkeys(("recording", "subject", "window", "condition"), str)
    )
    comparison = compare(
        summary,
        params.contrasts,
        params.conditions,
        **params.compare,
        seed=derive(params.seed, "compare"),
    )
    save_table(comparison, target.comparison)
