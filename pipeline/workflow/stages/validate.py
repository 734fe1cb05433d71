"""Estimates beside the truth of simulated recordings."""

import json
from pathlib import Path

from pipeline.base.files import load, load_groups, save_table
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.tables import read_table
from pipeline.validation.truth import hold_against_truth
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write true values and groupings; tables without rows where nothing is known."""
    truths = [json.loads(Path(path).read_text(encoding="utf-8")) for path in job.input.truth]
    values, groupings = hold_against_truth(
        read_table(job.input.summary, SUMMARY_COLUMNS),
        dict(zip(job.params.recordings, truths, strict=True)),
        [tpm for path in job.input.macro for tpm in load_groups(path).values()],
        {dataset.attrs["recording"]: dataset for dataset in map(load, job.input.ensembles)},
        job.params.formalism,
    )
    save_table(values, job.output.truth)
    save_table(groupings, job.output.groupings)
