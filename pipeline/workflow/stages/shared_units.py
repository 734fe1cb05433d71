"""Group the neurons of all recordings of a subject, or of the study, into the same units."""

from contextlib import ExitStack

from pipeline.base.files import opened, save_json
from pipeline.base.seeds import derive
from pipeline.traces.shared import share_units
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the unit of each neuron; recordings that could not be preprocessed are not among them."""
    p, name, k = job.params, job.wildcards["name"], job.wildcards["k"]
    with ExitStack() as files:
        shared = share_units(
            [files.enter_context(opened(path)) for path in job.input.preprocessed],
            n_ensembles=int(k),
            method=p.method,
            neurons=p.neurons,
            among=p.among,
            name=name,
            seed=derive(p.seed, "shared_units", name, k),
        )
    save_json(shared.plain(), job.output.shared)
