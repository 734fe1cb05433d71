"""The page, its figures and the provenance."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from pipeline.base.files import load, save_json
from pipeline.report.page import build
from pipeline.results import provenance
from pipeline.workflow.job import job, noted

with job(snakemake) as (source, target, params, wildcards):
    root = Path(target.page).parent
    inputs = [
        {
            "recording": attrs["recording"],
            "source": attrs["source"],
            "sha256": attrs["source_sha256"],
        }
        for attrs in (load(path).attrs for path in source.recordings)
    ]
    first = min(log.stat().st_mtime for log in (root / "logs").rglob("*.log"))
    started = datetime.fromtimestamp(first, UTC).isoformat(timespec="seconds")
    save_json(provenance.collect(params.study, inputs, started), target.provenance)
    left = [failure for failure in params.failures if failure in noted(root)]  # others were mended in this run
    build(root, params.study, left, None, pd.DataFrame(params.recordings))
