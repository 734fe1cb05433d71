"""The windows of a recording: rows of the sheet, and bouts of its state codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base.errors import Problems
from pipeline.ingest.statecodes import read_codes, windows, windows_from_codes
from pipeline.results.columns import WINDOW_COLUMNS

if TYPE_CHECKING:
    import xarray as xr


def table(
    row: Mapping[str, Any],
    sheet: Sequence[Mapping[str, Any]],
    recording: xr.Dataset,
    state_codes: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the stretches (recording, window, condition, start_s, end_s) of a recording; times in s.

    Args:
        row: what the sheet of recordings says of it.
        sheet: its rows in the sheet of windows.
        recording: the Recording dataset, whose clock the state codes are laid on.
        state_codes: fields of the section `state_codes`, or empty.

    Raises:
        PhiscaleError: state codes that cannot be read or do not fit the recording; overlapping stretches.
    """
    parts = [pd.DataFrame(sheet, columns=list(WINDOW_COLUMNS))]
    if state_codes and row.get("state_codes"):
        limits = {name: state_codes[name] for name in ("min_bout_s", "trim_s")}
        parts.append(windows(row, recording, _mapping(state_codes), **limits))
    whole = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    problems = Problems()
    check_overlaps(whole, "windows and state_codes", problems)
    problems.raise_if_any()
    return whole


def names(row: Mapping[str, Any], sheet: Sequence[Mapping[str, Any]], state_codes: Mapping[str, Any]) -> list[str]:
    """Return the windows of a recording without opening it; those of state codes are the conditions that occur.

    Args:
        row: what the sheet of recordings says of it.
        sheet: its rows in the sheet of windows.
        state_codes: fields of the section `state_codes`, or empty.

    Raises:
        PhiscaleError: state codes that cannot be read.
    """
    found = [str(part["window"]) for part in sheet]
    if state_codes and row.get("state_codes"):
        codes, rate, _ = read_codes(row)
        mapping = _mapping(state_codes)
        if rate is None:
            found += [mapping[code] for code in mapping if np.any(codes == code)]
        else:
            bouts = windows_from_codes(codes, rate, mapping, state_codes["min_bout_s"], state_codes["trim_s"])
            found += [name for name in mapping.values() if name in set(bouts["window"])]
    return list(dict.fromkeys(found))


def _mapping(state_codes: Mapping[str, Any]) -> dict[int, str]:
    # Keys of a mapping become text on their way through Snakemake's parameters.
    return {int(code): condition for code, condition in state_codes["codes"].items()}


def check_overlaps(table: pd.DataFrame, sheet: str, problems: Problems) -> None:
    """Note windows of one recording that share frames.

    Args:
        table: rows recording, window, start_s, end_s.
        sheet: what the problem is of.
        problems: gets the problems.
    """
    for recording, rows in table.groupby("recording", sort=False):
        ordered = rows.sort_values("start_s", kind="stable")
        latest, holder = float("-inf"), ""
        for row in ordered.itertuples():
            if row.start_s < latest - 1e-9:
                problems.add(
                    f"{sheet}: {recording}",
                    f"window {row.window} (from {row.start_s:g} s) overlaps window {holder} (to {latest:g} s)",
                    "The same frames would be counted in both",
                    "move one border",
                    about=f"{recording}/windows",
                )
            if row.end_s > latest:
                latest, holder = row.end_s, row.window
