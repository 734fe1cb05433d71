"""Read one recording."""

from pipeline.ingest import open_recording
from pipeline.job import job
from pipeline.store import save

with job(snakemake) as (source, target, params, wildcards):
    save(open_recording(params.row), target[0])
