"""Traces that are larger than memory: read block by block, only the cells that are kept, as they are needed."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.base.arrays import Array, Bools, Ints

BLOCK = 2**24  # values that are read at once


@dataclass(frozen=True)
class Stored:
    """An array in a file, of which parts can be read.

    Attributes:
        name: what the file calls it; empty where the file is the array.
        stored: what has shape and dtype and can be sliced: an array, a mapped file, a dataset of HDF5.
        backwards: its axes are to be seen in reverse order (MATLAB stores column by column).
    """

    name: str
    stored: Any
    backwards: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape as its author sees it."""
        shape = tuple(int(n) for n in self.stored.shape)
        return shape[::-1] if self.backwards else shape

    def whole(self) -> Array:
        """Return all values."""
        values = np.asarray(self.stored[()])
        return values.T if self.backwards else values


def gather(source: Stored, neurons_first: bool = False, kept: Bools | None = None) -> Array:
    """Return (frame, neuron) values of the neurons that are kept, read in blocks.

    Args:
        source: of two dimensions.
        neurons_first: whether these are (neuron, frame).
        kept: (neuron,) those to read; all by default.

    Returns:
        The values in the type that the file has; of floats, float32.

    >>> gather(Stored("F", np.arange(6.0).reshape(2, 3)), neurons_first=True, kept=np.array([False, True])).tolist()
    [[3.0], [4.0], [5.0]]
    """
    which = _which(source, neurons_first, kept)
    dtype = np.float32 if source.stored.dtype.kind == "f" else source.stored.dtype
    values = np.empty((source.shape[int(neurons_first)], len(which)), dtype)
    for frames, block in parts(source, neurons_first, kept):
        values[frames] = block
    return values


def _which(source: Stored, neurons_first: bool, kept: Bools | None) -> Ints:
    return np.arange(source.shape[1 - int(neurons_first)]) if kept is None else np.flatnonzero(kept)


def parts(
    source: Stored, neurons_first: bool = False, kept: Bools | None = None, multiple: int = 1
) -> Iterator[tuple[slice, Array]]:
    """Yield which frames, and their (frame, neuron) values as they are stored; none where no neuron is kept.

    Args:
        source: of two dimensions.
        neurons_first: whether these are (neuron, frame).
        kept: (neuron,) those to read; all by default.
        multiple: frames are read so many, or a multiple of them, at once.
    """
    which, frame_axis = _which(source, neurons_first, kept), int(neurons_first) ^ int(source.backwards)
    if not len(which):
        return
    n_frames, a, b = source.stored.shape[frame_axis], int(which[0]), int(which[-1]) + 1
    step = max(1, BLOCK // max(b - a, 1) // multiple) * multiple
    for start in range(0, n_frames, step):
        frames = slice(start, min(start + step, n_frames))
        found = source.stored[frames, a:b] if frame_axis == 0 else np.asarray(source.stored[a:b, frames]).T
        yield frames, np.asarray(found)[:, which - a]
        _let_go(source.stored)


def _let_go(stored: Any) -> None:
    """Have what was read of a mapped file count no more as memory of this process."""
    mapped = getattr(stored, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


@dataclass
class Survey:
    """What has to be known of traces before they can be written: gathered some frames at a time.

    Attributes:
        zeros: (frame,) neurons that are exactly 0.
        missing: (frame,) neurons that have no value.
        known: (neuron,) whether it has any value.
        signed: whether any value is negative.
    """

    zeros: Ints
    missing: Ints
    known: Bools
    signed: bool = False

    @classmethod
    def of(cls, shape: tuple[int, int], values: Iterable[tuple[slice, Array]], without: Bools | None = None) -> Survey:
        """Return the survey of traces.

        Args:
            shape: of all of them, (frame, neuron).
            values: which frames, and their values.
            without: (frame,) those that count as missing.
        """
        found = cls(np.zeros(shape[0], int), np.zeros(shape[0], int), np.zeros(shape[1], bool))
        for frames, block in values:
            empty = np.isnan(block) if block.dtype.kind == "f" else np.zeros(block.shape, bool)
            if without is not None:
                empty = empty | without[frames, None]
            found.zeros[frames], found.missing[frames] = (block == 0).sum(axis=1), empty.sum(axis=1)
            found.known |= ~empty.all(axis=0)
            found.signed = found.signed or bool((block < 0).any())
        return found
