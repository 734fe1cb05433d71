"""Delimited text: numeric columns, and what is recognised around them."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.arrays import Bools, Floats
from pipeline.base.text import is_number
from pipeline.ingest.rows import fault, reading

TIME_IN_SECONDS = re.compile(r"(t|times?|timestamps?)([ _\[(]+(s|secs?|seconds?)[\])]?)?")


@dataclass
class Delimited:
    """A delimited text file.

    Attributes:
        values: (row, column) numbers.
        names: of the columns.
        time: (row,) [s], where the file has it.
        accepted: (column,) those that the file does not mark as rejected; None where it marks none.
    """

    values: Floats
    names: list[str]
    time: Floats | None = None
    accepted: Bools | None = None


def read_delimited(path: Path) -> Delimited:
    """Read delimited text (comma, semicolon or tab) with one column per neuron or variable.

    A header is optional. A time column is known by its name (time, time_s, "Time (s)", ...). The
    second header row of Inscopix exports ("Time(s)/Cell Status, accepted, rejected, ...") is
    understood: the first column is then time, and rejected columns are marked. Columns that only
    number the rows are left out.

    Raises:
        PhiscaleError: the file is no such text, or a cell holds no number.
    """
    with reading(path, "csv"):
        return _parse(path)


def _parse(path: Path) -> Delimited:
    with path.open(encoding="utf-8-sig") as file:
        head = [file.readline().rstrip("\r\n") for _ in range(2)]
    separator = max(",;\t", key=head[0].count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(head, delimiter=separator)]
    has_header = not all(is_number(cell) for cell in rows[0])
    status = rows[1] if len(rows) > 1 and rows[1] and rows[1][0].lower().startswith("time(s)/cell status") else None
    cells = pd.read_csv(
        path,
        sep=separator,
        header=None,
        skiprows=has_header + (status is not None),
        encoding="utf-8-sig",
        skipinitialspace=True,
        low_memory=False,
    )
    names = rows[0] if has_header else [f"n{i}" for i in range(cells.shape[1])]
    if len(names) != cells.shape[1]:
        raise fault(path, f"has {len(names)} names in its header for {cells.shape[1]} columns")
    table = Delimited(_numbers(path, cells, names), names)
    return _sort_columns(path, table, status) if has_header else table


def _numbers(path: Path, cells: pd.DataFrame, names: list[str]) -> Floats:
    """Return the cells as numbers, or name the first that is not one."""
    numeric = cells.apply(pd.to_numeric, errors="coerce")
    wrong = np.argwhere(numeric.isna().to_numpy() & cells.notna().to_numpy())
    if wrong.size:
        row, column = wrong[0]
        raise fault(
            path,
            f"holds {cells.iat[row, column]!r} in column {names[column]!r}, data row {row + 1}, "
            f"expected a number ({len(wrong)} such cells)",
            "give one row per frame and one column per neuron",
        )
    found: Floats = numeric.to_numpy(float)
    return found


def _sort_columns(path: Path, table: Delimited, status: list[str] | None) -> Delimited:
    """Tell time and row numbers from neurons, and heed the status row."""
    keep, time = [], None
    for i, name in enumerate(table.names):
        column, label = table.values[:, i], name.lower()
        if (i == 0 and status) or TIME_IN_SECONDS.fullmatch(label):
            time = column
        elif label.startswith("time"):
            raise fault(path, f"column {name!r} is time in a unit that is not known", "use time_s")
        elif i == 0 and (label in ("", "frame", "index") or label.startswith("unnamed")):
            if not np.array_equal(np.diff(column), np.ones(len(column) - 1)):
                raise fault(
                    path,
                    f"its first column {name!r} is neither named as time nor a count of the frames",
                    "call it time_s if it is time, or give it the neuron's name",
                )
        else:
            keep.append(i)
    accepted = np.array([status[i].lower() != "rejected" for i in keep], bool) if status else None
    return Delimited(table.values[:, keep], [table.names[i] for i in keep], time, accepted)
