"""Which units form which macro unit: maps over the cortex, condition by condition."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from pipeline.report import canvas
from pipeline.report.canvas import INK, MUTED, Figure
from pipeline.report.data import Study
from pipeline.report.glossary import number
from pipeline.report.truth import planted_grouping, recovered, true_ensembles

MAX_ROWS = 6


@dataclass(frozen=True)
class Grouping:
    """A learned grouping of one window: group of each unit and mapping of each macro unit."""

    recording: str
    window: str
    condition: str
    size: int
    units: list[str]
    group: list[int]
    mapping: list[str]
    objective: str
    found: str
    planted: str  # whether it is the planted one, see `truth.recovered`
    shared: bool  # learned once for all windows of the recording
    valid: list[int]  # macro unit: 1 a unit by the theory's criterion, 0 not, -1 not checked
    validity: list[str]

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


def groupings(study: Study) -> list[Grouping]:
    """Every learned grouping, in the order of recordings, scales and conditions."""
    found = []
    for recording, window, scale, tpm in study.tpms:
        if scale.route != "macro_units" or "group" not in tpm:
            continue
        group = [int(g) for g in tpm["group"].values]
        found.append(
            Grouping(
                recording,
                window,
                study.condition_of(recording, window),
                scale.size,
                _unit_names(tpm),
                group,
                [str(m) for m in tpm["mapping"].values],
                _objective(tpm),
                _found(tpm),
                recovered(study, recording, window, tpm),
                tpm.attrs.get("grouping", "window") == "recording",
                [int(v) for v in tpm["valid_unit"].values] if "valid_unit" in tpm else [],
                [str(v) for v in tpm["validity"].values] if "validity" in tpm else [],
            )
        )
    order = {c: i for i, c in enumerate(study.conditions)}
    return sorted(
        found,
        key=lambda g: (
            g.size,
            study.analysed.index(g.recording) if g.recording in study.analysed else 0,
            order.get(g.condition, 0),
            g.window,
        ),
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


def introduction(found: list[Grouping]) -> str:
    """What the macro units of a study are, by how they were learned."""
    shared = {g.shared for g in found}
    if shared == {True}:
        return "Which units form which macro unit is learned once per recording, from all its windows together, and is the same in all of them: conditions are compared over the same macro units, and a difference between them is not one of grain."
    if shared == {False}:
        return "Which units form which macro unit is learned in each window by itself, so macro values of two windows may be those of different units. Where windows of one condition agree with each other and differ from another condition's, the grain has changed; where they do not agree, no grain stands out."
    return "Which units form which macro unit was learned once per recording for some recordings, and in each window by itself for others: macro values are not comparable throughout."


def maps(study: Study, found: list[Grouping], size: int) -> Figure | None:
    """Maps of the macro units at one scale: a row per recording (one per subject where there are many)."""
    found = [g for g in found if g.size == size]
    rows = _rows(study, found)
    if not rows:
        return None
    shared = all(g.shared for g in found)  # then one map tells of all conditions
    columns = [c for c in study.conditions if any(g.condition == c for g in found)]
    columns = ["all windows"] if shared else columns
    figure = canvas.canvas(width=min(canvas.WIDTH, 1.0 + 2.3 * len(columns)), height=0.35 + 1.95 * len(rows))
    axes = figure.subplots(len(rows), len(columns), squeeze=False)
    schematic = False
    for line, recording in zip(axes, rows, strict=True):
        ensembles = study.dataset("ensembles", recording)
        for panel, condition in zip(line, columns, strict=True):
            own = [g for g in found if g.recording == recording and (shared or g.condition == condition)]
            if own and ensembles is not None:
                schematic |= _map(panel, study, ensembles, own[0])
            else:
                canvas.bare(panel)
                panel.text(0.5, 0.5, "no such window", ha="center", color=MUTED, transform=panel.transAxes)
        line[0].set_ylabel(f"{recording}\ny [mm]" if not schematic else recording)
    for panel, condition in zip(axes[0], columns, strict=True):
        panel.text(0, 1.16, condition, transform=panel.transAxes, fontweight="bold", fontsize=9)
    for panel in axes[-1]:
        if not schematic:
            panel.set_xlabel("x [mm]")
    left_out = len({g.recording for g in found}) - len(rows)
    more = f" One recording per subject is drawn; the table lists the other {left_out}." if left_out > 0 else ""
    where = "Units without known positions are drawn on a circle." if schematic else "Dots: neurons at their positions."
    truth = " Dotted links: units of one planted macro unit (simulated)." if study.truths else ""
    return canvas.finish(
        figure,
        study.folder / "figures",
        f"macro_units-{size}",
        f"Macro units learned {'once for all windows of a recording' if shared else 'in each condition'}, {size} per window. {where} Colour: macro unit (colours are not matched between panels); labels: unit; solid links: units of one macro unit.{truth}{more}",
        "Maps of units coloured by macro unit. " + "; ".join(f"{g.recording} {g.condition}: {g}" for g in found if g.recording in rows),
    )  # fmt: skip


def _rows(study: Study, found: list[Grouping]) -> list[str]:
    """Recordings that are drawn: all if they fit, otherwise the first of each subject."""
    have = list(dict.fromkeys(g.recording for g in found))
    if len(have) <= MAX_ROWS:
        return have
    subject = dict(zip(study.recordings["recording"], study.recordings["subject"], strict=True))
    first = {subject[r]: r for r in reversed(have)}
    return [r for r in have if first[subject[r]] == r][:MAX_ROWS]


def _map(panel: Axes, study: Study, ensembles: xr.Dataset, grouping: Grouping) -> bool:
    """Draw one window; returns whether it had to be a scheme."""
    label = ensembles["label"].values
    xy = (
        np.column_stack([ensembles["x"].values, ensembles["y"].values])
        if "x" in ensembles.coords or "x" in ensembles
        else np.full((len(label), 2), np.nan)
    )
    n = len(grouping.group)
    known = len(xy) == len(label) and all(np.isfinite(xy[label == u]).any() for u in range(n))
    if known:
        used = label >= 0
        panel.scatter(*xy[~used].T, s=5, c=canvas.FAINT, lw=0)
        shade = [canvas.PALETTE[grouping.group[k]] for k in label[used]]
        panel.scatter(*xy[used].T, s=7, c=shade, alpha=0.45, lw=0, rasterized=len(label) > 500)
        centre = np.array([np.nanmean(xy[label == u], axis=0) for u in range(n)])
        panel.set_aspect("equal", adjustable="datalim")
        panel.margins(0.08)
    else:
        angle = 2 * np.pi * np.arange(n) / n + np.pi / n
        centre = np.column_stack([np.cos(angle), np.sin(angle)])
        canvas.bare(panel)
        panel.set(xlim=(-1.6, 1.6), ylim=(-1.4, 1.4), aspect="equal")
    _links(panel, centre, grouping.group, "-", 1.6, [canvas.PALETTE[g] for g in grouping.group])
    _planted_links(panel, study, ensembles, grouping, centre)
    for u, name in enumerate(grouping.units):
        panel.text(
            *centre[u],
            name,
            ha="center",
            va="center",
            fontsize=7.5,
            zorder=6,
            bbox={
                "boxstyle": "round,pad=0.25",
                "fc": "white",
                "ec": canvas.PALETTE[grouping.group[u]],
                "lw": 1.2,
            },
        )
    verdict = {"yes": "as planted", "no": "not the planted one"}.get(grouping.planted, grouping.planted)
    mapping = ", ".join(m.upper() for m in grouping.mapping)
    panel.set_title(f"{mapping}{'; ' if verdict else ''}{verdict}", fontsize=8, fontweight="normal")
    return not known


def _planted_links(panel: Axes, study: Study, ensembles: xr.Dataset, grouping: Grouping, centre: np.ndarray) -> None:
    truth = study.truths.get(grouping.recording)
    known = planted_grouping(truth, grouping.condition, grouping.size) if truth else None
    if truth is None or known is None:
        return
    matched = true_ensembles(truth, ensembles)
    if -1 not in matched and len(matched) == len(centre):
        group = [known[0][k] for k in matched]
        _links(panel, centre, group, (0, (1, 1.5)), 1.3, [INK] * len(group))


def _links(panel: Axes, centre: np.ndarray, group: list[int], ls, lw: float, colour: list[str]) -> None:
    for k in sorted(set(group)):
        members = [u for u, g in enumerate(group) if g == k]
        for a, b in itertools.pairwise(members):
            panel.plot(*centre[[a, b]].T, ls=ls, lw=lw, color=colour[a], zorder=5 if ls != "-" else 4)
