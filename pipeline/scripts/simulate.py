"""Simulate one recording, with its truth."""

import pandas as pd

from pipeline.ingest.simulate import simulate_recording
from pipeline.job import job
from pipeline.seeds import derive
from pipeline.store import save, save_json

with job(snakemake) as (source, target, params, wildcards):
    recording, truth = simulate_recording(
        params.index,
        params.row["subject"],
        wildcards.recording,
        pd.DataFrame(params.windows),
        params.conditions,
        derive(params.seed, "simulate"),
        **params.simulate,
    )
    save_json(truth, target.truth)
    save(recording, target.recording)
