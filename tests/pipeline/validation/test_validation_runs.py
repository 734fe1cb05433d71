"""Cells of the validation: what a row holds, resuming, and intervals that hold the truth."""

import os

import numpy as np
import pytest

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.validation import cells, coverage
from pipeline.validation.cells import CASES, Cell, Effort, measured, record_cell
from pipeline.validation.cohorts import true_phi_s
from pipeline.validation.coverage import SETTINGS, append, columns_of, main, missing, rows_of, run

QUICK = Effort(draws=20, copies=0, big_phi_draws=0, surrogates=3, animals=3)
SMALL = SETTINGS["small"].effort


def quick(n=3, case="awake"):
    return [Cell("groupings", case, 300, "states", "logistic", seed) for seed in range(n)]


def without_time(rows):
    return sorted(tuple(v for k, v in row.items() if k != "seconds") for row in rows)


def test_a_row_depends_on_its_cell_alone(tmp_path):
    todo = [*quick(), Cell("coverage", "dense", 300, "states", "logistic", 0), Cell("cohorts", "power", 200, *AGAIN)]
    run(todo, QUICK, tmp_path / "one")
    run(todo[::-1], QUICK, tmp_path / "other", jobs=2)
    for study in ("groupings", "coverage", "cohorts"):
        one, other = (rows_of(tmp_path / name / f"{study}.csv", study) for name in ("one", "other"))
        assert without_time(one) == without_time(other)
        assert all(row["failed"] == "" for row in one)
    truths = {row["phi_s_truth"] for row in rows_of(tmp_path / "one" / "coverage.csv", "coverage")}
    assert truths.isdisjoint({""})


AGAIN = ("states", "logistic", 0)


def test_groups_may_be_imaged():
    for question, differs in (("nothing", False), ("detection", False), ("power", True)):
        row = measured(Cell("cohorts", question, 300, "10 Hz", "logistic", 0), QUICK)
        assert row["failed"] == ""
        assert 0.25 <= row["p"] <= 1  # three animals: 2 of 8 sign flips at the least
        assert (row["truth"] > 0.01) is differs
        assert differs or row["truth"] == 0


def test_recordings_of_other_seeds_are_others_and_estimators_see_the_same():
    first, second = (record_cell(cell) for cell in quick(2))
    assert not np.array_equal(first.states["states"], second.states["states"])
    assert not np.array_equal(first.regime.p_on, second.regime.p_on)
    same = record_cell(Cell("nulls", "awake", 300, "states", "average", 0))
    np.testing.assert_array_equal(first.states["states"], same.states["states"])


def test_what_is_there_is_not_computed_again(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(coverage, "measured", lambda cell, effort: asked.append(cell) or measured(cell, effort))
    assert run(quick(2), QUICK, tmp_path) == 2
    assert run(quick(3), QUICK, tmp_path) == 1
    assert asked == quick(3)
    assert run(quick(9), QUICK, tmp_path, minutes=0) == 0
    assert missing(quick(4), tmp_path) == quick(4)[3:]


def test_a_line_that_was_cut_off_is_computed_again(tmp_path):
    run(quick(2), QUICK, tmp_path)
    path = tmp_path / "groupings.csv"
    whole = path.read_text()
    path.write_text(whole[: -len(whole.splitlines()[-1]) + 8])
    assert missing(quick(2), tmp_path) == quick(2)[1:]
    run(quick(2), QUICK, tmp_path)
    assert [row["seed"] for row in rows_of(path, "groupings")] == ["0", "1"]


def test_a_cell_that_two_processes_computed_counts_once(tmp_path):
    row = measured(quick(1)[0], QUICK)
    for _ in range(2):
        append(tmp_path / "groupings.csv", "groupings", row)
    assert len(rows_of(tmp_path / "groupings.csv", "groupings")) == 1


def test_what_the_library_refuses_is_told(monkeypatch):
    def refuse(*_):
        raise PhiscaleError(Problem("here", "is no good"))

    monkeypatch.setattr(cells, "record_cell", refuse)
    row = measured(quick(1)[0], QUICK)
    assert "is no good" in row["failed"]
    assert set(row) == set(columns_of("groupings"))
    assert row["recovered"] == ""


def test_substrates_are_as_integrated_as_their_case_says():
    for name, case in CASES.items():
        seeds = range(1 if case.least else 3)
        truths = [true_phi_s(record_cell(Cell("nulls", name, 5, "states", "average", s)).regime) for s in seeds]
        assert min(truths) >= case.least, name
        assert not case.reducible or max(truths) < 1e-9, name


def test_the_command_runs_what_is_asked_for_and_says_what_is_missing(tmp_path, capsys):
    asked = ["--small", "groupings", "--seeds", "2", "--out", str(tmp_path), "--estimators", "average"]
    main([*asked, "--minutes", "0"])
    assert capsys.readouterr().out.startswith("0 rows added, 4 of 4 missing")
    assert not os.listdir(tmp_path)


def table(study, case, imaging, estimators, seeds, length=2000):
    return [measured(Cell(study, case, length, imaging, e, s), SMALL) for s in range(seeds) for e in estimators]


def inside(rows, measure="phi_s"):
    return sum(row[f"{measure}_low"] <= row[f"{measure}_truth"] + 1e-9 <= row[f"{measure}_high"] + 2e-9 for row in rows)


@pytest.mark.slow
def test_intervals_hold_the_truth_where_states_are_given():
    """At least .88 is asked for; 14 of 16 here."""
    rows = [row for case in ("awake", "anesthesia") for row in table("coverage", case, "states", ["average"], 8)]
    assert inside(rows, "phi_s_observational") >= 14


@pytest.mark.slow
def test_hidden_states_are_needed_where_states_are_seen_through_light():
    rows = table("coverage", "awake", "10 Hz", ["latent", "average"], 2)
    assert inside(rows[::2]) == 2
    assert inside(rows[1::2]) == 0  # states that are taken as they are found: the limits above can be missed


@pytest.mark.slow
def test_reducible_systems_are_not_called_integrated():
    rows = [row for case in ("modules", "chain") for row in table("nulls", case, "states", ["average"], 4)]
    assert sum(row["p"] <= 0.05 for row in rows) <= 1
    (integrated,) = table("nulls", "awake", "states", ["average"], 1)
    assert integrated["p"] <= 0.05
