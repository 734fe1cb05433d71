"""Nulls of every system of one recording."""

from collections.abc import Mapping

import xarray as xr

from pipeline.base.files import load, load_groups
from pipeline.base.seeds import derive
from pipeline.integration.encoded import integrate_encoded
from pipeline.integration.measured import Measured
from pipeline.integration.surrogates import integrate_nulls
from pipeline.nulls.traces import Traces
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.reader import read_table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and system; one that fails is noted and left out."""
    p, states = job.params, load(job.input.states)
    traces = _traces(job, states.attrs.get("matched_to"))
    tpms = {
        SystemKey.of_group(job.recording, group): tpm
        for path in job.input.tpms
        for group, tpm in load_groups(path).items()
    }
    micro = {key.window: tpm for key, tpm in tpms.items() if key.route == "micro"}
    measured, found = _measured(job, states, micro), {}
    units = {key.window: key.system for key in tpms if key.route == "micro"}  # all scales share the surrogates
    for key, tpm in tpms.items():
        with job.part(window=key.window, system=key.system):
            found[key.group] = integrate_nulls(
                states,
                tpm,
                window=key.window,
                **p.nulls,
                **p.iit,
                mappings=p.mappings,
                traces=traces,
                measured=measured,
                seed=derive(p.seed, "nulls", job.recording, key.window, units[key.window]),
            )
    for path in job.input.macro_models:
        found |= _encoded(job, path)
    job.keep(found, job.output.nulls)


def _encoded(job: Job, path: str) -> dict[str, xr.Dataset]:
    """Return the nulls of macro models, whose surrogates were encoded with them."""
    found, options = {}, {"big_phi_surrogates": job.params.nulls["big_phi_surrogates"], **job.params.iit}
    for group, tpm in load_groups(path).items():
        key = SystemKey.of_group(job.recording, group)
        with job.part(window=key.window, system=key.system):
            found[group] = integrate_encoded(tpm, **options)
    return found


def _measured(job: Job, states: xr.Dataset, micro: Mapping[str, xr.Dataset]) -> Measured | None:
    """Return what surrogates of hidden states are made of; all windows and scales share them."""
    hidden = {window: tpm for window, tpm in micro.items() if "paths" in tpm}
    seed = derive(job.params.seed, "measured", job.recording)
    return Measured(states, hidden, seed, job.params.hidden_surrogates) if hidden else None


def _traces(job: Job, matched_to: int | None) -> Traces | None:
    """Return the activity where a null is drawn of it; all windows and scales share what is drawn."""
    if not job.params.binarize:
        return None
    windows = read_table(job.input.windows, WINDOW_COLUMNS)
    seed = derive(job.params.seed, "nulls", job.recording)
    binarize = {**job.params.binarize, "matched_to": None if matched_to is None else int(matched_to)}
    return Traces(load(job.input.ensembles), windows, binarize, seed)
