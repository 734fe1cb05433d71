"""Tables of the dynamics of latents, and of how far what was learned is the same again."""

from pipeline.base.files import load, load_groups, save_table
from pipeline.base.seeds import derive
from pipeline.inference.dynamics import gather_dynamics
from pipeline.inference.stability import gather_stability
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the three tables, of whatever recordings have hierarchies."""
    found = [dataset for path in job.input.encoder for dataset in load_groups(path).values()]
    dynamics, points = gather_dynamics(found)
    save_table(dynamics, job.output.dynamics)
    save_table(points, job.output.fixed_points)
    joint = [load(path) for path in job.input.joint]
    save_table(gather_stability(found, joint, derive(job.params.seed, "stability")), job.output.stability)
