"""Traces that are larger than memory: read block by block, only the cells that are kept, as they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.base.arrays import Array, Bools

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
    frame_axis = int(neurons_first) ^ int(source.backwards)
    stored = source.stored
    n_frames, n_neurons = stored.shape[frame_axis], stored.shape[1 - frame_axis]
    which = np.arange(n_neurons) if kept is None else np.flatnonzero(kept)
    dtype = np.float32 if stored.dtype.kind == "f" else stored.dtype
    values = np.empty((n_frames, len(which)), dtype)
    if not len(which):
        return values
    a, b = int(which[0]), int(which[-1]) + 1
    step = max(1, BLOCK // max(b - a, 1))
    for start in range(0, n_frames, step):
        frames = slice(start, min(start + step, n_frames))
        block = stored[frames, a:b] if frame_axis == 0 else np.asarray(stored[a:b, frames]).T
        values[frames] = block[:, which - a]
    return values
