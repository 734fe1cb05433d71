"""Windows of one recording, from the sheet and from its state codes."""

from pipeline.job import job
from pipeline.store import load, write_whole
from pipeline.windows import table

with job(snakemake) as (source, target, params, wildcards):
    windows = table(params.row, params.sheet, load(source.recording), params.state_codes)
    write_whole(target[0], lambda path: windows.to_csv(path, index=False, lineterminator="\n"))
