"""Derive the macro units of one window at one scale; they are learned from all windows of its recording, or from it alone."""

from pipeline.base.files import load, save
from pipeline.base.seeds import derive
from pipeline.macro.coarse import coarse_grain
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    shared = params.grouping == "recording"  # then no seed may differ between its windows
    learned_in = (wildcards.recording,) if shared else (wildcards.recording, wildcards.window)
    macro = coarse_grain(
        load(source.micro),
        n_macro=int(wildcards.scale),
        **params.macro,
        seed=derive(params.seed, "coarse_grain", *learned_in, wildcards.scale),
        learn_from=[load(path) for path in source.others] if shared else None,
    )
    save(macro, target[0])
