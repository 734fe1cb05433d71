"""What a microscope sees of ensembles that switch ON and OFF: neurons, indicator, noise, artefacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.base.arrays import Array, Bools, Floats, Ints

Light = NDArray[np.float32]

INDICATOR = "GCaMP6s"
RISE_S, DECAY_S = 0.07, 0.7  # of one transient
AMPLITUDE, AMPLITUDE_SPREAD = 0.3, 0.25  # peak ΔF/F of a transient; relative spread of events
SPONTANEOUS = 0.01  # transients while the ensemble is OFF, relative to `participation`
ONSET_S = 0.4  # transients begin within this share of the step that causes them
BASELINE, BASELINE_SPREAD = 400.0, 0.3  # fluorescence at rest [a.u.]; log-spread over neurons
SHOT = 0.6  # standard deviation of the noise [a.u.] per square root of fluorescence
NEUROPIL, NEUROPIL_SHARE = 250.0, 0.7  # neuropil fluorescence [a.u.], and how much a neuron takes in
NEUROPIL_MODES, NEUROPIL_SPREAD, NEUROPIL_S = 6, 0.04, 2.0  # smooth fluctuation: relative sd, time
BLEACHED, BLEACH_S = 0.15, 1500.0  # share that bleaches away, and its time constant
DRIFT, DRIFT_S = 0.02, 120.0  # slow drift: relative sd, time scale
MOTION_PER_S, MOTION_FRAMES = 1 / 60, 4  # motion events, and frames lost to each (1..)

# Dorsal cortex seen from above: x medio-lateral, y antero-posterior, both from bregma [mm].
_HEMISPHERE = [(0.0, 3.6), (1.1, 3.4), (2.2, 2.3), (3.3, 0.9), (4.2, -0.8), (4.5, -2.4)]
_HEMISPHERE += [(4.2, -3.7), (3.1, -4.6), (1.6, -4.8), (0.0, -4.0)]
OUTLINE = np.array(_HEMISPHERE + [(-x, y) for x, y in _HEMISPHERE[-2:0:-1]])


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
    states: Array,
    ensemble: Ints,
    step_s: float,
    rate_hz: float,
    n_frames: int,
    participation: float,
    rng: np.random.Generator,
) -> Light:
    """Return ΔF/F without noise.

    In a step in which its ensemble is ON a neuron fires with probability `participation`, early in
    the step, so that the transient rises within the step that caused it. Frame f shows the calcium
    at f / rate_hz; the transient is `exp(-t / decay) - exp(-t / fast)` with 1/fast = 1/decay +
    1/rise, scaled to its peak.

    Args:
        states: (step, unit) ON or OFF.
        ensemble: (neuron,) unit that drives each neuron.
        step_s: length of a step [s].
        rate_hz: frame rate [Hz].
        n_frames: number of frames.
        participation: probability that a neuron fires in a step in which its ensemble is ON.
        rng: generator that draws who fires, when and how strongly.

    Returns:
        (n_frames, neuron) float32 ΔF/F.
    """
    from scipy.signal import lfilter

    chance = participation * np.where(states[:, ensemble] == 1, 1.0, SPONTANEOUS)
    step, neuron = np.nonzero(rng.random(chance.shape) < chance)
    onset = (step + ONSET_S * rng.random(len(step))) * step_s
    size = np.exp(AMPLITUDE_SPREAD * rng.standard_normal(len(step)))
    frame = np.ceil(onset * rate_hz).astype(int)
    lead = frame / rate_hz - onset  # from the onset to the first frame that can show it
    seen = frame < n_frames
    total = np.zeros((n_frames, chance.shape[1]), np.float32)
    fast = 1 / (1 / DECAY_S + 1 / RISE_S)
    for constant, sign in ((DECAY_S, 1), (fast, -1)):
        impulses = np.zeros_like(total)
        amount = sign * size * np.exp(-lead / constant)
        np.add.at(impulses, (frame[seen], neuron[seen]), amount[seen].astype(np.float32))
        decay = np.float32(np.exp(-1 / (rate_hz * constant)))
        total += lfilter(np.ones(1, np.float32), np.array([1, -decay], np.float32), impulses, axis=0)
    peak = RISE_S * np.log1p(DECAY_S / RISE_S)
    height = np.exp(-peak / DECAY_S) - np.exp(-peak / fast)
    scaled: Light = np.maximum(total, 0) * np.float32(AMPLITUDE / height)
    return scaled


def film(dff: Light, xy: Floats, rate_hz: float, rng: np.random.Generator) -> Movie:
    """Return the movie of neurons with known calcium.

    Added: brightness per neuron, bleaching, slow drift, spatially smooth neuropil of which every
    neuron takes in a share, shot noise on both channels, and frames spoilt by motion.

    Args:
        dff: (time, neuron) ΔF/F without noise.
        xy: (neuron, 2) positions [mm].
        rate_hz: frame rate [Hz].
        rng: generator of all that is added.
    """
    n_frames, n_neurons = dff.shape
    time = np.arange(n_frames, dtype=np.float32)[:, None] / np.float32(rate_hz)
    rest = BASELINE * np.exp(BASELINE_SPREAD * rng.standard_normal(n_neurons)).astype(np.float32)
    bleaching = 1 - BLEACHED * (1 - np.exp(-time / BLEACH_S))
    drift = 1 + DRIFT * _smooth_noise((n_frames, 3), DRIFT_S * rate_hz, rng) @ _mixing(xy, 3, rng)
    around = _smooth_noise((n_frames, NEUROPIL_MODES), NEUROPIL_S * rate_hz, rng)
    around = NEUROPIL * bleaching * (1 + NEUROPIL_SPREAD * around @ _mixing(xy, NEUROPIL_MODES, rng))
    light = rest * bleaching * drift * (1 + dff) + NEUROPIL_SHARE * around
    dropped = np.zeros(n_frames, bool)
    for start in np.flatnonzero(rng.random(n_frames) < MOTION_PER_S / rate_hz):
        length = rng.integers(1, MOTION_FRAMES + 1)
        dropped[start : start + length] = True
    light[dropped] *= 1 + 0.3 * rng.standard_normal((int(dropped.sum()), 1)).astype(np.float32)
    return Movie(_shot_noise(light, 1.0, rng), _shot_noise(around, 0.3, rng), dropped)


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


def _shot_noise(light: Light, relative: float, rng: np.random.Generator) -> Light:
    """Counts of the camera: light with noise, whole numbers."""
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    noise *= np.float32(relative * SHOT) * np.sqrt(np.maximum(light, 1))
    counts: Light = np.rint(light + noise)
    return counts
