"""The estimator that the recordings of a study favour."""

import json
from pathlib import Path

from pipeline.base.files import save_json
from pipeline.tpm.choice import Scores, choose
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the estimator, the reason and the scores of all candidates."""
    scores = [Scores(**json.loads(Path(path).read_text(encoding="utf-8"))) for path in job.input.scores]
    save_json(choose(scores)._asdict(), job.output.estimator)
