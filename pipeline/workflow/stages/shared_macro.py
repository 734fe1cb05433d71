"""Learn the macro units of all recordings that share their units, at every scale."""

from pipeline.base.files import load_groups, save_json
from pipeline.base.seeds import derive as seed_of
from pipeline.macro.coarse import How, Learner
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one grouping per scale, learned of all windows of these recordings."""
    p, name = job.params, job.wildcards["name"]
    micro = [tpm for path in job.input.tpm for tpm in load_groups(path).values()]
    learner = Learner(micro, How(**p.encoder), shared=True)
    learned = {
        str(scale): learner.at(scale, seed_of(p.seed, "coarse_grain", name, str(scale))).plain() for scale in p.scales
    }
    save_json(learned, job.output.learned)
