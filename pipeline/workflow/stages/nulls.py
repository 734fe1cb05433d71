"""Nulls of every system of one recording."""

from pipeline.base.files import load, load_groups
from pipeline.base.seeds import derive
from pipeline.integration.surrogates import integrate_nulls
from pipeline.nulls.traces import Traces
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and system; one that fails is noted and left out."""
    p = job.params
    states, found = load(job.input.states), {}
    traces = _traces(job, states.attrs.get("matched_to"))
    for path in job.input.tpms:
        for group, tpm in load_groups(path).items():
            key = SystemKey.of_group(job.recording, group)
            with job.part(window=key.window, system=key.system):
                found[group] = integrate_nulls(
                    states,
                    tpm,
                    window=key.window,
                    **p.nulls,
                    **p.iit,
                    mappings=p.mappings,
                    traces=traces,
                    seed=derive(p.seed, "nulls", job.recording, key.window, key.system),
                )
    job.keep(found, job.output.nulls)


def _traces(job: Job, matched_to: int | None) -> Traces | None:
    """Return the activity where a null is drawn of it; all windows and scales share what is drawn."""
    if not job.params.binarize:
        return None
    windows = read_table(job.input.windows, WINDOW_COLUMNS)
    seed = derive(job.params.seed, "nulls", job.recording)
    binarize = {**job.params.binarize, "matched_to": None if matched_to is None else int(matched_to)}
    return Traces(load(job.input.ensembles), windows, binarize, seed)
