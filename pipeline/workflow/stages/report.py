"""The page, its figures and the provenance."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from pipeline.base.files import attributes, save_json
from pipeline.report.page import build
from pipeline.results import provenance
from pipeline.results.layout import Layout
from pipeline.workflow.failures import Asked, standing
from pipeline.workflow.job import Job


def run(job: Job) -> None:
    """Write the page of what is there, whatever failed."""
    layout = Layout(job.root)
    inputs = [
        {"recording": found["recording"], "source": found["source"], "sha256": found["source_sha256"]}
        for found in map(attributes, job.input.recordings)
    ]
    first = min(log.stat().st_mtime for log in layout.logs())
    started = datetime.fromtimestamp(first, UTC).isoformat(timespec="seconds")
    save_json(provenance.collect(job.params.study, inputs, started), job.output.provenance)
    Path(job.output.figures).mkdir(parents=True, exist_ok=True)  # there may be nothing to draw
    recordings = pd.DataFrame(job.params.recordings)
    build(Path(job.root), job.params.study, standing(layout, Asked(**job.params.asked)), None, recordings)
