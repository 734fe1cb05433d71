"""Group the neurons of one recording."""

from pipeline.base.files import load, save
from pipeline.base.seeds import derive
from pipeline.traces.ensembles import group
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the activity of k ensembles."""
    k = job.wildcards["k"]
    grouped = group(
        load(job.input.preprocessed),
        n_ensembles=int(k),
        method=job.params.method,
        neurons=job.params.neurons,
        seed=derive(job.params.seed, "ensembles", job.recording, k),
    )
    save(grouped, job.output.ensembles)
