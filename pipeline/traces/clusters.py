"""Which neurons form which ensemble: by position, by activity or by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.linalg import eigh
from sklearn.cluster import KMeans

from pipeline.base.arrays import Array, Floats, Ints, Strings
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import POSITION

RESTARTS = 10


@dataclass(frozen=True)
class Candidates:
    """Neurons that are to be grouped, in one recording or in several.

    Attributes:
        where: what messages call them.
        position: (neuron, axis) [mm], NaN where it is unknown.
        region: (neuron,) label, "" where it is unknown.
        dff: (time, neuron) activity, NaN where it is missing; None where it is not grouped by.
    """

    where: str
    position: Floats
    region: Strings
    dff: Array | None

    @classmethod
    def of(cls, preprocessed: xr.Dataset, used: Ints, method: str) -> Candidates:
        """Return the neurons `used` (indices) of a recording; with traces where the method groups by them."""
        dff = None
        if method == "activity":
            whole = np.ascontiguousarray(preprocessed["dff"].values)
            dff = np.where(preprocessed["dropped"].values[:, None], np.nan, whole)[:, used]
        return cls(
            f"recording {preprocessed.attrs['recording']!r}",
            positions(preprocessed)[used],
            preprocessed["region"].values.astype(str)[used],
            dff,
        )


def positions(preprocessed: xr.Dataset) -> Floats:
    """Return (neuron, axis) positions [mm] along as many axes as the recording has."""
    axes = [name for name in POSITION if name in preprocessed.coords]
    return np.column_stack([preprocessed[name].values for name in axes])


def labels(neurons: Candidates, n_ensembles: int, method: str, seed: int) -> tuple[Ints, str]:
    """Return the ensemble of every neuron (-1: none), and how ensembles were made and ordered.

    Args:
        neurons: that are to be grouped.
        n_ensembles: number of ensembles; "region" gives one per region, at most so many.
        method: "position", "activity" or "region".
        seed: of k-means.

    Raises:
        PhiscaleError: there is no such method; positions, regions or traces that do not suffice.
    """
    if method == "region":
        return _by_region(neurons, n_ensembles)
    if method == "position":
        placed = np.flatnonzero(np.isfinite(neurons.position).all(axis=1))
        return _by_k_means(neurons, placed, neurons.position[placed], n_ensembles, seed, "position")
    if method == "activity":
        assert neurons.dff is not None
        points = correlation_embedding(neurons.dff.astype(float), n_ensembles)
        how = "the leading eigenvectors of the correlation matrix"
        return _by_k_means(neurons, np.arange(len(points)), points, n_ensembles, seed, how)
    raise PhiscaleError(
        Problem(
            "ensembles.method",
            f"{method!r} is none of position, activity, region, none",
            "Neurons cannot be grouped by it",
            "choose one of them",
        )
    )


def correlation_embedding(dff: Floats, n_dims: int) -> Floats:
    """Return coordinates of neurons in which distance means lack of correlation.

    The rows of V sqrt(Λ) for the largest eigenvalues Λ of the correlation matrix R: in all
    dimensions, squared distances would be 2 (1 - r), so that k-means groups neurons whose traces
    correlate. Cutting it to as many dimensions as ensembles leaves out the noise of single neurons,
    which otherwise makes all distances alike.

    Args:
        dff: (time, neuron) ΔF/F; NaN are left out pairwise.
        n_dims: number of coordinates.

    Returns:
        (neuron, n_dims) coordinates.
    """
    known = np.isfinite(dff)
    n = known.sum(axis=0)
    centred = np.where(known, dff - np.nansum(dff, axis=0) / n, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / n)
    scores = centred / np.where(spread > 0, spread, 1.0)
    counts = known.T.astype(float) @ known
    correlation = (scores.T @ scores) / np.where(counts > 0, counts, 1.0)
    last = len(correlation) - 1
    values, vectors = eigh(correlation, subset_by_index=(max(0, last - n_dims + 1), last))
    coordinates: Floats = vectors * np.sqrt(values.clip(0))
    return coordinates


def _by_region(neurons: Candidates, n_ensembles: int) -> tuple[Ints, str]:
    region = neurons.region
    found = sorted(set(region) - {""})
    if not 2 <= len(found) <= n_ensembles:
        raise _too_few(
            neurons.where,
            f"ensembles.method is region, and the neurons lie in {len(found)} regions "
            f"({', '.join(found[:12])}) for {n_ensembles} ensembles",
            "give the neurons' regions, choose another method, or as many units as regions",
        )
    label = np.array([found.index(name) if name else -1 for name in region], dtype=int)
    return label, f"by region, in the order {', '.join(found)}"


def _by_k_means(
    neurons: Candidates, used: Ints, points: Floats, n_ensembles: int, seed: int, on: str
) -> tuple[Ints, str]:
    """Group the neurons in use by `points` (neuron in use, dimension)."""
    distinct = len(np.unique(points, axis=0))
    if distinct < n_ensembles:
        raise _too_few(
            neurons.where,
            f"{distinct} distinct {'positions' if on == 'position' else 'traces'} for {n_ensembles} ensembles",
            "give positions of the neurons (mm), choose another ensembles.method, or fewer units",
        )
    found = KMeans(n_ensembles, n_init=RESTARTS, random_state=seed % 2**32).fit_predict(points)
    order, located = _order(neurons, used, found, n_ensembles)
    label = np.full(len(neurons.position), -1)
    label[used] = np.argsort(order)[found]
    return label, f"k-means on {on}, in the order of {'centroids' if located else 'first neurons'}"


def _order(neurons: Candidates, used: Ints, found: Ints, n_ensembles: int) -> tuple[Sequence[int], bool]:
    """Return the clusters in the order of their centroids, or of their first neurons where these are unknown."""
    place = neurons.position[used]
    first = [int(used[found == k].min()) for k in range(n_ensembles)]
    centroid = [tuple(axis.mean() for axis in place[found == k].T) for k in range(n_ensembles)]
    located = bool(np.isfinite(centroid).all())
    order = sorted(range(n_ensembles), key=lambda k: (*centroid[k], first[k]) if located else (first[k],))
    return order, located


def _too_few(where: str, what: str, fix: str) -> PhiscaleError:
    return PhiscaleError(Problem(where, what, "The ensembles cannot be formed", fix))
