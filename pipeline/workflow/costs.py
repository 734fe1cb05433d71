"""What the jobs of a study took, from their logs: `python -m pipeline.workflow.costs RESULTS/STUDY`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

from pipeline.results.layout import Layout

COLUMNS = ("stage", "wall_s", "cpu_s", "peak_mb")


def costs(root: str | Path) -> pd.DataFrame:
    """Return one row per job: stage, time and processor time of the stage's own code [s], peak memory [MB].

    Processor time leaves out what it takes to start the job; set against that of the whole run it tells how much of
    the run was work.
    """
    rows = [json.loads(log.read_text().splitlines()[-1]) for log in Layout(root).logs() if _ended(log)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _ended(log: Path) -> bool:
    lines = log.read_text().splitlines()
    return bool(lines) and lines[-1].startswith('{"stage"')


def by_stage(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per stage, the dearest first (jobs, sums of times, largest memory), and the total."""
    found = table.groupby("stage").agg(
        jobs=("stage", "size"), wall_s=("wall_s", "sum"), cpu_s=("cpu_s", "sum"), peak_mb=("peak_mb", "max")
    )
    found = found.sort_values("cpu_s", ascending=False)
    total = {"jobs": len(table), "wall_s": table["wall_s"].sum(), "cpu_s": table["cpu_s"].sum()}
    found.loc["total"] = {**total, "peak_mb": table["peak_mb"].max()}
    return found.astype({"jobs": int})


if __name__ == "__main__":
    print(by_stage(costs(sys.argv[1])).to_string(float_format="%.1f"))
