"""Nulls of every system of one recording."""

from pipeline.base.files import load, load_groups
from pipeline.base.seeds import derive
from pipeline.integration.observed import integrate_nulls
from pipeline.results.layout import SystemKey
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and system; one that fails is noted and left out."""
    p = job.params
    states, found = load(job.input.states), {}
    for path in job.input.tpms:
        for group, tpm in load_groups(path).items():
            key = SystemKey.of_group(job.recording, group)
            with job.part(window=key.window, system=key.system):
                found[group] = integrate_nulls(
                    states,
                    tpm,
                    window=key.window,
                    **p.nulls,
                    mappings=p.mappings,
                    big_phi_max_units=p.big_phi_max_units,
                    min_visits=p.min_visits,
                    seed=derive(p.seed, "nulls", job.recording, key.window, key.system),
                )
    job.keep(found, job.output.nulls)
