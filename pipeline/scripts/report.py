"""The page, its figures and the provenance."""

from pathlib import Path

import pandas as pd

from pipeline import report
from pipeline.job import failures, job

with job(snakemake) as (source, target, params, wildcards):
    root = Path(target.page).parent
    report.build(root, params.study, failures(root), pd.DataFrame(params.recordings))
