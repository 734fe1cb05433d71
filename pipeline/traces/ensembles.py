"""Grouping of neurons into ensembles: one grouping per recording, the same for all its windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.linalg import eigh
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from pipeline.base import history
from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.traces.parameters import Ensembles

RESTARTS = 10
LEAST_SHARE = 0.5  # of an ensemble's neurons that must have a value in a frame
MAD_TO_SD = 1.4826
DEFAULT = Ensembles()


def group(
    preprocessed: xr.Dataset,
    *,
    n_ensembles: int,
    method: str = DEFAULT.method,
    neurons: Sequence[str] | None = None,
    seed: int = 0,
) -> xr.Dataset:
    """Group neurons into ensembles and average them.

    An ensemble's activity is the mean over its neurons of ΔF/F divided by the neuron's noise
    standard deviation (see `noise_sd`), over the neurons that have a value; a frame in which fewer
    than half of some ensemble's neurons have one is dropped. With no more neurons than ensembles
    wanted, or with method "none", each neuron is a unit under its own name, scaled likewise.

    Args:
        preprocessed: (time, neuron) `dff` and `dropped`, coords x, y [mm], region.
        n_ensembles: number of ensembles K. "region" gives one per region, at most K.
        method: "position" (k-means on x, y), "activity" (k-means on `correlation_embedding`),
            "region" (by label) or "none".
        neurons: names of the neurons to use, in this order; all by default.
        seed: of k-means.

    Returns:
        Dataset (time, ensemble) `activity`; (time) `dropped`; (neuron) `label` (-1: not used) and
        `noise_sd`; (ensemble) `n_neurons`, `centroid_x`, `centroid_y` [mm]. Ensembles are called
        "e0", "e1", ... in the order of their centroids (x, then y), or of their first neurons
        where positions are unknown, or of the regions' names.

    Raises:
        PhiscaleError: neurons that do not exist or carry no signal; positions, regions or neurons
            that do not suffice for K ensembles.
    """
    # More threads would add up in another order. What is loaded later than here would not be limited.
    with threadpool_limits(limits=1):
        used = _used_neurons(preprocessed, neurons)
        noise = noise_sd(preprocessed["dff"].values, preprocessed["dropped"].values)
        used = _with_signal(preprocessed, used, noise, chosen=neurons is not None)
        names = preprocessed["neuron"].values.astype(str)
        if method == "none" or len(used) <= n_ensembles:
            label = np.full(len(names), -1)
            label[used] = np.arange(len(used))
            units, ordering = list(names[used]), "neuron by neuron"
        else:
            label, ordering = _labels(preprocessed, used, n_ensembles, method, seed)
            units = [f"e{i}" for i in range(label.max() + 1)]
        dataset = _average(preprocessed, label, noise, units)
    return history.record(
        dataset,
        "ensembles.group",
        n_ensembles=n_ensembles,
        method=method,
        neurons=None if neurons is None else list(neurons),
        seed=seed,
        grouping=ordering,
        neurons_not_used=[str(name) for name in names[label < 0]],
    )


def noise_sd(dff: Array, dropped: Bools) -> Floats:
    """Return the robust noise sd (neuron,) of ΔF/F, from frame to frame.

    1.4826 × median |difference of consecutive frames| / sqrt(2): transients, which are slow or
    rare, hardly count. Denoised traces, most differences of which are 0, get their sd instead; NaN
    means that a neuron has no two consecutive values.

    Args:
        dff: (time, neuron) ΔF/F.
        dropped: (time,) frames that do not count.
    """
    keep = ~dropped[1:] & ~dropped[:-1]
    steps = np.abs(np.diff(dff.astype(float), axis=0))[keep]
    result = np.full(dff.shape[1], np.nan)
    for i, column in enumerate(steps.T):
        known = column[np.isfinite(column)]
        if known.size:
            noise = MAD_TO_SD * np.median(known) / np.sqrt(2)
            result[i] = noise if noise > 0 else np.nanstd(dff[~dropped, i], dtype=float)
    return result


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


def _used_neurons(preprocessed: xr.Dataset, neurons: Sequence[str] | None) -> Ints:
    """Return the indices of the neurons to use, in the order asked for."""
    names = [str(name) for name in preprocessed["neuron"].values]
    if neurons is None:
        return np.arange(len(names))
    wanted = [str(name) for name in neurons]
    unknown = [name for name in wanted if name not in names]
    twice = sorted({name for name in wanted if wanted.count(name) > 1})
    problems = Problems()
    where = f"recording {preprocessed.attrs['recording']!r}, ensembles.neurons"
    if unknown:
        held = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        problems.add(
            where,
            f"names {', '.join(unknown)}, which this recording does not have (it has {held})",
            "Other neurons would be compared with those of the other sessions",
            "choose neurons that every recording of this subject has",
        )
    if twice:
        problems.add(where, f"names {', '.join(twice)} more than once", fix="name each once")
    problems.raise_if_any()
    return np.array([names.index(name) for name in wanted], dtype=int)


def _with_signal(preprocessed: xr.Dataset, used: Ints, noise: Floats, chosen: bool) -> Ints:
    """Leave out neurons that are constant or have no values; chosen ones must not be so."""
    silent = ~(noise[used] > 0)
    if (silent.any() and chosen) or silent.all():
        names = ", ".join(preprocessed["neuron"].values.astype(str)[used[silent]][:10])
        raise PhiscaleError(
            Problem(
                f"recording {preprocessed.attrs['recording']!r}",
                f"{int(silent.sum())} of the {len(used)} neurons to use are constant or have no "
                f"consecutive values ({names})",
                "They have no states",
                "choose other neurons (ensembles.neurons)",
            )
        )
    return used[~silent]


def _labels(preprocessed: xr.Dataset, used: Ints, n_ensembles: int, method: str, seed: int) -> tuple[Ints, str]:
    """Return the ensemble of every neuron (-1: none) and how ensembles were made and ordered."""
    if method == "region":
        return _by_region(preprocessed, used, n_ensembles)
    if method == "position":
        xy = np.column_stack([preprocessed["x"].values, preprocessed["y"].values])
        used = used[np.isfinite(xy[used]).all(axis=1)]
        return _by_k_means(preprocessed, used, xy[used], n_ensembles, seed, "position")
    if method == "activity":
        dff = np.ascontiguousarray(preprocessed["dff"].values)
        dff = np.where(preprocessed["dropped"].values[:, None], np.nan, dff)
        points = correlation_embedding(dff[:, used].astype(float), n_ensembles)
        how = "the leading eigenvectors of the correlation matrix"
        return _by_k_means(preprocessed, used, points, n_ensembles, seed, how)
    raise PhiscaleError(
        Problem(
            "ensembles.method",
            f"{method!r} is none of position, activity, region, none",
            "Neurons cannot be grouped by it",
            "choose one of them",
        )
    )


def _by_region(preprocessed: xr.Dataset, used: Ints, n_ensembles: int) -> tuple[Ints, str]:
    region = preprocessed["region"].values.astype(str)
    used = used[region[used] != ""]
    found = sorted(set(region[used]))
    if not 2 <= len(found) <= n_ensembles:
        raise _too_few(
            preprocessed,
            f"ensembles.method is region, and the neurons lie in {len(found)} regions "
            f"({', '.join(found[:12])}) for {n_ensembles} ensembles",
            "give the neurons' regions, choose another method, or as many units as regions",
        )
    label = np.full(len(region), -1)
    label[used] = [found.index(name) for name in region[used]]
    return label, f"by region, in the order {', '.join(found)}"


def _by_k_means(
    preprocessed: xr.Dataset, used: Ints, points: Floats, n_ensembles: int, seed: int, on: str
) -> tuple[Ints, str]:
    """Group the neurons in use by `points` (neuron in use, dimension)."""
    distinct = len(np.unique(points, axis=0))
    if distinct < n_ensembles:
        raise _too_few(
            preprocessed,
            f"{distinct} distinct {'positions' if on == 'position' else 'traces'} for {n_ensembles} ensembles",
            "give positions of the neurons (mm), choose another ensembles.method, or fewer units",
        )
    found = KMeans(n_ensembles, n_init=RESTARTS, random_state=seed % 2**32).fit_predict(points)
    x, y = preprocessed["x"].values[used], preprocessed["y"].values[used]
    first = [int(used[found == k].min()) for k in range(n_ensembles)]
    centroid = [(x[found == k].mean(), y[found == k].mean()) for k in range(n_ensembles)]
    located = np.isfinite(centroid).all()
    order = sorted(range(n_ensembles), key=lambda k: (*centroid[k], first[k]) if located else first[k])
    label = np.full(preprocessed.sizes["neuron"], -1)
    label[used] = np.argsort(order)[found]
    return label, f"k-means on {on}, in the order of {'centroids' if located else 'first neurons'}"


def _too_few(preprocessed: xr.Dataset, what: str, fix: str) -> PhiscaleError:
    where = f"recording {preprocessed.attrs['recording']!r}"
    return PhiscaleError(Problem(where, what, "The ensembles cannot be formed", fix))


def _average(preprocessed: xr.Dataset, label: Ints, noise: Floats, units: list[str]) -> xr.Dataset:
    """Return the dataset of ensembles that the labels define."""
    lost = preprocessed["dropped"].values
    dff = np.ascontiguousarray(preprocessed["dff"].values)  # sums depend on the layout otherwise
    scaled = np.where(lost[:, None], np.nan, dff / np.where(noise > 0, noise, np.nan))
    known = np.isfinite(scaled)
    members = label[:, None] == np.arange(len(units))  # (neuron, ensemble)
    n_neurons = members.sum(axis=0)
    count = known.astype(float) @ members
    total = np.where(known, scaled, 0.0) @ members
    dropped = (count < LEAST_SHARE * n_neurons).any(axis=1)
    activity = np.where(dropped[:, None], np.nan, total / np.where(count > 0, count, 1.0))
    what = "mean over neurons of ΔF/F in units of the neuron's noise sd"
    x, y = preprocessed["x"].values, preprocessed["y"].values
    return xr.Dataset(
        {
            "activity": (("time", "ensemble"), activity, _about(what)),
            "dropped": ("time", dropped, preprocessed["dropped"].attrs),
            "label": ("neuron", label, _about("index of the neuron's ensemble, -1: not used")),
            "noise_sd": ("neuron", noise, _about("noise sd of ΔF/F from frame to frame", "dF/F")),
            "n_neurons": ("ensemble", n_neurons, _about("neurons in the ensemble")),
            "centroid_x": ("ensemble", _means(x, members), _about("centroid, first axis", "mm")),
            "centroid_y": ("ensemble", _means(y, members), _about("centroid, second axis", "mm")),
        },
        coords={
            **{name: preprocessed[name] for name in ("time", "neuron", "x", "y", "region")},
            "ensemble": ("ensemble", np.array(units, str), _about("ensemble, or neuron where it is one")),
        },
        attrs=preprocessed.attrs,
    )


def _about(long_name: str, units: str = "1") -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _means(position: Floats, members: Bools) -> Floats:
    """Return the mean position of each ensemble's neurons, NaN when one is unknown."""
    return np.array([position[column].mean() for column in members.T])
