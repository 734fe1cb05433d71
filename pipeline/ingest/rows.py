"""One row of the sheet of recordings: its options, its files, and what to say when they are of no use."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import is_file

FOLDER = "is a folder"


def option(row: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Return an option of a sheet's row.

    Args:
        row: the row.
        name: column of the option.
        default: what an empty cell (None, NaN, blank text) stands for.
    """
    value = row.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return default
    return default if isinstance(value, float) and pd.isna(value) else value


def number(row: Mapping[str, Any], name: str) -> float | None:
    """Return an option that has to be a positive number, None when its cell is empty.

    Args:
        row: of the sheet of recordings.
        name: column of the option.

    Raises:
        PhiscaleError: it is not a positive number.
    """
    value = option(row, name)
    try:
        found = None if value is None else float(value)
    except (TypeError, ValueError):
        found = float("nan")
    if found is not None and not 0 < found < float("inf"):
        raise PhiscaleError(Problem(name, f"is {value!r}", "Times in seconds would be wrong", "give the rate in Hz"))
    return found


@contextmanager
def naming(row: Mapping[str, Any]) -> Iterator[None]:
    """Put the recording's name into whatever problem is raised inside.

    Raises:
        PhiscaleError: the one that was raised, with the name.
    """
    try:
        yield
    except PhiscaleError as error:
        name = f"recording {row.get('recording')!r}"
        raise PhiscaleError(
            *(
                replace(problem, where=f"{name}, {problem.where}")
                if isinstance(problem, Problem) and not problem.where.startswith(name)
                else problem
                for problem in error.problems
            )
        ) from error


def existing_file(row: Mapping[str, Any], name: str) -> Path:
    """Return the file that the option `name` gives.

    Args:
        row: of the sheet of recordings.
        name: column of the option.

    Raises:
        PhiscaleError: the cell is empty, or there is no such file.
    """
    value = option(row, name)
    if value is None:
        raise PhiscaleError(Problem(name, "no file is given", fix=f"fill in {name}"))
    path = Path(str(value)).expanduser()
    if not is_file(path):
        found = _instead(path)
        raise PhiscaleError(Problem(name, f"{path} {found}", "The recording cannot be read", "correct the path"))
    return path


def _instead(path: Path) -> str:
    """Return what there is in place of a file."""
    try:
        return FOLDER if path.is_dir() else "is no file, but a device or a pipe" if path.exists() else "does not exist"
    except (OSError, ValueError):
        return "does not exist"


def existing(row: Mapping[str, Any], name: str = "path") -> Path:
    """Return the file or folder that the option `name` gives; raises as `existing_file`."""
    value = option(row, name)
    path = Path(str(value)).expanduser()
    return path if value is not None and _instead(path) == FOLDER else existing_file(row, name)


def sha256(*paths: Path) -> str:
    """Return the hash of a file, read in pieces; of several files, that of their names and hashes."""
    if len(paths) > 1:
        listed = "\n".join(f"{path.name} {sha256(path)}" for path in paths)
        return hashlib.sha256(listed.encode()).hexdigest()
    with paths[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Say which file it was that could not be read, in one line, whatever its parser raised.

    Args:
        path: the file.
        kind: what it was taken for.

    Raises:
        PhiscaleError: of a fault that was told already, as it is.
    """
    try:
        yield
    except PhiscaleError:
        raise
    except Exception as error:  # parsers of files that are cut off or scrambled raise errors of any type
        said = " ".join(str(error).split()) or type(error).__name__
        raise fault(
            path, f"cannot be read as {kind} ({said})", "check path and format, or copy the file again"
        ) from error


def fault(path: Path, what: str, fix: str = "") -> PhiscaleError:
    """Return an error about one file.

    Args:
        path: of the file.
        what: what is wrong with it.
        fix: how to mend it.
    """
    return PhiscaleError(Problem(str(path), what, "The recording cannot be read", fix))


def unreadable(row: Mapping[str, Any], what: str, fix: str) -> PhiscaleError:
    """Return an error about the recording of a row.

    Args:
        row: of the sheet of recordings.
        what: what is wrong with the recording.
        fix: how to mend it.
    """
    return PhiscaleError(Problem(str(row["path"]), what, "The recording cannot be read", fix))


def flag(row: Mapping[str, Any], name: str) -> bool | None:
    """Return an option that is true or false, None when its cell is empty.

    Args:
        row: of the sheet of recordings.
        name: column of the option.

    Raises:
        PhiscaleError: it is neither.
    """
    value = option(row, name)
    if value is None:
        return None
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).strip().lower() not in words:
        raise unreadable(row, f"{name} is {value!r}", f"set {name} to true or false")
    return words[str(value).strip().lower()]
