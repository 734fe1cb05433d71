"""Tables built so that the same results give the same bytes, and read so that identifiers stay text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.results.columns import NUMBERS


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


def read_tables(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Read tables with the same columns, one below the other; those that are not there are left out.

    Args:
        paths: of the tables.
        columns: that all of them have.
    """
    tables = [read_table(path, columns) for path in paths if path.exists()]
    return pd.concat(tables, ignore_index=True) if tables else _empty(columns)


def read_table(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of the study; identifiers stay text ("007" is not 7, "NA" is not missing).

    A file that is not there yet gives a table without rows.

    Args:
        path: of the table.
        columns: that it has.
    """
    if not Path(path).exists():
        return _empty(columns)
    text = [c for c in columns if c not in NUMBERS]
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={c: ["", "nan"] for c in columns if c not in text},
    )


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))
