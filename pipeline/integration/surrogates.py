"""Integrated information of surrogates: what the same estimation gives where something is absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.parameters import filled
from pipeline.base.raster import encode, raster
from pipeline.base.seeds import derive
from pipeline.integration import batch as measures
from pipeline.integration.parameters import Iit
from pipeline.macro.groupings import EXHAUSTIVE_UNITS, Grouping, exhaustive
from pipeline.macro.parameters import MAPPINGS
from pipeline.nulls.draw import draw
from pipeline.nulls.drawn import LEFT_OUT, Surrogates
from pipeline.nulls.parameters import KIND, SURROGATES, UNFOLDED
from pipeline.nulls.registry import NULLS, RANDOM_GROUPING
from pipeline.nulls.shift import Shift, least_shift
from pipeline.results.measures import MEASURES, OF_SURROGATES
from pipeline.tpm.estimation import estimated_with, point_estimates

if TYPE_CHECKING:
    from pipeline.nulls.traces import Traces

OF_STRUCTURES = tuple(name for name in OF_SURROGATES if MEASURES[name].unfolded)


@dataclass(frozen=True)
class Family:
    """Surrogates of one null.

    Attributes:
        name: of the null.
        p_on: (surrogate, state, unit) their TPMs.
        visits: (surrogate, state) frames in each state.
        flag: word of warning, or "".
    """

    name: str
    p_on: Floats
    visits: Array
    flag: str = ""


@dataclass(frozen=True)
class Source:
    """What the surrogates of one window are made of.

    Attributes:
        states: the states dataset of this window alone.
        tpm: the unit or macro TPM that the surrogates are to be compared with.
        traces: activity of the recording, for nulls that act on traces.
        mappings: state mappings allowed to macro units.
        seed: fixes the surrogates of states.
    """

    states: xr.Dataset
    tpm: xr.Dataset
    traces: Traces | None
    mappings: Sequence[str]
    seed: int

    def draw(self, kind: str, n: int) -> tuple[Surrogates, int]:
        """Return the surrogates of a null that can be used, and how many of `n` cannot.

        A unit that varies in the data but is never, or always, ON in a surrogate has no mechanism there: phi would
        be low for want of data, not for want of interaction.

        Args:
            kind: name of the null.
            n: how many are drawn.

        Raises:
            PhiscaleError: no known kind, or one that is drawn of activity, which was not given.
        """
        if NULLS.choose(kind).acts_on == "states":
            found = draw_of_paths(self.states, self.tpm, kind, n, self.seed)
        else:
            found = self._traces(kind).surrogates(kind, n, str(self.tpm.attrs["window"]))
        seen = self.tpm["paths"].values[-1] if "paths" in self.tpm else raster(self.states, None)[0]
        varies = np.ptp(seen, axis=0) > 0
        changes: Bools = np.asarray(found.values.any(axis=1) & ~found.values.all(axis=1))
        usable: Bools = np.asarray(changes[:, varies].all(axis=1))
        runs = found.runs if found.runs.ndim == 1 else found.runs[usable]
        return Surrogates(found.values[usable], runs), n - int(usable.sum())

    def _traces(self, kind: str) -> Traces:
        if self.traces is None:
            raise PhiscaleError(
                Problem(
                    "nulls.kinds",
                    f"{kind!r} is drawn of the units' activity, which was not given",
                    "There is nothing to draw it of",
                    "give traces=pipeline.nulls.Traces(activity, windows, binarize), or choose a null of states",
                )
            )
        return self.traces


def draw_of_paths(states: xr.Dataset, tpm: xr.Dataset, kind: str, n: int, seed: int) -> Surrogates:
    """Draw surrogates of states; of the paths drawn with the TPM where its states were hidden, in turn.

    Args:
        states: the states dataset of one window.
        tpm: its TPM; `paths` (path, frame, unit) in it are draws of the hidden states.
        kind: of null.
        n: how many.
        seed: fixes them.
    """
    if "paths" not in tpm:
        return draw(states, kind=kind, n=n, seed=seed)
    paths: Ints = tpm["paths"].values
    _, runs, _, _ = raster(states, None)
    each = -(-n // len(paths))
    drawn = [draw(path, kind, each, derive(seed, "path", i), runs) for i, path in enumerate(paths)]
    values = np.stack([d.values for d in drawn], axis=1).reshape(-1, *paths.shape[1:])[:n]
    if drawn[0].runs.ndim == 1:
        return Surrogates(values, drawn[0].runs)
    return Surrogates(values, np.stack([d.runs for d in drawn], axis=1).reshape(-1, *paths.shape[1:])[:n])


def integrate_nulls(
    states: xr.Dataset,
    tpm: xr.Dataset,
    *,
    window: str | None = None,
    kinds: Sequence[str] = (KIND,),
    surrogates: int = SURROGATES,
    big_phi_surrogates: int = UNFOLDED,
    mappings: Sequence[str] = MAPPINGS,
    traces: Traces | None = None,
    threads: int = 1,
    seed: int = 0,
    **iit: Any,
) -> xr.Dataset:
    """Compute the measures of `integration.integrate` for surrogates of one window at one scale.

    A macro scale is learned anew on every surrogate, by exhaustive search for up to 6 units (the surrogate's best
    grouping, so the null is, if anything, strict); with more units the data's grouping is kept, and the attribute
    `macro_surrogates` says which. Macro scales have one family more, `random_grouping`: the matched random groupings
    stored with the TPM, applied to the data.

    Args:
        states: binary states that `tpm` was estimated from.
        tpm: unit or macro TPM; estimator, lag and the estimator's parameters are taken from it, so that each
            surrogate is estimated as the data were.
        window: which of the windows in `states`; by default they hold one.
        kinds: null families (`pipeline.nulls.NULLS`).
        surrogates: how many of each.
        big_phi_surrogates: how many of them are unfolded (the first ones).
        mappings: state mappings allowed to macro units, as in `macro.coarse_grain`.
        traces: activity of the recording, its windows and how it was binarized; needed by nulls that act on traces.
            Given the same one, all windows and scales of a recording share what was drawn.
        threads: of the exact engine; the numbers do not depend on it.
        seed: fixes the surrogates of states.
        **iit: fields of the section `iit`.

    Returns:
        `value` (null, surrogate, measure), NaN where not computed: each surrogate's mean over its visited states,
        weighted with its own occupancy; coord `flag` (null): short_shift, surrogates_left_out:N, or "".

    Raises:
        PhiscaleError: an unknown null, one that acts on traces without any, a parameter that `iit` does not have.
    """
    options = filled(Iit, iit, "iit")
    inside = states if window is None else _select(states, window)
    families = list(_families(Source(inside, tpm, traces, mappings, seed), kinds, surrogates))
    value = np.full((len(families), max((len(f.p_on) for f in families), default=0), len(OF_SURROGATES)), np.nan)
    for i, family in enumerate(families):
        found = _measures(family, options, big_phi_surrogates, threads)
        for j, name in enumerate(OF_SURROGATES):
            if name in found:
                value[i, : len(found[name]), j] = found[name]
    about = {
        "units": "see measure_units",
        "long_name": "mean over the surrogate's states, weighted with its own occupancy",
    }
    dataset = xr.Dataset(
        {"value": (("null", "surrogate", "measure"), value, about)},
        coords={
            "null": ("null", np.array([f.name for f in families], dtype=str)),
            "flag": ("null", np.array([f.flag for f in families], dtype=str)),
            "measure": ("measure", list(OF_SURROGATES)),
            "measure_units": ("measure", [MEASURES[name].unit for name in OF_SURROGATES]),
        },
        attrs=tpm.attrs,
    ).assign_attrs(_notes(inside, tpm, kinds))
    return record(
        dataset,
        "integration.integrate_nulls",
        window=window,
        kinds=list(kinds),
        surrogates=surrogates,
        big_phi_surrogates=big_phi_surrogates,
        mappings=list(mappings),
        seed=seed,
        traces_seed=None if traces is None else traces.seed,
        **options.model_dump(include={"formalism", "big_phi_max_units", "min_visits", "complex_max_units"}),
    )


def _select(states: xr.Dataset, window: str) -> xr.Dataset:
    """Frames of one window."""
    return states.isel(frame=np.flatnonzero(states["window"].values.astype(str) == window))


def _families(source: Source, kinds: Sequence[str], n: int) -> Iterator[Family]:
    for kind in kinds if n else ():
        yield _family(source, kind, n)
    if "group" in source.tpm:
        yield _random_groupings(source)


def _family(source: Source, kind: str, n: int) -> Family:
    """Surrogates of one null, estimated as the data were, at the scale of the data's TPM."""
    tpm = source.tpm
    drawn, left_out = source.draw(kind, n)
    words = [f"{word}:{left_out}" for word in LEFT_OUT if left_out]
    if kind == Shift.name and least_shift(source.states).short:
        words += Shift.flags
    flag = ";".join(words)
    if not len(drawn.values):
        return Family(kind, np.empty((0, *tpm["p_on"].shape)), np.empty((0, tpm.sizes["state"])), flag)
    p_on = point_estimates(drawn.values, segments=drawn.runs, **estimated_with(tpm))
    visits = _visits(drawn.values)
    if "group" not in tpm:
        return Family(kind, p_on, visits, flag)
    groupings = _groupings(p_on, tpm, source.mappings)
    return Family(
        kind,
        np.stack([g.macro_p_on(p) for g, p in zip(groupings, p_on, strict=True)]),
        np.stack([_image(v, g) for g, v in zip(groupings, visits, strict=True)]),
        flag,
    )


def _random_groupings(source: Source) -> Family:
    """The data under the random groupings that are stored with its macro TPM."""
    tpm = source.tpm
    others = [
        Grouping(tuple(map(int, group)), tuple(map(str, mapping)))
        for group, mapping in zip(tpm["random_group"].values, tpm["random_mapping"].values, strict=True)
    ]
    micro = _visits(raster(source.states, None)[0][None])[0]
    visits = np.array([_image(micro, g) for g in others]).reshape(-1, tpm.sizes["state"])
    return Family(RANDOM_GROUPING.name, tpm["random_p_on"].values, visits)


def _groupings(p_on: Floats, tpm: xr.Dataset, mappings: Sequence[str]) -> list[Grouping]:
    """The grouping of each surrogate's micro TPM: its best, or the data's beyond six units."""
    if p_on.shape[-1] <= EXHAUSTIVE_UNITS:
        return exhaustive(p_on, tpm.sizes["unit"], mappings)
    kept = Grouping(tuple(map(int, tpm["group"].values)), tuple(map(str, tpm["mapping"].values)))
    return [kept] * len(p_on)


def _visits(rasters: Array) -> Ints:
    """Frames in each joint state, (raster, state), of rasters (raster, frame, unit)."""
    n_states = 2 ** rasters.shape[-1]
    return np.stack([np.bincount(code, minlength=n_states) for code in encode(rasters)])


def _image(visits: Ints, grouping: Grouping) -> Array:
    """Frames in each macro state."""
    n_states = 2 ** len(grouping.mapping)
    return np.bincount(grouping.macro_state(), weights=visits, minlength=n_states)


def _measures(family: Family, options: Iit, n_big: int, threads: int) -> dict[str, Floats]:
    """State-weighted measures of every surrogate of a family, (surrogate,)."""
    all_weights = np.where(family.visits >= options.min_visits, family.visits, 0)
    if not len(all_weights):
        return {}
    chosen = np.flatnonzero(all_weights.any(axis=0))
    weights, n_units = all_weights[:, chosen], family.p_on.shape[-1]

    def mean(values: Floats) -> Floats:
        total = weights[: len(values)].sum(axis=1)
        summed = (values * weights[: len(values)]).sum(axis=1)
        averaged: Floats = np.divide(summed, total, out=np.full(len(values), np.nan), where=total > 0)
        return averaged

    found = {"phi_s": mean(measures.system_phi(family.p_on, chosen, None, threads, options.formalism))}
    if n_units <= options.complex_max_units:
        found["phi_s_complex"] = mean(measures.first_complexes(family.p_on, chosen, threads, options.formalism)[0])
    if n_big and n_units <= options.big_phi_max_units:
        whole = measures.structures(family.p_on[:n_big], chosen, None, threads, options.formalism)
        found |= {name: mean(whole[name]) for name in OF_STRUCTURES}
    return found | measures.causal_measures(family.p_on)


def _notes(states: xr.Dataset, tpm: xr.Dataset, kinds: Sequence[str]) -> dict[str, Any]:
    """Attributes that say how the surrogates were made."""
    notes: dict[str, Any] = {}
    if Shift.name in kinds:
        shift = least_shift(states)
        notes["shift_least_frames"] = int(shift.gap)
        notes["autocorrelation_time_frames"] = int(shift.autocorrelation_time)
    if "group" in tpm:
        anew = tpm.sizes["micro_unit"] <= EXHAUSTIVE_UNITS
        notes["macro_surrogates"] = "grouping learned anew on each surrogate, exhaustively" if anew else "grouping kept"
    return notes
