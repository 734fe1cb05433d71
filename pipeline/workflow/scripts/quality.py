"""Measure the quality of one recording."""

from pipeline.base.files import load, write_whole
from pipeline.binarize.quality import quality
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    table = quality(load(source.preprocessed), load(source.ensembles), load(source.states))
    write_whole(
        target[0],
        lambda path: table.to_csv(path, index=False, float_format="%.10g", lineterminator="\n"),
    )
