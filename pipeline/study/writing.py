"""A study written from files: its sheets, and the parameters that follow from what the files hold."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.ingest import open_recording
from pipeline.ingest.contents import ASK
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.study.defaults import FromData, chosen
from pipeline.study.drafting import RECORDED, WHOLE, Draft, epochs_of, identifier, sheet

if TYPE_CHECKING:
    import xarray as xr

HEADER = """\
# A phiscale study, written by `phiscale init --from` from {files}. What stands here follows from the files;
# every other field has its default (all fields, with comments: phiscale init DIR).
# See what it will do, and everything that is wrong with it, with:  phiscale check {folder}
"""
LONGEST_COMMENT = 100


@dataclass(frozen=True)
class Written:
    """The files of a study, and what is to be said of them.

    Attributes:
        files: text by name.
        told: what the author has to fill in or to know.
    """

    files: dict[str, str]
    told: list[str]


def study_of(folder: Path, drafts: Sequence[Draft], table: str | None = None) -> Written:
    """Return the files of a study.

    Args:
        folder: where they will lie.
        drafts: recordings (see `drafting.settled`).
        table: of intervals that windows are taken from, where files have several.

    Raises:
        PhiscaleError: a recording cannot be read, or has a single neuron.
    """
    opened = {draft.recording: _opened(draft) for draft in drafts if not _unreadable(draft)}
    told = [f"fill in {', '.join(d.asks)} of {d.recording} in recordings.tsv" for d in drafts if d.asks]
    known = list(opened.values())
    for recording, dataset in opened.items():
        if dataset.sizes["neuron"] < 2:
            what = "has one neuron that was recorded by itself"
            fix = "several have to be recorded at the same time"
            raise PhiscaleError(Problem(recording, what, "One neuron is no system", fix))
    windows, conditions, shortest = _windows(drafts, opened, table)
    codes = _codes(drafts)
    if codes:
        conditions = [*conditions, *(name for name in codes.values() if name not in conditions)]
        told.append("name the conditions that the codes stand for in study.yaml (state_1, ...)")
    elif conditions == [RECORDED]:
        told.append("the files name no states: one window holds all of each recording; edit windows.tsv and conditions")
    fields = chosen(known, shortest) if known else []
    rows = [draft.row(folder) for draft in drafts]
    files = {
        "study.yaml": _yaml(folder, drafts, conditions, codes, fields, bool(windows)),
        "recordings.tsv": sheet(rows),
    }
    if windows:
        files["windows.tsv"] = "\n".join("\t".join(row) for row in [list(WINDOW_COLUMNS), *windows]) + "\n"
    return Written(files, told)


def _unreadable(draft: Draft) -> bool:
    return any(name not in ("subject", "state_rate_hz") for name in draft.asks)


def _opened(draft: Draft) -> xr.Dataset:
    columns = {name: value for name, value in draft.columns.items() if value != ASK}
    row = {"recording": draft.recording, "subject": draft.subject, "path": str(draft.path)}
    return open_recording({**row, "format": draft.reader.name, **columns})


def _windows(
    drafts: Sequence[Draft], opened: Mapping[str, xr.Dataset], table: str | None
) -> tuple[list[list[str]], list[str], float]:
    """Return the rows of the sheet of windows, the conditions, and the length of the shortest window [s]."""
    rows: list[list[str]] = []
    lengths: dict[tuple[str, str], float] = {}
    for draft in drafts:
        dataset, epochs = opened.get(draft.recording), epochs_of(draft, table)
        first, last = _span(dataset)
        if draft.columns.get("state_codes"):
            continue
        for epoch in epochs:
            start, end = max(epoch.start_s, first), min(epoch.end_s, last)
            name = identifier(epoch.condition) or RECORDED
            if end > start:
                rows.append([draft.recording, name, name, f"{start:.10g}", f"{end:.10g}"])
                lengths[draft.recording, name] = lengths.get((draft.recording, name), 0.0) + end - start
        if not epochs:
            until = ASK if dataset is None else f"{last:.10g}"
            rows.append([draft.recording, WHOLE, RECORDED, f"{first:.10g}", until])
            lengths[draft.recording, WHOLE] = last - first if dataset is not None else float("inf")
    shortest = min(lengths.values(), default=float("inf"))
    return rows, list(dict.fromkeys(row[2] for row in rows)), shortest


def _span(dataset: xr.Dataset | None) -> tuple[float, float]:
    """Return where a recording begins and ends on its own clock [s]; of one that is not open, no end."""
    if dataset is None:
        return 0.0, float("inf")
    time = dataset["time"].values
    return float(time[0]), float(time[-1]) + 1 / float(dataset.attrs["sampling_rate_hz"])


def _codes(drafts: Sequence[Draft]) -> dict[str, str]:
    """Return a condition for each state code of the recordings."""
    taken = [draft.contents.states[0]["codes"] for draft in drafts if draft.columns.get("state_codes")]
    codes = sorted({float(code) for text in taken for code in text.split()})
    return {f"{code:g}": f"state_{code:g}".replace("-", "minus_") for code in codes}


def _yaml(
    folder: Path,
    drafts: Sequence[Draft],
    conditions: Sequence[str],
    codes: Mapping[str, str],
    fields: Sequence[FromData],
    windows: bool,
) -> str:
    files = ", ".join(draft.path.name for draft in drafts[:3]) + (", ..." if len(drafts) > 3 else "")
    lines = [HEADER.format(files=files, folder=folder)]
    lines += [f"study: {identifier(folder.resolve().name) or 'study'}", f"conditions: [{', '.join(conditions)}]"]
    lines += [] if windows else ["windows:  # none in a sheet: they come from the state codes"]
    if codes:
        named = ", ".join(f"{code}: {name}" for code, name in codes.items())
        lines += ["", "state_codes:", f"  codes: {{{named}}}"]
    section = ""
    for one in fields:
        name, field = one.field.split(".")
        if name != section:
            lines += ["", f"{name}:"]
            section = name
        value = json.dumps(one.value) if isinstance(one.value, list) else one.value
        lines.append(f"  {field}: {value}  # {textwrap.shorten(one.why, LONGEST_COMMENT)}")
    return "\n".join(lines) + "\n"
