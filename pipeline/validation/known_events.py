"""Traces of which it is known when they were ON: cells with their spikes, and simulated cells and ensembles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.seeds import generator
from pipeline.simulation import imaging
from pipeline.simulation.indicators import INDICATORS
from pipeline.simulation.recordings import default_windows, simulate_ensembles

SPIKEFINDER = {
    "data.1.test.preprocessed.mat": "OGB-1 cells",
    "data.3.test.preprocessed.mat": "GCaMP6s cells",
}
SUBSTRATES = ("pairs", "dense", "independent", "slow")
CELL_RATE_HZ = 0.3  # of events in simulated cells
NEURONS = 60  # of a simulated ensemble
LENGTH_S = 500.0


class Truth(Protocol):
    """When a trace was ON."""

    def on(self, start_s: Floats, bin_s: float) -> Bools:
        """Return (bin,) in which bins it was ON.

        Args:
            start_s: (bin,) start of each bin [s].
            bin_s: length of a bin [s].
        """


@dataclass(frozen=True)
class Spikes:
    """ON where there is at least one spike in the bin.

    Attributes:
        times_s: (spike,) [s].

    >>> Spikes(np.array([0.1, 0.7])).on(np.array([0.0, 0.5, 1.0]), 0.5).tolist()
    [True, True, False]
    """

    times_s: Floats

    def on(self, start_s: Floats, bin_s: float) -> Bools:
        """Return where it was ON; see `Truth.on`."""
        ordered = np.sort(self.times_s)
        return np.asarray(np.searchsorted(ordered, start_s + bin_s) > np.searchsorted(ordered, start_s))


@dataclass(frozen=True)
class Steps:
    """ON where the step that fills most of the bin is.

    Attributes:
        states: (step,) ON or OFF.
        step_s: length of a step [s].
        phase_s: time from the start of the first step to time 0 [s].
    """

    states: Array
    step_s: float
    phase_s: float

    def on(self, start_s: Floats, bin_s: float) -> Bools:
        """Return where it was ON; see `Truth.on`."""
        middle = np.floor((start_s + bin_s / 2 + self.phase_s) / self.step_s).astype(int)
        return np.asarray(self.states[np.minimum(middle, len(self.states) - 1)] == 1)


@dataclass(frozen=True)
class KnownTrace:
    """A trace, and when it was ON.

    Attributes:
        source: what it is a trace of.
        values: (time,) activity.
        rate_hz: frames per second [Hz].
        truth: when it was ON.
        decay_s: decay time of its indicator [s]; None where it is not known.
    """

    source: str
    values: Floats
    rate_hz: float
    truth: Truth
    decay_s: float | None


def recorded_cells(folder: Path, rate_hz: float) -> Iterator[KnownTrace]:
    """Yield the cells of spikefinder, at a frame rate of at most theirs (100 Hz).

    A frame is the mean of the samples within it.

    Args:
        folder: with the files of Berens et al. (2018), Community-based benchmarking improves spike rate inference
            from two-photon calcium imaging data, PLoS Computational Biology 14(5): e1006157.
        rate_hz: frames per second [Hz].
    """
    from scipy.io import loadmat

    for name, source in SPIKEFINDER.items():
        if not (folder / name).exists():
            continue
        for cell in np.atleast_1d(loadmat(folder / name, squeeze_me=True, struct_as_record=False)["data"]):
            yield _cell(cell, source, rate_hz)


def _cell(cell: Any, source: str, rate_hz: float) -> KnownTrace:
    samples = np.asarray(cell.calcium, float)
    frame = np.floor(np.arange(len(samples)) / float(cell.fps) * rate_hz + 1e-6).astype(int)
    values = np.bincount(frame, samples) / np.bincount(frame)
    return KnownTrace(source, values, rate_hz, Spikes(np.asarray(cell.spike_times, float) / 1000), None)


def simulated_cells(rate_hz: float, noise: float, n: int, seed: int) -> Iterator[KnownTrace]:
    """Yield single cells of every indicator, with events at random times.

    Args:
        rate_hz: frames per second [Hz].
        noise: of their light, relative to the usual.
        n: cells of each indicator.
        seed: of all chance.
    """
    n_frames = int(LENGTH_S * rate_hz)
    for indicator, kinetics in INDICATORS.items():
        view = imaging.View(rate_hz=rate_hz, kinetics=kinetics)
        for i in range(n):
            rng = generator(seed, "cell", indicator, i)
            times = LENGTH_S * np.sort(rng.random(rng.poisson(CELL_RATE_HZ * LENGTH_S)))
            size = np.exp(imaging.AMPLITUDE_SPREAD * rng.standard_normal(len(times)))
            light = imaging.transients(times, np.zeros(len(times), int), size, view, (n_frames, 1))[:, 0]
            spread = noise * float(imaging.noise_of(np.array(imaging.BASELINE)))
            values = light + spread * rng.standard_normal(n_frames)
            yield KnownTrace("simulated cells", values, rate_hz, Spikes(times), kinetics.decay_s)


def simulated_ensembles(rate_hz: float, noise: float, n: int, seed: int) -> Iterator[KnownTrace]:
    """Yield ensembles of cells with every indicator, at a random phase with the steps of their substrate.

    Args:
        rate_hz: frames per second [Hz].
        noise: of the light, relative to the usual.
        n: recordings of each indicator, of one substrate after the other, with 4 ensembles each.
        seed: of all chance.
    """
    for indicator, kinetics in INDICATORS.items():
        for i in range(n):
            name = f"{indicator}{i}"
            made, course = simulate_ensembles(
                *(i, name, name, default_windows(name, ["awake"], LENGTH_S), seed),
                substrate=SUBSTRATES[i % len(SUBSTRATES)],
                kinetics=indicator,
                rate_hz=rate_hz,
                noise=noise,
                duration_s=LENGTH_S,
                neurons_per_ensemble=NEURONS,
            )
            filled = made["activity"].interpolate_na("time", fill_value="extrapolate").values
            for values, states in zip(filled.T, course.states.T, strict=True):
                truth = Steps(states, course.settings.step_s, course.phase_s)
                yield KnownTrace("simulated ensembles", values, rate_hz, truth, kinetics.decay_s)
