"""The noise of a neuron's ΔF/F."""

from __future__ import annotations

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats

MAD_TO_SD = 1.4826


def noise_sd(dff: Array, dropped: Bools) -> Floats:
    """Return the robust noise sd (neuron,) of ΔF/F, from frame to frame.

    1.4826 × median |difference of consecutive frames| / sqrt(2): transients, which are slow or
    rare, hardly count. Denoised traces, most differences of which are 0, get their sd instead; NaN
    means that a neuron has no two consecutive values.

    Args:
        dff: (time, neuron) ΔF/F.
        dropped: (time,) frames that do not count.
    """
    keep = ~dropped[1:] & ~dropped[:-1]
    steps = np.abs(np.diff(dff.astype(float), axis=0))[keep]
    result = np.full(dff.shape[1], np.nan)
    for i, column in enumerate(steps.T):
        known = column[np.isfinite(column)]
        if known.size:
            noise = MAD_TO_SD * np.median(known) / np.sqrt(2)
            result[i] = noise if noise > 0 else np.nanstd(dff[~dropped, i], dtype=float)
    return result
