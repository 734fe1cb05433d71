"""Values of subjects that were adjusted, so that a contrast can be asked whether it survives."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.inference.subjects import WINDOW


def excess_over_null(summary: pd.DataFrame, nulls: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of a measure with their excess over the null that the summary shows in place of the value.

    The excess is that of nulls.csv: surrogates are not corrected for bias, so the value that they are taken from is
    the one before any correction.

    Args:
        summary: rows of summary.csv.
        nulls: rows of nulls.csv.
        measure: of which measure.

    Returns:
        Rows as in `summary`; value NaN where a window has no such null.
    """
    rows = summary[summary["measure"] == measure]
    tests = nulls[(nulls["measure"] == measure) & nulls["excess"].notna()]
    keys = [*WINDOW, "null"]
    merged = rows.merge(tests[[*keys, "excess"]], how="left", on=keys)
    given = merged["value"].notna()
    return merged.assign(value=merged["excess"].where(given), ci_low=np.nan, ci_high=np.nan).drop(columns="excess")
