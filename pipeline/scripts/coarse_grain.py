"""Learn the macro units of one window at one scale."""

from pipeline.coarse import coarse_grain
from pipeline.job import job
from pipeline.seeds import derive
from pipeline.store import load, save

with job(snakemake) as (source, target, params, wildcards):
    macro = coarse_grain(
        load(source[0]),
        n_macro=int(wildcards.scale),
        **params.macro,
        seed=derive(
            params.seed, "coarse_grain", wildcards.recording, wildcards.window, wildcards.scale
        ),
    )
    save(macro, target[0])
