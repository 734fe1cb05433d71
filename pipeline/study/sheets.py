"""The two sheets of a study, recordings.tsv and windows.tsv: reading them, and checking every row."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

import pandas as pd

from pipeline.base.errors import Problems, unusable
from pipeline.ingest.opening import READERS
from pipeline.ingest.windows import check_overlaps
from pipeline.study.parameters import Parameters

IDENTIFIER = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_]*$")
FORMATS = tuple(sorted(READERS))
RECORDING_COLUMNS = ("recording", "subject", "path", "format")
OPTION_COLUMNS = (
    "rate_hz",
    "dataset",
    "transpose",
    "indicator",
    "neuropil_path",
    "neuropil_dataset",
    "positions",
    "time_dataset",
    "state_codes",
    "state_dataset",
    "state_rate_hz",
    "truth",
)
FILE_COLUMNS = ("path", "neuropil_path", "positions", "state_codes", "truth")


def read_sheet(
    path: Path, required: tuple[str, ...], optional: tuple[str, ...], problems: Problems
) -> pd.DataFrame | None:
    """Return a tab-separated table of strings, or None (and the reason among the problems) when it cannot be used."""
    if not path.is_file():
        problems.add(
            str(path),
            "there is no such file",
            "There is nothing to analyse",
            "correct its name in study.yaml, or create it",
        )
        return None
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add(
            str(path),
            f"is not text ({error})",
            "Nothing can be read from it",
            "save it as tab-separated text (UTF-8)",
        )
        return None
    except OSError as error:
        problems.found.append(unusable(error))
        return None
    lines = {
        number: line for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")
    }
    rows = {number: line.split("\t") for number, line in lines.items()}
    names = [name.strip() for name in rows.pop(next(iter(rows)))] if rows else []
    for number, cells in rows.items():
        if len(cells) > len(names):
            problems.add(
                f"{path}, line {number}",
                f"has {len(cells)} cells for {len(names)} columns",
                "The row cannot be read",
                "remove the surplus tabs",
            )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        problems.add(
            str(path),
            f"has the column {', '.join(twice)} twice",
            "It is unclear which one counts",
            "keep one of them",
        )
        return None
    table = pd.DataFrame(
        [(cells + [""] * len(names))[: len(names)] for cells in rows.values()],
        index=list(rows),
        columns=names,
        dtype=str,
    )
    table = table.map(str.strip)
    missing = [name for name in required if name not in table.columns]
    unknown = [name for name in table.columns if name not in required + optional]
    if missing:
        hint = " (are the columns separated by tabs?)" if len(table.columns) == 1 else ""
        problems.add(
            str(path),
            f"has no column {', '.join(missing)}{hint}",
            "",
            f"its header needs: {', '.join(required)}",
        )
        return None
    for name in unknown:
        close = difflib.get_close_matches(name, required + optional, n=1)
        problems.add(
            f"{path}: column {name}",
            "is not known",
            "It would be ignored",
            f"did you mean {close[0]!r}?" if close else f"known: {', '.join(required + optional)}",
        )
    if table.empty:
        problems.add(
            str(path),
            "has no rows",
            "There is nothing to analyse",
            "add one row for each " + required[0],
        )
        return None
    return table


def expand_paths(
    table: pd.DataFrame,
    path: Path,
    parameters: Parameters,
    data: str | Path | None,
    problems: Problems,
) -> None:
    """Replace ${NAME} and make paths absolute, in place."""
    missing: dict[str, None] = {}

    def substitute(text: str) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] not in os.environ:
                missing[match[1]] = None
            return os.environ.get(match[1], match[0])

        return re.sub(r"\$\{(\w+)\}", value, text)

    folder = Path(data) if data else path.parent / substitute(parameters.data or "")
    for column in FILE_COLUMNS:
        if column in table:
            table[column] = [str((folder / substitute(text)).absolute()) if text else "" for text in table[column]]
    for name in missing:
        problems.add(
            str(path),
            f"the environment variable {name} is not set",
            "The recordings cannot be found",
            f"export {name}=FOLDER, or run with --data FOLDER",
            about="*",
        )


def check_recordings(table: pd.DataFrame, parameters: Parameters, problems: Problems) -> None:
    """Note every fault of the sheet of recordings (`table`: all strings, paths absolute)."""
    sheet = parameters.recordings
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        where = f"{sheet}, line {line}"
        for column in ("recording", "subject"):
            if not IDENTIFIER.match(row[column]):
                problems.add(
                    f"{where}: {column}",
                    f"{row[column]!r} is not an ID",
                    "File names are made of it",
                    "use letters, digits and underscores",
                    about=row["recording"],
                )
        if row["format"] not in FORMATS:
            close = difflib.get_close_matches(row["format"], FORMATS, n=1)
            problems.add(
                f"{where}: format",
                f"{row['format']!r} is not known",
                "The file cannot be read",
                f"did you mean {close[0]!r}?" if close else f"use one of {', '.join(FORMATS)}",
                about=row["recording"],
            )
        elif row["format"] != "simulate" and not row["path"]:
            problems.add(
                f"{where}: path",
                "is empty",
                "There is no file to read",
                "give the path of the recording",
                about=row["recording"],
            )
        for column in ("rate_hz", "state_rate_hz"):
            if row.get(column) and not _positive(row[column]):
                problems.add(
                    f"{where}: {column}",
                    f"{row[column]!r} is not a positive number",
                    "Times in seconds would be wrong",
                    "give the rate in Hz",
                    about=row["recording"],
                )
        if row.get("state_codes") and parameters.state_codes is None:
            problems.add(
                f"{where}: state_codes",
                "is given, but study.yaml has no state_codes section",
                "The codes have no meaning",
                "add state_codes: {codes: {1: CONDITION, ...}} to study.yaml",
                about=row["recording"],
            )
    for name in table["recording"][table["recording"].duplicated()].unique():
        lines = [str(i) for i in table.index[table["recording"] == name]]
        problems.add(
            f"{sheet}, lines {', '.join(lines)}: recording",
            f"{name!r} is used {len(lines)} times",
            "Results would overwrite each other",
            "give each recording an ID of its own",
            about=name,
        )
    unknown = sorted(set(parameters.ensembles.neurons) - set(table["subject"]))
    if unknown:
        problems.add(
            "study.yaml: ensembles.neurons",
            f"names {', '.join(unknown)}, which {sheet} does not list as a subject",
            "The choice of neurons would have no effect",
            "use the IDs of the column subject",
        )
    if not parameters.windows and "state_codes" in table:
        for name in table["recording"][table["state_codes"] == ""]:
            problems.add(
                f"{sheet}: {name}",
                "has neither windows nor state_codes",
                "None of its frames would be analysed",
                "give the file of its state codes, or a sheet of windows",
            )
    elif not parameters.windows:
        problems.add(
            sheet,
            "has no column state_codes, and study.yaml names no sheet of windows",
            "No frame would be analysed",
            "add the column, or name a sheet of windows",
        )


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False


def check_windows(
    table: pd.DataFrame, recordings: pd.DataFrame, parameters: Parameters, problems: Problems
) -> pd.DataFrame:
    """Check the rows of the windows' sheet and return it with numbers for times."""
    sheet = parameters.windows or "windows"
    known = set(recordings["recording"])
    times = table[["start_s", "end_s"]].apply(pd.to_numeric, errors="coerce")
    for i, row in enumerate(table.to_dict("records")):
        where, start, end = (
            f"{sheet}, line {table.index[i]}",
            times["start_s"].iloc[i],
            times["end_s"].iloc[i],
        )
        if row["recording"] not in known:
            problems.add(
                f"{where}: recording",
                f"{row['recording']!r} is not in {parameters.recordings}",
                "The window has no data",
                "correct the ID, or add the recording",
                about=f"{row['recording']}/windows",
            )
        if row["condition"] not in parameters.conditions:
            close = difflib.get_close_matches(row["condition"], parameters.conditions, n=1)
            problems.add(
                f"{where}: condition",
                f"{row['condition']!r} is not among the conditions of study.yaml ({', '.join(parameters.conditions)})",
                "The window would be in no contrast",
                f"did you mean {close[0]!r}?" if close else "correct it, or add it to conditions",
                about=f"{row['recording']}/windows",
            )
        if not IDENTIFIER.match(row["window"]):
            problems.add(
                f"{where}: window",
                f"{row['window']!r} is not an ID",
                "File names are made of it",
                "use letters, digits and underscores",
                about=f"{row['recording']}/windows",
            )
        if pd.isna(start) or pd.isna(end):
            problems.add(
                f"{where}: start_s, end_s",
                f"{row['start_s']!r}, {row['end_s']!r} are not both numbers",
                "The window has no extent",
                "give seconds",
                about=f"{row['recording']}/windows",
            )
        elif start < 0 or end <= start:
            problems.add(
                f"{where}: start_s, end_s",
                f"the window from {start:g} to {end:g} s has no length or starts before 0",
                "It would be empty",
                "make end_s larger than start_s, both from 0",
                about=f"{row['recording']}/windows",
            )
        elif (
            row["recording"] in known
            and recordings.set_index("recording").loc[[row["recording"]], "format"].iloc[0] == "simulate"
            and end > _simulated_length(table, times, row["recording"], parameters)
        ):
            problems.add(
                f"{where}: end_s and simulate.duration_s",
                f"the window ends at {end:g} s, after the simulated recording",
                "It would be cut short",
                "shorten it, or raise simulate.duration_s",
                about=f"{row['recording']}/windows",
            )
    table = table.assign(start_s=times["start_s"], end_s=times["end_s"])
    for (recording, window), rows in table.groupby(["recording", "window"], sort=False):
        if rows["condition"].nunique() > 1:
            problems.add(
                f"{sheet}: {recording}, window {window}",
                f"is in several conditions ({', '.join(rows['condition'].unique())})",
                "Its frames cannot be told apart",
                "use one window name per condition",
                about=f"{recording}/windows",
            )
    check_overlaps(table, sheet, problems)
    for name in recordings["recording"]:
        if parameters.windows and name not in set(table["recording"]) and parameters.state_codes is None:
            problems.add(
                f"{sheet}: {name}",
                "has no window",
                "None of its frames would be analysed",
                f"add a row, or remove it from {parameters.recordings}",
                about=f"{name}/windows",
            )
    return table


def _simulated_length(table: pd.DataFrame, times: pd.DataFrame, recording: str, parameters: Parameters) -> float:
    conditions = table.loc[table["recording"] == recording, "condition"].nunique()
    return conditions * parameters.simulate.duration_s
