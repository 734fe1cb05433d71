"""Windows of one recording, its ensembles binarized in them, and the quality of the result."""

from pipeline.base.files import load, save, write_whole
from pipeline.binarize.quality import quality
from pipeline.binarize.states import binarize_windows
from pipeline.ingest.windows import table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write windows, states and measures of quality."""
    p = job.params
    windows = table(p.row, p.sheet, load(job.input.recording), p.state_codes)
    write_whole(job.output.windows, lambda path: windows.to_csv(path, index=False, lineterminator="\n"))
    ensembles = load(job.input.ensembles)
    states = binarize_windows(ensembles, windows, **p.binarize)
    save(states, job.output.states)
    measured = quality(load(job.input.preprocessed), ensembles, states)
    write_whole(
        job.output.quality,
        lambda path: measured.to_csv(path, index=False, float_format="%.10g", lineterminator="\n"),
    )
