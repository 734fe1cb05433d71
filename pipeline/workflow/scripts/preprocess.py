"""Preprocess one recording."""

from pipeline.base.files import load, save
from pipeline.traces.preprocess import preprocess
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    save(preprocess(load(source[0]), **params.preprocess), target[0])
