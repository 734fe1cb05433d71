"""Which values can be believed."""

from __future__ import annotations

import pandas as pd

from pipeline.report.findings import Findings

HALF = 0.5  # of the subjects' values of a condition


def vague_conditions(study: Findings, values: pd.DataFrame) -> list[str]:
    """Return the conditions in which at least half of the subjects' values are imprecise.

    Args:
        study: what was found in the study.
        values: of `subject_values`, of one measure at one scale.
    """
    share = values.groupby("condition")["imprecise"].mean()
    return [c for c in study.conditions if share.get(c, 0.0) >= HALF]
