"""The noise of a neuron's ΔF/F."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats

if TYPE_CHECKING:
    import xarray as xr

MAD_TO_SD = 1.4826
BLOCK = 128  # neurons that are looked at at once: all of a large recording take several times its memory


def noise_sd(dff: Array | xr.DataArray, dropped: Bools) -> Floats:
    """Return the robust noise sd (neuron,) of ΔF/F, from frame to frame.

    1.4826 × median |difference of consecutive frames| / sqrt(2): transients, which are slow or
    rare, hardly count. Denoised traces, most differences of which are 0, get their sd instead; NaN
    means that a neuron has no two consecutive values.

    Args:
        dff: (time, neuron) ΔF/F, perhaps in a file still.
        dropped: (time,) frames that do not count.
    """
    keep = ~dropped[1:] & ~dropped[:-1]
    result = np.full(dff.shape[1], np.nan)
    for first in range(0, dff.shape[1], BLOCK):
        block = np.asarray(dff[:, first : first + BLOCK])
        steps = np.abs(np.diff(block.astype(float), axis=0))[keep]
        for i, column in enumerate(steps.T):
            known = column[np.isfinite(column)]
            if known.size:
                noise = MAD_TO_SD * np.median(known) / np.sqrt(2)
                result[first + i] = noise if noise > 0 else _spread(block[~dropped, i])
    return result


def _spread(values: Array) -> float:
    """Return the standard deviation; exactly 0 of a constant, also where numbers are rounded to be summed."""
    constant = np.nanmax(values) == np.nanmin(values)
    return 0.0 if constant else float(np.nanstd(values, dtype=float))
