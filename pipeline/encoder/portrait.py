"""Phase portrait of a two-dimensional latent: mean steps, fixed points, and the directions of its saddles.

Everything is told of the region that the data visit; a learned map says something everywhere, and elsewhere nothing
holds it to the data. Eigenvalues are those of the Jacobian of Δy: a direction with eigenvalue λ is multiplied by 1 + λ
in each lag, and comes back where |1 + λ| < 1 (λ < 0 for the small steps of a slow flow).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.encoder.local_linear import BinnedSteps, chosen_bandwidth, density, drawn_blocks, fit, steps
from pipeline.nulls.gaussian import autoregressions

GRID = 25
ENDS = (0.002, 0.998)  # quantiles of each latent that the grid spans
VISITED = 0.99  # share of the frames in the region
NEWTON = 30
SURROGATES, RESAMPLED = 39, 50
NEAR = 0.75  # standard deviations in which a fixed point of resampled blocks counts as the same
LEVEL, MOST = 0.05, 0.5

Kind = Literal["stable node", "stable spiral", "saddle", "unstable node", "unstable spiral"]
Evaluate: TypeAlias = Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class PortraitPoint:
    """A fixed point of the plane.

    Attributes:
        position: (2,).
        jacobian: (2, 2) ∂Δ_i/∂y_j, per lag.
        eigenvalues: (2,) complex, the less stable first.
        kind: stable or unstable node or spiral, or saddle.
        directions: (2, 2) unit eigenvectors as columns, in the order of the eigenvalues; NaN of a spiral.
    """

    position: Floats
    jacobian: Floats
    eigenvalues: Array
    kind: Kind
    directions: Floats

    @property
    def unstable_direction(self) -> Floats:
        """Of a saddle the direction (2,) along which it is left."""
        return self._of_saddle(0)

    @property
    def stable_direction(self) -> Floats:
        """Of a saddle the direction (2,) along which it is approached."""
        return self._of_saddle(1)

    def _of_saddle(self, column: int) -> Floats:
        if self.kind != "saddle":
            raise ValueError(f"a {self.kind} has no stable and unstable direction")
        return self.directions[:, column]


@dataclass(frozen=True)
class Portrait:
    """Steps of a latent in the plane.

    Attributes:
        grid: (x, y, 2) positions.
        field: (x, y, 2) mean steps per lag, NaN where not visited.
        density: (x, y) how often the latent is near, on an arbitrary scale.
        visited: (x, y) the region of highest density that holds 99% of the frames.
        points: fixed points within the region, the most visited first.
    """

    grid: Floats
    field: Floats
    density: Floats
    visited: Bools
    points: tuple[PortraitPoint, ...]

    @property
    def saddles(self) -> tuple[PortraitPoint, ...]:
        """Those of the fixed points that are saddles."""
        return tuple(p for p in self.points if p.kind == "saddle")


@dataclass(frozen=True)
class SaddleTest:
    """Whether a saddle stands, and what speaks for it.

    Attributes:
        portrait: as estimated from the frames.
        share: (saddle,) of recordings made of its own blocks drawn anew that have a saddle there too.
        null_share: share of the surrogates that have a saddle anywhere.
        p: (1 + surrogates with a saddle) / (1 + surrogates); 1 without one in the data.
        found: whether `share` is at least half for some saddle, and p <= 0.05.
    """

    portrait: Portrait
    share: Floats
    null_share: float
    p: float
    found: bool


def estimate_portrait(latent: Array, runs: Array | None = None, lag: int = 1) -> Portrait:
    """Estimate the phase portrait of a latent from its frames, by local linear regression of steps on positions.

    Args:
        latent: (frame, 2).
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].

    Raises:
        ValueError: values that are not finite or do not vary, or fewer than 40 steps.

    >>> rng = np.random.default_rng(0)
    >>> y = np.zeros((1000, 2))
    >>> for t in range(1, 1000):
    ...     y[t] = 0.8 * y[t - 1] + rng.normal(size=2)
    >>> [point.kind[:6] for point in estimate_portrait(y).points]
    ['stable']
    """
    data = steps(_two(latent), runs, lag)
    return _portrait(data, _regression(data, chosen_bandwidth(data)))


def portrait_of_map(
    step: Callable[[Floats], Array], latent: Array, runs: Array | None = None, lag: int = 1
) -> Portrait:
    """Return the phase portrait of a learned map, in the region that a latent visits.

    Args:
        step: takes positions (point, 2) and returns Δy (point, 2): the change, not the position that follows. Jacobians
            are central differences over a thousandth of the latent's standard deviations.
        latent: (frame, 2), which says where the map is looked at.
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].

    Raises:
        ValueError: as `estimate_portrait`.
    """
    data = steps(_two(latent), runs, lag)
    return _portrait(data, _differences(step, 1e-3 * data.scale))


def saddle_test(
    latent: Array,
    runs: Array | None = None,
    lag: int = 1,
    surrogates: Sequence[Array] | Floats | None = None,
    n_surrogates: int = SURROGATES,
    seed: int = 0,
) -> SaddleTest:
    """Tell whether the flow of a latent has a saddle.

    Args:
        latent: (frame, 2).
        runs: (frame,) run of consecutive frames; one by default.
        lag: of a step [frames].
        surrogates: latents, each (frame, 2) with the same runs, in which there is nothing to be found. By default
            Gaussian first-order autoregressions of both axes together, whose flow has one fixed point.
        n_surrogates: how many are drawn where none are given.
        seed: same seed, same result.

    Raises:
        ValueError: as `estimate_portrait`.
    """
    y = _two(latent)
    rng = np.random.default_rng(seed)
    data = steps(y, runs, lag)
    bandwidth = chosen_bandwidth(data)
    portrait = _portrait(data, _regression(data, bandwidth))
    share = _standing(data, portrait, bandwidth, rng)
    if surrogates is None:
        numbers = np.zeros(len(y), dtype=np.int64) if runs is None else np.asarray(runs)
        surrogates = autoregressions(y, numbers, n_surrogates, rng, coupled=True)
    null = np.array([bool(estimate_portrait(one, runs, lag).saddles) for one in surrogates])
    p = (1 + int(null.sum())) / (1 + len(null)) if portrait.saddles else 1.0
    found = bool((share >= MOST).any()) and p <= LEVEL
    return SaddleTest(portrait, share, float(null.mean()) if len(null) else 0.0, p, found)


def _two(latent: Array) -> Floats:
    """The latent as (frame, 2)."""
    y = np.asarray(latent, dtype=float)
    if y.ndim != 2 or y.shape[1] != 2:
        raise ValueError(f"a latent of shape {y.shape}: (frame, 2) is needed")
    return y


def _regression(data: BinnedSteps, bandwidth: float, weights: Floats | None = None) -> Evaluate:
    """Mean step (point, 2) and its slope (point, 2, 2) at any points, of blocks that count as weighted."""

    def evaluate(points: Floats) -> tuple[Floats, Floats]:
        found = fit(data, points, bandwidth, None if weights is None else weights[None])
        return found.step[0], found.slope[0]

    return evaluate


def _differences(step: Callable[[Floats], Array], width: Floats) -> Evaluate:
    """Step and slope of a map by central differences."""

    def evaluate(points: Floats) -> tuple[Floats, Floats]:
        moved = points + np.concatenate([np.zeros((1, 2)), np.diag(width), -np.diag(width)])[:, None]
        values = np.asarray(step(moved.reshape(-1, 2)), dtype=float).reshape(5, -1, 2)
        slope = (values[1:3] - values[3:5]) / (2 * width[:, None, None])
        return values[0], slope.transpose(1, 2, 0)

    return evaluate


def _portrait(data: BinnedSteps, evaluate: Evaluate) -> Portrait:
    """Field and fixed points on the grid over what is visited."""
    grid = _grid(data)
    flat = grid.reshape(-1, 2)
    dense = density(data, flat)
    least = np.quantile(density(data, data.now), 1 - VISITED)
    visited = (dense >= least).reshape(grid.shape[:2])
    field = evaluate(flat)[0].reshape(grid.shape)
    points = _fixed_points(grid, field, visited, evaluate)
    order = np.argsort(-density(data, points), kind="stable")
    told = tuple(_point(points[i], evaluate(points[i : i + 1])[1][0]) for i in order)
    return Portrait(grid, np.where(visited[..., None], field, np.nan), dense.reshape(visited.shape), visited, told)


def _grid(data: BinnedSteps) -> Floats:
    """Positions (x, y, 2) over the range of the latents."""
    low, high = np.quantile(data.now, ENDS, axis=0)
    axes = [np.linspace(a, b, GRID) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def _fixed_points(grid: Floats, field: Floats, visited: Bools, evaluate: Evaluate) -> Floats:
    """Zeros (point, 2) of the field in visited cells: where both parts change sign, polished by Newton's steps."""
    cell = grid[1, 1] - grid[0, 0]
    positive = field > 0
    corners = np.stack([positive[i : i + GRID - 1, j : j + GRID - 1] for i in (0, 1) for j in (0, 1)])
    inside = visited[:-1, :-1] | visited[1:, :-1] | visited[:-1, 1:] | visited[1:, 1:]
    at = (grid[:-1, :-1] + cell / 2)[(corners.any(axis=0) & ~corners.all(axis=0)).all(axis=-1) & inside]
    if not len(at):
        return np.empty((0, 2))
    for _ in range(NEWTON):
        value, slope = evaluate(at)
        regular = np.abs(np.linalg.det(slope)) > 1e-12
        move = np.zeros_like(at)
        move[regular] = -np.linalg.solve(slope[regular], value[regular][..., None])[..., 0]
        move = np.clip(np.nan_to_num(move), -cell, cell)
        at = at + move
        if (np.abs(move) < 1e-6 * cell).all():
            break
    settled = regular & (np.abs(move) < 1e-3 * cell).all(axis=1)
    i, j = np.round((at - grid[0, 0]) / cell).astype(int).T
    within = settled & (i >= 0) & (j >= 0) & (i < GRID) & (j < GRID)
    kept: list[Floats] = []
    for point, x, y in zip(at[within], i[within], j[within], strict=True):
        if visited[x, y] and all((np.abs(point - other) > cell / 4).any() for other in kept):
            kept.append(point)
    return np.array(kept).reshape(-1, 2)


def _point(position: Floats, jacobian: Floats) -> PortraitPoint:
    """A fixed point and its kind."""
    values, vectors = np.linalg.eig(jacobian)
    order = np.argsort(-np.abs(1 + values), kind="stable")
    values, vectors = values[order].astype(complex), vectors[:, order]
    spiral = bool(np.abs(values.imag).max() > 0)
    away = np.abs(1 + values) >= 1
    kind: Kind
    if away.all():
        kind = "unstable spiral" if spiral else "unstable node"
    elif away.any():
        kind = "saddle"
    else:
        kind = "stable spiral" if spiral else "stable node"
    return PortraitPoint(position, jacobian, values, kind, np.full((2, 2), np.nan) if spiral else vectors.real)


def _standing(data: BinnedSteps, portrait: Portrait, bandwidth: float, rng: np.random.Generator) -> Floats:
    """Share of resampled recordings (saddle,) with a saddle near each of those of the portrait."""
    here = np.array([p.position for p in portrait.saddles]).reshape(-1, 2)
    seen = np.zeros(len(here))
    if not len(here):
        return seen
    weights = drawn_blocks(data, RESAMPLED, rng)
    flat = portrait.grid.reshape(-1, 2)
    for row in weights:
        evaluate = _regression(data, bandwidth, row)
        field = evaluate(flat)[0].reshape(portrait.grid.shape)
        points = _fixed_points(portrait.grid, field, portrait.visited, evaluate)
        if len(points):
            saddles = points[
                [_point(z, slope).kind == "saddle" for z, slope in zip(points, evaluate(points)[1], strict=True)]
            ]
            away = np.linalg.norm((here[:, None] - saddles) / data.scale, axis=-1)
            seen += (away < NEAR).any(axis=1)
    return seen / RESAMPLED
