"""Windows of one recording, its ensembles binarized in them, and the quality of the result."""

import json
from pathlib import Path

from pipeline.base.files import load, opened, save, save_csv
from pipeline.binarize.bins import shortest
from pipeline.binarize.quality import quality
from pipeline.binarize.states import binarize_windows
from pipeline.ingest.windows import table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write windows, states and measures of quality."""
    p = job.params
    with opened(job.input.recording) as recording:
        windows = table(p.row, p.sheet, recording, p.state_codes)
    save_csv(windows, job.output.windows)
    ensembles = load(job.input.ensembles)
    matched_to = _shortest(job) if job.input.lengths else None
    states = binarize_windows(ensembles, windows, **p.binarize, matched_to=matched_to)
    save(states, job.output.states)
    with opened(job.input.preprocessed) as preprocessed:
        measured = quality(preprocessed, ensembles, states)
    save_csv(measured, job.output.quality, float_format="%.10g")


def _shortest(job: Job) -> int | None:
    """Return the frames of the shortest window among the recordings that this one is compared with."""
    found = [json.loads(Path(path).read_text(encoding="utf-8")) for path in job.input.lengths]
    return shortest([n for windows in found for n in windows.values()], job.params.binarize["min_frames"])
