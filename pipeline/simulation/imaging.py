"""What a microscope sees of ensembles that switch ON and OFF: neurons, indicator, noise, artefacts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

INDICATOR = "GCaMP6s"
RISE_S, DECAY_S = 0.07, 0.7  # of one transient
AMPLITUDE, AMPLITUDE_SPREAD = 0.3, 0.25  # peak ΔF/F of a transient; relative spread of events
SPONTANEOUS = 0.01  # transients while the ensemble is OFF, relative to `participation`
ONSET_S = 0.4  # transients begin within this share of the step that causes them
BASELINE, BASELINE_SPREAD = 400.0, 0.3  # fluorescence at rest [a.u.]; log-spread over neurons
SHOT = 0.6  # standard deviation of the noise [a.u.] per square root of fluorescence
NEUROPIL, NEUROPIL_SHARE = (
    250.0,
    0.7,
)  # neuropil fluorescence [a.u.], and how much a neuron takes in
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
    """Frames of all neurons: fluorescence and neuropil (time, neuron) [a.u.], dropped (time,)."""

    fluorescence: np.ndarray
    neuropil: np.ndarray
    dropped: np.ndarray


def inside(points: np.ndarray, outline: np.ndarray = OUTLINE) -> np.ndarray:
    """Return which of the points (n, 2) lie inside a polygon (corners, 2): even-odd rule."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0 = outline.T
    x1, y1 = np.roll(outline, -1, axis=0).T
    spans = (y0 > y) != (y1 > y)
    crossing = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1.0, y1 - y0)
    return (spans & (x < crossing)).sum(axis=1) % 2 == 1


def centres(n: int) -> np.ndarray:
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


def positions(n_ensembles: int, per_ensemble: int, rng: np.random.Generator) -> np.ndarray:
    """Return (n_ensembles x per_ensemble, 2) positions [mm], one ensemble after the other.

    Neurons scatter around the centre of their ensemble, inside the outline and clearly nearer to
    it than to any other centre.
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
    states: np.ndarray,
    ensemble: np.ndarray,
    step_s: float,
    rate_hz: float,
    n_frames: int,
    participation: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return (n_frames, neuron) float32 ΔF/F without noise.

    In a step in which its ensemble is ON a neuron fires with probability `participation`, early in
    the step, so that the transient rises within the step that caused it. Frame f shows the calcium
    at f / rate_hz; the transient is `exp(-t / decay) - exp(-t / fast)` with 1/fast = 1/decay +
    1/rise, scaled to its peak.

    Args:
        states: (step, unit) ON or OFF.
        ensemble: (neuron,) unit that drives each neuron.
    """
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
        total += lfilter(np.float32([1]), np.array([1, -decay], np.float32), impulses, axis=0)
    peak = RISE_S * np.log1p(DECAY_S / RISE_S)
    height = np.exp(-peak / DECAY_S) - np.exp(-peak / fast)
    return np.maximum(total, 0) * np.float32(AMPLITUDE / height)


def film(dff: np.ndarray, xy: np.ndarray, rate_hz: float, rng: np.random.Generator) -> Movie:
    """Return the movie of neurons with calcium `dff` (time, neuron) at positions `xy` (neuron, 2) [mm].

    Added: brightness per neuron, bleaching, slow drift, spatially smooth neuropil of which every
    neuron takes in a share, shot noise on both channels, and frames spoilt by motion.
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


def _smooth_noise(shape: tuple[int, int], width: float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise smoothed over `width` frames, scaled to sd 1 in expectation."""
    smooth = gaussian_filter1d(rng.standard_normal(shape), width, axis=0, mode="wrap")
    return (smooth * np.sqrt(2 * width * np.sqrt(np.pi))).astype(np.float32)


def _mixing(xy: np.ndarray, modes: int, rng: np.random.Generator) -> np.ndarray:
    """(modes, neuron) weights that vary smoothly over the cortex, with unit length per neuron."""
    middle = rng.uniform(OUTLINE.min(axis=0), OUTLINE.max(axis=0), (modes, 2))
    weight = np.exp(-((xy[None] - middle[:, None]) ** 2).sum(axis=2) / (2 * 3.0**2))
    return (weight / np.linalg.norm(weight, axis=0)).astype(np.float32)


def _shot_noise(light: np.ndarray, relative: float, rng: np.random.Generator) -> np.ndarray:
    """Counts of the camera: light with noise, whole numbers."""
    noise = rng.standard_normal(light.shape, dtype=np.float32)
    noise *= np.float32(relative * SHOT) * np.sqrt(np.maximum(light, 1))
    return np.rint(light + noise)
