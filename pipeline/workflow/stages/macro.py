"""Derive the macro units of every window of one recording at every scale.

They are learned from all windows of the recording together, or in each window by itself.
"""

from pipeline.base.files import load_groups, save_groups
from pipeline.base.seeds import derive
from pipeline.macro.coarse import coarse_grain
from pipeline.results.layout import SystemKey
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one group per window and scale; one that cannot be had is noted and left out, and so may all be."""
    p = job.params
    micro = load_groups(job.input.tpm)
    shared = p.grouping == "recording"  # then no seed may differ between its windows
    found = {}
    for scale in p.scales:
        for group, tpm in micro.items():
            key = SystemKey.of_group(job.recording, group)._replace(route="macro_units", scale=scale)
            learned_in = (job.recording,) if shared else (job.recording, key.window)
            with job.part(window=key.window, system=key.system):
                found[key.group] = coarse_grain(
                    tpm,
                    n_macro=scale,
                    **p.macro,
                    seed=derive(p.seed, "coarse_grain", *learned_in, str(scale)),
                    learn_from=list(micro.values()) if shared else None,
                )
    save_groups(found, job.output.macro)
