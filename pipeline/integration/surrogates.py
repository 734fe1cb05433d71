"""Integrated information of surrogates: what the same estimation gives where something is absent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pipeline.base.history import record
from pipeline.base.raster import encode, raster
from pipeline.integration import batch as measures
from pipeline.macro.groupings import EXHAUSTIVE_UNITS, MAPPINGS, Grouping, exhaustive
from pipeline.nulls.draw import draw
from pipeline.nulls.registry import RANDOM_GROUPING
from pipeline.nulls.shift import least_shift
from pipeline.tpm.estimation import estimated_with, point_estimates

UNITS = {
    "phi_s": "ibit",
    "phi_s_complex": "ibit",
    "big_phi": "ibit",
    "n_distinctions": "1",
    "n_relations": "1",
    "effective_information": "bit",
    "causal_power": "1",
}
UNFOLDED = ("big_phi", "n_distinctions", "n_relations")


@dataclass(frozen=True)
class Family:
    """Surrogates of one null: their TPMs (surrogate, state, unit), their visits (surrogate, state)."""

    name: str
    p_on: np.ndarray
    visits: np.ndarray


def integrate_nulls(
    states: xr.Dataset,
    tpm: xr.Dataset,
    *,
    window: str | None = None,
    kinds: Sequence[str] = ("shift",),
    surrogates: int = 100,
    big_phi_surrogates: int = 20,
    mappings: Sequence[str] = MAPPINGS,
    big_phi_max_units: int = 5,
    min_visits: int = 1,
    complex_max_units: int = 6,
    threads: int = 1,
    seed: int = 0,
) -> xr.Dataset:
    """Compute the measures of `integration.integrate` for surrogates of one window at one scale.

    states: binary states that `tpm` was estimated from; `window` selects one of their windows.
    tpm: unit or macro TPM; estimator, lag and prior are taken from it, so that each surrogate is
        estimated as the data were.
    kinds, surrogates: null families (`nulls.surrogates`) and how many of each.
    big_phi_surrogates: how many of them are unfolded (the first ones).
    mappings: state mappings allowed to macro units, as in `coarse.coarse_grain`.
    The other parameters are those of `integrate`.

    A macro scale is learned anew on every surrogate, by exhaustive search for up to 6 units (the
    surrogate's best grouping, so the null is, if anything, strict); with more units the data's
    grouping is kept, and the attribute `macro_surrogates` says which. Macro scales have one family
    more, `random_grouping`: the matched random groupings stored with the TPM, applied to the data.

    Returns `value` (null, surrogate, measure), NaN where not computed: each surrogate's mean over
    its visited states, weighted with its own occupancy.
    """
    inside = states if window is None else _select(states, window)
    families = list(_families(inside, tpm, kinds, surrogates, mappings, seed))
    value = np.full((len(families), max((len(f.p_on) for f in families), default=0), len(UNITS)), np.nan)
    n_units = tpm.sizes["unit"]
    for i, family in enumerate(families):
        n_big = big_phi_surrogates if n_units <= big_phi_max_units else 0
        found = _measures(family, n_big, n_units <= complex_max_units, min_visits, threads)
        for j, name in enumerate(UNITS):
            if name in found:
                value[i, : len(found[name]), j] = found[name]
    dataset = xr.Dataset(
        {"value": (("null", "surrogate", "measure"), value)},
        coords={
            "null": ("null", np.array([f.name for f in families], dtype=str)),
            "measure": ("measure", list(UNITS)),
            "measure_units": ("measure", list(UNITS.values())),
        },
        attrs=tpm.attrs,
    ).assign_attrs(_notes(inside, tpm, kinds))
    dataset["value"].attrs = {
        "units": "see measure_units",
        "long_name": "mean over the surrogate's states, weighted with its own occupancy",
    }
    return record(
        dataset,
        "integration.integrate_nulls",
        window=window,
        kinds=list(kinds),
        surrogates=surrogates,
        big_phi_surrogates=big_phi_surrogates,
        mappings=list(mappings),
        big_phi_max_units=big_phi_max_units,
        min_visits=min_visits,
        complex_max_units=complex_max_units,
        seed=seed,
    )


def _select(states: xr.Dataset, window: str) -> xr.Dataset:
    """Frames of one window."""
    return states.isel(frame=np.flatnonzero(states["window"].values.astype(str) == window))


def _families(
    states: xr.Dataset,
    tpm: xr.Dataset,
    kinds: Sequence[str],
    n: int,
    mappings: Sequence[str],
    seed: int,
) -> Iterator[Family]:
    array, *_ = raster(states, None)
    macro = "group" in tpm
    for kind in kinds if n else ():
        drawn = draw(states, kind=kind, n=n, seed=seed)
        p_on = point_estimates(drawn.values, segments=drawn.runs, **estimated_with(tpm))
        visits = _visits(drawn.values)
        if macro:
            yield _grouped(kind, _groupings(p_on, tpm, mappings), p_on, visits)
        else:
            yield Family(kind, p_on, visits)
    if macro:
        others = [
            Grouping(tuple(map(int, group)), tuple(map(str, mapping)))
            for group, mapping in zip(tpm["random_group"].values, tpm["random_mapping"].values, strict=True)
        ]
        visits = (
            np.stack([_image(_visits(array[None])[0], g) for g in others])
            if others
            else (np.empty((0, tpm.sizes["state"])))
        )
        yield Family(RANDOM_GROUPING.name, tpm["random_p_on"].values, visits)


def _groupings(p_on: np.ndarray, tpm: xr.Dataset, mappings: Sequence[str]) -> list[Grouping]:
    """The grouping of each surrogate's micro TPM: its best, or the data's beyond six units."""
    if p_on.shape[-1] <= EXHAUSTIVE_UNITS:
        return exhaustive(p_on, tpm.sizes["unit"], mappings)
    kept = Grouping(tuple(map(int, tpm["group"].values)), tuple(map(str, tpm["mapping"].values)))
    return [kept] * len(p_on)


def _grouped(name: str, groupings: list[Grouping], p_on: np.ndarray, visits: np.ndarray) -> Family:
    """Macro TPMs and visits of micro surrogates."""
    return Family(
        name,
        np.stack([g.macro_p_on(p) for g, p in zip(groupings, p_on, strict=True)]),
        np.stack([_image(v, g) for g, v in zip(groupings, visits, strict=True)]),
    )


def _visits(rasters: np.ndarray) -> np.ndarray:
    """Frames in each joint state, (raster, state), of rasters (raster, frame, unit)."""
    n_states = 2 ** rasters.shape[-1]
    return np.stack([np.bincount(code, minlength=n_states) for code in encode(rasters)])


def _image(visits: np.ndarray, grouping: Grouping) -> np.ndarray:
    """Frames in each macro state."""
    n_states = 2 ** len(grouping.mapping)
    return np.bincount(grouping.macro_state(), weights=visits, minlength=n_states)


def _measures(family: Family, n_big: int, with_complex: bool, min_visits: int, threads: int) -> dict[str, np.ndarray]:
    """State-weighted measures of every surrogate of a family."""
    weights = np.where(family.visits >= min_visits, family.visits, 0)
    if not len(weights):
        return {}
    chosen = np.flatnonzero(weights.any(axis=0))
    weights = weights[:, chosen]

    def mean(values: np.ndarray) -> np.ndarray:
        total = weights[: len(values)].sum(axis=1)
        summed = (values * weights[: len(values)]).sum(axis=1)
        return np.divide(summed, total, out=np.full(len(values), np.nan), where=total > 0)

    found = {"phi_s": mean(measures.system_phi(family.p_on, chosen, threads=threads))}
    if with_complex:
        found["phi_s_complex"] = mean(measures.first_complexes(family.p_on, chosen, threads)[0])
    if n_big:
        whole = measures.structures(family.p_on[:n_big], chosen, threads=threads)
        found |= {name: mean(whole[name]) for name in UNFOLDED}
    return found | measures.causal_measures(family.p_on)


def _notes(states: xr.Dataset, tpm: xr.Dataset, kinds: Sequence[str]) -> dict[str, str | int]:
    """Attributes that say how the surrogates were made."""
    notes: dict[str, str | int] = {}
    if "shift" in kinds:
        shift = least_shift(states)
        notes["shift_least_frames"] = int(shift.gap)
        notes["autocorrelation_time_frames"] = int(shift.autocorrelation_time)
        if shift.short:
            notes["null_flag"] = "short_shift"
    if "group" in tpm:
        anew = tpm.sizes["micro_unit"] <= EXHAUSTIVE_UNITS
        notes["macro_surrogates"] = "grouping learned anew on each surrogate, exhaustively" if anew else "grouping kept"
    return notes
