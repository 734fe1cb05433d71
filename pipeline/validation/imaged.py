"""Simulated recordings that are imaged and binarized, as a study does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from pipeline.binarize.states import binarize_windows
from pipeline.simulation.recordings import default_windows, simulate_ensembles
from pipeline.simulation.regimes import Regime

STEP_S = 0.5  # of the substrate, and length of a bin [s]
Z = 3.0  # threshold, in standard deviations of the noise


@dataclass(frozen=True)
class ImagedWindow:
    """One window of a recording.

    Attributes:
        condition: that is simulated in it.
        simulate: fields of the section `simulate`.
    """

    condition: str = "awake"
    simulate: Mapping[str, Any] = field(default_factory=dict)


def imaged(
    subject: int, name: str, parts: Mapping[str, ImagedWindow], length: int, seed: int
) -> tuple[xr.Dataset, dict[str, Regime]]:
    """Simulate a recording, window after window, and find its states.

    Args:
        subject: number of the subject: its substrate.
        name: of the recording, and of its subject.
        parts: windows in order, by name.
        length: of each, in steps of the substrate.
        seed: fixes all chance.

    Returns:
        The states dataset, with `signal`, and what is true in each window.
    """
    duration = STEP_S * length
    pieces, sheets, regimes, decays = [], [], {}, []
    for i, (window, part) in enumerate(parts.items()):
        fields = {**part.simulate, "step_s": STEP_S, "duration_s": duration}
        own = default_windows(name, [part.condition], duration)
        activity, course = simulate_ensembles(subject, f"{name}-{i}" if i else name, name, own, seed, **fields)
        shift = i * activity.sizes["time"] / float(activity.attrs["sampling_rate_hz"])
        pieces.append(activity.assign_coords(time=activity["time"] + shift))
        sheets.append(own.assign(window=window, condition=window, start_s=own.start_s + shift, end_s=own.end_s + shift))
        regimes[window] = course.regimes[part.condition]
        decays.append(course.settings.transient.decay_s)
    whole = xr.concat(
        pieces, "time", data_vars="minimal", coords="minimal", compat="override", combine_attrs="override"
    )
    windows = pd.concat(sheets, ignore_index=True)
    return binarize_windows(whole, windows, method="events", bin_s=STEP_S, tau_s=decays[0], z=Z), regimes
