"""Short ways from states to what an analysis gets: flips of single states, and traces of whole ensembles.

Both are for studies of many recordings. They leave out what a movie has besides: single neurons, neuropil, bleaching,
slow drift and the cutting of the field into ensembles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pipeline.base.arrays import Array, Floats
from pipeline.simulation import imaging
from pipeline.simulation.imaging import Clarity, Detected, View


def detect(states: Array, miss: ArrayLike, false_on: ArrayLike, rng: np.random.Generator) -> Array:
    """Return states as a detector reads them that misses some and makes up others.

    Args:
        states: (step, unit) ON or OFF.
        miss: probability that an ON state is read as OFF: one for all, (step,) where it differs between conditions,
            or (step, unit).
        false_on: probability that an OFF state is read as ON, likewise.
        rng: source of all chance.

    Returns:
        (step, unit) uint8.

    >>> detect(np.array([[0, 1]]), miss=0.0, false_on=1.0, rng=np.random.default_rng(0)).tolist()
    [[1, 1]]
    """
    luck = rng.random(states.shape)
    read = np.where(np.asarray(states) == 1, luck >= _each(miss), luck < _each(false_on))
    return read.astype(np.uint8)


def _each(rate: ArrayLike) -> Floats:
    value = np.asarray(rate, float)
    return value[:, None] if value.ndim == 1 else value


def ensemble_traces(
    states: Array, neurons: int, view: View, detection: Detected, clarity: Clarity, rng: np.random.Generator
) -> Floats:
    """Return the activity of ensembles, without simulating each neuron.

    It is the mean over an ensemble's neurons of ΔF/F in units of each neuron's noise, as
    `traces.ensembles.group` returns it: how many neurons fire in a step is binomial, each transient counts by the
    brightness of a neuron that is drawn for it, and the noise is Gaussian.

    Args:
        states: (step, unit) ON or OFF.
        neurons: of each ensemble.
        view: when frames are taken, and how light follows a spike.
        detection: how likely a neuron fires.
        clarity: brightness and noise of each frame; they say how many frames there are.
        rng: source of all chance.

    Returns:
        (frame, unit) activity.
    """
    n_frames, n_units = len(clarity.noise), states.shape[1]
    relative = clarity.noise / np.sqrt(clarity.brightness)
    usual = float(np.exp(np.log(relative).mean()))  # near what a robust estimate makes of noise that differs
    rest = imaging.BASELINE * np.exp(imaging.BASELINE_SPREAD * rng.standard_normal((n_units, neurons)))
    weight = 1 / (neurons * usual * imaging.noise_of(rest))
    count = rng.binomial(neurons, detection.chances(states))
    step, unit = (np.repeat(index.ravel(), count.ravel()) for index in np.indices(states.shape))
    onset = (step + view.onset_share * rng.random(len(step))) * view.step_s
    size = np.exp(imaging.AMPLITUDE_SPREAD * rng.standard_normal(len(step)))
    size *= weight[unit, rng.integers(neurons, size=len(step))]
    light = imaging.transients(onset, unit, size, view, (n_frames, n_units))
    noise = rng.standard_normal((n_frames, n_units)) * (relative / usual / np.sqrt(neurons))[:, None]
    return np.asarray(light + noise)
