"""Which cells of a file are used: those that the file accepts, or those that the sheet keeps, less those it drops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.base.arrays import Array, Bools
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.ingest.rows import option

COLUMNS = ("keep", "drop")  # of the sheet of recordings
EVERY = "all"
SHOWN = 8  # names in a message


def chosen(row: Mapping[str, Any], names: Sequence[str], accepted: Array | None = None) -> Bools:
    """Return which cells (cell,) a row of the sheet uses.

    Args:
        row: its cell `keep` holds names separated by commas, or "all"; its cell `drop` names.
        names: of all cells of the file.
        accepted: (cell,) those that the file itself marks as cells; used where the row keeps nothing by name.

    Raises:
        PhiscaleError: a name that the file does not have, or no cell is left.

    >>> chosen({"drop": "b"}, ["a", "b", "c"], np.array([True, True, False])).tolist()
    [True, False, False]
    >>> chosen({"keep": "all"}, ["a", "b"], np.array([True, False])).tolist()
    [True, True]
    """
    kept, dropped = _named(row, "keep", names), _named(row, "drop", names)
    use = np.ones(len(names), bool) if accepted is None else np.asarray(accepted, bool)
    if use.shape != (len(names),):
        what = f"marks {use.size} cells as accepted or not, and has {len(names)}"
        raise PhiscaleError(Problem(str(row["path"]), what, "Other cells would be used than are meant"))
    if kept == [EVERY]:
        use = np.ones(len(names), bool)
    elif kept:
        use = np.isin(names, kept)
    use &= ~np.isin(names, dropped)
    if len(names) and not use.any():
        what = "keeps no cell" if kept or dropped else f"has {len(names)} cells, and accepts none of them"
        raise PhiscaleError(
            Problem(str(row["path"]), what, "Nothing is left to analyse", "name some in keep, or write all there")
        )
    return use


def _named(row: Mapping[str, Any], column: str, names: Sequence[str]) -> list[str]:
    wanted = [name.strip() for name in str(option(row, column, "")).split(",") if name.strip()]
    if wanted == [EVERY] and column == "keep":
        return wanted
    unknown = [name for name in wanted if name not in set(names)]
    if unknown:
        shown = ", ".join(names[:SHOWN]) + (f", ... ({len(names)})" if len(names) > SHOWN else "")
        raise PhiscaleError(
            Problem(
                column,
                f"{row['path']!s} has no cell {', '.join(unknown[:SHOWN])}",
                "Other cells would be used than are meant",
                f"its cells are {shown}",
            )
        )
    return wanted
