"""The section on the choices: its sentences claim no more than the table, and its figure shows every specification."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.base.files import save_json, save_table
from pipeline.multiverse.specification import Estimand, Specification, name_of
from pipeline.multiverse.table import Finding, gather
from pipeline.report import multiverse
from pipeline.report.words.multiverse import notes, verdict
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.layout import Layout
from pipeline.results.reader import Results

GRID: dict[str, list[Any]] = {
    "ensembles.iit": [3, 4],
    "binarize.method": ["events", "otsu", "zscore"],
    "binarize.bin_s": [0.4, 0.5],
    "tpm.lag": [1, 2],
}
GOAL = Estimand("phi_s", None, ("awake", "asleep"))
PARAMETERS = {"study": "sleep_of_mice", "compare": {"confidence": 0.95}}


def summary(apart: np.ndarray, units: int) -> pd.DataFrame:
    rows = []
    for i, difference in enumerate(apart):
        for condition, value in (("awake", 0.3 + difference), ("asleep", 0.3)):
            row = dict.fromkeys(SUMMARY_COLUMNS, np.nan) | {"subject": f"m{i}", "recording": f"m{i}", "flag": ""}
            row |= {"condition": condition, "window": condition, "scale": units, "route": "micro", "measure": "phi_s"}
            rows.append(row | {"value": value, "n_frames": 500, "estimator": "logistic"})
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def write(
    folder: Path, effect: float, subjects: int = 8, by_method: float = 0.0, lost: int = 0
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Write the results of 24 specifications: `by_method` moves those of one method, `lost` have no value."""
    rng = np.random.default_rng(0)
    shared = 0.02 * rng.standard_normal(subjects)
    findings = []
    for number, values in enumerate(product(*GRID.values())):
        choices = dict(zip(GRID, values, strict=True))
        moved = effect + (by_method if choices["binarize.method"] == "zscore" else 0.0)
        apart = moved + shared + 0.01 * rng.standard_normal(subjects)
        table = summary(apart if number >= lost else apart[:0], choices["ensembles.iit"])
        one = Specification(name_of(choices), choices, main=values == (4, "events", 0.5, 1))
        findings.append(Finding(one, table, choices["ensembles.iit"], why="its units were never ON"))
    table, together = gather(findings, GOAL)
    facts = together | {"measure": "phi_s", "route": "micro", "contrast": ["awake", "asleep"], "fields": list(GRID)}
    facts |= {"combinations": 30, "left_out": {"two made of two": 6}, "not_drawn": 0, "sample": None}
    facts |= {"grid": GRID, "light": True}
    layout = Layout(folder)
    save_table(table, layout.of_study("multiverse"))
    save_json(facts, layout.of_study("multiverse_facts"))
    return table, facts


def test_an_answer_that_stays_is_said_to_stay(tmp_path: Path) -> None:
    last, first, tested = verdict(*write(tmp_path, 0.08))
    assert first.startswith("The difference awake − asleep in phi_s of the micro units has the sign of the study")
    assert "in 24 of 24 specifications; 24 of them have p ≤ 0.05" in first
    assert "(256 flips)" in tested
    assert "from zero has p = 0.008, and so many" in tested
    assert last == "The answer does not depend on these choices."


def test_an_answer_that_turns_is_said_to_depend(tmp_path: Path) -> None:
    table, facts = write(tmp_path, 0.05, by_method=-0.1)
    last, first, _ = verdict(table, facts)
    assert "in 16 of 24 specifications" in first
    assert "with the opposite sign" in first
    assert "some show the opposite of what others show" in last
    assert next(iter(notes(table, facts))).startswith("The choice that moves the difference most is binarize.method (")


def test_a_difference_that_some_do_not_show_is_said_to_depend(tmp_path: Path) -> None:
    last = verdict(*write(tmp_path, 0.03, by_method=-0.035))[0]
    assert last.startswith("There is a difference over all choices together, but it depends on them: ")
    assert last.endswith(" of 24 give the opposite sign, or none.")


def test_nothing_is_claimed_where_there_is_nothing(tmp_path: Path) -> None:
    last = verdict(*write(tmp_path, 0.0))[0]
    assert "do not show" in last


def test_few_subjects_are_described_not_tested(tmp_path: Path) -> None:
    last, _, tested = verdict(*write(tmp_path, 0.08, subjects=3))
    assert "no test of the whole curve can give a p below 0.25" in tested
    assert "so few subjects cannot tell" in last


def test_what_was_left_out_and_what_failed_is_told(tmp_path: Path) -> None:
    table, facts = write(tmp_path, 0.08, lost=2)
    text = " ".join(notes(table, facts))
    for part in (
        "30 combinations, 24 specifications run",
        "two made of two (6)",
        "2 specifications of 24 have no value",
    ):
        assert part in text
    assert "at most 20 surrogates" in text
    assert verdict(*write(tmp_path, 0.08, lost=24)) == ["No specification has a difference; the reasons are below."]


def test_the_page_shows_every_specification(tmp_path: Path) -> None:
    write(tmp_path, 0.02, by_method=-0.05, lost=1)
    page = multiverse.build(tmp_path, PARAMETERS)
    text = page.read_text()
    assert page == Layout(tmp_path).of_study("multiverse_page")
    assert text.count("<tr>") == 1 + 23 + 1 + 1
    assert text.count("(the study as it stands)") == 1
    assert "its units were never ON" in text
    assert text.count("; ensembles.iit: ") + text.count("[ibit]") > 23
    for suffix in ("svg", "csv"):
        assert (page.parent / "figures" / f"multiverse.{suffix}").stat().st_size > 2000
    assert text == multiverse.build(tmp_path, PARAMETERS).read_text()


@pytest.mark.parametrize("lost", [23, 24])
def test_there_is_a_page_without_a_curve(tmp_path: Path, lost: int) -> None:
    write(tmp_path, 0.08, lost=lost)
    text = multiverse.build(tmp_path, PARAMETERS).read_text()
    assert "<figure>" not in text
    assert "its units were never ON" in text


def test_a_study_without_one_has_no_section(tmp_path: Path) -> None:
    assert multiverse.section(Results(tmp_path), tmp_path, PARAMETERS) is None
