"""The section on the specifications of a study, in its report and on a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.report.figures.figure import Figure, write_bytes
from pipeline.report.figures.multiverse import curve
from pipeline.report.rendering import environment
from pipeline.report.tables.table import Table, flags, interval
from pipeline.report.words import multiverse as words
from pipeline.report.words.glossary import number, probability, unit
from pipeline.results.layout import Layout
from pipeline.results.reader import Results


@dataclass(frozen=True, eq=False)
class CurveSection:
    """What the section shows.

    Attributes:
        verdict: whether the answer depends on the choices.
        figure: the specification curve; None where there are too few specifications.
        notes: how the specifications were made.
        table: all that have a difference.
        failed: those that have none, with the reason.
    """

    verdict: list[str]
    figure: Figure | None
    notes: list[str]
    table: Table
    failed: Table


def section(results: Results, folder: Path, parameters: Mapping[str, Any]) -> CurveSection | None:
    """Return the section; None where no multiverse was run.

    Args:
        results: of the study.
        folder: that the figure is written to.
        parameters: of the study, as plain values.
    """
    table, facts = results.multiverse, results.multiverse_facts
    if table.empty or not facts:
        return None
    confidence = float(parameters["compare"]["confidence"])
    figure = curve(table, facts, folder, confidence)
    return CurveSection(
        words.verdict(table, facts),
        figure,
        list(words.notes(table, facts)),
        _all(table, confidence),
        _failed(table),
    )


def build(results: Path, parameters: Mapping[str, Any]) -> Path:
    """Write the page of the specifications alone, and return its path.

    Args:
        results: folder of the study's results.
        parameters: of the study, as plain values.
    """
    page = Layout(results).of_study("multiverse_page")
    shown = section(Results(results), page.parent, parameters)
    html = environment().get_template("multiverse.html").render(name=parameters["study"], multiverse=shown)
    write_bytes(page, html.encode())
    return page


def _all(table: pd.DataFrame, confidence: float) -> Table:
    known = table[table["estimate"].notna()].sort_values("estimate", ascending=False, kind="stable")
    rows = [
        [
            row.choices + (" (the study as it stands)" if row.main == "yes" else ""),
            *map(number, (row.mean_a, row.mean_b, row.estimate)),
            interval(row.ci_low, row.ci_high),
            probability(row.p),
            str(int(row.n_subjects)),
            flags(row.flag),
        ]
        for row in known.itertuples()
    ]
    a, b = (known if len(known) else table)["contrast"].iloc[0].split("-")
    measure = f"[{unit(table['measure'].iloc[0])}]"
    heads = [
        "Choices",
        f"{a} {measure} #",
        f"{b} {measure} #",
        f"Difference {measure} #",
        f"{confidence:.0%} interval #",
        "p #",
        "Subjects #",
        "Flags",
    ]
    return Table("All specifications that have a difference (multiverse.csv); p is not corrected.", heads, rows)


def _failed(table: pd.DataFrame) -> Table:
    rows = [[row.choices, row.failed] for row in table[table["failed"] != ""].itertuples()]
    return Table("Specifications without a value.", ["Choices", "Why"], rows)
