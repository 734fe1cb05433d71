"""Form the ensembles of one recording: its own, or those that it shares with others."""

import json
from pathlib import Path

from pipeline.base.files import load, save
from pipeline.base.seeds import derive
from pipeline.traces.ensembles import group, group_as
from pipeline.traces.shared import SharedUnits
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the activity of k ensembles."""
    k, preprocessed = job.wildcards["k"], load(job.input.preprocessed)
    if job.input.shared:
        shared = SharedUnits(**json.loads(Path(job.input.shared[0]).read_text(encoding="utf-8")))
        grouped = group_as(preprocessed, shared)
    else:
        grouped = group(
            preprocessed,
            n_ensembles=int(k),
            method=job.params.method,
            neurons=job.params.neurons,
            seed=derive(job.params.seed, "ensembles", job.recording, k),
        )
    save(grouped, job.output.ensembles)
