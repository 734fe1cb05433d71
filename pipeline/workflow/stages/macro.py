"""Derive the macro units of every window of one recording at every scale.

They are learned once from all windows of the recording, or of all recordings that share their units (the stage
`shared_macro`), or in each window by itself.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from pipeline.base.files import load, load_groups, save_groups
from pipeline.base.seeds import derive as seed_of
from pipeline.macro.coarse import How, Learned, Learner, derive
from pipeline.macro.crossfit import Halves, cross_fitted, halves_of, learn_crossed
from pipeline.results.layout import SystemKey
from pipeline.workflow.job import Job

Systems = Mapping[SystemKey, xr.Dataset]
InHalves = Mapping[SystemKey, Halves | None]


def run(job: Job) -> None:
    """Write one group per window and scale; one that cannot be had is noted and left out, and so may all be."""
    micro = {SystemKey.of_group(job.recording, group): tpm for group, tpm in load_groups(job.input.tpm).items()}
    halves = _halves(job, micro)
    shared = job.params.grouping == "recording"
    found: dict[str, xr.Dataset] = {}
    for together in [micro] if shared else [{key: tpm} for key, tpm in micro.items()]:
        windows = {} if shared else {"window": next(iter(together)).window}
        learner: Learner | None = None
        for scale in job.params.scales:
            with job.part(**windows, system=f"macro_units-{scale}"):
                learner = learner or Learner(list(together.values()), How(**job.params.encoder), shared=shared)
                found |= _learned_on(job, together, halves, learner, scale)
    save_groups(found, job.output.macro)


def _shared(job: Job, scale: int) -> Learned | None:
    """Return what was learned of all recordings that share their units; None where this one has its own."""
    if not job.input.shared:
        return None
    return Learned.from_plain(json.loads(Path(job.input.shared[0]).read_text(encoding="utf-8"))[str(scale)])


def _learned_on(job: Job, micro: Systems, halves: InHalves, learner: Learner, scale: int) -> dict[str, xr.Dataset]:
    """Macro TPMs of the windows whose macro units are learned together."""
    own = [] if learner.shared else [key.window for key in micro]
    seed = seed_of(job.params.seed, "coarse_grain", job.recording, *own, str(scale))
    learned = (_shared(job, scale) if learner.shared else None) or learner.at(scale, seed)
    known = [half for key in micro if (half := halves.get(key)) is not None]
    crossed = learn_crossed(known, scale, learner.how.mappings, learner.how.goal) if known else []
    found: dict[str, xr.Dataset] = {}
    for key, tpm in micro.items():
        macro = key._replace(route="macro_units", scale=scale)
        with job.part(window=key.window, system=macro.system):
            made = derive(tpm, learned, job.params.random_groupings, learner.how.formalism)
            found[macro.group] = cross_fitted(made, halves[key], crossed) if key in halves else made
    return found


def _halves(job: Job, micro: Systems) -> dict[SystemKey, Halves | None]:
    """Micro TPMs of the halves of every window; none where macro units are not cross-fitted."""
    if not job.params.cross_fit:
        return {}
    states, found = load(job.input.states), {}
    windows = states["window"].values.astype(str)
    for key, tpm in micro.items():
        seed = seed_of(job.params.seed, "halves", job.recording, key.window)
        found[key] = halves_of(states.isel(frame=np.flatnonzero(windows == key.window)), tpm, seed)
    return found
