"""Local linear regression of steps on positions, from sums over bins and blocks.

The sums are additive over blocks of consecutive frames, so that leaving a block out (to choose the bandwidth) and
drawing blocks anew (bootstrap) are weights on blocks, and no pass over the data. Fan & Gijbels 1996, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import autocorrelation_time, transition_frames

BANDWIDTHS = (0.15, 0.2, 0.27, 0.36, 0.5, 0.7, 1.0, np.inf)  # standard deviations; inf is one straight line
BLOCKS = (8, 40)  # at least, at most
BINS = {1: 160, 2: 28}  # along each axis, by the number of axes
FOLDS = 10  # at most
ERRORS = 0.5  # standard errors of the loss by which a larger bandwidth may be worse
THIN = 1e-6  # weight of pairs, relative to all, under which nothing is said


@dataclass(frozen=True)
class BinnedSteps:
    """Sums over the pairs (y, Δy) in each bin of each block, in standardised coordinates.

    Attributes:
        centres: (bin, d) of the bins that hold pairs.
        sums: (block, bin, 1 + d + d² + d + d² + d²) of 1, y, y yᵀ, Δ, y Δᵀ, Δ Δᵀ.
        middle: (d,) what is 0 in standardised coordinates.
        scale: (d,) what is 1.
        now: (pair, d) positions, in the data's own units.
        step: (pair, d) steps, likewise.
    """

    centres: Floats
    sums: Floats
    middle: Floats
    scale: Floats
    now: Floats
    step: Floats

    @property
    def d(self) -> int:
        """Number of axes."""
        return int(self.centres.shape[1])

    @property
    def n_blocks(self) -> int:
        """Number of blocks of consecutive pairs."""
        return len(self.sums)

    def standard(self, points: Array) -> Floats:
        """Return points (..., d) in standardised coordinates."""
        z: Floats = (np.asarray(points, dtype=float) - self.middle) / self.scale
        return z


@dataclass(frozen=True)
class Fit:
    """BinnedSteps at points, under each of several weightings of the blocks, in the data's own units.

    Attributes:
        step: (weighting, point, d) mean step.
        slope: (weighting, point, d, d), [., ., i, j] = ∂Δ_i/∂y_j.
    """

    step: Floats
    slope: Floats


def steps(latent: Array, runs: Array | None, lag: int) -> BinnedSteps:
    """Sum what local regression needs.

    Args:
        latent: (frame, d) with d = 1 or 2, or (frame,).
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].

    Raises:
        ValueError: other shapes, values that are not finite or do not vary, or fewer than 40 pairs.
    """
    y = np.asarray(latent, dtype=float)
    y = y[:, None] if y.ndim == 1 else y
    if y.ndim != 2 or y.shape[1] not in BINS or not np.isfinite(y).all():
        raise ValueError(f"latents of shape {y.shape}: finite values, (frame,) or (frame, 1 or 2), are needed")
    numbers = np.zeros(len(y), dtype=np.int64) if runs is None else np.asarray(runs)
    if numbers.shape != (len(y),):
        raise ValueError(f"runs of shape {numbers.shape} for {len(y)} frames")
    source, target = transition_frames(numbers, lag)
    middle, scale = y.mean(axis=0), y.std(axis=0)
    if len(source) < 40 or not (scale > 0).all():
        raise ValueError(f"{len(source)} steps of latents that vary: at least 40 are needed")
    time = float(autocorrelation_time(y, numbers).max())
    n_blocks = int(np.clip(len(source) / (2 * time), *BLOCKS))
    block = np.arange(len(source)) * n_blocks // len(source)
    z, dz = (y[source] - middle) / scale, (y[target] - y[source]) / scale
    centres, bins = _binned(z)
    sums = np.zeros((n_blocks, len(centres), 1 + 2 * y.shape[1] + 3 * y.shape[1] ** 2))
    np.add.at(sums, (block, bins), _products(z, dz))
    return BinnedSteps(centres, sums, middle, scale, y[source], y[target] - y[source])


def fit(data: BinnedSteps, points: Array, bandwidth: float, weights: Array | None = None) -> Fit:
    """Regress steps on positions around each point.

    Args:
        data: of `steps`.
        points: (point, d) in the data's own units.
        bandwidth: standard deviation of the Gaussian kernel, in standard deviations of the data.
        weights: (weighting, block) what each block counts; once each by default.

    Returns:
        NaN where next to no pairs are near.
    """
    w = np.ones((1, data.n_blocks)) if weights is None else np.asarray(weights, dtype=float)
    at = data.standard(points)
    kernel = _kernel(at, data.centres, bandwidth)
    totals = np.tensordot(w, data.sums, axes=1)  # (weighting, bin, sum)
    s = kernel @ totals  # (weighting, point, sum)
    level, slope = _solved(s, at, totals[..., 0].sum(axis=1), bandwidth)
    return Fit(level * data.scale, slope * data.scale[:, None] / data.scale)


def noise(data: BinnedSteps, points: Array, bandwidth: float) -> Floats:
    """Return the covariance of steps around their mean, (point, d, d), smoothed like the steps themselves.

    Args:
        data: of `steps`.
        points: (point, d) in the data's own units.
        bandwidth: as in `fit`.
    """
    d = data.d
    total = data.sums.sum(axis=0)
    mean = fit(data, data.centres * data.scale + data.middle, bandwidth).step[0] / data.scale
    count, step = total[:, 0], total[:, 1 + d + d * d : 1 + 2 * d + d * d]
    square = total[:, -d * d :].reshape(-1, d, d)
    both = mean[:, :, None] * step[:, None, :]
    left = square - both - both.transpose(0, 2, 1) + count[:, None, None] * mean[:, :, None] * mean[:, None, :]
    kernel = _kernel(data.standard(points), data.centres, bandwidth)
    smooth = np.einsum("pb,bij->pij", kernel, left) / np.maximum(kernel @ count, THIN)[:, None, None]
    covariance: Floats = smooth * np.outer(data.scale, data.scale)
    return covariance


def density(data: BinnedSteps, points: Array) -> Floats:
    """Return how densely the data visit points, (point,), on an arbitrary scale (Gaussian kernel, Scott's bandwidth).

    Args:
        data: of `steps`.
        points: (point, d) in the data's own units.
    """
    count = data.sums[:, :, 0].sum(axis=0)
    found: Floats = _kernel(data.standard(points), data.centres, count.sum() ** (-1 / (data.d + 4))) @ count
    return found


def chosen_bandwidth(data: BinnedSteps) -> float:
    """Choose the bandwidth that predicts left-out blocks best; of those as good by half an error, the largest.

    By a whole error (Breiman's rule) one planted double well in three of 1,000 frames is smoothed away; with none,
    autoregressions show a second well now and then.

    Args:
        data: of `steps`.
    """
    n_folds = min(data.n_blocks, FOLDS)
    member = np.eye(n_folds)[:, np.arange(data.n_blocks) * n_folds // data.n_blocks]  # (fold, block)
    d = data.d
    held = np.tensordot(member, data.sums, axes=1)
    count, step = held[:, :, 0], held[:, :, 1 + d + d * d : 1 + 2 * d + d * d]
    points = data.centres * data.scale + data.middle
    metric = _precision(data)
    losses = []
    for bandwidth in BANDWIDTHS:
        mean = np.nan_to_num(fit(data, points, bandwidth, 1 - member).step / data.scale)
        told = mean @ metric
        losses.append((count * (mean * told).sum(-1) - 2 * (step * told).sum(-1)).sum(-1))
    loss = np.array(losses)  # (bandwidth, fold), up to what no bandwidth changes
    excess = loss - loss[loss.sum(axis=1).argmin()]
    error = ERRORS * excess.std(axis=1, ddof=1) * np.sqrt(n_folds)
    return max(b for b, good in zip(BANDWIDTHS, excess.sum(axis=1) <= error, strict=True) if good)


def _precision(data: BinnedSteps) -> Floats:
    """Pseudo-inverse of the covariance (d, d) of the steps, in standardised coordinates.

    Axes differ in how large their steps are: without it the noise of the faster one would hide what the slower one
    does (of 20 saddles planted along white latents 8 were found, with it 18).
    """
    found: Floats = np.linalg.pinv(np.atleast_2d(np.cov((data.step / data.scale).T)))
    return found


def drawn_blocks(data: BinnedSteps, n: int, rng: np.random.Generator) -> Floats:
    """Draw how often each block counts in samples of the blocks with replacement, (n, block).

    Args:
        data: of `steps`.
        n: number of samples.
        rng: source of chance.
    """
    k = data.n_blocks
    counts: Floats = rng.multinomial(k, np.full(k, 1 / k), n).astype(float)
    return counts


def _binned(z: Floats) -> tuple[Floats, Ints]:
    """Centres (bin, d) of the bins that are visited, and the bin of each pair."""
    number = BINS[z.shape[1]]
    low, width = z.min(axis=0), np.ptp(z, axis=0) / number
    index = np.minimum(((z - low) / width).astype(np.int64), number - 1)
    visited, bins = np.unique(index, axis=0, return_inverse=True)
    return low + (visited + 0.5) * width, bins.ravel()


def _products(z: Floats, dz: Floats) -> Floats:
    """What is summed, (pair, sum)."""
    n = len(z)
    outer = [(a[:, :, None] * b[:, None, :]).reshape(n, -1) for a, b in ((z, z), (z, dz), (dz, dz))]
    return np.concatenate([np.ones((n, 1)), z, outer[0], dz, outer[1], outer[2]], axis=1)


def _kernel(points: Floats, centres: Floats, bandwidth: float) -> Floats:
    """Gaussian weights (point, bin)."""
    across = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * points @ centres.T
    weights: Floats = np.exp(-0.5 * np.maximum(across, 0) / bandwidth**2)
    return weights


def _solved(s: Floats, at: Floats, pairs: Floats, bandwidth: float) -> tuple[Floats, Floats]:
    """Level (w, point, d) and slope (w, point, d, d) from weighted sums about the origin, in standardised units."""
    d = at.shape[1]
    ends = np.cumsum([1, d, d * d, d, d * d])
    s0, s1, s2, t0, t1 = (part for part in np.split(s, ends, axis=-1)[:5])
    s2, t1 = (m.reshape(*m.shape[:-1], d, d) for m in (s2, t1))
    shift = at[:, :, None] * s1[..., None, :]
    square = s2 - shift - np.swapaxes(shift, -1, -2) + s0[..., None] * (at[:, :, None] * at[:, None, :])
    normal = np.empty((*s.shape[:-1], 1 + d, 1 + d))
    normal[..., 0, 0] = s0[..., 0]
    normal[..., 0, 1:] = normal[..., 1:, 0] = s1 - at * s0
    narrow = min(bandwidth, 1.0) ** 2
    normal[..., 1:, 1:] = square + 1e-9 * narrow * s0[..., None] * np.eye(d)
    right = np.concatenate([t0[..., None, :], t1 - at[:, :, None] * t0[..., None, :]], axis=-2)
    thin = s0[..., 0] <= THIN * pairs[:, None]
    normal[thin], right[thin] = np.eye(1 + d), np.nan
    solution = np.linalg.solve(normal, right)
    return solution[..., 0, :], np.swapaxes(solution[..., 1:, :], -1, -2)
