"""Networks that someone brings as one file: a TPM or weights, as CSV, NPY or JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from iitcore import Substrate, SubstrateError, System
from pipeline.base.arrays import Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.base.text import is_number

T = TypeVar("T")

_KEYS = {
    "tpm": {"tpm", "units"},
    "weights": {"weights", "k", "bias", "units"},
    "factors": {"factors", "units", "alphabet", "fixed"},
}
_SHOWN = 8


def read_network(path: Path) -> Substrate:
    """Read a substrate from a file.

    Args:
        path: .csv, .tsv or .txt: one row per state, little-endian, one column of P(ON) per unit; a
            header line names the units; a first column headed `state` (such as 011, first unit
            first) may give the rows in any order. .npy: the same as an array. Both may hold a
            square state-by-state matrix instead. .json: {"tpm": rows, "units": names}, or
            {"weights": matrix, "k": 4, "bias": values, "units": names} for logistic units, or what
            `Substrate.to_dict` gives.

    Raises:
        PhiscaleError: when the file cannot be read or does not describe a substrate.
    """
    readers: dict[str, Callable[[Path], Substrate]] = {
        ".csv": _from_table,
        ".tsv": _from_table,
        ".txt": _from_table,
        ".npy": _from_npy,
        ".json": _from_json,
    }
    if path.suffix.lower() not in readers:
        raise PhiscaleError(
            Problem(
                str(path),
                f"a network is read from {', '.join(readers)}, not from {path.suffix or 'this'}",
                fix="save the TPM as CSV with one row per state and one column per unit",
            )
        )
    if not path.is_file():
        raise PhiscaleError(Problem(str(path), "there is no such file", fix="check the path"))
    try:
        return readers[path.suffix.lower()](path)
    except SubstrateError as error:
        raise PhiscaleError(Problem(str(path), str(error))) from None
    except UnicodeDecodeError:
        raise PhiscaleError(Problem(str(path), "is not text", fix="save it as plain CSV or JSON in UTF-8")) from None
    except OSError as error:
        raise PhiscaleError(Problem(str(path), f"cannot be read ({error.strerror})")) from None


def choose_system(substrate: Substrate, state: str, units: str | None = None) -> tuple[System, tuple[int, ...]]:
    """Find the candidate system that a command line names.

    Args:
        substrate: the network.
        state: 011, or 0,1,1: one value per unit of the network.
        units: names or indices with commas; all units by default.

    Returns:
        The system, and the state of the whole network.

    Raises:
        PhiscaleError: with the faults of both state and units.
    """
    problems = Problems()
    values = _try(problems, "--state", lambda: _values(substrate, state))
    chosen = None
    if units is not None:
        chosen = _try(problems, "--units", lambda: substrate.indices(_keys(substrate, units)))
    problems.raise_if_any()
    assert values is not None
    return substrate.system(values, chosen), values


def _try(problems: Problems, where: str, work: Callable[[], T]) -> T | None:
    try:
        return work()
    except SubstrateError as error:
        problems.found.append(Problem(where, str(error)))
        return None


def _values(substrate: Substrate, state: str) -> tuple[int, ...]:
    if "," not in state:
        return substrate.check_state(state)
    cells = [cell.strip() for cell in state.split(",")]
    wrong = [repr(cell) for cell in cells if not cell.isdigit()]
    if wrong:
        raise SubstrateError(f"{', '.join(wrong)} in {state!r} is no state of a unit; write 0,1,1")
    return substrate.check_state([int(cell) for cell in cells])


def _keys(substrate: Substrate, units: str) -> list[str | int]:
    """Unit names, or indices where no unit has that name."""
    cells = [cell.strip() for cell in units.split(",") if cell.strip()]
    return [int(c) if c not in substrate.units and c.isdigit() else c for c in cells]


def _substrate(tpm: Floats, units: list[str] | None) -> Substrate:
    rows, columns = tpm.shape if tpm.ndim == 2 else (0, 0)
    if rows == columns and rows > 1 and rows & (rows - 1) == 0:
        names = units if units and 2 ** len(units) == rows else None
        return Substrate.from_state_by_state(tpm, units=names)
    return Substrate(tpm, units)


def _from_npy(path: Path) -> Substrate:
    try:
        tpm = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise PhiscaleError(
            Problem(
                str(path),
                f"is not a plain array ({error})",
                fix="write it with numpy.save from an array of numbers",
            )
        ) from None
    if tpm.dtype.kind not in "fiub":
        raise PhiscaleError(Problem(str(path), f"holds {tpm.dtype}, not numbers", fix="save probabilities"))
    return _substrate(tpm, None)


def _from_json(path: Path) -> Substrate:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise PhiscaleError(Problem(f"{path}, line {error.lineno}", f"is not JSON ({error.msg})")) from None
    data: dict[str, Any] = content if isinstance(content, dict) else {"tpm": content}
    kinds = [kind for kind in _KEYS if kind in data]
    if len(kinds) != 1:
        raise PhiscaleError(
            Problem(
                str(path),
                f"gives {' and '.join(kinds) or 'no network'}",
                fix=f"give exactly one of {', '.join(_KEYS)}",
            )
        )
    kind = kinds[0]
    unknown = sorted(set(data) - _KEYS[kind])
    if unknown:
        raise PhiscaleError(
            Problem(
                str(path),
                f"has entries {', '.join(unknown)} that a network of {kind} does not",
                "They would be ignored",
                f"use {', '.join(sorted(_KEYS[kind]))} only",
            )
        )
    units = data.get("units")
    try:
        if kind == "tpm":
            return _substrate(np.array(data["tpm"], dtype=float), units)
        if kind == "weights":
            return Substrate.logistic(data["weights"], k=float(data.get("k", 4.0)), bias=data.get("bias"), units=units)
        return Substrate.from_dict(data)
    except (TypeError, KeyError, ValueError) as error:
        if isinstance(error, SubstrateError):
            raise
        raise PhiscaleError(
            Problem(
                str(path),
                f"its {kind} cannot be read as numbers ({error})",
                fix="give rows of equal length, numbers only",
            )
        ) from None


def _from_table(path: Path) -> Substrate:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise PhiscaleError(Problem(str(path), "is empty", fix="write one row per state"))
    delimiter = next((d for d in "\t;" if d in lines[0]), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    header = None if any(is_number(cell) for cell in rows[0]) else rows.pop(0)
    states = header is not None and header[0].lower() == "state"
    labels = [row.pop(0) for row in rows if row] if states else None
    units = header[1:] if header and states else header
    table = _numbers(path, rows, units)
    if labels is not None:
        table = table[_order(path, labels, table.shape[1])]
    return _substrate(table, units)


def _numbers(path: Path, rows: list[list[str]], units: list[str] | None) -> Floats:
    """Rows of cells as numbers; every cell that is none is named."""
    width = len(units) if units else len(rows[0]) if rows else 0
    problems = Problems()
    for r, row in enumerate(rows):
        where = f"{path}, row {r} of the TPM"
        if len(row) != width:
            problems.add(where, f"has {len(row)} values instead of {width}", fix="complete the row")
            continue
        for c, cell in enumerate(row):
            if not is_number(cell):
                unit = f"unit {units[c]}" if units else f"column {c + 1}"
                problems.add(
                    f"{where}, {unit}",
                    f"{cell!r} is not a number" if cell else "there is no value",
                    fix="write a probability such as 0.25, with a decimal point",
                )
    if not rows:
        problems.add(str(path), "has a header but no rows", fix="write one row per state")
    more = len(problems.found) - _SHOWN
    if more > 0:
        problems.found[_SHOWN:] = [Problem(str(path), f"{more} more values like these")]
    problems.raise_if_any()
    return np.array(rows, dtype=float)


def _order(path: Path, labels: list[str], n: int) -> Ints:
    """Row of each state, little-endian, from the states written in the first column."""
    wanted = {"".join(str(s >> i & 1) for i in range(n)): s for s in range(2**n)}
    problems = Problems()
    unknown = [label for label in labels if label not in wanted]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    missing = [state for state in wanted if state not in labels]
    for found, what in ((unknown, "not states"), (twice, "given twice"), (missing, "missing")):
        if found:
            listed = ", ".join(found[:_SHOWN]) + (" and more" if len(found) > _SHOWN else "")
            problems.add(
                f"{path}, column state",
                f"{what}: {listed}",
                "Rows would be read as wrong states",
                f"write each of the {2**n} states of {n} units once, as {n} digits 0 or 1 "
                "(a spreadsheet may have dropped leading zeros)",
            )
    problems.raise_if_any()
    return np.argsort([wanted[label] for label in labels])
