"""Estimate the unit TPM of every window of one recording."""

import json
from pathlib import Path
from typing import Any

from pipeline.base.files import load
from pipeline.base.seeds import derive
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.tables import read_table
from pipeline.tpm.bootstrap import bootstrapped
from pipeline.tpm.choice import parameters_of
from pipeline.tpm.estimation import estimate_window, fit_recording
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window; a window that cannot carry a TPM is noted and left out."""
    states, p = load(job.input.states), job.params
    fit = _chosen({name: value for name, value in p.tpm.items() if name != "uncertainty"}, job)
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


def _chosen(section: dict[str, Any], job: Job) -> dict[str, Any]:
    """Return the section `tpm` with the estimator that was chosen for the study, where it leaves that open."""
    if section["method"] != "auto":
        return section
    method = json.loads(Path(job.input.estimator).read_text(encoding="utf-8"))["method"]
    common = {name: section[name] for name in ("lag", "draws", "copies")}
    own = {name: value for name, value in section.items() if name not in (*common, "method")}
    return {"method": method, **common, **parameters_of(method, own)}
