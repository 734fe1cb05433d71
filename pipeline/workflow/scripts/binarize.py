"""Binarize the ensembles of one recording in all its windows."""

import pandas as pd

from pipeline.base.files import load, save
from pipeline.binarize.states import binarize_windows
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    names = dict.fromkeys(("recording", "window", "condition"), str)
    times = dict.fromkeys(("start_s", "end_s"), float)
    # NA and null are names like any other
    windows = pd.read_csv(source.windows, dtype=names | times, keep_default_na=False)
    save(binarize_windows(load(source.ensembles), windows, **params.binarize), target[0])
