"""Simulate one recording, with its truth."""

import pandas as pd

from pipeline.base.files import save, save_json
from pipeline.base.seeds import derive
from pipeline.simulation.recordings import simulate_recording
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the recording and what is true of it."""
    p = job.params
    recording, truth = simulate_recording(
        p.index,
        p.row["subject"],
        job.recording,
        pd.DataFrame(p.windows),
        p.conditions,
        derive(p.seed, "simulate"),
        **p.simulate,
    )
    save_json(truth, job.output.truth)
    save(recording, job.output.recording)
