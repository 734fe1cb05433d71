"""From neurons to ensembles: a recording's own grouping for all its windows, or one that recordings share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from pipeline.base import history
from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.base.files import CHUNK
from pipeline.base.recording import PLACES
from pipeline.traces.clusters import Candidates, labels
from pipeline.traces.noise import noise_sd
from pipeline.traces.parameters import Ensembles
from pipeline.traces.shared import SharedUnits

BLOCK = 2**24  # values (frames × neurons) that are worked on at once
LEAST_SHARE = 0.5  # of an ensemble's neurons that must have a value in a frame
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
        preprocessed: (time, neuron) `dff` and `dropped`, coords x, y, perhaps z [mm], region.
        n_ensembles: number of ensembles K. "region" gives one per region, at most K.
        method: "position" (k-means on x, y, z), "activity" (k-means on `correlation_embedding`),
            "region" (by label) or "none".
        neurons: names of the neurons to use, in this order; all by default.
        seed: of k-means.

    Returns:
        Dataset (time, ensemble) `activity`; (time) `dropped`; (neuron) `label` (-1: not used) and
        `noise_sd`; (ensemble) `n_neurons`, `centroid_x`, `centroid_y` [mm]. Ensembles are called
        "e0", "e1", ... in the order of their centroids (x, then y, z), or of their first neurons
        where positions are unknown, or of the regions' names.

    Raises:
        PhiscaleError: neurons that do not exist or carry no signal; positions, regions or neurons
            that do not suffice for K ensembles.
    """
    # More threads would add up in another order. What is loaded later than here would not be limited.
    with threadpool_limits(limits=1):
        used = _used_neurons(preprocessed, neurons)
        noise = noise_sd(preprocessed["dff"], preprocessed["dropped"].values)
        used = _with_signal(preprocessed, used, noise, chosen=neurons is not None)
        names = preprocessed["neuron"].values.astype(str)
        if method == "none" or len(used) <= n_ensembles:
            label = np.full(len(names), -1)
            label[used] = np.arange(len(used))
            units, ordering = list(names[used]), "neuron by neuron"
        else:
            label = np.full(len(names), -1)
            label[used], ordering = labels(Candidates.of(preprocessed, used, method), n_ensembles, method, seed)
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


def group_as(preprocessed: xr.Dataset, shared: SharedUnits) -> xr.Dataset:
    """Average the neurons of a recording in units that it shares with others.

    Args:
        preprocessed: as for `group`; one of the recordings that the units were made of.
        shared: the units.

    Returns:
        As `group`; neurons that are not usable in every recording have the label -1. Attrs besides: `units_shared`
        ("subject" or "study": among whose recordings), `neurons_not_shared` (how many are left out since not every
        recording has them) and, where there are such, `units_flag`.
    """
    with threadpool_limits(limits=1):
        names = [str(name) for name in preprocessed["neuron"].values]
        label = np.array([shared.label.get(name, -1) for name in names])
        noise = noise_sd(preprocessed["dff"], preprocessed["dropped"].values)
        dataset = _average(preprocessed, label, noise, shared.units)
    lost = len(shared.left_out)
    dataset = dataset.assign_attrs(units_shared=shared.among, neurons_not_shared=lost)
    if lost:
        dataset = dataset.assign_attrs(units_flag=f"neurons_not_shared:{lost}")
    return history.record(dataset, "ensembles.group_as", **shared.told(), neurons_not_used=shared.left_out)


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


def _average(preprocessed: xr.Dataset, label: Ints, noise: Floats, units: list[str]) -> xr.Dataset:
    """Return the dataset of ensembles that the labels define."""
    members = label[:, None] == np.arange(len(units))  # (neuron, ensemble)
    n_neurons = members.sum(axis=0)
    n_frames, n = preprocessed.sizes["time"], max(preprocessed.sizes["neuron"], 1)
    dropped, activity = np.zeros(n_frames, bool), np.empty((n_frames, len(units)))
    step = max(BLOCK // n // CHUNK[0], 1) * CHUNK[0]
    for first in range(0, n_frames, step):
        frames = slice(first, first + step)
        total, count = _sums(preprocessed.isel(time=frames), noise, members)
        dropped[frames] = (count < LEAST_SHARE * n_neurons).any(axis=1)
        activity[frames] = total / np.where(count > 0, count, 1.0)
    activity[dropped] = np.nan
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
            **{name: preprocessed[name] for name in ("time", *PLACES) if name in preprocessed.coords},
            "ensemble": ("ensemble", np.array(units, str), _about("ensemble, or neuron where it is one")),
        },
        attrs=preprocessed.attrs,
    )


def _sums(preprocessed: xr.Dataset, noise: Floats, members: Bools) -> tuple[Floats, Floats]:
    """Return the sum of what the neurons of each ensemble do, and of how many (frame, ensemble)."""
    lost = preprocessed["dropped"].values
    dff = np.ascontiguousarray(preprocessed["dff"].values)  # sums depend on the layout otherwise
    scaled = np.where(lost[:, None], np.nan, dff / np.where(noise > 0, noise, np.nan))
    known = np.isfinite(scaled)
    return np.where(known, scaled, 0.0) @ members, known.astype(float) @ members


def _about(long_name: str, units: str = "1") -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _means(position: Floats, members: Bools) -> Floats:
    """Return the mean position of each ensemble's neurons, NaN when one is unknown."""
    return np.array([position[column].mean() for column in members.T])
