"""How well each estimator predicts left-out bins of one recording."""

from pipeline.base.files import load, save_json
from pipeline.base.seeds import derive
from pipeline.tpm.choice import score
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the scores of the candidates."""
    given = {name: value for name, value in job.params.tpm.items() if name not in ("method", "lag", "draws", "copies")}
    seed = derive(job.params.seed, "score", job.recording)
    save_json(score(load(job.input.states), job.params.tpm["lag"], given, seed)._asdict(), job.output.scores)
