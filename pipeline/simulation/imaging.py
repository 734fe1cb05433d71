"""What a microscope sees of ensembles that switch ON and OFF: neurons, indicator, noise, artefacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.simulation.indicators import INDICATORS, Kinetics

Light = NDArray[np.float32]

AMPLITUDE, AMPLITUDE_SPREAD = 0.3, 0.25  # peak ΔF/F of a transient; relative spread of events
BASELINE, BASELINE_SPREAD = 400.0, 0.3  # fluorescence at rest [a.u.]; log-spread over neurons
SHOT = 0.6  # standard deviation of the noise [a.u.] per square root of fluorescence
NEUROPIL, NEUROPIL_SHARE = 250.0, 0.7  # neuropil fluorescence [a.u.], and how much a neuron takes in
NEUROPIL_NOISE = 0.3  # of the neuropil channel, an average over many pixels, relative to that of a neuron
NEUROPIL_MODES, NEUROPIL_SPREAD, NEUROPIL_S = 6, 0.04, 2.0  # smooth fluctuation: relative sd, time
BLEACHED, BLEACH_S = 0.15, 1500.0  # share that bleaches away, and its time constant
DRIFT, DRIFT_S = 0.02, 120.0  # slow drift: relative sd, time scale
MOTION_PER_S, MOTION_FRAMES = 1 / 60, 4  # motion events, and frames lost to each (1..)

# Dorsal cortex seen from above: x medio-lateral, y antero-posterior, both from bregma [mm].
_HEMISPHERE = [(0.0, 3.6), (1.1, 3.4), (2.2, 2.3), (3.3, 0.9), (4.2, -0.8), (4.5, -2.4)]
_HEMISPHERE += [(4.2, -3.7), (3.1, -4.6), (1.6, -4.8), (0.0, -4.0)]
OUTLINE = np.array(_HEMISPHERE + [(-x, y) for x, y in _HEMISPHERE[-2:0:-1]])


@dataclass(frozen=True)
class View:
    """When frames are taken, and how light follows a spike.

    Attributes:
        step_s: length of a step of the substrate [s].
        rate_hz: frames per second [Hz].
        phase_s: time from the start of the first step to the first frame [s].
        onset_share: transients begin within this share of the step that causes them.
        kinetics: of the indicator.
    """

    step_s: float = 0.5
    rate_hz: float = 10.0
    phase_s: float = 0.0
    onset_share: float = 1.0
    kinetics: Kinetics = INDICATORS["GCaMP6s"]


@dataclass(frozen=True)
class Detected:
    """How likely a neuron fires in a step.

    Attributes:
        on: (step,) while its ensemble is ON, or one value for all steps.
        off: the same while its ensemble is OFF.
    """

    on: Floats
    off: Floats

    def chances(self, states: Array) -> Floats:
        """Return the chance in each step and column of states (step, column)."""
        on, off = (np.reshape(v, (-1, 1)) for v in (self.on, self.off))
        chance: Floats = np.where(states == 1, on, off)
        return chance


@dataclass(frozen=True)
class Clarity:
    """How well frames can be read.

    Attributes:
        brightness: (frame,) of all light, relative to the usual.
        noise: (frame,) standard deviation of shot noise at given light, relative to the usual.
    """

    brightness: Floats
    noise: Floats


@dataclass(frozen=True)
class Movie:
    """Frames of all neurons.

    Attributes:
        fluorescence: (time, neuron) [a.u.].
        neuropil: (time, neuron) [a.u.].
        dropped: (time,) frames that must not be used.
    """

    fluorescence: Light
    neuropil: Light
    dropped: Bools


def inside(points: Floats, outline: Floats = OUTLINE) -> Bools:
    """Return which points lie inside a polygon, by the even-odd rule.

    Args:
        points: (n, 2).
        outline: (corners, 2) of the polygon, in order.

    Returns:
        (n,) True for the points inside.

    >>> inside(np.array([[0.5, 0.5], [2.0, 0.5]]), np.array([[0, 0], [1, 0], [1, 1], [0, 1]])).tolist()
    [True, False]
    """
    x, y = points[:, :1], points[:, 1:]
    x0, y0 = outline.T
    x1, y1 = np.roll(outline, -1, axis=0).T
    spans = (y0 > y) != (y1 > y)
    crossing = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1.0, y1 - y0)
    odd: Bools = (spans & (x < crossing)).sum(axis=1) % 2 == 1
    return odd


def centres(n: int) -> Floats:
    """Return (n, 2) centres of ensembles in the outline [mm], in order of x, spread over the cortex."""
    x = np.linspace(-3.4, 3.4, n)
    heights = np.array([0.25, 0.75, 0.5, 1.0, 0.0]) if n > 4 else np.array([0.15, 0.85])
    grid = np.linspace(-5, 4, 181)
    rows = []
    for i, column in enumerate(x):
        points = np.column_stack([np.full_like(grid, column), grid])
        low, high = points[inside(points)][[0, -1], 1] + [0.6, -0.6]
        rows.append((column, low + heights[i % len(heights)] * (high - low)))
    return np.array(rows)


def positions(n_ensembles: int, per_ensemble: int, rng: np.random.Generator) -> Floats:
    """Place neurons on the cortex.

    Neurons scatter around the centre of their ensemble, inside the outline and clearly nearer to
    it than to any other centre.

    Args:
        n_ensembles: number of ensembles.
        per_ensemble: neurons of each.
        rng: generator that draws the places.

    Returns:
        (n_ensembles x per_ensemble, 2) positions [mm], one ensemble after the other.
    """
    middle = centres(n_ensembles)
    distance = np.linalg.norm(middle[:, None] - middle[None], axis=2)
    reach = 0.4 * distance[distance > 0].min() if n_ensembles > 1 else 1.0
    placed = []
    for centre in middle:
        cloud = centre + reach * rng.standard_normal((20 * per_ensemble + 200, 2)) / 2.5
        fits = inside(cloud) & (np.linalg.norm(cloud - centre, axis=1) < reach)
        placed.append(cloud[fits][:per_ensemble])
    return np.concatenate(placed)


def calcium(
    states: Array, ensemble: Ints, view: View, detection: Detected, n_frames: int, rng: np.random.Generator
) -> Light:
    """Return ΔF/F without noise.

    In each step a neuron fires or does not, with a chance that its ensemble's state gives it, and at a time that is
    uniform in the first `view.onset_share` of the step. A transient is `view.kinetics` scaled to its peak.

    Args:
        states: (step, unit) ON or OFF.
        ensemble: (neuron,) unit that drives each neuron.
        view: when frames are taken, and how light follows a spike.
        detection: how likely a neuron fires.
        n_frames: number of frames.
        rng: generator that draws who fires, when and how strongly.

    Returns:
        (n_frames, neuron) float32 ΔF/F.
    """
    chance = detection.chances(states[:, ensemble])
    step, neuron = np.nonzero(rng.random(chance.shape) < chance)
    onset = (step + view.onset_share * rng.random(len(step))) * view.step_s
    size = np.exp(AMPLITUDE_SPREAD * rng.standard_normal(len(step)))
    return transients(onset, neuron, size, view, (n_frames, chance.shape[1])).astype(np.float32)


def transients(onset_s: Floats, column: Ints, size: Floats, view: View, shape: tuple[int, int]) -> Floats:
    """Return the light of transients that add up.

    Args:
        onset_s: (event,) when each begins, from the start of the first step [s].
        column: (event,) trace that shows it.
        size: (event,) relative to a usual one.
        view: when frames are taken, and how light follows a spike.
        shape: frames, traces.

    Returns:
        (frame, trace) ΔF/F.
    """
    from scipy.signal import lfilter

    n_frames, n = shape
    onset = onset_s - view.phase_s
    frame = np.maximum(np.ceil(onset * view.rate_hz), 0).astype(int)
    lead = frame / view.rate_hz - onset  # from the onset to the first frame that can show it
    seen = frame < n_frames
    place = (frame * n + column)[seen]
    kinetics = view.kinetics
    total = np.zeros(shape)
    for constant, sign in ((kinetics.decay_s, 1), (kinetics.fast_s, -1)):
        amount = (sign * size * np.exp(-lead / constant))[seen]
        impulses = np.bincount(place, amount, n_frames * n).reshape(shape)
        total += lfilter([1.0], [1.0, -np.exp(-1 / (view.rate_hz * constant))], impulses, axis=0)
    scaled: Floats = np.maximum(total, 0) * (AMPLITUDE / kinetics.height)
    return scaled


def film(dff: Light, xy: Floats, rate_hz: float, rng: np.random.Generator, clarity: Clarity | None = None) -> Movie:
    """Return the movie of neurons with known calcium.

    Added: brightness per neuron, bleaching, slow drift, spatially smooth neuropil of which every
    neuron takes in a share, shot noise on both channels, and frames spoilt by motion.

    Args:
        dff: (time, neuron) ΔF/F without noise.
        xy: (neuron, 2) positions [mm].
        rate_hz: frame rate [Hz].
        rng: generator of all that is added.
        clarity: brightness and noise of each frame; as usual throughout by default.
    """
    n_frames, n_neurons = dff.shape
    clarity = clarity or Clarity(np.ones(n_frames), np.ones(n_frames))
    brightness, noise = (v[:, None].astype(np.float32) for v in (clarity.brightness, clarity.noise))
    time = np.arange(n_frames, dtype=np.float32)[:, None] / np.float32(rate_hz)
    rest = BASELINE * np.exp(BASELINE_SPREAD * rng.standard_normal(n_neurons)).astype(np.float32)
    bleaching = brightness * (1 - BLEACHED * (1 - np.exp(-time / BLEACH_S)))
    drift = 1 + DRIFT * _smooth_noise((n_frames, 3), DRIFT_S * rate_hz, rng) @ _mixing(xy, 3, rng)
    around = _smooth_noise((n_frames, NEUROPIL_MODES), NEUROPIL_S * rate_hz, rng)
    around = NEUROPIL * bleaching * (1 + NEUROPIL_SPREAD * around @ _mixing(xy, NEUROPIL_MODES, rng))
    light = rest * bleaching * drift * (1 + dff) + NEUROPIL_SHARE * around
    dropped = spoilt(n_frames, rate_hz, rng)
    light[dropped] *= 1 + 0.3 * rng.standard_normal((int(dropped.sum()), 1)).astype(np.float32)
    return Movie(_shot_noise(light, noise, rng), _shot_noise(around, NEUROPIL_NOISE * noise, rng), dropped)


def spoilt(n_frames: int, rate_hz: float, rng: np.random.Generator) -> Bools:
    """Return (frame,) which frames motion spoils.

    Args:
        n_frames: number of frames.
        rate_hz: frame rate [Hz].
        rng: generator that draws them.
    """
    dropped = np.zeros(n_frames, bool)
    for start in np.flatnonzero(rng.random(n_frames) < MOTION_PER_S / rate_hz):
        length = rng.integers(1, MOTION_FRAMES + 1)
        dropped[start : start + length] = True
    return dropped


def noise_of(rest: Floats) -> Floats:
    """Return the standard deviation of ΔF/F from frame to frame that shot noise gives neurons of usual clarity.

    Args:
        rest: (neuron,) fluorescence at rest [a.u.]. Its share of the neuropil is subtracted, and leaves its noise.
    """
    own = SHOT**2 * (rest + NEUROPIL_SHARE * NEUROPIL)
    subtracted = (NEUROPIL_SHARE * NEUROPIL_NOISE * SHOT) ** 2 * NEUROPIL
    sd: Floats = np.sqrt(own + subtracted) / rest
    return sd


def _smooth_noise(shape: tuple[int, int], width: float, rng: np.random.Generator) -> Light:
    """Gaussian noise smoothed over `width` frames, scaled to sd 1 in expectation."""
    from scipy.ndimage import gaussian_filter1d

    smooth = gaussian_filter1d(rng.standard_normal(shape), width, axis=0, mode="wrap")
    scaled: Light = (smooth * np.sqrt(2 * width * np.sqrt(np.pi))).astype(np.float32)
    return scaled


def _mixing(xy: Floats, modes: int, rng: np.random.Generator) -> Light:
    """(modes, neuron) weights that vary smoothly over the cortex, with unit length per neuron."""
    middle = rng.uniform(OUTLINE.min(axis=0), OUTLINE.max(axis=0), (modes, 2))
    weight = np.exp(-((xy[None] - middle[:, None]) ** 2).sum(axis=2) / (2 * 3.0**2))
    unit: Light = (weight / np.linalg.norm(weight, axis=0)).astype(np.float32)
    return unit


def _shot_noise(light: Light, relative: Light, rng: np.random.Generator) -> Light:
    """Counts of the camera: light with noise, whole numbers."""
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    noise *= (relative * np.float32(SHOT)) * np.sqrt(np.maximum(light, 1))
    counts: Light = np.rint(light + noise)
    return counts
