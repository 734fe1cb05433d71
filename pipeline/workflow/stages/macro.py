"""Derive the macro units of every window of one recording at every scale.

They are learned once from all windows of the recording, or of all recordings that share their units (the stage
`shared_macro`), or in each window by itself.
"""

import json
from pathlib import Path
from typing import Any

import xarray as xr

from pipeline.base.files import load_groups, save_groups
from pipeline.base.seeds import derive as seed_of
from pipeline.macro.coarse import Learned, derive, learn
from pipeline.results.layout import SystemKey
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and scale; one that cannot be had is noted and left out, and so may all be."""
    micro = {SystemKey.of_group(job.recording, group): tpm for group, tpm in load_groups(job.input.tpm).items()}
    found: dict[str, xr.Dataset] = {}
    for scale in job.params.scales:
        if job.params.grouping == "recording":
            found |= _together(job, micro, scale)
        else:
            found |= _apart(job, micro, scale)
    save_groups(found, job.output.macro)


def _together(job: Job, micro: dict[SystemKey, xr.Dataset], scale: int) -> dict[str, xr.Dataset]:
    found: dict[str, xr.Dataset] = {}
    with job.part(system=f"macro_units-{scale}"):
        learned = _shared(job, scale)
        if learned is None:
            learned = learn(list(micro.values()), scale, seed=_seed(job, job.recording, str(scale)), **_encoder(job))
        for key, tpm in micro.items():
            macro = key._replace(route="macro_units", scale=scale)
            with job.part(window=key.window, system=macro.system):
                found[macro.group] = derive(tpm, learned, job.params.random_groupings)
    return found


def _shared(job: Job, scale: int) -> Learned | None:
    """Return what was learned of all recordings that share their units; None where this one has its own."""
    if not job.input.shared:
        return None
    return Learned.from_plain(json.loads(Path(job.input.shared[0]).read_text(encoding="utf-8"))[str(scale)])


def _apart(job: Job, micro: dict[SystemKey, xr.Dataset], scale: int) -> dict[str, xr.Dataset]:
    found: dict[str, xr.Dataset] = {}
    for key, tpm in micro.items():
        macro = key._replace(route="macro_units", scale=scale)
        with job.part(window=key.window, system=macro.system):
            seed = _seed(job, job.recording, key.window, str(scale))
            learned = learn([tpm], scale, seed=seed, shared=False, **_encoder(job))
            found[macro.group] = derive(tpm, learned, job.params.random_groupings)
    return found


def _encoder(job: Job) -> dict[str, Any]:
    return dict(job.params.encoder)


def _seed(job: Job, *learned_in: str) -> int:
    return seed_of(job.params.seed, "coarse_grain", *learned_in)
