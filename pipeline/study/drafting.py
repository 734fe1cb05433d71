"""From files to a draft of a study's sheets: which format reads each, with which columns, in which windows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.ingest import apart
from pipeline.ingest.contents import ASK, Contents, Epoch
from pipeline.ingest.reader import Reader
from pipeline.ingest.registry import READERS, columns_of_any_format, option_columns
from pipeline.study.sheets import RECORDING_COLUMNS

EPOCHS = "intervals/epochs"
GENERAL = re.compile(r"plane\d+|combined|suite2p|data")  # names of folders that say nothing of what lies in them
WHOLE, RECORDED = "whole", "recorded"  # window and condition where nothing is known of either
SHOWN = 12  # choices in a message


@dataclass
class Draft:
    """One recording of a study that is yet to be written.

    Attributes:
        path: file or folder.
        reader: the format that reads it.
        contents: what lies in it.
        recording: its name.
        columns: of the sheet, besides recording, subject, path and format.
        subject: the file's, or what stands for it.
    """

    path: Path
    reader: Reader
    contents: Contents
    recording: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    subject: str = ASK

    def row(self, folder: Path) -> dict[str, str]:
        """Return the row of the sheet; paths start from the study's folder."""
        paths = {"path", "state_codes"}
        fields = {"recording": self.recording, "subject": self.subject, "path": str(self.path)}
        fields |= {"format": self.reader.name, **self.columns}
        return {name: _from(folder, value) if name in paths else value for name, value in fields.items()}

    @property
    def asks(self) -> list[str]:
        """Columns that only the author of the file can fill in."""
        fields = {"subject": self.subject, **self.columns}
        return [name for name, value in fields.items() if value == ASK]


def _from(folder: Path, path: str) -> str:
    """Return a path as it is seen from a folder, or whole where that would lead far up."""
    relative = os.path.relpath(path, folder)
    return path if relative.startswith(os.path.join("..", "..", "..")) else relative


def found_in(paths: Iterable[Path]) -> list[Draft]:
    """Return the recordings of some files and folders, each with the format that knows most of it.

    Args:
        paths: files, or folders of suite2p.

    Raises:
        PhiscaleError: with every path that is not there, that no format reads, or that cannot be opened.
    """
    drafts, problems = [], Problems()
    for path in paths:
        if not path.exists():
            problems.add(str(path), "does not exist", "Nothing can be read from it", "correct the path")
            continue
        try:
            apart.looks(path)
        except PhiscaleError as error:
            problems.found.extend(p for p in error.problems if isinstance(p, Problem))
            continue
        claims = [(reader, reader.recordings(path)) for reader in READERS.values()]
        reader, parts = next(((r, p) for r, p in reversed(claims) if p), (None, []))
        if reader is None:
            fix = "name its files" if path.is_dir() else f"formats: {', '.join(READERS)}"
            what = f"is a {'folder' if path.is_dir() else 'file'} of no format that is known"
            problems.add(str(path), what, "Nothing can be read from it", fix)
            continue
        for part in parts:
            try:
                drafts.append(Draft(part.absolute(), reader, reader.look(part)))
            except PhiscaleError as error:
                problems.found.extend(p if isinstance(p, Problem) else Problem(str(part), p) for p in error.problems)
    problems.raise_if_any()
    return drafts


def settled(drafts: Sequence[Draft], given: Mapping[str, str]) -> list[Draft]:
    """Return the drafts of recordings with their columns, names and state codes; files of codes go to their recordings.

    Args:
        drafts: what was found.
        given: columns of the sheet and their values for every recording that heeds them.

    Raises:
        PhiscaleError: a column that there is none of; files that hold several arrays to choose from, or none.
    """
    _check_given(given)
    problems = Problems()
    codes = [draft for draft in drafts if not draft.contents.choices and draft.contents.states]
    recordings = [draft for draft in drafts if draft not in codes]
    for draft in recordings:
        columns = _chosen(draft, given, problems)
        heeded = {*draft.reader.columns, *columns_of_any_format()}
        draft.columns = columns | {name: value for name, value in given.items() if name in heeded}
        _take_codes(draft, [draft] if "state_dataset" in given else [one for one in codes if _beside(one, draft)])
    problems.raise_if_any()
    if not recordings:
        raise PhiscaleError(Problem(", ".join(str(d.path) for d in drafts), "holds no traces", fix="name recordings"))
    for draft, name in zip(recordings, _names([draft.path for draft in recordings]), strict=True):
        draft.recording = name
        alone = name if len(recordings) == 1 else ASK
        draft.subject = given.get("subject") or identifier(draft.contents.subject) or alone
    return recordings


def _check_given(given: Mapping[str, str]) -> None:
    unknown = [name for name in given if name not in (*option_columns(), "subject")]
    if unknown:
        what = f"{', '.join(unknown)} is no column of the sheet of recordings"
        raise PhiscaleError(Problem("--set", what, "It would be ignored", f"columns: {', '.join(option_columns())}"))


def _chosen(draft: Draft, given: Mapping[str, str], problems: Problems) -> dict[str, str]:
    """Return the columns that use a file; note it where there are several ways or none."""
    choices = draft.contents.choices
    if draft.contents.no_study:
        problems.add(str(draft.path), draft.contents.no_study, "No study can be made of it")
        return {}
    wanted = given.get("dataset")
    if wanted is not None:
        choices = [one for one in choices if one.get("dataset", wanted) == wanted] or [{"dataset": wanted}]
    if len(choices) == 1:
        return dict(choices[0])
    held = dict(draft.contents.holds)
    names = [one.get("dataset", "") for one in choices]
    listed = ", ".join(f"{name} {held.get(name, '')}".strip() for name in names[:SHOWN])
    remarks = "".join(f"; {remark}" for remark in draft.contents.remarks)
    problems.add(
        str(draft.path),
        f"holds {len(choices)} arrays that may be the traces: {listed}" if choices else f"holds no traces{remarks}",
        "Another choice would be another study" if choices else "There is nothing to analyse",
        f"choose with --set dataset={names[0]} (what each is: phiscale inspect)" if choices else "name recordings",
    )
    return {}


def _beside(codes: Draft, draft: Draft) -> bool:
    return codes.path.parent == draft.path.parent


def _take_codes(draft: Draft, holders: Sequence[Draft]) -> None:
    """Give a recording the state codes of a file, where just one vector may be meant."""
    wanted = draft.columns.get("state_dataset")
    found = [
        (holder.path, states)
        for holder in holders
        for states in holder.contents.states
        if wanted is None or states.get("state_dataset") == wanted
    ]
    if len(found) == 1:
        path, states = found[0]
        columns = {name: value for name, value in states.items() if name != "codes"}
        draft.columns |= {"state_codes": str(path), **columns, **draft.columns}
        draft.contents.states = [states]


def epochs_of(draft: Draft, table: str | None = None) -> list[Epoch]:
    """Return the named stretches of a recording: of the table that is asked for, of `epochs`, or of the only one.

    Args:
        draft: the recording.
        table: path of a table in the file.

    Raises:
        PhiscaleError: there is no such table, or several and nobody has said which.
    """
    held = draft.contents.epochs
    if table is not None and table not in held:
        listed = ", ".join(held) or "none"
        what = f"has no table of intervals {table!r}"
        raise PhiscaleError(Problem(str(draft.path), what, "Windows would be unknown", f"its tables: {listed}"))
    name = table or (EPOCHS if EPOCHS in held else None)
    if name is None and len(held) > 1:
        what = f"holds {len(held)} tables of intervals: {', '.join(held)}"
        fix = f"choose with --epochs {next(iter(held))}"
        raise PhiscaleError(Problem(str(draft.path), what, "Other windows would be another study", fix))
    name = name or next(iter(held), None)
    return held[name] if name else []


def identifier(text: str) -> str:
    """Return a text as an ID: letters, digits and underscores.

    >>> identifier("iso flurane 1.5%"), identifier("")
    ('iso_flurane_1_5', '')
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")


def _names(paths: Sequence[Path]) -> list[str]:
    """Return IDs of recordings: the parts of their paths in which they differ."""
    parts = [[*path.parts[1:-1], path.stem if path.suffix else path.name] for path in paths]
    parts = [[part for part in one if not GENERAL.fullmatch(part)] or one[-1:] for one in parts]
    depth = max(len(one) for one in parts)
    padded = [[""] * (depth - len(one)) + one for one in parts]
    differ = [i for i in range(depth) if len({one[i] for one in padded}) > 1] or [depth - 1]
    names = [identifier("_".join(one[i] for i in differ)) or "recording" for one in padded]
    return names if len(set(names)) == len(names) else [f"{name}_{i}" for i, name in enumerate(names, 1)]


def sheet(rows: Sequence[Mapping[str, str]], first: Sequence[str] = RECORDING_COLUMNS) -> str:
    """Return rows as tab-separated text with a header.

    Args:
        rows: by name of the column.
        first: columns that stand first.
    """
    order = [*first, *option_columns()]
    columns = sorted({name for row in rows for name in row} | set(first), key=order.index)
    lines = ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in rows)]
    return "\n".join(lines) + "\n"
