"""Estimate the unit TPM of one window."""

from pipeline.base.files import load, save
from pipeline.base.seeds import derive
from pipeline.tpm.estimation import estimate_window
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    tpm = estimate_window(
        load(source[0]),
        wildcards.window,
        **params.tpm,
        min_frames=params.min_frames,
        seed=derive(params.seed, "tpm", wildcards.recording, wildcards.window),
    )
    save(tpm, target[0])
