"""Integrated information of one system in one window."""

from pipeline.base.files import load, save
from pipeline.integration.observed import integrate
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    save(integrate(load(source[0]), **params.iit), target[0])
