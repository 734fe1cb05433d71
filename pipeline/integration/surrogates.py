"""Integrated information of surrogates: what the same estimation gives where something is absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.parameters import filled
from pipeline.base.raster import encode, raster
from pipeline.base.seeds import derive
from pipeline.integration.batch import causal_measures, window_measures
from pipeline.integration.crossfit import GAIN, averaged
from pipeline.integration.parameters import Iit
from pipeline.macro.crossfit import half_frames, search
from pipeline.macro.groupings import Grouping
from pipeline.macro.objectives import objective_of
from pipeline.macro.parameters import MAPPINGS
from pipeline.nulls.draw import draw
from pipeline.nulls.drawn import LEFT_OUT, Surrogates
from pipeline.nulls.integration import Integration
from pipeline.nulls.interaction import Interaction, least_shift
from pipeline.nulls.parameters import KINDS, SURROGATES, UNFOLDED
from pipeline.nulls.registry import NULLS, RANDOM_GROUPING
from pipeline.results.measures import MEASURES, OF_SURROGATES
from pipeline.tpm.estimation import estimated_with, point_estimates

if TYPE_CHECKING:
    from pipeline.integration.measured import Measured
    from pipeline.nulls.traces import Traces


@dataclass(frozen=True)
class Family:
    """Surrogates of one null.

    Attributes:
        name: of the null.
        parts: what is measured, and then averaged: the surrogates, or both halves of them where macro units are
            cross-fitted.
        flag: word of warning, or "".
    """

    name: str
    parts: tuple[OfSurrogates, ...]
    flag: str = ""

    @property
    def size(self) -> int:
        """Number of surrogates."""
        return len(self.parts[0].p_on)


class OfSurrogates(NamedTuple):
    """Surrogates, or one half of each.

    Attributes:
        p_on: (surrogate, state, unit) their TPMs.
        visits: (surrogate, state) frames in each state.
        micro: (surrogate, micro state, micro unit) those that macro TPMs are derived from.
    """

    p_on: Floats
    visits: Array
    micro: Floats | None = None


@dataclass(frozen=True)
class Source:
    """What the surrogates of one window are made of.

    Attributes:
        states: the states dataset of this window alone.
        tpm: the unit or macro TPM that the surrogates are to be compared with.
        traces: activity of the recording, for nulls that act on traces.
        mappings: state mappings allowed to macro units.
        seed: fixes the surrogates of states.
        measured: reducible models of the recording, where its states are hidden.
    """

    states: xr.Dataset
    tpm: xr.Dataset
    traces: Traces | None
    mappings: Sequence[str]
    seed: int
    measured: Measured | None = None

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
    lag = int(tpm.attrs["lag"])
    if "paths" not in tpm:
        return draw(states, kind=kind, n=n, seed=seed, lag=lag)
    paths: Ints = tpm["paths"].values
    _, runs, _, _ = raster(states, None)
    each = -(-n // len(paths))
    drawn = [draw(path, kind, each, derive(seed, "path", i), runs, lag) for i, path in enumerate(paths)]
    values = np.stack([d.values for d in drawn], axis=1).reshape(-1, *paths.shape[1:])[:n]
    if drawn[0].runs.ndim == 1:
        return Surrogates(values, drawn[0].runs)
    return Surrogates(values, np.stack([d.runs for d in drawn], axis=1).reshape(-1, *paths.shape[1:])[:n])


def integrate_nulls(  # noqa: PLR0913 (what surrogates are made of, how many, and how they are measured)
    states: xr.Dataset,
    tpm: xr.Dataset,
    *,
    window: str | None = None,
    kinds: Sequence[str] = KINDS,
    surrogates: int = SURROGATES,
    big_phi_surrogates: int = UNFOLDED,
    mappings: Sequence[str] = MAPPINGS,
    traces: Traces | None = None,
    measured: Measured | None = None,
    threads: int = 1,
    seed: int = 0,
    **iit: Any,
) -> xr.Dataset:
    """Compute the measures of `integration.integrate` for surrogates of one window at one scale.

    Macro units are learned anew on every surrogate (`macro.crossfit.search`): on each half and evaluated on the other
    where the data's were, and otherwise on the whole. They have one family more, `random_grouping`: the matched random
    groupings stored with the TPM, applied to the data.

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
        measured: reducible models of the recording, seen and fitted again like it, where its states are hidden; without
            it the null `integration` is made of paths that are known, and is too low.
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
    families = list(_families(Source(inside, tpm, traces, mappings, seed, measured), kinds, surrogates))
    value = np.full((len(families), max((f.size for f in families), default=0), len(OF_SURROGATES)), np.nan)
    for i, family in enumerate(families):
        found = averaged(
            [
                window_measures(part.p_on, part.visits, options, big_phi_surrogates, threads) | _gain(part)
                for part in family.parts
            ]
        )
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
    hidden = None
    if kind == Integration.name and source.measured is not None and "paths" in tpm:
        hidden, left_out = source.measured.surrogates(n, str(tpm.attrs["window"])), 0
        drawn = Surrogates(hidden.paths, raster(source.states, None)[1])
    else:
        drawn, left_out = source.draw(kind, n)
    words = [f"{word}:{left_out}" for word in LEFT_OUT if left_out]
    if kind == Interaction.name and least_shift(source.states).short:
        words += Interaction.flags
    flag = ";".join(words)
    if not len(drawn.values):
        nothing = OfSurrogates(np.empty((0, *tpm["p_on"].shape)), np.empty((0, tpm.sizes["state"])))
        return Family(kind, (nothing,), flag)
    if "cross_group" in tpm:
        return Family(kind, _crossed(drawn, source), flag)
    visits: Array
    if hidden is None:
        p_on, visits = point_estimates(drawn.values, segments=drawn.runs, **estimated_with(tpm)), _visits(drawn.values)
    else:
        p_on, visits = hidden.p_on, hidden.visits
    if "group" not in tpm:
        return Family(kind, (OfSurrogates(p_on, visits),), flag)
    return Family(kind, (_macro(p_on, visits, _learned(p_on, visits, source)),), flag)


def _crossed(drawn: Surrogates, source: Source) -> tuple[OfSurrogates, ...]:
    """Both halves of every surrogate, each under the grouping that is learned on its other half."""
    parts = []
    for half in half_frames(*raster(source.states, None)[:2]):
        own = drawn.runs[half] if drawn.runs.ndim == 1 else drawn.runs[:, half]
        p_on = point_estimates(drawn.values[:, half], segments=own, **estimated_with(source.tpm))
        visits = _visits(drawn.values[:, half])
        parts.append((p_on, visits, _learned(p_on, visits, source)))
    (first, its_visits, its_own), (second, other_visits, other) = parts
    return _macro(first, its_visits, other), _macro(second, other_visits, its_own)


def _learned(p_on: Floats, visits: Array, source: Source) -> list[Grouping]:
    """The best grouping of each surrogate's micro TPM, by what the window's was chosen for."""
    attrs, size = source.tpm.attrs, source.tpm.sizes["unit"]
    goal = objective_of(attrs.get("objective", ""), attrs.get("formalism", "2023"))
    each = zip(p_on, visits, strict=True)
    return [search(one[None], size, source.mappings, goal, seen[None]) for one, seen in each]


def _macro(p_on: Floats, visits: Array, groupings: Sequence[Grouping]) -> OfSurrogates:
    """Surrogates as macro systems."""
    return OfSurrogates(
        np.stack([g.macro_p_on(p) for g, p in zip(groupings, p_on, strict=True)]),
        np.stack([_image(v, g) for g, v in zip(groupings, visits, strict=True)]),
        p_on,
    )


def _gain(part: OfSurrogates) -> dict[str, Floats]:
    """The gain in causal power of macro systems over the micro systems that they are derived from."""
    if part.micro is None:
        return {}
    macro, micro = (causal_measures(p)["causal_power"] for p in (part.p_on, part.micro))
    return {GAIN: macro - micro}


def _random_groupings(source: Source) -> Family:
    """The data under the random groupings that are stored with its macro TPM; its halves where it is cross-fitted."""
    tpm = source.tpm
    others = [
        Grouping(tuple(map(int, group)), tuple(map(str, mapping)))
        for group, mapping in zip(tpm["random_group"].values, tpm["random_mapping"].values, strict=True)
    ]
    if "half_p_on" in tpm:
        micro = zip(tpm["half_p_on"].values, tpm["half_visits"].values, strict=True)
    else:
        micro = zip([None], _visits(raster(source.states, None)[0][None]), strict=True)
    parts = []
    for p_on, visits in micro:
        macro = tpm["random_p_on"].values if p_on is None else np.array([g.macro_p_on(p_on) for g in others])
        image = np.array([_image(visits, g) for g in others]).reshape(-1, tpm.sizes["state"])
        own = None if p_on is None else np.broadcast_to(p_on, (len(others), *p_on.shape))
        parts.append(OfSurrogates(macro.reshape(-1, *tpm["p_on"].shape), image, own if len(others) else None))
    return Family(RANDOM_GROUPING.name, tuple(parts))


def _visits(rasters: Array) -> Ints:
    """Frames in each joint state, (raster, state), of rasters (raster, frame, unit)."""
    n_states = 2 ** rasters.shape[-1]
    return np.stack([np.bincount(code, minlength=n_states) for code in encode(rasters)])


def _image(visits: Ints, grouping: Grouping) -> Array:
    """Frames in each macro state."""
    n_states = 2 ** len(grouping.mapping)
    return np.bincount(grouping.macro_state(), weights=visits, minlength=n_states)


def _notes(states: xr.Dataset, tpm: xr.Dataset, kinds: Sequence[str]) -> dict[str, Any]:
    """Attributes that say how the surrogates were made."""
    notes: dict[str, Any] = {}
    if Interaction.name in kinds:
        shift = least_shift(states)
        notes["shift_least_frames"] = int(shift.gap)
        notes["autocorrelation_time_frames"] = int(shift.autocorrelation_time)
    if "group" in tpm:
        where = "one half of each surrogate, and evaluated on the other" if "cross_group" in tpm else "each surrogate"
        notes["macro_surrogates"] = f"grouping learned anew on {where}"
    return notes
