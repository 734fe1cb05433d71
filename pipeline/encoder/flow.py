"""Flow of a one-dimensional latent: Δy(y), its fixed points, and whether the latent is metastable.

The flow is estimated from the frames (local linear regression, its bandwidth by left-out blocks), or read off a
learned map. The effective potential U(y) = -∫ 2 Δy / σ² dy, with σ² the variance of the noise at y, has its wells at
the stable fixed points; its barriers count in units of the noise (Kramers: the time to cross grows as exp U).

A latent is called metastable if it has two wells or more, also in most recordings made of its own blocks drawn anew,
with a barrier that linear surrogates do not reach, and if it leaves a well and comes back, staying longer than it
takes to settle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.encoder.local_linear import BinnedSteps, chosen_bandwidth, density, drawn_blocks, fit, noise, steps
from pipeline.nulls.gaussian import autoregressions

GRID = 301
ENDS = (0.005, 0.995)  # quantiles of the latent between which the flow is told
SURROGATES, RESAMPLED = 99, 200
LEVEL, MOST = 0.05, 0.5  # of p, one-sided; of resampled recordings with two wells


@dataclass(frozen=True)
class FlowPoint:
    """A zero of Δy.

    Attributes:
        position: where.
        slope: dΔy/dy there, per lag.
        stable: whether the flow comes back: -2 < slope < 0.
    """

    position: float
    slope: float
    stable: bool


@dataclass(frozen=True)
class Flow:
    """Flow of a latent over the range that it visits.

    Attributes:
        position: (grid,) y.
        drift: (grid,) Δy, mean step per lag.
        noise_variance: (grid,) variance of the step around its mean.
        potential: (grid,) U, 0 at its least.
        density: (grid,) how often the latent is near, on an arbitrary scale.
        points: zeros of Δy, increasing.
        barrier: the highest barrier between two neighbouring wells, as seen from the shallower of them; 0 with one.
    """

    position: Floats
    drift: Floats
    noise_variance: Floats
    potential: Floats
    density: Floats
    points: tuple[FlowPoint, ...]
    barrier: float

    @property
    def wells(self) -> tuple[float, ...]:
        """Positions of the stable fixed points."""
        return tuple(p.position for p in self.points if p.stable)


@dataclass(frozen=True)
class Residence:
    """Stays in the wells. A stay ends when the latent comes halfway from the barrier down into another well.

    Attributes:
        well: (frame,) the well in which each frame is, -1 before the first arrival of a run.
        occupancy: (well,) share of the frames.
        time: (well,) mean stay [frames], frames in the well by departures; inf without departure.
        switches: number of changes of well within runs.
    """

    well: Ints
    occupancy: Floats
    time: Floats
    switches: int


@dataclass(frozen=True)
class Metastability:
    """Whether a latent is metastable, and what speaks for it.

    Attributes:
        flow: as estimated from the frames.
        residence: stays in its wells.
        relaxation: (well,) frames in which a small deviation from a well falls to 1/e.
        interval: 5th and 95th percentile of the barrier over blocks drawn anew.
        share: of those in which there are two wells or more.
        null_barriers: (surrogate,) barriers of the surrogates, each with a bandwidth of its own.
        p: one-sided; of surrogates with as high a barrier.
        metastable: two wells or more, `share` at least half, p <= 0.05, a well left and entered again, and stays
            longer than `relaxation`.
    """

    flow: Flow
    residence: Residence
    relaxation: Floats
    interval: tuple[float, float]
    share: float
    null_barriers: Floats
    p: float
    metastable: bool


def estimate_flow(latent: Array, runs: Array | None = None, lag: int = 1) -> Flow:
    """Estimate the flow of a latent from its frames.

    Args:
        latent: (frame,) y.
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].

    Raises:
        ValueError: values that are not finite or do not vary, or fewer than 40 steps.

    >>> rng = np.random.default_rng(0)
    >>> y = np.zeros(1000)
    >>> for t in range(1, 1000):
    ...     y[t] = 0.8 * y[t - 1] + rng.normal()
    >>> [point.stable for point in estimate_flow(y).points]
    [True]
    """
    data = steps(_one(latent), runs, lag)
    return _flow(data, chosen_bandwidth(data))


def flow_of_map(step: Callable[[Floats], Array], latent: Array, runs: Array | None = None, lag: int = 1) -> Flow:
    """Return the flow of a learned map over the range that a latent visits.

    Args:
        step: takes positions (point, 1) and returns Δy (point, 1): the change, not the position that follows.
        latent: (frame,) y, which says where the map is looked at, and how large the noise around it is (the mean
            square of what the map leaves of the frames' steps).
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].

    Raises:
        ValueError: as `estimate_flow`.
    """
    data = steps(_one(latent), runs, lag)
    left = data.step[:, 0] - np.asarray(step(data.now), dtype=float)[:, 0]
    at = _positions(data)
    drift = np.asarray(step(at[:, None]), dtype=float)[:, 0]
    return _told(at, drift, np.full(len(at), (left**2).mean()), density(data, at[:, None]))


def residence(latent: Array, flow: Flow, runs: Array | None = None) -> Residence:
    """Follow a latent from well to well.

    Args:
        latent: (frame,) y.
        flow: its flow, estimated or learned.
        runs: (frame,) run of consecutive frames, a new stay in each; one by default.
    """
    y = _one(latent)
    numbers = np.zeros(len(y), dtype=np.int64) if runs is None else np.asarray(runs)
    well = _wells(y, flow, numbers)
    n = len(flow.wells)
    changed = (well[1:] != well[:-1]) & (well[:-1] >= 0) & (numbers[1:] == numbers[:-1])
    inside = np.array([(well == k).sum() for k in range(n)], dtype=float)
    left = np.array([(well[:-1][changed] == k).sum() for k in range(n)], dtype=float)
    time = np.divide(inside, left, out=np.full(n, np.inf), where=left > 0)
    return Residence(well, inside / max(1, len(y)), time, int(changed.sum()))


def metastability(
    latent: Array,
    runs: Array | None = None,
    lag: int = 1,
    surrogates: Sequence[Array] | Floats | None = None,
    n_surrogates: int = SURROGATES,
    seed: int = 0,
) -> Metastability:
    """Tell whether a latent is metastable.

    Args:
        latent: (frame,) y.
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].
        surrogates: latents, each (frame,) with the same runs, in which there is nothing to be found, such as those of
            null recordings through an encoder trained on them. By default Gaussian first-order autoregressions with
            the latent's variance and autocorrelation, whose flow is a straight line.
        n_surrogates: how many are drawn where none are given.
        seed: same seed, same result.

    Raises:
        ValueError: as `estimate_flow`.
    """
    y = _one(latent)
    rng = np.random.default_rng(seed)
    data = steps(y, runs, lag)
    bandwidth = chosen_bandwidth(data)
    flow = _flow(data, bandwidth)
    barriers = _resampled_barriers(data, flow, bandwidth, rng)
    if surrogates is None:
        numbers = np.zeros(len(y), dtype=np.int64) if runs is None else np.asarray(runs)
        surrogates = autoregressions(y[:, None], numbers, n_surrogates, rng, coupled=False)[:, :, 0]
    null = np.array([estimate_flow(one, runs, lag).barrier for one in surrogates])
    p = (1 + int((null >= flow.barrier).sum())) / (len(null) + 1)
    stays = residence(y, flow, runs)
    slopes = np.array([point.slope for point in flow.points if point.stable])
    with np.errstate(divide="ignore"):
        relaxation = -lag / np.log(np.abs(1 + slopes))
    low, high = np.quantile(barriers, [LEVEL, 1 - LEVEL])
    share = float((barriers > 0).mean())
    comes_back = stays.switches >= 2 and bool((stays.time > relaxation).all())
    found = len(flow.wells) > 1 and share >= MOST and p <= LEVEL and comes_back
    return Metastability(flow, stays, relaxation, (float(low), float(high)), share, null, p, bool(found))


def _one(latent: Array) -> Floats:
    """The latent as (frame,)."""
    y = np.asarray(latent, dtype=float)
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise ValueError(f"a latent of shape {y.shape}: (frame,) is needed")
    return y


def _positions(data: BinnedSteps) -> Floats:
    """The grid over the range that the latent visits."""
    low, high = (float(q) for q in np.quantile(data.now[:, 0], ENDS))
    return np.linspace(low, high, GRID)


def _flow(data: BinnedSteps, bandwidth: float) -> Flow:
    """The flow of the data at a bandwidth."""
    at = _positions(data)[:, None]
    drift = fit(data, at, bandwidth).step[0, :, 0]
    return _told(at[:, 0], drift, noise(data, at, bandwidth)[:, 0, 0], density(data, at))


def _told(at: Floats, drift: Floats, variance: Floats, visited: Floats) -> Flow:
    """Fixed points and potential of a flow on a grid."""
    points = _zeros(at, drift)
    potential = _potential(at, drift, variance)
    return Flow(at, drift, variance, potential, visited, points, _barrier(at, potential, points))


def _zeros(at: Floats, drift: Floats) -> tuple[FlowPoint, ...]:
    """Zeros of a flow on a grid, by linear interpolation."""
    i = np.flatnonzero(np.signbit(drift[1:]) != np.signbit(drift[:-1]))
    slope = (drift[i + 1] - drift[i]) / (at[i + 1] - at[i])
    where = at[i] - drift[i] / slope
    return tuple(FlowPoint(float(y), float(s), bool(-2 < s < 0)) for y, s in zip(where, slope, strict=True))


def _potential(at: Floats, drift: Floats, variance: Floats) -> Floats:
    """-∫ 2 Δy / σ² dy by trapezia, least value 0."""
    force = 2 * drift / np.maximum(variance, np.finfo(float).tiny)
    u = -np.concatenate([[0.0], np.cumsum((force[1:] + force[:-1]) / 2 * np.diff(at))])
    return np.asarray(u - u.min())


def _barrier(at: Floats, potential: Floats, points: Sequence[FlowPoint]) -> float:
    """The highest barrier between neighbouring wells."""
    wells = [p.position for p in points if p.stable]
    heights = []
    for a, b in pairwise(wells):
        between = potential[(at >= a) & (at <= b)]
        heights.append(between.max() - max(np.interp([a, b], at, potential)) if len(between) else 0.0)
    return float(max([0.0, *heights]))


def _resampled_barriers(data: BinnedSteps, flow: Flow, bandwidth: float, rng: np.random.Generator) -> Floats:
    """Barriers (sample,) of blocks drawn with replacement, the noise as it is in all of them."""
    at = flow.position
    drifts = fit(data, at[:, None], bandwidth, drawn_blocks(data, RESAMPLED, rng)).step[:, :, 0]
    found = [
        _barrier(at, _potential(at, drift, flow.noise_variance), _zeros(at, drift)) if np.isfinite(drift).all() else 0.0
        for drift in drifts
    ]
    return np.array(found)


def _wells(y: Floats, flow: Flow, runs: Ints) -> Ints:
    """The well (frame,) that the latent is in: the last whose core it was in, in this run; -1 before."""
    wells = np.array(flow.wells)
    if not len(wells):
        return np.full(len(y), -1)
    tops = [
        flow.position[np.where((flow.position >= a) & (flow.position <= b), flow.potential, -np.inf).argmax()]
        for a, b in pairwise(wells)
    ]
    right = np.array([*((wells[:-1] + tops) / 2), np.inf])
    left = np.array([-np.inf, *((wells[1:] + tops) / 2)])
    inside = (y[:, None] >= left) & (y[:, None] <= right)
    core = np.where(inside.any(axis=1), inside.argmax(axis=1), -1)
    first = np.concatenate([[True], runs[1:] != runs[:-1]])
    last = np.maximum.accumulate(np.where((core >= 0) | first, np.arange(len(y)), 0))
    return np.asarray(core[last])
