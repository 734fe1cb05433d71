"""Read one recording."""

from pipeline.ingest import open_recording
from pipeline.ingest.statecodes import windows_of_row
from pipeline.job import job
from pipeline.store import save

with job(snakemake) as (source, target, params, wildcards):
    recording = open_recording(params.row)
    if params.row.get("state_codes"):
        windows_of_row(
            params.row, **params.state_codes
        )  # codes that cannot be read are this job's failure
    save(recording, target[0])
