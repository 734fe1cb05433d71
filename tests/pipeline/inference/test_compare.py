"""Contrasts between conditions: the subject is the unit of inference."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from pipeline.base.files import save_table
from pipeline.inference.adjusted import excess_over_null
from pipeline.inference.contrasts import compare
from pipeline.inference.parameters import Primary
from pipeline.inference.subjects import (
    WINDOW,
    beside_values,
    flagged,
    subject_activity,
    subject_means,
    subject_values,
    unit_activity,
    window_activity,
)
from pipeline.results.columns import COMPARISON_COLUMNS, SUMMARY_COLUMNS
from pipeline.results.tables import read_table, table


def summary_of(values, measure="phi_s", scale=4, route="micro", n_frames=1000):
    """values: {(subject, condition): value or list of (recording, n_frames, value[, flag])}."""
    rows = []
    for (subject, condition), given in values.items():
        sessions = given if isinstance(given, list) else [(f"{subject}_r", n_frames, given)]
        for recording, frames, value, *flag in sessions:
            rows.append(
                dict.fromkeys(SUMMARY_COLUMNS, np.nan)
                | {"recording": recording, "subject": subject, "condition": condition}
                | {"window": condition, "scale": scale, "route": route, "measure": measure}
                | {
                    "value": value,
                    "n_frames": frames,
                    "estimator": "logistic",
                    "flag": "".join(flag),
                }
            )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


def cohort(differences, **options):
    values = {}
    for i, d in enumerate(differences):
        values |= {(f"m{i}", "awake"): 0.5 + d, (f"m{i}", "sleep"): 0.5}
    return summary_of(values, **options)


def test_hand_computed_contrast():
    row = compare(cohort([0.1, 0.2, 0.6]), [("awake", "sleep")]).iloc[0]
    assert row["contrast"] == "awake-sleep"
    assert row["n_subjects"] == 3
    assert row["estimate"] == pytest.approx(0.3)
    assert row["p"] == pytest.approx(2 / 8)  # only all signs kept and all flipped reach the mean
    assert row["p_corrected"] == pytest.approx(2 / 8)
    assert (row["n_flips"], row["smallest_p"]) == (8, 0.25)
    assert (row["n_resamples"], row["confidence"]) == (27, 0.95)
    # 27 resamples: the outer 1/27 on either side is the extreme subject three times over
    stretch = 4.302652729911275 / 1.959963984540054 * np.sqrt(3 / 2)
    assert row["ci_low"] == pytest.approx(0.3 + stretch * (0.1 - 0.3))
    assert row["ci_high"] == pytest.approx(0.3 + stretch * (0.6 - 0.3))


def test_reversed_contrast_mirrors():
    table = compare(cohort([0.1, 0.2, 0.6]), [("awake", "sleep"), ("sleep", "awake")])
    there, back = table.iloc[0], table.iloc[1]
    assert there["estimate"] == -back["estimate"]
    assert there["p"] == back["p"]
    assert there["ci_low"] == pytest.approx(-back["ci_high"])


def test_sessions_of_one_animal_are_one_value_weighted_by_frames():
    summary = summary_of(
        {
            ("m1", "awake"): [("a", 100, 1.0), ("b", 300, 2.0), ("c", 50, np.nan)],
            ("m1", "sleep"): [("a", 100, 0.5)],
            ("m2", "awake"): [("d", 100, 1.0)],
            ("m2", "sleep"): [("d", 100, 0.0)],
        }
    )
    assert value_of(summary, "awake", "m1") == pytest.approx(1.75)
    row = compare(summary, [("awake", "sleep")]).iloc[0]
    assert row["n_subjects"] == 2  # not 3 sessions
    assert row["estimate"] == pytest.approx((1.25 + 1.0) / 2)


def value_of(summary, condition, subject, column="value"):
    rows = subject_values(summary).set_index(["condition", "subject"])
    return rows.loc[(condition, subject), column]


def few_frames_summary(second_sleep):
    """m1's awake has a short window beside a long one; m2's sleep has `second_sleep` alone."""
    flag = "few_frames;unvisited_states:3"
    return summary_of(
        {
            ("m1", "awake"): [("a", 1000, 1.0, ""), ("b", 100, 9.0, flag)],
            ("m1", "sleep"): [("a", 1000, 0.5)],
            ("m2", "awake"): [("c", 1000, 1.0)],
            ("m2", "sleep"): [second_sleep],
        }
    )


def test_short_windows_are_left_out_where_there_are_others():
    summary = few_frames_summary(("c", 1000, 0.0, "imprecise"))
    assert value_of(summary, "awake", "m1") == 1.0
    row = compare(summary, [("awake", "sleep")]).iloc[0]
    assert row["estimate"] == pytest.approx((0.5 + 1.0) / 2)
    assert row["n_subjects_short"] == 0


def test_short_windows_are_used_for_want_of_others_and_said_to_be():
    summary = few_frames_summary(("c", 100, 0.2, "few_frames"))
    row = compare(summary, [("awake", "sleep")]).iloc[0]
    assert row["n_subjects"] == 2
    assert row["estimate"] == pytest.approx((0.5 + 0.8) / 2)
    assert row["n_subjects_short"] == 1
    assert value_of(summary, "sleep", "m2", "short")


def test_a_long_window_without_a_value_does_not_push_out_a_short_one():
    summary = few_frames_summary(("c", 100, 0.2, "few_frames"))
    empty = summary_of({("m2", "sleep"): [("d", 1000, np.nan)]})
    assert value_of(pd.concat([summary, empty]), "sleep", "m2") == 0.2


def test_no_value_at_all_gives_rows_without_numbers():
    summary = summary_of({("m1", "awake"): np.nan, ("m1", "sleep"): np.nan})
    row = compare(summary.assign(flag=np.nan), [("awake", "sleep")]).iloc[0]
    assert row["n_subjects"] == 0
    assert np.isnan(row["estimate"])


def test_subject_without_one_condition_is_left_out():
    summary = pd.concat([cohort([0.1, 0.2]), summary_of({("lone", "awake"): 9.0})])
    row = compare(summary, [("awake", "sleep")]).iloc[0]
    assert row["n_subjects"] == 2
    assert row["estimate"] == pytest.approx(0.15)


def test_contrast_that_no_subject_has():
    summary = summary_of({("m1", "awake"): 1.0, ("m2", "sleep"): 0.5})
    row = compare(summary, [("awake", "sleep")]).iloc[0]
    assert row["n_subjects"] == 0
    assert row[["estimate", "ci_low", "ci_high", "p", "p_corrected"]].isna().all()
    assert (row["n_flips"], row["n_resamples"], row["n_tests"]) == (0, 0, 0)
    assert np.isnan(row["smallest_p"])


def test_one_subject_has_no_interval_and_says_why():
    row = compare(cohort([0.4]), [("awake", "sleep")]).iloc[0]
    assert row["estimate"] == pytest.approx(0.4)
    assert np.isnan(row["ci_low"])
    assert np.isnan(row["ci_high"])
    assert row["p"] == 1.0
    assert (row["smallest_p"], row["n_resamples"]) == (1.0, 0)


def test_single_condition_gives_a_table_with_header_only(tmp_path):
    table = compare(summary_of({("m1", "awake"): 1.0}), [], ["awake"])
    assert list(table.columns) == COMPARISON_COLUMNS
    assert table.empty
    save_table(table, tmp_path / "comparison.csv")
    assert (tmp_path / "comparison.csv").read_text().strip() == ",".join(COMPARISON_COLUMNS)


def test_no_contrasts_takes_all_pairs_in_order():
    values = dict.fromkeys(product(("m1", "m2"), ("awake", "sleep", "rem")), 1.0)
    table = compare(summary_of(values), [], ["awake", "sleep", "rem"])
    assert list(table["contrast"]) == ["awake-sleep", "awake-rem", "sleep-rem"]


def secondary(table):
    return table[table["role"] == "secondary"]


def test_the_primary_endpoint_is_tested_alone_and_named_by_the_study():
    """Eight animals reach 2 / 256 whatever else is tested; a study may name another endpoint."""
    rng = np.random.default_rng(4)
    tables = [
        cohort(0.3 + rng.normal(0, 0.05, 8), measure=measure, scale=scale, route=route)
        for measure in ("phi_s", "big_phi", "effective_information")
        for scale, route in ((4, "micro"), (2, "macro_units"))
    ]
    pairs = [("awake", "sleep"), ("sleep", "awake")]
    table = compare(pd.concat(tables), pairs)
    [first] = table[table["role"] == "primary"].to_dict("records")
    assert [first[name] for name in ("measure", "scale", "route", "contrast")] == ["phi_s", 4, "micro", "awake-sleep"]
    assert first["p_corrected"] == first["p"] == first["smallest_p_corrected"] == 2 / 256
    assert (first["n_tests"], first["correction"], first["n_subjects_needed"]) == (1, "none", 6)
    assert (secondary(table)["smallest_p_corrected"] > 0.05).all()
    assert set(table.loc[table["mixed"] != "", "measure"]) == {"phi_s"}  # fitted for nothing else
    named = Primary(measure="big_phi", route="macro_units", contrast=("sleep", "awake"))
    for primary in (named, named.model_dump(mode="json")):
        table = compare(pd.concat(tables), pairs, primary=primary)
        [other] = table[table["role"] == "primary"].to_dict("records")
        assert (other["measure"], other["scale"], other["contrast"]) == ("big_phi", 2, "sleep-awake")
    with pytest.raises(ValueError, match="no measure of summary"):
        Primary(measure="charm")


def test_a_primary_endpoint_without_values_is_told_rather_than_replaced():
    table = compare(cohort([0.1] * 8, measure="big_phi"), [("awake", "sleep")])
    [first] = table[table["role"] == "primary"].to_dict("records")
    assert (first["measure"], first["n_subjects"]) == ("phi_s", 0)
    assert np.isnan(first["p"])


def test_causal_power_is_not_tested_twice():
    """It is effective information over a constant: one test, which both rows tell."""
    rng = np.random.default_rng(6)
    differences = rng.normal(0.1, 0.1, 12)
    information = cohort(differences, measure="effective_information")
    power = cohort(differences / 4, measure="causal_power")
    power["value"] = information["value"] / 4
    other = cohort(rng.normal(0.1, 0.1, 12), measure="big_phi")
    table = compare(pd.concat([information, power, other]), [("awake", "sleep")], permutations=500)
    rows = secondary(table).set_index("measure")
    assert (rows["n_tests"] == 2).all()
    both = rows.loc[["effective_information", "causal_power"]]
    for name in ("p", "p_corrected", "smallest_p_corrected"):
        assert both[name].nunique() == 1
    alone = compare(pd.concat([power, other]), [("awake", "sleep")], permutations=500)
    assert (secondary(alone)["n_tests"] == 2).all()  # where it stands alone it is a test


def test_values_that_were_adjusted_are_contrasts_of_their_own_and_correct_nothing():
    raw = cohort([0.3, 0.4, 0.5])
    lower = cohort([0.1, 0.1, 0.1])
    lower["against"] = lower["condition"].map({"awake": "sleep", "sleep": "awake"})
    nap = summary_of({(f"m{i}", "nap"): 9.0 for i in range(3)})
    pairs = [("awake", "sleep"), ("awake", "nap")]
    table = compare(pd.concat([raw, nap]), pairs, variants={"matched_rate": lower, "excess_over_null": raw})
    adjusted = table[table["role"] == "adjusted"].set_index(["adjusted", "contrast"])
    assert adjusted.loc[("matched_rate", "awake-sleep"), "estimate"] == pytest.approx(0.1)
    assert ("matched_rate", "awake-nap") not in adjusted.index  # made for the other contrast
    assert adjusted.loc[("excess_over_null", "awake-sleep"), "estimate"] == pytest.approx(0.4)
    assert adjusted.loc[("excess_over_null", "awake-nap"), "n_subjects"] == 0
    assert adjusted["p_corrected"].isna().all()
    assert set(table.loc[table["role"] != "adjusted", "adjusted"]) == {"raw"}
    without = compare(pd.concat([raw, nap]), pairs)
    assert list(without["p_corrected"]) == list(table.loc[table["adjusted"] == "raw", "p_corrected"])


def test_withheld_and_imprecise_values_are_counted():
    values = summary_of(
        {
            **{(f"m{i}", "awake"): [("r", 100, 1.0, "imprecise" if i == 0 else "")] for i in range(4)},
            **{
                (f"m{i}", "sleep"): [("r", 100, 0.5 if i else np.nan, "" if i else "withheld:thin_rows")]
                for i in range(4)
            },
        }
    )
    row = compare(values, [("awake", "sleep")]).iloc[0]
    assert (row["n_subjects"], row["n_subjects_withheld"], row["n_subjects_imprecise"]) == (3, 1, 0)
    row = compare(values.assign(value=1.0, flag="imprecise"), [("awake", "sleep")]).iloc[0]
    assert (row["n_subjects"], row["n_subjects_withheld"], row["n_subjects_imprecise"]) == (4, 0, 4)


def test_ordering_of_conditions_is_recovered():
    rng = np.random.default_rng(2)
    true = {"awake": 0.30, "recovery": 0.18, "anesthesia": 0.06}
    values = {(f"m{i}", condition): phi + rng.normal(0, 0.02) for i in range(6) for condition, phi in true.items()}
    table = compare(summary_of(values), [], ["awake", "anesthesia", "recovery"])
    estimate = table.set_index("contrast")["estimate"]
    assert estimate["awake-anesthesia"] > estimate["awake-recovery"] > 0
    assert estimate["anesthesia-recovery"] < 0
    assert (table["p"] == 2 / 64).all()
    assert (table["ci_low"] * table["ci_high"] > 0).all()


def test_same_seed_same_bytes_whatever_the_order_of_rows(tmp_path):
    summary = cohort(np.random.default_rng(1).normal(0.1, 0.2, 16))
    options = {"permutations": 500, "bootstrap": 500}
    first = compare(summary, [("awake", "sleep")], seed=4, **options)
    again = compare(summary.sample(frac=1, random_state=0), [("awake", "sleep")], seed=4, **options)
    other = compare(summary, [("awake", "sleep")], seed=5, **options)
    for name, made in (("first", first), ("again", again)):
        save_table(made, tmp_path / f"{name}.csv")
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert not first.equals(other)


def test_a_summary_from_its_file_gives_the_same_comparison(tmp_path):
    """Also where identifiers look like numbers or like missing values."""
    values = {(s, c): i**0.5 for i, (s, c) in enumerate(product(("007", "NA", "1e3"), ("NA", "x")))}
    summary = table(summary_of(values).to_dict("records"), SUMMARY_COLUMNS)
    save_table(summary, tmp_path / "summary.csv")
    again = read_table(tmp_path / "summary.csv", SUMMARY_COLUMNS)
    direct = compare(summary, [("NA", "x")])
    assert direct["n_subjects"].item() == 3
    pd.testing.assert_frame_equal(compare(again, [("NA", "x")]), direct)


def test_a_test_does_not_depend_on_which_others_are_made():
    one, other = cohort([0.1, 0.3, 0.2] * 5), cohort([0.2, 0.1, 0.4] * 5, measure="big_phi")
    alone = compare(one, [("awake", "sleep")], permutations=300, bootstrap=300)
    both = compare(pd.concat([other, one]), [("awake", "sleep")], permutations=300, bootstrap=300)
    columns = ["estimate", "ci_low", "ci_high", "p"]
    pd.testing.assert_frame_equal(alone[columns], both[both["measure"] == "phi_s"][columns])


def test_intervals_are_averaged_where_they_are_known_and_half_of_the_frames_make_a_value_imprecise():
    summary = summary_of({("a", "x"): [("r", 100, 1.0, "imprecise"), ("r", 200, 4.0)]})
    summary = summary.assign(ci_low=[0.0, np.nan], ci_high=[2.0, np.nan])
    row = subject_values(summary).iloc[0]
    assert row["value"] == pytest.approx(3.0)
    assert (row["ci_low"], row["ci_high"]) == (0.0, 2.0)
    assert np.isnan(row["null_mean"])
    assert not row["imprecise"]  # two thirds of its frames are not
    assert not row["short"]
    assert subject_values(summary.assign(n_frames=[200, 200])).iloc[0]["imprecise"]


def test_subjects_keep_the_order_of_their_windows():
    values = {("m2", "sleep"): 1.0, ("m1", "awake"): 1.0, ("m2", "awake"): 1.0}
    found = subject_values(summary_of(values))
    assert list(zip(found["subject"], found["condition"], strict=True)) == list(values)


def test_flags_are_words_not_parts_of_words():
    assert flagged(["unvisited_states:3", "x_unvisited_states", np.nan], "unvisited_states").tolist() == [
        True,
        False,
        False,
    ]


def test_activity_of_windows_and_subjects():
    rows = [("r1", "w", "u0", 1.0), ("r1", "w", "u1", 3.0), ("r2", "v", "u0", 5.0)]
    quality = pd.DataFrame(rows, columns=["recording", "window", "unit", "value"])
    quality = quality.assign(subject="m", condition="x", measure="event_rate_hz")
    assert window_activity(quality)["event_rate_hz"].to_list() == [2.0, 5.0]
    assert subject_activity(quality)["value"].to_list() == [3.0]
    assert unit_activity(quality)["value"].to_list() == [3.0, 3.0]


def test_what_stands_beside_values_is_combined_of_the_same_windows_with_the_same_weights():
    """Two long windows of different length, a short one, one without a value, and a subject with a single window."""
    short = ("d", 50, 9.0, "few_frames")
    windows = [("a", 100, 1.0, ""), ("b", 300, 2.0, ""), short, ("c", 500, np.nan, "")]
    summary = summary_of({("m1", "awake"): windows, ("m2", "awake"): 1.0})
    numbers = {"mean": [0.4, 0.8, 5.0, 7.0, 0.1], "sd": [0.1, np.nan, 3.0, 3.0, 0.3]}
    nulls = summary[WINDOW].assign(**numbers, null="interaction")
    found = beside_values(nulls, summary, ["mean", "sd"], by=["null"]).set_index("subject")
    assert found["mean"].to_dict() == pytest.approx({"m1": 0.7, "m2": 0.1})
    assert found["sd"].to_dict() == pytest.approx({"m1": 0.1, "m2": 0.3})
    assert subject_means(found, "mean").to_dict() == pytest.approx({"awake": 0.4})
    assert beside_values(nulls[:0], summary, ["mean"]).empty

    own = beside_values(summary, summary, ["value"])
    assert own["value"].to_list() == subject_values(summary)["value"].to_list()


def test_excess_over_the_null_takes_the_preferred_null_of_each_window():
    summary = cohort([0.3, 0.4])
    windows = summary[[*WINDOW, "condition", "subject"]].copy()
    nulls = pd.concat(
        [
            windows.assign(null="var", excess=9.0),
            windows.assign(null="integration", excess=windows["condition"].map({"awake": 0.2, "sleep": 0.15})),
        ]
    )
    summary = summary.assign(null="integration")
    found = excess_over_null(summary, nulls, "phi_s")
    row = compare(found, [("awake", "sleep")]).iloc[0]
    assert row["estimate"] == pytest.approx(0.05)
    only = excess_over_null(summary, nulls[nulls["null"] == "var"], "phi_s")
    assert only["value"].isna().all()  # another null answers another question
    assert excess_over_null(summary, nulls.iloc[:0], "phi_s")["value"].isna().all()
