"""Integrated information of every system of one recording."""

from pipeline.base.files import load_groups
from pipeline.integration.observed import integrate
from pipeline.results.layout import SystemKey
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and system; one that fails is noted and left out."""
    found = {}
    for path in [*job.input.tpms, *job.input.macro_models]:
        for group, tpm in load_groups(path).items():
            key = SystemKey.of_group(job.recording, group)
            with job.part(window=key.window, system=key.system):
                found[group] = integrate(tpm, **job.params.iit)
    job.keep(found, job.output.phi)
