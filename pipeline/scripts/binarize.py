"""Binarize the ensembles of one recording in all its windows."""

import pandas as pd

from pipeline.binarize import binarize_windows
from pipeline.job import job
from pipeline.store import load, save

with job(snakemake) as (source, target, params, wildcards):
    save(
        binarize_windows(load(source[0]), pd.DataFrame(params.windows), **params.binarize),
        target[0],
    )
