"""What the one- and two-dimensional latents of a window do: flow and wells, portrait and saddles, as one dataset.

Everything is estimated from the frames; beside it stands the learned map, and the same estimates of surrogates that
were encoded by hierarchies trained on them. Tests against linear surrogates are made where there is something to test:
two wells, or a saddle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.encoder.flow import Flow, Metastability, estimate_flow, metastability, residence
from pipeline.encoder.portrait import Portrait, SaddleTest, estimate_portrait, saddle_test
from pipeline.encoder.power import Reading

Variables = dict[str, tuple[Any, Any]]


@dataclass(frozen=True)
class Sources:
    """What the dynamics of one scale are told of.

    Attributes:
        latents: (frame, d) of the data.
        runs: (frame,) run of consecutive frames.
        nulls: latents (frame, d) of encoded surrogates, with their runs.
        lag: of a step [frames].
        surrogates: number of linear surrogates of a test.
        seed: fixes them.
    """

    latents: Floats
    runs: Ints
    nulls: Sequence[tuple[Floats, Ints]]
    lag: int
    surrogates: int
    seed: int


def learned_steps(read: Reading, points: Array) -> Floats:
    """Return the steps f(y) - y of the learned map of the first model, (point, d).

    Args:
        read: the scale.
        points: (point, d).
    """
    y = torch.as_tensor(np.asarray(points, float), device=read.latents.device)
    at = y.expand(read.model.n_models, *y.shape)
    with torch.no_grad():
        found: Floats = (read.dynamics(at) - at)[0].cpu().numpy()
    return found


def told_flow(sources: Sources, read: Reading) -> Variables:
    """Tell the flow of a one-dimensional latent.

    Args:
        sources: the latent, and what it is held against.
        read: its scale.

    Returns:
        Variables flow_position, flow_drift, flow_learned, flow_potential, flow_density (grid); flow_null (surrogate,
        grid), NaN where a surrogate does not go; well_position, well_slope, well_stable, well_residence [frames] and
        well_occupancy (well: every zero of the flow); barrier, barrier_low, barrier_high, barrier_share (of resampled
        recordings with two wells), barrier_p (against linear surrogates; NaN with one well), barrier_null (surrogate),
        switches and metastable.
    """
    y, flow = sources.latents[:, 0], estimate_flow(sources.latents[:, 0], sources.runs, sources.lag)
    nulls = [estimate_flow(null[:, 0], runs, sources.lag) for null, runs in sources.nulls]
    found: Variables = {
        "flow_position": ("grid", flow.position),
        "flow_drift": ("grid", flow.drift),
        "flow_learned": ("grid", learned_steps(read, flow.position[:, None])[:, 0]),
        "flow_potential": ("grid", flow.potential),
        "flow_density": ("grid", flow.density),
        "flow_null": (("surrogate_shown", "grid"), np.array([_on(flow.position, null) for null in nulls])),
        "barrier_null": ("surrogate_shown", np.array([null.barrier for null in nulls])),
    }
    test = None
    if len(flow.wells) > 1:
        test = metastability(y, sources.runs, sources.lag, n_surrogates=sources.surrogates, seed=sources.seed)
    return found | _wells(flow, y, sources.runs) | _barrier(flow, test, sources.surrogates)


def _on(position: Floats, flow: Flow) -> Floats:
    """Drift of a flow at the positions of another, NaN beyond its own."""
    found: Floats = np.interp(position, flow.position, flow.drift, left=np.nan, right=np.nan)
    return found


def _wells(flow: Flow, y: Floats, runs: Ints) -> Variables:
    """Fixed points, with the stays in those that are stable."""
    stays, stable = residence(y, flow, runs), np.array([point.stable for point in flow.points], dtype=bool)
    time, share = np.full(len(stable), np.nan), np.full(len(stable), np.nan)
    time[stable], share[stable] = stays.time, stays.occupancy
    return {
        "well_position": ("well", np.array([point.position for point in flow.points])),
        "well_slope": ("well", np.array([point.slope for point in flow.points])),
        "well_stable": ("well", stable.astype(np.int8)),
        "well_residence": ("well", time),
        "well_occupancy": ("well", share),
        "switches": ((), stays.switches),
    }


def _barrier(flow: Flow, test: Metastability | None, surrogates: int) -> Variables:
    low, high = (np.nan, np.nan) if test is None else test.interval
    return {
        "barrier": ((), flow.barrier),
        "barrier_low": ((), low),
        "barrier_high": ((), high),
        "barrier_share": ((), 0.0 if test is None else test.share),
        "barrier_p": ((), np.nan if test is None or not surrogates else test.p),
        "metastable": ((), np.int8(test is not None and test.metastable)),
    }


def told_portrait(sources: Sources, read: Reading) -> Variables:
    """Tell the phase portrait of a two-dimensional latent.

    Args:
        sources: the latent, and what it is held against.
        read: its scale.

    Returns:
        Variables portrait_x (x), portrait_y (y), portrait_field and portrait_learned (x, y, axis), portrait_density and
        portrait_visited (x, y); fixed_position (fixed, axis), fixed_kind (fixed), fixed_eigenvalue (fixed, eigen, part:
        real and imaginary), fixed_direction (fixed, axis, eigen), fixed_share (of resampled recordings in which a
        saddle is there too; NaN of others); saddle_p, saddle_found, saddles_null (surrogate), how many each has.
    """
    portrait = estimate_portrait(sources.latents, sources.runs, sources.lag)
    nulls = [len(estimate_portrait(null, runs, sources.lag).saddles) for null, runs in sources.nulls]
    test = None
    if portrait.saddles:
        kwargs = {"n_surrogates": sources.surrogates, "seed": sources.seed}
        test = saddle_test(sources.latents, sources.runs, sources.lag, **kwargs)  # type: ignore[arg-type]  # two ints
    grid = portrait.grid
    learned = learned_steps(read, grid.reshape(-1, 2)).reshape(grid.shape)
    found: Variables = {
        "portrait_x": ("x", grid[:, 0, 0]),
        "portrait_y": ("y", grid[0, :, 1]),
        "portrait_field": (("x", "y", "axis"), portrait.field),
        "portrait_learned": (("x", "y", "axis"), np.where(portrait.visited[..., None], learned, np.nan)),
        "portrait_density": (("x", "y"), portrait.density),
        "portrait_visited": (("x", "y"), portrait.visited.astype(np.int8)),
        "saddles_null": ("surrogate_shown", np.array(nulls, dtype=np.int64)),
        "saddle_p": ((), np.nan if test is None or not sources.surrogates else test.p),
        "saddle_found": ((), np.int8(test is not None and test.found)),
    }
    return found | _points(portrait, test)


def _points(portrait: Portrait, test: SaddleTest | None) -> Variables:
    """Fixed points of the plane."""
    points, shares = portrait.points, iter([] if test is None else test.share.tolist())
    share = [next(shares, np.nan) if point.kind == "saddle" else np.nan for point in points]
    values = np.array([[[v.real, v.imag] for v in point.eigenvalues] for point in points])
    return {
        "fixed_position": (("fixed", "axis"), np.array([p.position for p in points]).reshape(-1, 2)),
        "fixed_kind": ("fixed", np.array([p.kind for p in points], dtype=str)),
        "fixed_eigenvalue": (("fixed", "eigen", "part"), values.reshape(-1, 2, 2)),
        "fixed_direction": (("fixed", "axis", "eigen"), np.array([p.directions for p in points]).reshape(-1, 2, 2)),
        "fixed_share": ("fixed", np.array(share, dtype=float)),
    }


def told_dynamics(reads: Mapping[int, tuple[Sources, Reading]]) -> Variables:
    """Tell the dynamics of the scales that can be drawn as a line (1) or in a plane (2).

    Args:
        reads: by the number of dimensions.
    """
    found: Variables = {}
    for dimensions, tell in ((1, told_flow), (2, told_portrait)):
        if dimensions in reads:
            found |= tell(*reads[dimensions])
    return found
