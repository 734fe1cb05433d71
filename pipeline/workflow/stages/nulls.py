"""Nulls of every system of one recording, and what is left of its contrasts under equal detection."""

from pipeline.base.files import load, load_groups, save_table
from pipeline.base.seeds import derive
from pipeline.integration.detection import equal_detection
from pipeline.integration.surrogates import integrate_nulls
from pipeline.nulls.traces import Traces
from pipeline.results.columns import DETECTION_COLUMNS, WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.results.tables import table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and system; one that fails is noted and left out."""
    p = job.params
    states, traces, found, micro = load(job.input.states), _traces(job), {}, {}
    for path in job.input.tpms:
        for group, tpm in load_groups(path).items():
            key = SystemKey.of_group(job.recording, group)
            if key.route == "micro":
                micro[key.window] = tpm
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
    seed = derive(p.seed, "detection", job.recording)
    rows = equal_detection(states, micro, p.detection, seed) if p.detection else []
    save_table(table(rows, DETECTION_COLUMNS), job.output.detection)
    job.keep(found, job.output.nulls)


def _traces(job: Job) -> Traces | None:
    """Return the activity where a null is drawn of it; all windows and scales share what is drawn."""
    if not job.params.binarize:
        return None
    windows = read_table(job.input.windows, WINDOW_COLUMNS)
    seed = derive(job.params.seed, "nulls", job.recording)
    return Traces(load(job.input.ensembles), windows, job.params.binarize, seed)
