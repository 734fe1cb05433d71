"""phi_s of the windows of one recording, matched in length and event rate with the subject's other conditions."""

from collections.abc import Iterator

import xarray as xr

from pipeline.base.files import load, load_groups, save_table
from pipeline.base.seeds import derive
from pipeline.integration.matched import WindowStates, matched_values
from pipeline.results.columns import MATCHED
from pipeline.results.layout import SystemKey
from pipeline.results.tables import table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one row per window, scale, way to match and condition that it is matched with."""
    p = job.params
    stretches = dict(_stretches(job))
    systems: dict[str, list[xr.Dataset]] = {}
    for path in job.input.systems:
        for group, tpm in load_groups(path).items():
            systems.setdefault(SystemKey.of_group(job.recording, group).window, []).append(tpm)
    rows = []
    for window, tpms in systems.items():
        own = stretches[job.recording, window]
        with job.part(window=window):
            found = matched_values(
                own,
                tpms,
                [stretch for key, stretch in stretches.items() if key != (job.recording, window)],
                contrasts=[(a, b) for a, b in p.contrasts],
                repeats=p.repeats,
                min_frames=p.min_frames,
                min_visits=p.min_visits,
                seed=derive(p.seed, "matched", job.recording, window),
            )
            head = {name: own.attrs[name] for name in ("recording", "subject", "condition", "window", "flag")}
            rows += [head | {"measure": "phi_s"} | row for row in found]
    save_table(table(rows, MATCHED.names), job.output.matched)


def _stretches(job: Job) -> Iterator[tuple[tuple[str, str], WindowStates]]:
    """The states of every window of the subject that has a TPM."""
    for states_path, tpm_path in zip(job.input.states, job.input.tpm, strict=True):
        states = load(states_path)
        for tpm in load_groups(tpm_path).values():
            yield (str(tpm.attrs["recording"]), str(tpm.attrs["window"])), WindowStates.of(states, tpm)
