"""Simulated copies of a window, estimated as it was, that show how far its measures are off and how they scatter.

A measure that is a minimum (phi_s, over partitions) of noisy numbers lies below that of the true TPM, also on average
over its posterior draws. By how much is learned where the truth is known: in recordings as long as the window, with
the same gaps, simulated from draws of its TPM and estimated in the same way (a parametric double bootstrap). What is
made of the measures of truths and estimates is told in `pipeline.inference.corrected`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.base.raster import bits, transition_frames
from pipeline.tpm.transitions import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.base.arrays import Array, Floats, Ints
    from pipeline.tpm.transitions import Counts


class Copies(NamedTuple):
    """Simulated copies of one window.

    Attributes:
        p_on: (copy, state, unit) the TPM that each was simulated from, a posterior draw of the window's.
        p_on_draws: (copy, copy_draw, state, unit) posterior draws of what was estimated from it.
        occupancy: (copy, state) share of the simulated frames in each state.
        stationary: (copy, state) stationary distribution of `p_on`.
        observational: (copy, state, unit) as `p_on`, the drive not held; None where no drive is modelled.
        observational_draws: (copy, copy_draw, state, unit) as `p_on_draws`, the drive not held.
    """

    p_on: Floats
    p_on_draws: Floats
    occupancy: Floats
    stationary: Floats
    observational: Floats | None = None
    observational_draws: Floats | None = None


ABOUT = {
    "p_on": (("copy", "state", "unit"), "P(unit ON next | state) that a copy was simulated from"),
    "p_on_draws": (("copy", "copy_draw", "state", "unit"), "posterior draws of P(unit ON next | state) of a copy"),
    "occupancy": (("copy", "state"), "share of a copy's frames in this state"),
    "stationary": (("copy", "state"), "stationary probability of this state under the TPM of a copy"),
    "observational": (
        ("copy", "state", "unit"),
        "P(unit ON next | state) that a copy is of, observational",
    ),
    "observational_draws": (
        ("copy", "copy_draw", "state", "unit"),
        "posterior draws of P(unit ON next | state) of a copy, observational",
    ),
}


def copies_of(
    p_on: Floats,
    draws_of: Callable[[Counts], Floats],
    runs: Ints,
    occupancy: Floats,
    lag: int,
    rng: np.random.Generator,
) -> Copies:
    """Simulate copies of a window whose states are given, and estimate them.

    Args:
        p_on: (copy, state, unit) posterior draws of the window's TPM.
        draws_of: gives posterior draws (copy_draw, copy, state, unit) of the counts of all copies.
        runs: (frame,) numbers of the window's runs of consecutive frames.
        occupancy: (state,) share of the window's frames in each state.
        lag: of a transition [frames].
        rng: fixes the states that are simulated.
    """
    from pipeline.tpm.simulated import simulate, stationary  # numba takes a while to import

    paths = simulate(p_on, runs, occupancy, rng, lag)
    source, target = transition_frames(runs, lag)
    n_states, n_units = p_on.shape[1:]
    raster = bits(paths[:, target].ravel(), n_units).reshape(*paths[:, target].shape, n_units)
    drawn = draws_of(count(paths[:, source], raster)).swapaxes(0, 1)
    return Copies(p_on, drawn, shares(paths, n_states), stationary(p_on, occupancy))


def shares(paths: Ints, n_states: int) -> Floats:
    """Return the share (path, state) of frames that paths (path, frame) spend in each state."""
    return np.stack([np.bincount(path, minlength=n_states) / path.size for path in paths])


def variables(copies: Copies) -> dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]:
    """Return what a TPM dataset tells of copies."""
    found = {}
    for name, (dims, long_name) in ABOUT.items():
        values = getattr(copies, name)
        if values is None:
            continue
        kept = values.astype(np.float32) if "draws" in name else values
        found[f"copy_{name}"] = (dims, kept, {"units": "1", "long_name": long_name})
    return found
