"""Read one recording."""

from pathlib import Path

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.ingest.streaming import ingest_into
from pipeline.workflow.job import Job
from pipeline.workflow.targets import stamped


def run(job: Job) -> None:
    """Write the recording as one dataset, unless its file changed meanwhile: hash and values would not be of one."""
    raw = [job.input.raw] if isinstance(job.input.raw, str) else job.input.raw
    before = stamped(raw)
    ingest_into(job.output.recording, job.params.row)
    if stamped(raw) != before:
        Path(job.output.recording).unlink()
        where = f"recording {job.recording!r}, {job.params.row['path']}"
        fix = "run again when the new file is whole"
        raise PhiscaleError(Problem(where, "was replaced while it was read", "It would be read in part only", fix))
