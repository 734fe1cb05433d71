"""Simulate one recording, with its truth."""

import pandas as pd

from pipeline.base.files import save, save_json
from pipeline.base.seeds import derive
from pipeline.simulation.recordings import simulate_recording
from pipeline.workflow.job import job

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
