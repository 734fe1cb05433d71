"""The value of a subject in a condition: one function for tables, figures and sentences alike.

Sessions and windows of one subject in one condition are combined into one value, their mean weighted by frames, and
never counted as subjects. Windows flagged few_frames, which short data bias upward, are left out where the subject has
others in that condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from pipeline.base.arrays import Bools

KEYS = ["route", "scale", "measure", "condition", "subject"]
WINDOW = ["recording", "window", "route", "scale", "measure"]
VALUES = ["value", "ci_low", "ci_high", "null_mean"]


def flagged(flags: Iterable[object], word: str) -> Bools:
    """Say which flags hold a word.

    Args:
        flags: words separated by semicolons, as in the column `flag` of a table.
        word: one of them, without what follows a colon.

    >>> flagged(["few_frames;imprecise", "null:shift", ""], "null").tolist()
    [False, True, False]
    """
    return np.array([word in (w.partition(":")[0] for w in str(words).split(";")) for words in flags], dtype=bool)


def subject_values(summary: pd.DataFrame) -> pd.DataFrame:
    """Return one row per route, scale, measure, condition and subject, in the order of their first windows.

    Windows without a value or frames do not count, nor do those flagged few_frames where the subject has others.

    Args:
        summary: rows of summary.csv.

    Returns:
        KEYS; VALUES: means over the windows that count, weighted by their frames (limits of intervals are averaged in
        the same way, which is wider than the interval of the mean); `imprecise`: at least half of the frames are in
        windows whose value is flagged so; `short`: only windows flagged few_frames were there.
    """
    windows = _counting(summary)
    weight = windows["n_frames"].astype(float)
    shares = {"few": windows["few"], "imprecise": weight * flagged(windows["flag"], "imprecise"), "weight": weight}
    sums = windows[KEYS].assign(**shares).groupby(KEYS, sort=False).sum()
    means = _weighted(windows, VALUES, KEYS)
    means["imprecise"] = sums["imprecise"] >= 0.5 * sums["weight"]
    means["short"] = sums["few"] > 0
    return means.reset_index()


def beside_values(
    table: pd.DataFrame, summary: pd.DataFrame, columns: Sequence[str], by: Sequence[str] = ()
) -> pd.DataFrame:
    """Combine numbers that belong to windows just as the values of the same windows are (`subject_values`).

    Of the same windows, with the same weights: what stands beside a subject's value (its null, its true value) is
    comparable with it.

    Args:
        table: WINDOW, `columns` and `by`; rows of nulls.csv or truth.csv, say.
        summary: rows of summary.csv, which say the subject, condition, frames and flags of each window.
        columns: numbers to combine; NaN does not count.
        by: what else tells apart several rows of one window, the null family say.

    Returns:
        KEYS, `by`, `columns`; in the order of the table's first windows.
    """
    windows = _counting(summary)[[*WINDOW, "subject", "condition", "n_frames"]]
    rows = table[[*WINDOW, *by, *columns]].merge(windows, on=WINDOW)
    return _weighted(rows, columns, [*KEYS, *by]).reset_index()


def _counting(summary: pd.DataFrame) -> pd.DataFrame:
    """The windows that count, with a column `few`: whether they are flagged few_frames."""
    frame = summary[np.isfinite(summary["value"].astype(float)) & (summary["n_frames"] > 0)]
    frame = frame.assign(few=flagged(frame["flag"], "few_frames"))
    return frame[~frame["few"] | frame.groupby(KEYS)["few"].transform("all")]


def _weighted(windows: pd.DataFrame, columns: Sequence[str], keys: list[str]) -> pd.DataFrame:
    """Means of columns over windows, weighted by `n_frames`, indexed by the keys."""
    weight = windows["n_frames"].astype(float)
    parts: dict[str, pd.Series] = {}
    for column in columns:
        values = windows[column].astype(float)
        parts |= {column: values * weight, f"weight of {column}": weight.where(values.notna())}
    sums = windows[keys].assign(**parts).groupby(keys, sort=False).sum()
    return pd.DataFrame({column: sums[column] / sums[f"weight of {column}"] for column in columns}, index=sums.index)


def subject_means(values: pd.DataFrame, column: str = "value", by: str = "condition") -> pd.Series:
    """Return the mean over subjects, each counting alike, in each condition.

    Args:
        values: one row per subject and condition, those of `subject_values` of one measure at one scale, say.
        column: what is averaged; NaN does not count.
        by: what is kept apart, where it is not the condition.
    """
    return values.groupby(by)[column].mean()


def subject_activity(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure of activity over a subject's units and windows in a condition.

    Args:
        quality: rows of quality/R.csv of all recordings.

    Returns:
        Columns subject, condition, measure, value.
    """
    return _mean_activity(quality, ["subject", "condition", "measure"])


def unit_activity(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure of activity over a unit's windows in a condition.

    Args:
        quality: rows of quality/R.csv of one recording.

    Returns:
        Columns unit, condition, measure, value.
    """
    return _mean_activity(quality, ["unit", "condition", "measure"])


def _mean_activity(quality: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return quality.groupby(keys, sort=False)["value"].mean().reset_index()


def window_activity(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure of activity over the units of a window.

    Args:
        quality: rows of quality/R.csv of all recordings.

    Returns:
        Columns recording, subject, window, condition, then one per measure.
    """
    keys = ["recording", "subject", "window", "condition"]
    wide = quality.pivot_table(index=keys, columns="measure", values="value", sort=False)
    return wide.reset_index().rename_axis(columns=None)
