"""Marks that several figures share: dots of subjects with intervals, nulls, planted values, and legends."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from pipeline.report.figures.figure import Key, sample
from pipeline.report.figures.levels import RANDOM, band, null_name
from pipeline.report.figures.look import CROWD, classes, markers
from pipeline.report.figures.plot import Plot, marker, rectangle
from pipeline.report.findings import Findings
from pipeline.report.words.glossary import interval_of, number, valued

BAR, DOTTED = "M1 7H17", '<path class="l dot" d="M1 7H17"/>'


def condition_keys(study: Findings, present: Iterable[str] | None = None) -> list[Key]:
    """Return the legend of conditions, which also switches them on and off.

    Args:
        study: what was found in the study.
        present: conditions that are drawn; by default all.
    """
    kind, shape = classes(study.conditions), markers(study.conditions)
    shown = set(study.conditions if present is None else present)
    return [Key(c, sample(shape[c]), kind[c], "condition", c) for c in study.conditions if c in shown]


def level_keys(study: Findings) -> list[Key]:
    """Return the legend of what values are held against: nulls, random groupings, planted values."""
    found = []
    if len(study.subjects) > 1:
        found.append(Key("mean of subjects", f'<path class="l th" d="{BAR}"/>', "ik"))
    if band(study):
        found.append(Key("null", rectangle(1, 2, 16, 10, "nul") + f'<path class="l" d="{BAR}"/>', "mt"))
    if RANDOM in set(study.nulls["null"]):
        found.append(Key("random groupings", DOTTED, "mt"))
    if study.truths:
        found.append(Key("planted value", sample("D", "ring", 5), "ik"))
    return found


def subject_tip(row: pd.Series, measure: str, where: str) -> str:
    """Say a subject's value.

    Args:
        row: of `subject_values`.
        measure: whose value it is.
        where: at which scale, or the like.
    """
    vague = "; imprecise" if row.imprecise else ""
    limits = interval_of(row.ci_low, row.ci_high)
    return f"{row.subject}, {row.condition}, {where}: {valued(row.value, measure)}{limits}{vague}"


def whisker(plot: Plot, x: float, low: float, high: float) -> str:
    """Return an interval as an upright line; nothing where there is none."""
    known = math.isfinite(low) and math.isfinite(high)
    return plot.line([(x, low), (x, high)], "l th pale") if known else ""


def draw_null(plot: Plot, x: float, level: tuple[float, float], family: str, study: Findings, condition: str) -> None:
    """Draw a null: grey where its values lie, mean ± sd; dotted and without spread where it is of random groupings.

    Args:
        plot: where.
        x: place on its axis.
        level: mean and sd.
        family: the null.
        study: what was found in the study.
        condition: whose null it is.
    """
    (mean, sd), dotted = level, family == RANDOM
    low = max(mean - sd, min(mean, 0.0))
    grey = plot.box((x - 0.38, low), (x + 0.38, mean + sd), "nul") if sd else ""
    line = plot.line([(x - 0.38, mean), (x + 0.38, mean)], "l dot" if dotted else "l")
    name = "matched random groupings" if dotted else f"null “{null_name(study)}”"
    spread = f" ± {number(sd)}" if sd else ""
    plot.add(grey + line, "mt", f"{condition}, {name}: {number(mean)}{spread}", {"condition": condition})


def draw_planted(plot: Plot, x: float, value: float, condition: str, whose: str) -> None:
    """Draw a planted value.

    Args:
        plot: where.
        x: place on its axis.
        value: the planted value.
        condition: of whose window.
        whose: subject, or that it is a mean.
    """
    mark = marker(plot.px(x), plot.py(value), "D", 6.5, "ring")
    plot.add(mark, "ik", f"{whose}, {condition}, planted: {number(value)}", {"condition": condition})


def dot_size(study: Findings) -> float:
    """Return the size of a subject's dot."""
    return 4.4 if len(study.subjects) <= CROWD else 3.2
