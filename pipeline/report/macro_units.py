"""Macro units as the report tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pipeline.report.findings import Findings
from pipeline.report.words.glossary import number
from pipeline.results.layout import SystemKey


@dataclass(frozen=True)
class MacroUnits:
    """The macro units of one window at one scale, as they were learned.

    Attributes:
        size: number of macro units.
        units: the units of the analysis.
        group: macro unit of each unit.
        mapping: state mapping of each macro unit.
        objective: effective information of the window's macro TPM, written out.
        found: how the grouping was found.
        recovered: whether it is the planted one, see true_groupings.csv; empty where that is not known.
        planted_group: planted macro unit of each unit; empty where that is not known.
        shared: learned once for all windows of the recording.
        valid: per macro unit, 1 a unit by the theory's criterion, 0 not, -1 not checked.
        validity: the reason.
        valid_share: share of posterior draws in which it is a unit; NaN where that is not known.
    """

    recording: str
    window: str
    condition: str
    size: int
    units: list[str]
    group: list[int]
    mapping: list[str]
    objective: str
    found: str
    recovered: str
    planted_group: list[int]
    shared: bool
    valid: list[int]
    validity: list[str]
    valid_share: list[float]

    def __str__(self) -> str:
        return " · ".join(f"{{{', '.join(m)}}}" + (f" {k.upper()}" if len(m) > 1 else "") for m, k in self.members())

    @property
    def accepted(self) -> str:
        """Whether the theory accepts each macro unit; empty where that was not asked."""
        words = {1: "yes", 0: "no", -1: "not checked"}
        return " · ".join(words[v] for v in self.valid)

    def members(self) -> list[tuple[list[str], str]]:
        """Members and mapping of each macro unit."""
        return [
            ([u for u, g in zip(self.units, self.group, strict=True) if g == k], kind)
            for k, kind in enumerate(self.mapping)
        ]


def macro_units(study: Findings) -> list[MacroUnits]:
    """Macro units of every window, by scale, recording and condition."""
    known = study.results.true_groupings
    truth = {(t.recording, t.window, int(t.scale)): t for t in known.itertuples()}
    found = [
        _read(
            key, study.condition_of(key.recording, key.window), tpm, truth.get((key.recording, key.window, key.scale))
        )
        for key, tpm in study.macro_tpms
        if "group" in tpm
    ]
    order = {c: i for i, c in enumerate(study.conditions)}
    place = {name: i for i, name in enumerate(study.analysed)}
    return sorted(found, key=lambda m: (m.size, place.get(m.recording, 0), order.get(m.condition, 0), m.window))


def _read(key: SystemKey, condition: str, tpm: xr.Dataset, truth: Any) -> MacroUnits:
    return MacroUnits(
        key.recording,
        key.window,
        condition,
        key.scale,
        units=_unit_names(tpm),
        group=[int(g) for g in tpm["group"].values],
        mapping=[str(m) for m in tpm["mapping"].values],
        objective=_objective(tpm),
        found=_found(tpm),
        recovered=truth.recovered if truth else "",
        planted_group=[int(g) for g in truth.planted_group.split()] if truth else [],
        shared=tpm.attrs.get("grouping", "window") == "recording",
        valid=[int(v) for v in tpm["valid_unit"].values] if "valid_unit" in tpm else [],
        validity=[str(v) for v in tpm["validity"].values] if "validity" in tpm else [],
        valid_share=[float(v) for v in tpm["valid_share"].values]
        if "valid_share" in tpm
        else [np.nan] * tpm.sizes["unit"],
    )


def _unit_names(tpm: xr.Dataset) -> list[str]:
    if "micro_unit" in tpm.coords:
        return [str(u) for u in tpm["micro_unit"].values]
    return [f"e{i}" for i in range(tpm.sizes["micro_unit"])]


def _objective(tpm: xr.Dataset) -> str:
    value = tpm.attrs.get("window_bits", tpm.attrs.get("objective_bits"))
    return "" if value is None else number(float(value))


def _found(tpm: xr.Dataset) -> str:
    """How the grouping was found, and how many restarts agree."""
    method, restarts = str(tpm.attrs.get("method", "")), tpm.attrs.get("restarts")
    agreeing = tpm.attrs.get("restarts_agreeing")
    if method == "encoder" and restarts is not None:
        return f"encoder, {agreeing} of {restarts} restarts"
    return "exhaustive (encoder missed it)" if agreeing == 0 else method


def introduction(found: list[MacroUnits]) -> str:
    """What the macro units of a study are, by how they were learned."""
    shared = {g.shared for g in found}
    if shared == {True}:
        return (
            "Macro units are learned once per recording, from all its windows together: conditions are compared over "
            "the same units."
        )
    if shared == {False}:
        return (
            "Macro units are learned in each window by itself, so macro values of two windows may be those of "
            "different units."
        )
    return (
        "Macro units are learned once per recording for some recordings, and in each window by itself for others: "
        "macro values are not comparable throughout."
    )
