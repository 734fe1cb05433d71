"""Time bins of a recording, the windows they lie in, and which of them follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.base.arrays import Array, Bools, Floats, Ints, Strings
from pipeline.base.errors import Problems
from pipeline.base.recording import frames_of

ROUNDING = 1e-6  # of a frame interval: times this close are the same
SHORTER = 0.01  # of a frame, by which a bin may be shorter: one bin in a hundred then holds no frame


@dataclass(frozen=True)
class Bins:
    """Bins aligned to time 0: bin b covers [b, b + 1) x bin_s.

    Attributes:
        number: (bin,) numbers b of the bins that hold frames, increasing.
        of_frame: (time,) index into `number` of each frame's bin.
        used: (time,) frames that are not dropped.
        valid: (bin,) at least half of the bin's frames are used.
        time: (time,) start of each frame [s].
        bin_s: length [s].
        rate_hz: frame rate [Hz].
    """

    number: Ints
    of_frame: Ints
    used: Bools
    valid: Bools
    time: Floats
    bin_s: float
    rate_hz: float

    @property
    def start_s(self) -> Floats:
        """(bin,) start of each bin [s]."""
        starts: Floats = self.number.astype(float) * self.bin_s
        return starts

    @property
    def frames(self) -> float:
        """Frames per bin, nominally."""
        return self.bin_s * self.rate_hz

    @property
    def first_frame(self) -> Floats:
        """(bin,) time from the start of each bin to the first of its frames that is used [frame intervals], or NaN."""
        place, at = np.unique(self.of_frame[self.used], return_index=True)
        found = np.full(len(self.number), np.nan)
        found[place] = (self.time[self.used][at] - self.start_s[place]) * self.rate_hz
        return found

    def total(self, values: Floats) -> Floats:
        """Return (bin, unit) sums of `values` (time, unit) over the used frames."""
        sums = np.zeros((len(self.number), values.shape[1]))
        np.add.at(sums, self.of_frame[self.used], values[self.used])
        return sums

    def mean(self, values: Floats) -> Floats:
        """Return (bin, unit) means of `values` (time, unit) over the used frames."""
        count = np.bincount(self.of_frame[self.used], minlength=len(self.number))
        return self.total(values) / np.maximum(count, 1)[:, None]


def lay_bins(time: Floats, rate_hz: float, dropped: Bools, bin_s: float) -> Bins:
    """Lay bins over frames.

    Args:
        time: (time,) start of each frame [s], increasing.
        rate_hz: frame rate [Hz].
        dropped: (time,) frames that do not count.
        bin_s: length of a bin [s].

    >>> bins = lay_bins(np.arange(12) / 10, 10.0, np.zeros(12, bool), 0.5)
    >>> bins.start_s.tolist(), bins.valid.tolist()  # of the last bin there are two frames of five
    ([0.0, 0.5, 1.0], [True, True, False])
    """
    number, of_frame = np.unique(
        np.floor(time / bin_s + ROUNDING / (bin_s * rate_hz)).astype(np.int64), return_inverse=True
    )
    used = ~np.asarray(dropped, bool)
    count = np.bincount(of_frame[used], minlength=len(number))
    valid = count >= max(1.0, 0.5 * bin_s * rate_hz - ROUNDING)
    return Bins(number, of_frame, used, valid, time, bin_s, rate_hz)


def check_length(where: str, bin_s: float, rate_hz: float, problems: Problems) -> None:
    """Note it among the problems if bins are shorter than a frame.

    Args:
        where: what the problem is of.
        bin_s: length of a bin [s].
        rate_hz: frame rate [Hz].
        problems: gets the problem.
    """
    if shorter_than_frame(bin_s, rate_hz):
        problems.add(
            f"{where}, binarize.bin_s",
            f"a bin of {bin_s:g} s is shorter than a frame ({1 / rate_hz:g} s at {rate_hz:g} Hz)",
            "Most bins would hold no frame, and no transition could be counted",
            f"use bin_s of at least {rounded_up(1 / rate_hz):g}",
        )


def shorter_than_frame(bin_s: float, rate_hz: float) -> bool:
    """Return whether bins are shorter than a frame, by more than cameras are off their nominal rate.

    >>> shorter_than_frame(0.6, 1 / 0.600019), shorter_than_frame(0.5, 1 / 0.600019)
    (False, True)
    """
    return bin_s * rate_hz < 1 - SHORTER


def rounded_up(seconds: float) -> float:
    """Return the least number of three digits that is not below.

    >>> rounded_up(0.600019), rounded_up(0.1)
    (0.601, 0.1)
    """
    unit = 10.0 ** (np.floor(np.log10(seconds)) - 2)
    return float(f"{np.ceil(seconds / unit - 1e-9) * unit:.3g}")


def window_of_bins(bins: Bins, windows: pd.DataFrame) -> Ints:
    """Return (bin,) index of the row of windows in which the whole bin lies, -1 for none.

    Args:
        bins: all bins.
        windows: rows start_s, end_s.
    """
    slack = ROUNDING / bins.rate_hz
    row = np.full(len(bins.number), -1)
    for i, (start, end) in enumerate(zip(windows["start_s"], windows["end_s"], strict=True)):
        row[(bins.start_s >= start - slack) & (bins.start_s + bins.bin_s <= end + slack)] = i
    return row


@dataclass(frozen=True)
class WindowBins:
    """The valid bins that lie in windows, those with less than two of them left out.

    Attributes:
        kept: (frame,) indices of the bins.
        row: (frame,) row of the table of windows.
        window: (frame,) name of the window.
        segment: (frame,) stretch of consecutive bins of one window.
        listed: names of all windows.
        shown: names of those that have frames.
    """

    kept: Ints
    row: Ints
    window: Strings
    segment: Ints
    listed: list[str]
    shown: list[str]


def in_windows(bins: Bins, windows: pd.DataFrame) -> WindowBins:
    """Return the bins that become frames of windows.

    Args:
        bins: all bins.
        windows: rows window, start_s, end_s.
    """
    row = window_of_bins(bins, windows)
    listed = list(dict.fromkeys(windows["window"].astype(str)))
    names = np.append(windows["window"].to_numpy(str), "")  # row -1: of no window
    found = names[row[bins.valid]]
    shown = [name for name in listed if (found == name).sum() > 1]
    kept = np.flatnonzero(bins.valid & np.isin(names[row], shown))
    window = names[row[kept]]
    return WindowBins(kept, row[kept], window, segments_of(bins.number[kept], window), listed, shown)


def dropped_share(bins: Bins, windows: pd.DataFrame, names: Sequence[str]) -> Floats:
    """Return the share of a window's frames that are dropped.

    Args:
        bins: all bins.
        windows: rows window, start_s, end_s.
        names: the windows that are wanted.

    Returns:
        (window,) shares, in the order of `names`.
    """
    inside = frames_of(windows, bins.time)
    return np.array([float((~bins.used[inside[name]]).mean()) for name in names])


def segments_of(number: Ints, label: Array | None = None) -> Ints:
    """Return (frame,) counter that increments where bins are not consecutive or the label changes.

    Args:
        number: (frame,) numbers of the bins.
        label: (frame,) e.g. the window; by default all have the same.

    >>> segments_of(np.array([3, 4, 7, 8]), np.array(["a", "a", "a", "b"])).tolist()
    [0, 0, 1, 2]
    """
    if not len(number):
        return np.zeros(0, np.int64)
    border = np.diff(number) != 1
    if label is not None:
        border |= label[1:] != label[:-1]
    return np.append(0, np.cumsum(border)).astype(np.int64)


def shortest(counts: Sequence[int] | Ints, min_frames: int) -> int | None:
    """Return the frames of the shortest window that others are matched to; None where all are too short for it.

    Args:
        counts: frames of each window.
        min_frames: shorter windows are not matched to.

    >>> shortest([300, 90, 250], 200)
    250
    """
    return min((int(n) for n in counts if n >= min_frames), default=None)


def match(label: Array, min_frames: int, matched_to: int | None = None) -> Bools:
    """Return (frame,) the frames kept when all windows are cut to the same length.

    That is the length of the shortest window of at least `min_frames`; each window keeps its first
    frames. Shorter windows keep all of theirs.

    Args:
        label: (frame,) the window of each frame.
        min_frames: shorter windows are not matched to.
        matched_to: frames of the shortest window where windows of other recordings count too.

    >>> match(np.array(["a", "a", "a", "b", "b"]), 2).tolist()
    [True, True, False, True, True]
    """
    least = matched_to or shortest(np.unique(label, return_counts=True)[1], min_frames)
    if least is None:
        return np.ones(len(label), bool)
    place = pd.Series(label).groupby(label).cumcount().to_numpy()
    kept: Bools = place < least
    return kept
