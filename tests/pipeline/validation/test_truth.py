"""Estimates beside the truth: true values are those of the units that the analysis found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_results import write_study
from fake_substrate import observational, planted_pairs, stationary

import pipeline
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.macro.groupings import Grouping
from pipeline.results.columns import SUMMARY, TRUE_GROUPINGS, TRUTH
from pipeline.results.reader import Results
from pipeline.validation.truth import contains, hold_against_truth, likeness, macro_truth


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return pipeline.load_results(write_study(tmp_path_factory.mktemp("study"), subjects=2).results)


def test_true_values_are_those_of_the_units_that_were_learned(results: Results) -> None:
    pairs = results.true_values.set_index(["recording", "condition", "route", "measure"])
    assert len(pairs) == 2 * 3 * 2 * 3
    awake = pairs.loc[("m1_s1", "awake", "macro_units", "phi_s")]  # the planted pairs, both AND
    assert (awake["planted"], awake["unlimited"]) == pytest.approx((1.262, 1.262), abs=5e-4)
    other = pairs.loc[("m1_s1", "anesthesia", "macro_units", "effective_information")]
    crossed = Grouping((0, 1, 0, 1), ("and", "and"))  # what was learned there
    for kind, p_on in (("planted", planted_pairs(0.2)), ("unlimited", observational(0.2))):
        expected = effective_information(state_by_state(crossed.macro_p_on(p_on)))
        assert other[kind] == pytest.approx(expected)
    assert other["planted"] != pytest.approx(other["unlimited"], rel=0.01)


def test_true_values_follow_the_mapping_and_the_names_of_the_units() -> None:
    p_on = planted_pairs(0.6)
    known = {"tpm": p_on.tolist(), "occupancy": stationary(p_on).tolist(), "scales": []}
    both = macro_truth(known, Grouping((0, 0, 1, 1), ("and", "and")))
    other = macro_truth(known, Grouping((0, 0, 1, 1), ("or", "or")))
    turned = macro_truth(known, Grouping((1, 1, 0, 0), ("and", "and")))
    assert both["phi_s"][0] != pytest.approx(other["phi_s"][0], rel=0.05)
    assert turned["phi_s"][0] == pytest.approx(both["phi_s"][0])
    assert np.isnan(both["phi_s"][1])  # no observational TPM in this file
    assert macro_truth({"tpm": None, "scales": []}, Grouping((0, 1), ("and", "and"))) == {}


def test_estimates_stand_beside_the_truth(results: Results) -> None:
    keys = list(TRUTH.names[:7])
    estimates = results.summary.set_index(keys)["value"]
    for row in results.true_values.itertuples():
        assert row.value == pytest.approx(estimates[tuple(row)[1:8]])
        assert row.contains_planted == contains(row.ci_low, row.ci_high, row.planted)
    order = list(dict.fromkeys(zip(results.true_values["route"], results.true_values["measure"], strict=True)))
    measures = ("phi_s", "big_phi", "effective_information")
    assert order == [(route, measure) for route in ("micro", "macro_units") for measure in measures]


def test_a_true_value_without_an_estimate_is_kept(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=1)
    results = pipeline.load_results(made.results)
    summary = results.summary[results.summary["measure"] != "phi_s"]
    values, _ = hold_against_truth(summary, {"m1_s1": results.truth("m1_s1")})
    phi = values[values["measure"] == "phi_s"]
    assert len(phi) == 3
    assert phi["planted"].notna().all()
    assert phi["value"].isna().all()
    assert set(phi["contains_planted"]) == {""}


def test_groupings_are_held_against_the_planted_one(results: Results) -> None:
    found = results.true_groupings.set_index(["recording", "condition"])
    assert found.loc[("m1_s1", "awake"), "recovered"] == "yes"
    assert found.loc[("m1_s1", "anesthesia"), "recovered"] == "no"
    assert set(found["planted_group"]) == {"0 0 1 1"}


def test_without_truth_there_are_headers_only() -> None:
    values, groupings = hold_against_truth(pd.DataFrame(columns=SUMMARY.names), {})
    assert (list(values.columns), list(groupings.columns)) == (TRUTH.names, TRUE_GROUPINGS.names)
    assert values.empty
    assert groupings.empty


@pytest.mark.parametrize(
    ("low", "high", "true", "said"),
    [(0, 1, 1.0, "yes"), (0, 1, 1.1, "no"), (np.nan, 1, 0.5, ""), (0, 1, np.nan, "")],
)
def test_intervals_contain_the_truth_or_do_not(low: float, high: float, true: float, said: str) -> None:
    assert contains(low, high, true) == said


def test_as_planted_asks_for_the_mapping_too() -> None:
    planted = Grouping((0, 0, 1, 1), ("and", "and"))
    assert likeness(Grouping((1, 1, 0, 0), ("majority", "and")), planted) == "yes"  # of 2: all
    assert likeness(Grouping((0, 0, 1, 1), ("and", "or")), planted) == "pairs, other mapping"
    assert likeness(Grouping((0, 1, 0, 1), ("and", "and")), planted) == "no"
