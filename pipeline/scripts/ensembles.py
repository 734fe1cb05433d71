"""Group the neurons of one recording."""

from pipeline.ensembles import group
from pipeline.job import job
from pipeline.seeds import derive
from pipeline.store import load, save

with job(snakemake) as (source, target, params, wildcards):
    grouped = group(
        load(source[0]),
        n_ensembles=int(wildcards.k),
        method=params.method,
        neurons=params.neurons,
        seed=derive(params.seed, "ensembles", wildcards.recording, wildcards.k),
    )
    save(grouped, target[0])
