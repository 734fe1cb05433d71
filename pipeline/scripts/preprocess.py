"""Preprocess one recording."""

from pipeline.job import job
from pipeline.preprocess import preprocess
from pipeline.store import load, save

with job(snakemake) as (source, target, params, wildcards):
    save(preprocess(load(source[0]), **params.preprocess), target[0])
