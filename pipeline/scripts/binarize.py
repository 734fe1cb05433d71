"""Binarize the ensembles of one recording in all its windows."""

import pandas as pd

from pipeline.binarize import binarize_windows
from pipeline.job import job
from pipeline.store import load, save

with job(snakemake) as (source, target, params, wildcards):
    windows = pd.read_csv(
        source.windows, dtype=dict.fromkeys(("recording", "window", "condition"), str)
    )
    save(binarize_windows(load(source.ensembles), windows, **params.binarize), target[0])
