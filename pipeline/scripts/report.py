"""The page, its figures and the provenance."""

from pathlib import Path

import pandas as pd

from pipeline.job import failures, job
from pipeline.report import build, provenance
from pipeline.store import load, save_json

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
    save_json(provenance.collect(params.study, inputs), target.provenance)
    known = {row["recording"] for row in params.recordings}
    failed = [failure for failure in failures(root) if failure["recording"] in known]
    build(root, params.study, failed, None, pd.DataFrame(params.recordings))
