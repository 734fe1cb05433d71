"""Series of many models with their transitions: those that train, those held out, and the gap between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import autocorrelation_time, runs_of

MOST_GAP = 8  # a gap takes at most this part of the stretch between two held-out blocks
LEAST_PAIRS = 20  # transitions that train, and a quarter as many held out: fewer make no model


@dataclass(frozen=True)
class Folds:
    """Frames of stacked models. Transition t leads from frame t to frame t + lag.

    Attributes:
        values: (model, frame, unit).
        train: (model, frame - lag) transitions that train.
        held: (model, frame - lag) transitions that are held out, in contiguous blocks.
        lag: of a transition [frames].
        gap: frames between the two [frames].
        autocorrelation_time: longest of all units [frames]; the gap should reach it.
    """

    values: Tensor
    train: Tensor
    held: Tensor
    lag: int
    gap: int
    autocorrelation_time: int

    @property
    def short(self) -> bool:
        """Whether the series are too short for the full gap, so that held-out frames are told of by their past."""
        return self.gap < self.autocorrelation_time

    @property
    def train_weight(self) -> Tensor:
        """(model, pair) what a transition counts in training, summing to 1."""
        return self.train / self.train.sum(dim=1, keepdim=True)

    @property
    def held_weight(self) -> Tensor:
        """(model, pair) what a transition counts in the held-out loss, summing to 1."""
        return self.held / self.held.sum(dim=1, keepdim=True)

    def now(self, rows: Tensor) -> Tensor:
        """Return the rows (model, pair, ...) that transitions start from, of rows (model, frame, ...)."""
        return rows[:, : -self.lag]

    def later(self, rows: Tensor) -> Tensor:
        """Return the rows (model, pair, ...) that transitions lead to, of rows (model, frame, ...)."""
        return rows[:, self.lag :]


def frame_weight(pair_weight: Tensor, lag: int) -> Tensor:
    """Return what each frame counts, (model, frame), where its transitions count so much: half at either end.

    Args:
        pair_weight: (model, pair).
        lag: of a transition [frames].
    """
    pad = torch.nn.functional.pad
    return (pad(pair_weight, (0, lag)) + pad(pair_weight, (lag, 0))) / 2


def folds_of(
    series: Sequence[Array],
    runs: Sequence[Ints] | None,
    *,
    lag: int,
    held_out: float,
    blocks: int,
    gap: int | None,
) -> Folds:
    """Stack series and divide their transitions.

    Every series is cut into `blocks` stretches of equal length; the last part of each is held out.

    Args:
        series: of every model (frame, unit); shorter ones are filled up with frames that count nothing.
        runs: of every model (frame,) or (frame, unit) run of consecutive frames; nothing is carried from one to the
            next. None: each series is one run.
        lag: of a transition [frames].
        held_out: share of the frames that is held out.
        blocks: number of blocks of each series.
        gap: frames left out around every block; by default the longest autocorrelation time of all series.

    Raises:
        PhiscaleError: series of different units, not finite, or too short.
    """
    arrays = [np.asarray(one, dtype=float) for one in series]
    labels = [np.zeros(len(one), np.int64) for one in arrays] if runs is None else list(runs)
    _check(arrays, labels)
    wanted = max(
        int(np.ceil(autocorrelation_time(a, joint_runs(r)).max())) for a, r in zip(arrays, labels, strict=True)
    )
    most = max(1, min(len(a) for a in arrays) // blocks // MOST_GAP)
    used = min(wanted, most) if gap is None else gap
    longest = max(len(a) for a in arrays)
    divided = [_divided(joint_runs(r), longest, lag=lag, held_out=held_out, blocks=blocks, gap=used) for r in labels]
    train, held = (np.stack([one[i] for one in divided]) for i in (0, 1))
    if train.sum(axis=1).min() < LEAST_PAIRS or held.sum(axis=1).min() < LEAST_PAIRS // 4:
        raise PhiscaleError(
            Problem(
                "encoder",
                f"{train.sum(axis=1).min()} transitions train and {held.sum(axis=1).min()} are held out",
                "No hierarchy can be learned from them",
                "give longer windows, or a smaller gap or lag",
            )
        )
    padded = np.stack([np.pad(a, ((0, longest - len(a)), (0, 0)), mode="edge") for a in arrays])
    values = torch.as_tensor(padded, dtype=torch.get_default_dtype())
    return Folds(values, torch.as_tensor(train), torch.as_tensor(held), lag, used, wanted)


def _divided(runs: Ints, longest: int, *, lag: int, held_out: float, blocks: int, gap: int) -> tuple[Bools, Bools]:
    """Which of the transitions of one series train, and which are held out."""
    n = len(runs)
    out, near = np.zeros(n, bool), np.zeros(n, bool)
    borders = np.linspace(0, n, blocks + 1).round().astype(int)
    for start, end in pairwise(borders):
        first = end - max(lag + 1, round(held_out * (end - start)))
        out[first:end] = True
        near[max(0, first - gap) : end + gap] = True
    within = runs[lag:] == runs[:-lag]
    held, train = out[lag:] & out[:-lag] & within, ~near[lag:] & ~near[:-lag] & within
    fill = (0, longest - n)
    return np.pad(train, fill), np.pad(held, fill)


def joint_runs(runs: Ints) -> Ints:
    """Number the runs (frame,) in which no unit has a border, of runs (frame,) or (frame, unit)."""
    if runs.ndim == 1:
        return runs_of(runs, len(runs))
    changed = (runs[1:] != runs[:-1]).any(axis=1)
    return np.concatenate([[0], np.cumsum(changed)]).astype(np.int64)


def _check(arrays: Sequence[Floats], runs: Sequence[Ints]) -> None:
    shapes = sorted({a.shape[1:] for a in arrays})
    if len(shapes) != 1 or len(shapes[0]) != 1 or not all(np.isfinite(a).all() for a in arrays):
        raise PhiscaleError(
            Problem("encoder", f"series of shapes {shapes}, or not finite", fix="give (frame, unit) of the same units")
        )
    if [len(r) for r in runs] != [len(a) for a in arrays]:
        raise PhiscaleError(Problem("encoder", "runs and series differ in length", fix="give one run per frame"))
