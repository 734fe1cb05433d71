"""Checks of recordings.tsv, row by row and against study.yaml."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pipeline.base.errors import Problems
from pipeline.base.text import did_you_mean
from pipeline.ingest.registry import READERS, columns_of_any_format, option_columns
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.study.parameters import Parameters
from pipeline.study.sheets import IDENTIFIER, RECORDING_COLUMNS, read_sheet
from pipeline.traces.parameters import EVERY_SUBJECT

RATES = (1e-3, 1e5)  # Hz, of frames and of state codes
Row = dict[str, str]
OPTIONS, OF_ANY = option_columns(), columns_of_any_format()


def check_recordings_sheet(table: pd.DataFrame, parameters: Parameters, problems: Problems) -> None:
    """Note every fault of the sheet of recordings.

    Args:
        table: the sheet, all text, paths absolute, its index the lines of the file.
        parameters: of the study.
        problems: where faults are noted.
    """
    sheet = parameters.recordings
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{sheet}, line {line}"
        _check_ids(where, row, problems)
        _check_format(where, row, problems)
        _check_heeded(where, row, problems)
        _check_rates(where, row, problems)
        _check_codes(where, row, parameters, problems)
    _check_once(sheet, table, problems)
    _check_subjects(sheet, table, parameters, problems)
    if not parameters.windows:
        _check_windows_given(sheet, table, problems)


def check_alone(folder: Path, problems: Problems) -> None:
    """Note what is wrong with the sheets of a study whose parameters cannot be read, under the names they usually have.

    Args:
        folder: of study.yaml.
        problems: where faults are noted.
    """
    kinds = {"recordings": (RECORDING_COLUMNS, OPTIONS), "windows": (WINDOW_COLUMNS, ())}
    for field, (required, optional) in kinds.items():
        sheet = str(Parameters.model_fields[field].default)
        table = read_sheet(folder / sheet, required, optional, problems) if (folder / sheet).is_file() else None
        if table is None or field == "windows":
            continue
        for line, row in zip(table.index, table.to_dict("records"), strict=True):
            for check in (_check_ids, _check_format, _check_heeded, _check_rates):
                check(f"{sheet}, line {line}", row, problems)


def _check_ids(where: str, row: Row, problems: Problems) -> None:
    for column in ("recording", "subject"):
        if not IDENTIFIER.match(row[column]):
            problems.add(
                f"{where}: {column}",
                f"{row[column]!r} is not an ID",
                "File names are made of it",
                "use letters, digits and underscores",
                about=row["recording"],
            )


def _check_format(where: str, row: Row, problems: Problems) -> None:
    if row["format"] not in READERS:
        problems.add(
            f"{where}: format",
            f"{row['format']!r} is not known",
            "The file cannot be read",
            did_you_mean(row["format"], READERS) or f"use one of {', '.join(READERS)}",
            about=row["recording"],
        )
    elif "path" in READERS[row["format"]].files and not row["path"]:
        problems.add(
            f"{where}: path",
            "is empty",
            "There is no file to read",
            "give the path of the recording",
            about=row["recording"],
        )


def _check_heeded(where: str, row: Row, problems: Problems) -> None:
    """Note columns that are filled in and that the format does not heed."""
    reader = READERS.get(row["format"])
    known = set(OPTIONS) & set(row) if reader else set()
    for column in sorted(name for name in known if row[name] and reader and name not in (*reader.columns, *OF_ANY)):
        heeded = ", ".join(reader.columns) if reader and reader.columns else "none"
        problems.add(
            f"{where}: {column}",
            f"is {row[column]!r}, and the format {row['format']!r} does not heed it",
            "It would be ignored",
            f"leave it empty; columns that this format heeds: {heeded}",
            about=row["recording"],
        )


def _check_rates(where: str, row: Row, problems: Problems) -> None:
    for column in ("rate_hz", "state_rate_hz"):
        if row.get(column) and not _is_rate(row[column]):
            problems.add(
                f"{where}: {column}",
                f"{row[column]!r} is not a number from {RATES[0]:g} to {RATES[1]:g}",
                "Times in seconds would be wrong",
                "give the rate in Hz",
                about=row["recording"],
            )


def _is_rate(text: str) -> bool:
    try:
        return RATES[0] <= float(text) <= RATES[1]
    except ValueError:
        return False


def _check_codes(where: str, row: Row, parameters: Parameters, problems: Problems) -> None:
    if row.get("state_codes") and parameters.state_codes is None:
        problems.add(
            f"{where}: state_codes",
            "is given, but study.yaml has no state_codes section",
            "The codes have no meaning",
            "add state_codes: {codes: {1: CONDITION, ...}} to study.yaml",
            about=row["recording"],
        )


def _check_once(sheet: str, table: pd.DataFrame, problems: Problems) -> None:
    """Note recordings whose name another one has."""
    for name in table["recording"][table["recording"].duplicated()].unique():
        lines = [str(i) for i in table.index[table["recording"] == name]]
        problems.add(
            f"{sheet}, lines {', '.join(lines)}: recording",
            f"{name!r} is used {len(lines)} times",
            "Results would overwrite each other",
            "give each recording an ID of its own",
            about=name,
        )


def _check_subjects(sheet: str, table: pd.DataFrame, parameters: Parameters, problems: Problems) -> None:
    unknown = sorted(set(parameters.ensembles.neurons) - set(table["subject"]) - {EVERY_SUBJECT})
    if unknown:
        problems.add(
            "study.yaml: ensembles.neurons",
            f"names {', '.join(unknown)}, which {sheet} does not list as a subject",
            "The choice of neurons would have no effect",
            "use the IDs of the column subject",
        )


def _check_windows_given(sheet: str, table: pd.DataFrame, problems: Problems) -> None:
    """Note recordings without windows, where no sheet gives any."""
    if "state_codes" not in table:
        problems.add(
            sheet,
            "has no column state_codes, and study.yaml names no sheet of windows",
            "No frame would be analysed",
            "add the column, or name a sheet of windows",
        )
        return
    for name in table["recording"][table["state_codes"] == ""]:
        problems.add(
            f"{sheet}: {name}",
            "has neither windows nor state_codes",
            "None of its frames would be analysed",
            "give the file of its state codes, or a sheet of windows",
        )
