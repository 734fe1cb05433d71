"""Estimate the unit TPM of every window of one recording."""

from pipeline.base.files import load
from pipeline.base.seeds import derive
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.tpm.bootstrap import bootstrapped
from pipeline.tpm.estimation import estimate_window, fit_recording
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window; a window that cannot carry a TPM is noted and left out."""
    states, p = load(job.input.states), job.params
    fit = {name: value for name, value in p.tpm.items() if name != "uncertainty"}
    together = fit_recording(states, **fit, seed=derive(p.seed, "tpm", job.recording))
    found = {}
    for window in dict.fromkeys(read_table(job.input.windows, WINDOW_COLUMNS)["window"]):
        with job.part(window=window):
            key = SystemKey(job.recording, window, "micro", states.sizes["unit"])
            tpm = estimate_window(
                states,
                window,
                **fit,
                min_frames=p.min_frames,
                recording=together,
                seed=derive(p.seed, "tpm", job.recording, window),
            )
            resample = p.tpm["uncertainty"] == "bootstrap"
            own = derive(p.seed, "bootstrap", job.recording, window)
            found[key.group] = bootstrapped(tpm, states, own) if resample else tpm
    job.keep(found, job.output.tpm)
