"""Estimate the unit TPM of one window."""

from pipeline.job import job
from pipeline.seeds import derive
from pipeline.store import load, save
from pipeline.tpm import estimate_window

with job(snakemake) as (source, target, params, wildcards):
    tpm = estimate_window(
        load(source[0]),
        wildcards.window,
        **params.tpm,
        min_frames=params.min_frames,
        seed=derive(params.seed, "tpm", wildcards.recording, wildcards.window),
    )
    save(tpm, target[0])
