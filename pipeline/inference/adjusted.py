"""Values of subjects that were adjusted, so that a contrast can be asked whether it survives."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pipeline.inference.subjects import WINDOW
from pipeline.inference.summary import DEFAULT_NULLS


def excess_over_null(
    summary: pd.DataFrame, nulls: pd.DataFrame, measure: str, default_nulls: Mapping[str, str] = DEFAULT_NULLS
) -> pd.DataFrame:
    """Return the rows of a measure with their excess over the null in place of the value.

    The excess is that of nulls.csv: surrogates are not corrected for bias, so the value that they are taken from is
    the one before any correction.

    Args:
        summary: rows of summary.csv.
        nulls: rows of nulls.csv.
        measure: of which measure.
        default_nulls: the null of each route; where a window lacks it, its first other null is taken.

    Returns:
        Rows as in `summary`; value NaN where a window has no null.
    """
    rows = summary[summary["measure"] == measure]
    tests = nulls[(nulls["measure"] == measure) & nulls["excess"].notna()]
    preferred = tests["null"] == tests["route"].map(dict(default_nulls))
    tests = tests.assign(other=~preferred).sort_values("other", kind="stable").drop_duplicates(WINDOW)
    merged = rows.merge(tests[[*WINDOW, "excess"]], how="left", on=WINDOW)
    given = merged["value"].notna()
    return merged.assign(value=merged["excess"].where(given), ci_low=np.nan, ci_high=np.nan).drop(columns="excess")
