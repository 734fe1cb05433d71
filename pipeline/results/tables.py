"""Tables built so that the same results give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Build a table with these columns, its numbers rounded to ten significant digits.

    Rounding makes the bytes of the file independent of the order in which sums were formed.

    Args:
        rows: values by column; columns that a row lacks are empty, others are left out.
        columns: the columns, in order.
    """
    frame = pd.DataFrame(list(rows), columns=list(columns))
    for column in frame.columns:
        if frame[column].dtype.kind == "f":
            frame[column] = [_rounded(value) for value in frame[column]]
    return frame


def _rounded(value: float) -> float:
    return 0.0 if abs(value) < 1e-12 else float(f"{value:.10g}")
