"""The value of a subject in a condition: one function for tables, figures and sentences alike.

Sessions and windows of one subject in one condition are combined into one value, their mean weighted by frames, and
never counted as subjects. Windows flagged few_frames, which short data bias upward, are left out where the subject has
others in that condition.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from pipeline.base.arrays import Bools

KEYS = ["route", "scale", "measure", "condition", "subject"]
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
    parts = {"few": windows["few"], "imprecise": weight * flagged(windows["flag"], "imprecise"), "weight": weight}
    for column in VALUES:
        values = windows[column].astype(float)
        parts |= {column: values * weight, f"weight of {column}": weight.where(values.notna())}
    sums = windows[KEYS].assign(**parts).groupby(KEYS, sort=False).sum()
    means = pd.DataFrame({column: sums[column] / sums[f"weight of {column}"] for column in VALUES})
    means["imprecise"] = sums["imprecise"] >= 0.5 * sums["weight"]
    means["short"] = sums["few"] > 0
    return means.reset_index()


def _counting(summary: pd.DataFrame) -> pd.DataFrame:
    """The windows that count, with a column `few`: whether they are flagged few_frames."""
    frame = summary[np.isfinite(summary["value"].astype(float)) & (summary["n_frames"] > 0)]
    frame = frame.assign(few=flagged(frame["flag"], "few_frames"))
    return frame[~frame["few"] | frame.groupby(KEYS)["few"].transform("all")]


def condition_means(values: pd.DataFrame) -> pd.Series:
    """Return the mean over subjects in each condition.

    Args:
        values: rows of `subject_values` of one measure at one scale.
    """
    return values.groupby("condition")["value"].mean()


def subject_activity(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each measure of activity over a subject's units and windows in a condition.

    Args:
        quality: rows of quality/R.csv of all recordings.

    Returns:
        Columns subject, condition, measure, value.
    """
    return quality.groupby(["subject", "condition", "measure"], sort=False)["value"].mean().reset_index()


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
