"""The frames of a recording as binarizing will meet them, without binarizing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from pipeline.base.arrays import Bools, Floats
from pipeline.study.study import Study
from pipeline.traces.preprocess import resample


@dataclass(frozen=True)
class Clock:
    """When a recording has frames, and which of them are missing.

    Attributes:
        time: (time,) start of each frame [s].
        rate_hz: frame rate [Hz].
        missing: (time, 1) frames that are dropped; (time, unit) values that are missing where each
            neuron is a unit of its own, so that one missing value takes the frame from all.
        units: names of the units; empty where they are ensembles.
        n_units: number of units.
    """

    time: Floats
    rate_hz: float
    missing: Bools
    units: list[str]
    n_units: int

    @property
    def step_s(self) -> float:
        """Usual step between frames [s]."""
        return float(np.median(np.diff(self.time)))

    @property
    def lost(self) -> Bools:
        """(time,) frames that are missing in any unit."""
        return np.asarray(self.missing.any(axis=1))

    def why(self, lost: Bools) -> str:
        """Say what takes the frames that are `lost` (time,)."""
        rows = self.missing[lost]
        by_neurons = np.atleast_1d(rows[~rows.all(axis=1)].any(axis=0))
        names = ", ".join(n for n, it in zip(self.units, by_neurons, strict=False) if it)
        return f"dropped or NaN{f' in {names}' if names else ''}"


def clock_of(study: Study, recording: str, dataset: xr.Dataset) -> Clock:
    """Return the frames that a recording will have after resampling.

    Args:
        study: the study; its preprocessing and ensembles count.
        recording: name.
        dataset: the Recording.
    """
    p = study.parameters.preprocess
    units, n_units = units_of(study, recording, [str(name) for name in dataset["neuron"].values])
    missing: Bools = dataset["dropped"].values[:, None]
    if units:
        missing = missing | np.isnan(dataset["fluorescence"].sel(neuron=units).values)
        if p.kind == "fluorescence" and "neuropil" in dataset:
            missing |= np.isnan(dataset["neuropil"].sel(neuron=units).values)
    time, rate = dataset["time"].values, float(dataset.attrs["sampling_rate_hz"])
    if p.resample_hz:
        known = {"known": np.where(missing, np.nan, 1.0)}
        time, known = resample(time, known, rate, p.resample_hz)
        missing, rate = np.isnan(known["known"]), p.resample_hz
    return Clock(time, rate, missing, units, n_units)


def units_of(study: Study, recording: str, names: list[str]) -> tuple[list[str], int]:
    """Return the units that are single neurons (none where they are ensembles), and the number of units.

    Args:
        study: the study; its section `ensembles` counts.
        recording: name.
        names: neurons of the recording.
    """
    wanted, asked = study.parameters.ensembles, study.chosen_neurons(recording)
    chosen = names if asked is None else [name for name in asked if name in names]
    single = wanted.method == "none" or len(chosen) <= wanted.iit
    return chosen if single else [], min(len(chosen), wanted.iit)
