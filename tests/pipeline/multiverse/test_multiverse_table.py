"""The table of specifications: what it says of each agrees with the comparison of conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.inference.contrasts import compare
from pipeline.multiverse.specification import Estimand, Specification
from pipeline.multiverse.table import Finding, gather
from pipeline.results.columns import SUMMARY_COLUMNS

GOAL = Estimand("phi_s", None, ("awake", "asleep"))


def summary(differences: dict[str, float], units: int = 4, **fields: object) -> pd.DataFrame:
    """Two windows of each subject, apart by its difference."""
    rows = []
    for subject, apart in differences.items():
        for condition, value in (("awake", 1.0 + apart), ("asleep", 1.0)):
            row = dict.fromkeys(SUMMARY_COLUMNS, np.nan) | {"subject": subject, "recording": subject}
            row |= {"condition": condition, "window": condition, "scale": units, "route": "micro", "measure": "phi_s"}
            rows.append(row | {"value": value, "n_frames": 500, "flag": "", "estimator": "logistic"} | fields)
    return pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))


def finding(name: str, differences: dict[str, float], units: int = 4, main: bool = False, **fields: object) -> Finding:
    specification = Specification(name, {"ensembles.iit": units}, main)
    return Finding(specification, summary(differences, units, **fields), units, why="it was too short")


def test_a_row_is_what_the_comparison_says() -> None:
    apart = {f"m{i}": 0.1 * (i + 1) for i in range(6)}
    found, facts = gather([finding("a", apart, main=True), finding("b", apart, units=5)], GOAL)
    row = found.iloc[0]
    (theirs,) = compare(summary(apart), [GOAL.contrast]).itertuples()
    assert row["estimate"] == pytest.approx(theirs.estimate)
    assert row["p"] == theirs.p == 2 / 64
    assert row["mean_a"] - row["mean_b"] == pytest.approx(row["estimate"])
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((theirs.ci_low, theirs.ci_high), rel=0.05)
    assert list(found["scale"]) == [4, 5]
    assert list(found["main"]) == ["yes", ""]
    assert facts["test"]["significant"] == facts["test"]["specifications"] == 2
    assert facts["test"]["p_median"] == 2 / 64


def test_what_has_no_value_says_why_and_changes_nothing() -> None:
    apart = {"m1": 0.1, "m2": 0.3}
    lost = Finding(Specification("c", {"ensembles.iit": 9}), summary({}), 9, incomplete=True, why="it was too short")
    one_condition = Finding(Specification("d", {"ensembles.iit": 8}), summary(apart, 8).query("condition=='awake'"), 8)
    found, facts = gather([finding("a", apart), lost, one_condition], GOAL)
    assert list(found["failed"]) == ["", "it was too short", "no subject has a value in both conditions"]
    assert list(found["n_subjects"]) == [2, 0, 0]
    assert found["estimate"].isna().tolist() == [False, True, True]
    assert found["flag"].tolist()[1] == "incomplete"
    assert facts["test"]["specifications"] == 1


def test_flags_and_estimators_are_those_of_its_windows() -> None:
    found, _ = gather([finding("a", {"m1": 0.1}, flag="imprecise;null:shift")], GOAL)
    assert found["flag"][0] == "imprecise;null"
    assert found["estimator"][0] == "logistic"


def test_the_same_findings_give_the_same_bytes_in_any_order() -> None:
    rng = np.random.default_rng(0)
    apart = [{f"m{i}": v for i, v in enumerate(rng.standard_normal(15))} for _ in range(3)]
    findings = [finding(name, d, units) for name, d, units in zip("abc", apart, (3, 4, 5), strict=True)]
    (one, facts), (other, turned) = (gather(f, GOAL, permutations=500, seed=3) for f in (findings, findings[::-1]))
    pd.testing.assert_frame_equal(one, other.iloc[::-1].reset_index(drop=True))
    assert facts == turned
