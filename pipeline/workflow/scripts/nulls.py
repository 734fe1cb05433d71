"""Nulls of one system in one window."""

from pipeline.base.files import load, save
from pipeline.base.seeds import derive
from pipeline.integration import integrate_nulls
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    nulls = integrate_nulls(
        load(source.states),
        load(source.tpm),
        window=wildcards.window,
        **params.nulls,
        mappings=params.mappings,
        big_phi_max_units=params.big_phi_max_units,
        min_visits=params.min_visits,
        seed=derive(params.seed, "nulls", wildcards.recording, wildcards.window, wildcards.system),
    )
    save(nulls, target[0])
