"""Windows of one recording, from the sheet and from its state codes."""

from pipeline.base.files import load, write_whole
from pipeline.ingest.windows import table
from pipeline.workflow.job import job

with job(snakemake) as (source, target, params, wildcards):
    windows = table(params.row, params.sheet, load(source.recording), params.state_codes)
    write_whole(target[0], lambda path: windows.to_csv(path, index=False, lineterminator="\n"))
