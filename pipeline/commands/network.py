"""Networks that someone brings as one file: a TPM or weights, as CSV, NPY or JSON."""

from __future__ import annotations

import csv
import json
from collections import Counter
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


def read_network(path: Path, project: bool = False) -> Substrate:
    """Read a substrate from a file.

    Args:
        path: .csv, .tsv or .txt: one row per state, little-endian, one column of P(ON) per unit; a
            header line names the units; a first column headed `state` (such as 011, first unit
            first) may give the rows in any order. .npy: the same as an array. Both may hold a
            square state-by-state matrix instead. .json: {"tpm": rows, "units": names}, or
            {"weights": matrix, "k": 4, "bias": values, "units": names} for logistic units, or what
            `Substrate.to_dict` gives.
        project: of a state-by-state matrix whose units are not conditionally independent keep the marginals.

    Raises:
        PhiscaleError: when the file cannot be read or does not describe a substrate.
    """
    readers: dict[str, Callable[[Path, bool], Substrate]] = {
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
        return readers[path.suffix.lower()](path, project)
    except SubstrateError as error:
        raise PhiscaleError(Problem(str(path), _as_options(str(error)))) from None
    except RecursionError:
        what = "is nested too deeply to be a network"
        raise PhiscaleError(Problem(str(path), what, fix="give rows of numbers")) from None
    except MemoryError:
        raise PhiscaleError(Problem(str(path), "does not fit into memory", fix="choose fewer units")) from None
    except UnicodeDecodeError:
        raise PhiscaleError(Problem(str(path), "is not text", fix="save it as plain CSV or JSON in UTF-8")) from None
    except OSError as error:
        raise PhiscaleError(Problem(str(path), f"cannot be read ({error.strerror})")) from None


def _as_options(message: str) -> str:
    """An engine's message whose fix is an argument in Python, with what this command offers instead."""
    for argument, option in (
        ("project=True", "--project"),
        ("a square matrix is state-by-state: use Substrate.from_state_by_state", "a square matrix is state-by-state"),
        ("for (2**n, n) use Substrate(tpm)", "for (2**n, n) give one column per unit"),
        (
            "pass alphabet=(values of unit 0, values of unit 1, ...)",
            'give units of more values as JSON {"factors": ...}',
        ),
        ("pass tpm.T", "swap rows and columns"),
    ):
        message = message.replace(argument, option)
    return message


def choose_system(substrate: Substrate, state: str, units: str | None = None) -> tuple[System, tuple[int, ...]]:
    """Find the candidate system that a command line names.

    Args:
        substrate: the network.
        state: 011, or 0,12,1: one value per unit of the network; one unit alone takes a number of any size.
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
    cells = [cell.strip() for cell in state.removesuffix(",").split(",")] if "," in state else []
    wrong = [repr(cell) for cell in cells if not _is_index(cell)]
    if wrong:
        raise SubstrateError(f"{', '.join(wrong)} in {state!r} is no state of a unit; write 0,1,1")
    alone = substrate.n == 1 and _is_index(state)
    return substrate.check_state(f"{state}," if alone else state)


def _keys(substrate: Substrate, units: str) -> list[str | int]:
    """Unit names, or indices where no unit has that name."""
    cells = [cell.strip() for cell in units.split(",") if cell.strip()]
    return [int(c) if c not in substrate.units and _is_index(c) else c for c in cells]


def _is_index(cell: str) -> bool:
    """Whether a cell is a whole number in plain digits, of a length that can be one."""
    return cell.isascii() and cell.isdigit() and len(cell) < 19


def _substrate(tpm: Floats, units: list[str] | None, project: bool) -> Substrate:
    rows, columns = tpm.shape if tpm.ndim == 2 else (0, 0)
    if rows == columns and rows > 1 and rows & (rows - 1) == 0:
        names = units if units and 2 ** len(units) == rows else None
        return Substrate.from_state_by_state(tpm, project, names)
    return Substrate(tpm, units)


def _from_npy(path: Path, project: bool) -> Substrate:
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
    return _substrate(tpm, None, project)


def _from_json(path: Path, project: bool) -> Substrate:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except json.JSONDecodeError as error:
        raise PhiscaleError(Problem(f"{path}, line {error.lineno}", f"is not JSON ({error.msg})")) from None
    except UnicodeDecodeError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        fix = "give probabilities or weights"
        raise PhiscaleError(Problem(str(path), f"its numbers cannot be read ({error})", fix=fix)) from None
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
            if np.asarray(data["tpm"]).dtype.kind in "US":
                raise TypeError("they are text")
            return _substrate(np.array(data["tpm"], dtype=float), units, project)
        if kind == "weights":
            return Substrate.logistic(data["weights"], k=float(data.get("k", 4.0)), bias=data.get("bias"), units=units)
        return Substrate.from_dict(data)
    except (TypeError, KeyError, ValueError, OverflowError) as error:
        if isinstance(error, SubstrateError):
            raise
        raise PhiscaleError(
            Problem(
                str(path),
                f"its {kind} cannot be read as numbers ({error})",
                fix="give rows of equal length, numbers only",
            )
        ) from None


def _from_table(path: Path, project: bool) -> Substrate:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise PhiscaleError(Problem(str(path), "is empty", fix="write one row per state"))
    delimiter = next((d for d in "\t;" if d in lines[0]), ",")
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error as error:
        fix = "write one row per state, numbers only, and close every quotation mark"
        raise PhiscaleError(Problem(str(path), f"is no table of numbers ({error})", fix=fix)) from None
    first = [cell.replace(",", ".") for cell in rows[0]]  # decimal commas are refused below, as numbers
    header = None if any(is_number(cell) for cell in first) else rows.pop(0)
    states = header is not None and header[0].lower() == "state"
    labels = [row.pop(0) for row in rows if row] if states else None
    units = header[1:] if header and states else header
    if units == []:
        raise PhiscaleError(Problem(str(path), "has a column of states and no units", fix="write one column per unit"))
    table = _numbers(path, rows, units)
    if labels is not None:
        table = table[_order(path, labels, table.shape[1])]
    return _substrate(table, units, project)


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
            if not is_number(cell) or "_" in cell:  # Python reads 1_0 as 10
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
    if n > 8 and len(labels) < 2**n // 2:
        raise PhiscaleError(
            Problem(
                f"{path}, column state",
                f"{len(labels)} rows for the 2**{n} states of {n} units",
                "The probabilities of most states would be missing: this looks like a table of what was observed",
                "estimate the TPM first (`phiscale init` starts a study), or give one row per state",
            )
        )
    wanted = {"".join(str(s >> i & 1) for i in range(n)): s for s in range(2**n)}
    problems = Problems()
    count = Counter(labels)
    unknown = [label for label in labels if label not in wanted]
    twice = sorted(label for label in count if count[label] > 1)
    missing = [state for state in wanted if state not in count]
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
