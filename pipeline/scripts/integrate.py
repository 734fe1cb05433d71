"""Integrated information of one system in one window."""

from pipeline.integration import integrate
from pipeline.job import job
from pipeline.store import load, save

with job(snakemake) as (source, target, params, wildcards):
    save(integrate(load(source[0]), **params.iit), target[0])
