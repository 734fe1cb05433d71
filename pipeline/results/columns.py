"""Columns of the tables on disk, and which of them hold numbers."""

from __future__ import annotations

ROUTES = ("micro", "macro_units", "macro_model")
WINDOW_COLUMNS = ("recording", "window", "condition", "start_s", "end_s")
SUMMARY_COLUMNS = [
    "recording",
    "subject",
    "condition",
    "window",
    "scale",
    "route",
    "measure",
    "value",
    "ci_low",
    "ci_high",
    "null_mean",
    "null_p",
    "n_frames",
    "n_states_visited",
    "estimator",
    "flag",
]
NULL_COLUMNS = [
    "recording",
    "window",
    "scale",
    "route",
    "measure",
    "null",
    "mean",
    "sd",
    "z",
    "p",
    "excess",
    "n_surrogates",
]
COMPARISON_COLUMNS = [
    "measure",
    "scale",
    "route",
    "contrast",
    "n_subjects",
    "estimate",
    "ci_low",
    "ci_high",
    "p",
    "p_corrected",
    "method",
]
QUALITY_COLUMNS = [
    *("recording", "subject", "window", "condition"),
    *("unit", "measure", "value", "units"),
]
NUMBERS = {
    *("start_s", "end_s"),
    *("scale", "value", "ci_low", "ci_high", "null_mean", "null_p", "n_frames", "n_states_visited"),
    *("mean", "sd", "z", "p", "excess", "n_surrogates", "n_subjects", "estimate", "p_corrected"),
}
