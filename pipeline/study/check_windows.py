"""Checks of a recording's windows: they lie in it, and hold what their TPM needs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.base.arrays import Bools, Ints
from pipeline.base.raster import runs_of, transition_frames
from pipeline.base.recording import GAP, frames_of
from pipeline.binarize import bins as binning
from pipeline.study.checked import Checked
from pipeline.study.clock import Clock
from pipeline.study.study import Study
from pipeline.tpm.registry import ESTIMATORS
from pipeline.tpm.support import largest_supported

MAX_NAN_RUN_S = 1.0
MOST_FRAMES_MADE_UP = 10.0  # by resampling, for each that was recorded
FAR = 10.0  # a clock that begins this many lengths of a recording before it
UNEVEN = 0.02  # share of bins without a frame that is worth a note


def check_windows(study: Study, recording: str, clock: Clock, windows: pd.DataFrame, findings: Checked) -> None:
    """Check the windows of a recording.

    Args:
        study: the study.
        recording: name.
        clock: its frames.
        windows: its stretches (window, start_s, end_s).
        findings: where faults and notes go.
    """
    p, where = study.parameters.binarize, f"recording {recording!r}"
    faults = len(findings.problems.found)
    if windows.empty:
        findings.problems.add(
            where,
            "has no window",
            "None of its frames would be analysed",
            "add rows to the sheet of windows, or map its state codes to conditions",
        )
    binning.check_length(where, p.bin_s, clock.rate_hz, findings.problems)
    if len(findings.problems.found) > faults:
        return
    slack = 1.5 if study.parameters.preprocess.resample_hz is None else 2.5  # even frames end up to one step early
    _check_ends(where, clock, windows, slack, findings)
    if len(findings.problems.found) > faults:
        return
    _note_uneven(where, study, clock, findings)
    lost, labels = clock.lost, _runs(study, clock, windows)
    for window, inside in frames_of(windows, clock.time).items():
        place, gone = f"{where}, window {window}", inside & lost
        _check_length(study, place, labels[window], clock.n_units, clock.why(gone), findings)
        _note_gap(place, gone, clock, findings)


def check_resampling(study: Study, recording: str, rate_hz: float, findings: Checked) -> bool:
    """Check that resampling does not make most of the frames up; returns whether it does not.

    Args:
        study: the study.
        recording: name.
        rate_hz: frame rate of the recording [Hz].
        findings: where faults go.
    """
    wanted = study.parameters.preprocess.resample_hz
    if wanted is None or wanted <= MOST_FRAMES_MADE_UP * rate_hz:
        return True
    findings.problems.add(
        f"recording {recording!r} and preprocess.resample_hz",
        f"{wanted:g} Hz is {wanted / rate_hz:.3g} times the frame rate of {rate_hz:g} Hz",
        "Nearly all frames would be interpolated",
        "use a rate near that of the recordings, or leave it empty",
    )
    return False


def _check_ends(where: str, clock: Clock, windows: pd.DataFrame, slack: float, findings: Checked) -> None:
    first, last, step = clock.time[0], clock.time[-1], clock.step_s
    early = FAR * (last - first) < first  # the clock of the computer, or of the day
    for row in windows.itertuples():
        before = row.end_s <= first or (row.start_s < first - step and early)
        if row.end_s > last + slack * step or before:
            findings.problems.add(
                f"{where}, window {row.window}",
                f"is from {row.start_s:g} to {row.end_s:g} s, and the recording from {first:g} to {last + step:g} s on "
                "its own clock",
                "The window would be shorter than stated" if not before else "No frame would lie in it",
                "set time_zero to first in the sheet of recordings, to count from its first frame"
                if early
                else "move its end, or check the frame rate",
            )


def _note_uneven(where: str, study: Study, clock: Clock, findings: Checked) -> None:
    """Note it where frames come unevenly, so that bins between them hold none."""
    bin_s = study.parameters.binarize.bin_s
    bins = binning.lay_bins(clock.time, clock.rate_hz, np.zeros(len(clock.time), bool), bin_s)
    steps = np.diff(bins.number)
    between = steps[steps * bin_s < GAP / clock.rate_hz + bin_s]
    empty = float((between - 1).sum() / max(len(steps), 1))
    if empty > UNEVEN:
        findings.notes.append(
            f"{where}: frames come unevenly, and {empty:.0%} of the bins of {bin_s:g} s between them hold none; no "
            f"transition crosses these. preprocess.resample_hz: {clock.rate_hz:.4g} gives even frames"
        )


def _runs(study: Study, clock: Clock, windows: pd.DataFrame) -> dict[str, Ints]:
    """Return, per window, the runs (bin,) of consecutive bins that a TPM will be estimated from."""
    p = study.parameters.binarize
    bins = binning.lay_bins(clock.time, clock.rate_hz, clock.lost, p.bin_s)
    found = binning.in_windows(bins, windows)
    matched = np.ones(len(found.kept), bool)
    if p.match_length:
        matched = binning.match(found.window, p.min_frames)
    runs = {}
    for window in dict.fromkeys(windows["window"].astype(str)):
        part = found.window == window
        runs[window] = runs_of(found.segment[part], int(part.sum()), matched[part])
    return runs


def _check_length(study: Study, where: str, runs: Ints, n_units: int, missing: str, findings: Checked) -> None:
    """Check that a window's transitions (`runs`: of its bins) carry the TPM of so many units."""
    p = study.parameters
    if not len(runs):
        findings.problems.add(
            where,
            f"holds less than two usable bins of {p.binarize.bin_s:g} s (frames that are {missing} do not count)",
            "There is no transition to estimate from",
            "correct its times, or remove it",
        )
        return
    if check_carried(study, where, runs, n_units, findings) and len(runs) < p.binarize.min_frames:
        findings.notes.append(
            f"{where}: {len(runs)} frames, fewer than binarize.min_frames ({p.binarize.min_frames}); "
            "its results will carry the flag few_frames"
        )


def check_carried(study: Study, where: str, runs: Ints, n_units: int, findings: Checked) -> bool:
    """Check that transitions carry the TPM of so many units, and tell whether they do.

    Args:
        study: the study.
        where: the window, for messages.
        runs: (bin,) runs of consecutive bins.
        n_units: number of units.
        findings: where faults go.
    """
    p = study.parameters.tpm
    carried = n_units <= largest_supported(len(transition_frames(runs, p.lag)[0]), p.method)
    if not carried:
        _tell_too_short(study, where, runs, n_units, findings)
    return carried


def _tell_too_short(study: Study, where: str, runs: Ints, n_units: int, findings: Checked) -> None:
    p = study.parameters
    n, at_1 = (len(transition_frames(runs, lag)[0]) for lag in (p.tpm.lag, 1))
    supported = largest_supported(n, p.tpm.method)
    if largest_supported(at_1, p.tpm.method) >= n_units:
        field, fix = "tpm.lag", f"lower tpm.lag (there are {at_1} transitions at lag 1)"
    else:
        fewer = f"use at most {supported} units" if supported > 1 else "lengthen the window"
        field, fix = "ensembles.iit", f"{fewer}, or shorten binarize.bin_s"
    needed = ESTIMATORS[p.tpm.method].needed(n_units)
    findings.problems.add(
        f"{where} and {field}",
        f"its {n} transitions (bins of {p.binarize.bin_s:g} s, within consecutive ones, lag "
        f"{p.tpm.lag}) cannot carry {n_units} units with the estimator {p.tpm.method!r}, which needs {needed} for them",
        "phi would be that of the noise",
        fix,
    )


def _note_gap(where: str, gone: Bools, clock: Clock, findings: Checked) -> None:
    """Note it if a long stretch of a window is missing (`gone`: (time,))."""
    longest = _longest_run(gone) * clock.step_s
    if longest > MAX_NAN_RUN_S:
        findings.notes.append(
            f"{where}: a stretch of {longest:g} s is missing ({clock.why(gone)}); its frames "
            "are lost to all units, and no transition crosses it"
        )


def _longest_run(mask: Bools) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
