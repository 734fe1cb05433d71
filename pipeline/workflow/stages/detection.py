"""What is left of the difference of every two windows of one recording under equal detection."""

from pipeline.base.files import load, load_groups, save_table
from pipeline.base.seeds import derive
from pipeline.integration.detection import equal_detection
from pipeline.results.columns import DETECTION_COLUMNS
from pipeline.results.layout import SystemKey
from pipeline.results.tables import table
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write one row per two windows."""
    p = job.params
    tpms = {SystemKey.of_group(job.recording, group).window: tpm for group, tpm in load_groups(job.input.tpm).items()}
    rows = equal_detection(load(job.input.states), tpms, p.repeats, derive(p.seed, "detection", job.recording))
    save_table(table(rows, DETECTION_COLUMNS), job.output.detection)
