"""Estimate the unit TPM of every window of one recording."""

from pipeline.base.files import load
from pipeline.base.seeds import derive
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.tpm.estimation import estimate_window, fit_recording
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window; a window that cannot carry a TPM is noted and left out."""
    states, p = load(job.input.states), job.params
    together = fit_recording(states, **p.tpm, seed=derive(p.seed, "tpm", job.recording))
    found = {}
    for window in dict.fromkeys(read_table(job.input.windows, WINDOW_COLUMNS)["window"]):
        with job.part(window=window):
            key = SystemKey(job.recording, window, "micro", states.sizes["unit"])
            found[key.group] = estimate_window(
                states,
                window,
                **p.tpm,
                min_frames=p.min_frames,
                recording=together,
                seed=derive(p.seed, "tpm", job.recording, window),
            )
    job.keep(found, job.output.tpm)
