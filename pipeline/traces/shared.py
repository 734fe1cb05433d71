"""Units that are the same units in several recordings: one grouping of the neurons that are usable in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import POSITION
from pipeline.traces.clusters import Candidates, labels
from pipeline.traces.identity import Common, Held, common_neurons
from pipeline.traces.noise import noise_sd
from pipeline.traces.parameters import Ensembles

DEFAULT = Ensembles()
SAME_PLACE_MM = 1.0  # positions of one neuron in two recordings may differ by this, e.g. since the field was moved


@dataclass(frozen=True)
class SharedUnits:
    """Units of several recordings.

    Attributes:
        among: "subject" or "study", whose recordings share them.
        name: of that subject, or of the study.
        units: names of the units.
        label: unit (index) of each neuron that is used, by the neuron's name.
        left_out: neurons that some recordings have and not all can use.
        recordings: that share the units.
        method: how neurons were grouped.
        how: the same, and in which order units stand.
        seed: of k-means.
    """

    among: str
    name: str
    units: list[str]
    label: dict[str, int]
    left_out: list[str]
    recordings: list[str]
    method: str
    how: str
    seed: int

    def plain(self) -> dict[str, Any]:
        """Return the fields as plain values, of which `SharedUnits(**fields)` makes the same again."""
        return asdict(self)

    def told(self) -> dict[str, Any]:
        """Return what the history of a recording says of the units."""
        fields = {"among": self.among, "name": self.name, "n_ensembles": len(self.units), "method": self.method}
        return fields | {"grouping": self.how, "recordings": self.recordings, "seed": self.seed}


def share_units(
    recordings: Sequence[xr.Dataset],
    *,
    n_ensembles: int,
    method: str = DEFAULT.method,
    neurons: Sequence[str] | None = None,
    among: str = "subject",
    name: str = "",
    seed: int = 0,
) -> SharedUnits:
    """Group the neurons of several recordings into the same units.

    A neuron is the same neuron where it has the same name. Only neurons that carry a signal in every recording are
    used. By activity, they are grouped on the traces of all recordings one after the other, each z-scored within its
    recording, so that a session that is brighter than another counts no more.

    Args:
        recordings: preprocessed recordings (see `ensembles.group`).
        n_ensembles: number of units.
        method: "position", "activity", "region" or "none" (each neuron is a unit).
        neurons: names of the neurons to use; by default all that are usable in every recording.
        among: "subject" or "study", whose recordings these are.
        name: of that subject or study.
        seed: of k-means.

    Raises:
        PhiscaleError: neurons cannot be identified across the recordings, lie elsewhere or in other regions, or do
            not suffice.
    """
    where = f"{among} {name!r}"
    with threadpool_limits(limits=1):  # more threads would add up in another order
        held = [Held.by(one, noise_sd(one["dff"], one["dropped"].values) > 0) for one in recordings]
        common = common_neurons(where, held, neurons, n_ensembles)
        if method == "none" or len(common.neurons) == n_ensembles:
            label, how, units = np.arange(len(common.neurons)), "neuron by neuron", common.neurons
        else:
            label, how = labels(_candidates(where, recordings, common, method), n_ensembles, method, seed)
            units = [f"e{i}" for i in range(label.max() + 1)]
    return SharedUnits(
        among=among,
        name=name,
        units=list(units),
        label=_by_name(common.neurons, label),
        left_out=common.left_out,
        recordings=[one.recording for one in held],
        method=method,
        how=how,
        seed=seed,
    )


def _by_name(neurons: Sequence[str], label: Ints) -> dict[str, int]:
    return {name: int(unit) for name, unit in zip(neurons, label, strict=True) if unit >= 0}


def _candidates(where: str, recordings: Sequence[xr.Dataset], common: Common, method: str) -> Candidates:
    own = [one.sel(neuron=common.neurons) for one in recordings]
    activity = np.concatenate([_scores(one) for one in own]) if method == "activity" else None
    return Candidates(where, _positions(where, own, method), _regions(where, own, method), activity)


def _scores(recording: xr.Dataset) -> Floats:
    """Return (time, neuron) ΔF/F of a recording in standard deviations, NaN where it is missing."""
    values: Array = np.where(recording["dropped"].values[:, None], np.nan, recording["dff"].values.astype(float))
    values = np.ascontiguousarray(values)
    scores: Floats = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
    return scores


def _positions(where: str, recordings: Sequence[xr.Dataset], method: str) -> Floats:
    """Return the mean position (neuron, axis) over recordings that know it."""
    axes = [axis for axis in POSITION if all(axis in one.coords for one in recordings)]
    places = np.array([[one[axis].values for axis in axes] for one in recordings])  # (recording, axis, neuron)
    known = np.isfinite(places).all(axis=1).any(axis=0)
    mean = np.full(places.shape[1:], np.nan)
    mean[:, known] = np.nanmean(places[:, :, known], axis=0)
    if method == "position":
        spread = np.nanmax(np.abs(places - mean), axis=(0, 1), initial=0.0, where=np.isfinite(places))
        _refuse_others(where, recordings, spread > SAME_PLACE_MM, f"lie more than {SAME_PLACE_MM:g} mm apart")
    return np.ascontiguousarray(mean.T)


def _regions(where: str, recordings: Sequence[xr.Dataset], method: str) -> Array:
    regions = np.array([one["region"].values.astype(str) for one in recordings])
    if method == "region":
        _refuse_others(where, recordings, (regions != regions[0]).any(axis=0), "have different region labels")
    first: Array = regions[0]
    return first


def _refuse_others(where: str, recordings: Sequence[xr.Dataset], differ: Array, how: str) -> None:
    """Refuse neurons of one name that cannot be the same ones."""
    names = recordings[0]["neuron"].values.astype(str)[differ]
    if len(names):
        raise PhiscaleError(
            Problem(
                f"{where}, ensembles.grouping",
                f"{len(names)} neurons of one name {how} in its recordings ({', '.join(names[:8])})",
                "They are not the same neurons",
                "correct names or positions, or set ensembles.grouping to recording",
            )
        )
