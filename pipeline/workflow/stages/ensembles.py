"""Form the ensembles of one recording: its own, or those that it shares with others."""

import json
from pathlib import Path

import xarray as xr

from pipeline.base.files import opened, save
from pipeline.base.seeds import derive
from pipeline.traces.ensembles import group, group_as
from pipeline.traces.shared import SharedUnits
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the activity of k ensembles."""
    with opened(job.input.preprocessed) as preprocessed:
        save(_grouped(job, preprocessed), job.output.ensembles)


def _grouped(job: Job, preprocessed: xr.Dataset) -> xr.Dataset:
    if job.input.shared:
        shared = SharedUnits(**json.loads(Path(job.input.shared[0]).read_text(encoding="utf-8")))
        return group_as(preprocessed, shared)
    k = job.wildcards["k"]
    return group(
        preprocessed,
        n_ensembles=int(k),
        method=job.params.method,
        neurons=job.params.neurons,
        seed=derive(job.params.seed, "ensembles", job.recording, k),
    )
