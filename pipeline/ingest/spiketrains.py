"""Spike times as counts per frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.base.arrays import Floats


def counts(trains: Sequence[Floats], rate_hz: float, start_s: float = 0.0, end_s: float | None = None) -> Floats:
    """Return (frame, unit) numbers of spikes, counted in frames of 1 / rate_hz from `start_s` on.

    Args:
        trains: times of the spikes of each unit [s].
        rate_hz: frames per second.
        start_s: where the recording begins [s].
        end_s: where it ends [s]; by default with the frame of the last spike.

    >>> counts([np.array([0.1, 0.15, 0.9]), np.array([0.5])], 2.0).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    last = max((float(train.max()) for train in trains if train.size), default=start_s)
    span = (end_s - start_s) * rate_hz if end_s is not None else np.floor((last - start_s) * rate_hz) + 1
    n_frames = max(int(np.floor(span + 1e-6)), 0)
    found = np.zeros((n_frames, len(trains)))
    for unit, train in enumerate(trains):
        frame = np.floor((train - start_s) * rate_hz + 1e-9).astype(np.int64)
        inside = (frame >= 0) & (frame < n_frames)
        np.add.at(found[:, unit], frame[inside], 1.0)
    return found
