"""Checks of windows.tsv, row by row and against the recordings and study.yaml."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.base.errors import Problems
from pipeline.base.text import did_you_mean
from pipeline.ingest.windows import check_overlaps
from pipeline.study.parameters import Parameters
from pipeline.study.sheets import IDENTIFIER

Row = dict[str, Any]
EVERY_WINDOW = "*/windows"  # what a problem is about that leaves no window known


def check_windows_sheet(
    table: pd.DataFrame, recordings: pd.DataFrame, parameters: Parameters, problems: Problems
) -> pd.DataFrame:
    """Check the rows of the windows' sheet and return it with numbers for times.

    Args:
        table: the sheet, all text, its index the lines of the file.
        recordings: the sheet of recordings.
        parameters: of the study.
        problems: where faults are noted.

    Returns:
        The sheet with `start_s` and `end_s` as numbers, NaN where they are none.
    """
    sheet = parameters.windows or "windows"
    times = table[["start_s", "end_s"]].apply(pd.to_numeric, errors="coerce")
    written, table = table, table.assign(start_s=times["start_s"], end_s=times["end_s"])
    ends = _simulated_ends(table, recordings, parameters)
    known = set(recordings["recording"])
    for line, row, text in zip(table.index, table.to_dict("records"), written.to_dict("records"), strict=True):
        where, about = f"{sheet}, line {line}", f"{row['recording']}/windows"
        _check_recording(where, about, row, known, parameters, problems)
        _check_condition(where, about, row, parameters, problems)
        _check_window(where, about, row, problems)
        _check_times(where, about, row, text, problems)
        _check_simulated_end(where, about, row, ends, problems)
    _check_one_condition(sheet, table, problems)
    check_overlaps(table, sheet, problems)
    if parameters.windows and parameters.state_codes is None:
        _check_windows_given(sheet, table, recordings, parameters, problems)
    return table


def _check_recording(
    where: str, about: str, row: Row, known: set[str], parameters: Parameters, problems: Problems
) -> None:
    if row["recording"] not in known:
        problems.add(
            f"{where}: recording",
            f"{row['recording']!r} is not in {parameters.recordings}",
            "The window has no data",
            "correct the ID, or add the recording",
            about=about,
        )


def _check_condition(where: str, about: str, row: Row, parameters: Parameters, problems: Problems) -> None:
    known = parameters.conditions
    if row["condition"] not in known:
        problems.add(
            f"{where}: condition",
            f"{row['condition']!r} is not among the conditions of study.yaml ({', '.join(known)})",
            "The window would be in no contrast",
            did_you_mean(row["condition"], known) or "correct it, or add it to conditions",
            about=about,
        )


def _check_window(where: str, about: str, row: Row, problems: Problems) -> None:
    if not IDENTIFIER.match(row["window"]):
        problems.add(
            f"{where}: window",
            f"{row['window']!r} is not an ID",
            "File names are made of it",
            "use letters, digits and underscores",
            about=about,
        )


def _check_times(where: str, about: str, row: Row, text: Row, problems: Problems) -> None:
    start, end = row["start_s"], row["end_s"]
    if pd.isna(start) or pd.isna(end):
        problems.add(
            f"{where}: start_s, end_s",
            f"{text['start_s']!r}, {text['end_s']!r} are not both numbers",
            "The window has no extent",
            "give seconds",
            about=about,
        )
    elif start < 0 or end <= start:
        problems.add(
            f"{where}: start_s, end_s",
            f"the window from {start:g} to {end:g} s has no length or starts before 0",
            "It would be empty",
            "make end_s larger than start_s, both from 0",
            about=about,
        )


def _simulated_ends(table: pd.DataFrame, recordings: pd.DataFrame, parameters: Parameters) -> dict[str, float]:
    """Return the length of each recording that is yet to be simulated [s]."""
    simulated = recordings.loc[recordings["format"] == "simulate", "recording"]
    conditions = table.groupby("recording")["condition"].nunique()
    return {name: conditions.get(name, 0) * parameters.simulate.duration_s for name in simulated}


def _check_simulated_end(where: str, about: str, row: Row, ends: dict[str, float], problems: Problems) -> None:
    start, end = row["start_s"], row["end_s"]
    if 0 <= start < end and end > ends.get(row["recording"], float("inf")):
        problems.add(
            f"{where}: end_s and simulate.duration_s",
            f"the window ends at {end:g} s, after the simulated recording",
            "It would be cut short",
            "shorten it, or raise simulate.duration_s",
            about=about,
        )


def _check_one_condition(sheet: str, table: pd.DataFrame, problems: Problems) -> None:
    """Note windows whose rows name more than one condition."""
    kinds = table.groupby(["recording", "window"], sort=False)["condition"].unique()
    for (recording, window), conditions in kinds[kinds.map(len) > 1].items():
        problems.add(
            f"{sheet}: {recording}, window {window}",
            f"is in several conditions ({', '.join(conditions)})",
            "Its frames cannot be told apart",
            "use one window name per condition",
            about=f"{recording}/windows",
        )


def _check_windows_given(
    sheet: str, table: pd.DataFrame, recordings: pd.DataFrame, parameters: Parameters, problems: Problems
) -> None:
    given = set(table["recording"])
    for name in recordings["recording"]:
        if name not in given:
            problems.add(
                f"{sheet}: {name}",
                "has no window",
                "None of its frames would be analysed",
                f"add a row, or remove it from {parameters.recordings}",
                about=f"{name}/windows",
            )
