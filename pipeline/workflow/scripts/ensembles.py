"""Group the neurons of one recording."""

from pipeline.base.files import load, save
from pipeline.base.seeds import derive
from pipeline.traces.ensembles import group
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    grouped = group(
        load(source[0]),
        n_ensembles=int(wildcards.k),
        method=params.method,
        neurons=params.neurons,
        seed=derive(params.seed, "ensembles", wildcards.recording, wildcards.k),
    )
    save(grouped, target[0])
