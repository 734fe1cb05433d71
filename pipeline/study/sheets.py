"""The two sheets of a study, recordings.tsv and windows.tsv: their columns, and reading them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd

from pipeline.base.errors import Problems, unusable
from pipeline.base.files import is_file
from pipeline.base.text import did_you_mean
from pipeline.ingest.registry import file_columns, option_columns
from pipeline.study.parameters import Parameters

IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,79}\Z")  # file names are made of several
LARGEST = 2**26  # bytes of a sheet
RECORDING_COLUMNS = ("recording", "subject", "path", "format")
OPTION_COLUMNS = option_columns()
FILE_COLUMNS = file_columns()


def read_sheet(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...], problems: Problems
) -> pd.DataFrame | None:
    """Return a tab-separated table of text, one row per line that is neither empty nor a comment.

    Args:
        path: the sheet.
        required: columns that it must have.
        optional: columns that it may have besides.
        problems: where every fault is noted.

    Returns:
        The table, its index the lines of the file; None when it cannot be used.
    """
    text = _text(path, problems)
    if text is None:
        return None
    rows = {n: line.split("\t") for n, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"}
    names = [name.strip() for name in rows.pop(next(iter(rows)))] if rows else []
    _check_cells(path, names, rows, problems)
    if not _check_names(path, names, required, optional, problems):
        return None
    if not rows:
        fix = "add one row for each " + required[0]
        problems.add(str(path), "has no rows", "There is nothing to analyse", fix)
        return None
    cells = [[cell.strip() for cell in (row + [""] * len(names))[: len(names)]] for row in rows.values()]
    return pd.DataFrame(cells, index=list(rows), columns=names, dtype=str)


def _text(path: Path, problems: Problems) -> str | None:
    if not is_file(path):
        fix = "correct its name in study.yaml, or create it"
        problems.add(str(path), "there is no such file", "There is nothing to analyse", fix)
        return None
    try:
        if path.stat().st_size > LARGEST:
            problems.add(str(path), f"has more than {LARGEST} bytes", "No study has so many rows", "name a sheet")
            return None
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        fix = "save it as tab-separated text (UTF-8)"
        problems.add(str(path), f"is not text ({error})", "Nothing can be read from it", fix)
    except OSError as error:
        problems.found.append(unusable(error))
    return None


def _check_cells(path: Path, names: list[str], rows: dict[int, list[str]], problems: Problems) -> None:
    """Note rows that have more cells than there are columns."""
    for number, cells in rows.items():
        if len(cells) > len(names):
            problems.add(
                f"{path}, line {number}",
                f"has {len(cells)} cells for {len(names)} columns",
                "The row cannot be read",
                "remove the surplus tabs",
            )


def _check_names(
    path: Path, names: list[str], required: tuple[str, ...], optional: tuple[str, ...], problems: Problems
) -> bool:
    """Note columns that are doubled, missing or unknown; returns whether the table can be used."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        what = f"has the column {', '.join(twice)} twice"
        problems.add(str(path), what, "It is unclear which one counts", "keep one of them")
        return False
    missing = [name for name in required if name not in names]
    if missing:
        hint = " (are the columns separated by tabs?)" if len(names) == 1 else ""
        what = f"has no column {', '.join(missing)}{hint}"
        problems.add(str(path), what, "", f"its header needs: {', '.join(required)}")
        return False
    known = required + optional
    for name in names:
        if name not in known:
            fix = did_you_mean(name, known) or f"known: {', '.join(known)}"
            problems.add(f"{path}: column {name}", "is not known", "It would be ignored", fix)
    return True


GAP = re.compile(r"\{\s*\w[^{}]*\}")  # as workflows write them


def expand_paths(
    table: pd.DataFrame,
    path: Path,
    parameters: Parameters,
    data: str | Path | None,
    problems: Problems,
) -> None:
    """Replace ${NAME} by environment variables and make paths absolute, in place.

    Args:
        table: the sheet of recordings.
        path: study.yaml; relative paths start from its folder.
        parameters: of the study; its `data` may name another folder.
        data: folder from the command line, which wins.
        problems: where a variable that is not set is noted.
    """
    missing: dict[str, None] = {}

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            missing[match[1]] = None
        return os.environ.get(match[1], match[0])

    def substitute(text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", value, text)

    folder = Path(data) if data else path.parent / substitute(parameters.data or "")
    for column in FILE_COLUMNS:
        if column in table:
            table[column] = [str((folder / substitute(text)).absolute()) if text else "" for text in table[column]]
    paths = [parameters.results, *(text for column in FILE_COLUMNS if column in table for text in table[column])]
    gaps = [] if missing else [text for text in paths if GAP.search(text)]
    if gaps:
        problems.add(
            str(path),
            f"{len(gaps)} path{'s' if len(gaps) > 1 else ''} with braces, such as {gaps[0]}",
            "The workflow would take what they hold for a gap to be filled",
            "rename the folder or the file",
            about="*",
        )
    for name in missing:
        problems.add(
            str(path),
            f"the environment variable {name} is not set",
            "The recordings cannot be found",
            f"export {name}=FOLDER, or run with --data FOLDER",
            about="*",
        )
