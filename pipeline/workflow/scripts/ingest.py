"""Read one recording."""

from pipeline.base.files import save
from pipeline.ingest import open_recording
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    save(open_recording(params.row), target[0])
