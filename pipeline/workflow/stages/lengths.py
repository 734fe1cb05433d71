"""How long the windows of one recording are, for those of other recordings that they are compared with."""

from pipeline.base.files import load, opened, save_json
from pipeline.binarize.states import window_lengths
from pipeline.ingest.windows import table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the number of usable bins of each window."""
    p = job.params
    with opened(job.input.recording) as recording:
        windows = table(p.row, p.sheet, recording, p.state_codes)
    save_json(window_lengths(load(job.input.ensembles), windows, p.bin_s), job.output.lengths)
