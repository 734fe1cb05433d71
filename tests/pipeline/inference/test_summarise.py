"""State-weighted values, common occupancy, intervals and nulls of a window, by hand."""

import numpy as np
import pytest
import xarray as xr

from pipeline.base.files import save_table
from pipeline.inference.summary import null_test, summarise
from pipeline.integration.occupancy import common_occupancy, key_of, weighted_mean
from pipeline.results.columns import NULL_COLUMNS, SUMMARY_COLUMNS
from pipeline.results.measures import SUMMARISED

STATE_VARIABLES = ("phi_s", "phi_s_complex", "big_phi", "n_distinctions", "n_relations")


def phi_of(
    values,
    visits,
    recording="r1",
    subject="m1",
    window="awake",
    condition=None,
    draws=None,
    units=2,
    macro_state=None,
    causal_power=(0.5, (0.4, 0.5, 0.6)),
    flag="",
    names=None,
    **state_values,
):
    """A dataset as `integration.integrate` gives it, with phi_s = values (state)."""
    visits = np.asarray(visits)
    given = dict.fromkeys(STATE_VARIABLES, np.full(len(visits), np.nan))
    given |= {"phi_s": np.asarray(values, dtype=float)} | state_values
    variables = {name: ("state", np.asarray(value, dtype=float)) for name, value in given.items()}
    power = np.resize(causal_power[1], len(causal_power[1] if draws is None else draws))
    variables |= {
        "visits": ("state", visits),
        "visited": ("state", visits > 0),
        "occupancy": ("state", visits / visits.sum()),
        "effective_information": ((), causal_power[0] * units),
        "effective_information_draws": ("draw", power * units),
        "causal_power": ((), causal_power[0]),
        "causal_power_draws": ("draw", power),
    }
    if draws is not None:
        variables["phi_s_draws"] = (("draw", "state"), np.asarray(draws, dtype=float))
    if macro_state is not None:
        variables["macro_state"] = ("micro_state", np.asarray(macro_state))
        variables["group"] = ("micro_unit", np.zeros(int(np.log2(len(macro_state)))))
    return xr.Dataset(
        variables,
        coords={"state": np.arange(len(visits)), "unit": names or [f"e{i}" for i in range(units)]},
        attrs={
            "recording": recording,
            "subject": subject,
            "window": window,
            "condition": condition or window,
            "route": "micro" if macro_state is None else "macro_units",
            "scale": units,
            "n_frames": int(visits.sum()),
            "estimator": "logistic",
            "flag": flag,
        },
    )


def nulls_of(phi, values, measure="phi_s", family="integration"):
    """A dataset as `integration.integrate_nulls` gives it, for one family and one measure."""
    return xr.Dataset(
        {"value": (("null", "surrogate", "measure"), np.asarray(values, float)[None, :, None])},
        coords={"null": [family], "measure": [measure]},
        attrs=phi.attrs,
    )


def value(summary, measure, window="awake", column="value", scale=2):
    rows = summary[(summary["measure"] == measure) & (summary["window"] == window)]
    return rows[rows["scale"] == scale][column].item()


def test_weights_by_hand():
    values = np.array([[0.1, 0.3, np.nan], [1.0, 2.0, np.nan]])
    assert weighted_mean(values, np.array([3.0, 1.0, 0.0])) == pytest.approx([0.15, 1.25])
    assert np.isnan(weighted_mean(values, np.array([3.0, 0.0, 1.0]))).all()
    assert np.isnan(weighted_mean(values, np.zeros(3))).all()


def test_value_interval_and_counts_of_one_window():
    draws = np.stack([np.array([0.1, 0.4, 0.0, np.nan]) * k for k in np.linspace(0.5, 1.5, 101)])
    phi = phi_of([0.1, 0.4, 0.0, np.nan], [60, 30, 10, 0], draws=draws, flag="few_frames")
    summary, nulls = summarise([phi], confidence=0.9, min_row_visits=0)
    assert list(summary.columns) == SUMMARY_COLUMNS
    assert list(nulls.columns) == NULL_COLUMNS
    assert nulls.empty
    assert value(summary, "phi_s") == pytest.approx(0.6 * 0.1 + 0.3 * 0.4)
    assert value(summary, "phi_s", column="ci_low") == pytest.approx(0.18 * 0.55)
    assert value(summary, "phi_s", column="ci_high") == pytest.approx(0.18 * 1.45)
    assert value(summary, "phi_s", column="n_frames") == 100
    assert value(summary, "phi_s", column="n_states_visited") == 3
    assert value(summary, "phi_s", column="flag") == "few_frames"
    assert value(summary, "effective_information") == pytest.approx(1.0)
    assert np.isnan(value(summary, "phi_s", column="null_p"))
    assert "big_phi" not in set(summary["measure"])  # not computed, hence no row


def test_interval_away_from_the_estimate_is_flagged():
    draws = np.full((50, 2), 0.3)
    summary, _ = summarise([phi_of([0.1, 0.1], [5, 5], draws=draws, units=1)])
    assert value(summary, "phi_s", scale=1, column="flag") == "interval_excludes_estimate"


@pytest.mark.parametrize(("spread", "flag"), [(0.4, ""), (0.6, "imprecise")])
def test_interval_wider_than_the_value_is_flagged(spread, flag):
    draws = np.linspace(1 - spread, 1 + spread, 101)[:, None] * [0.2, 0.2]
    summary, _ = summarise([phi_of([0.2, 0.2], [5, 5], draws=draws, units=1)], confidence=0.99)
    assert value(summary, "phi_s", scale=1, column="flag") == flag


def test_common_occupancy_tells_mechanism_from_occupancy():
    """The same phi per state in both conditions: only the occupancy differs, so `_common` is equal."""
    phi_s = [0.1, 0.5, 0.9, 2.0]
    awake = phi_of(phi_s, [20, 60, 20, 0])
    sleep = phi_of([*phi_s[:3], np.nan], [80, 10, 10, 0], window="sleep")
    summary, _ = summarise([awake, sleep])
    assert value(summary, "phi_s") == pytest.approx(0.5)
    assert value(summary, "phi_s", "sleep") == pytest.approx(0.22)
    mean = (0.5 * 0.1) + (0.35 * 0.5) + (0.15 * 0.9)
    assert value(summary, "phi_s_common") == pytest.approx(mean)
    assert value(summary, "phi_s_common", "sleep") == pytest.approx(mean)


def test_common_states_are_those_visited_in_every_window():
    awake = phi_of([1.0, 2.0, 3.0, 4.0], [10, 10, 40, 40])
    sleep = phi_of([1.0, 2.0, np.nan, np.nan], [30, 10, 0, 0], window="sleep")
    summary, _ = summarise([awake, sleep])
    weights = np.array([(0.1 + 0.75) / 2, (0.1 + 0.25) / 2])
    expected = (weights @ [1.0, 2.0]) / weights.sum()
    assert value(summary, "phi_s_common") == pytest.approx(expected)
    assert value(summary, "phi_s_common", column="flag") == ""  # they carry 0.6
    rare = phi_of([1.0, 2.0, 3.0, 4.0], [1, 0, 50, 49])
    summary, _ = summarise([rare, sleep])
    assert value(summary, "phi_s_common", column="flag") == "common_covers:0.38"
    assert value(summary, "phi_s", column="flag") == ""


def test_no_common_state():
    awake, sleep = phi_of([1.0, np.nan], [9, 0]), phi_of([np.nan, 1.0], [0, 9], window="sleep")
    summary, _ = summarise([awake, sleep])
    assert np.isnan(value(summary, "phi_s_common"))
    assert value(summary, "phi_s_common", column="flag") == "no_common_states"
    assert value(summary, "phi_s") == 1.0


def test_conditions_count_once_and_their_windows_by_frames():
    windows = [
        phi_of([1.0, 2.0], [30, 0], window="a1", condition="awake", units=1),
        phi_of([1.0, 2.0], [30, 60], window="a2", condition="awake", units=1),
        phi_of([1.0, 2.0], [10, 10], window="s", condition="sleep", units=1),
    ]
    windows[0]["visited"][:] = True
    occupancy = common_occupancy(windows)[key_of(windows[0])]
    awake = 60 / 120  # frames: 60 of 120 in state 0
    assert occupancy.weights == pytest.approx([(awake + 0.5) / 2, (1 - awake + 0.5) / 2])


def test_recordings_with_one_condition_are_pooled_per_subject():
    neuron = {"units": 1, "names": ["n7"]}
    awake = phi_of([1.0, 2.0], [50, 50], recording="day1", **neuron)
    sleep = phi_of([1.0, 2.0], [90, 10], recording="day2", window="sleep", **neuron)
    stranger = phi_of([1.0, 2.0], [1, 99], recording="x", subject="m2", units=1)
    summary, _ = summarise([awake, sleep, stranger])
    both = summary[summary["measure"] == "phi_s_common"].set_index("recording")["value"]
    assert both["day1"] == both["day2"] == pytest.approx(0.7 * 1 + 0.3 * 2)
    assert both["x"] == pytest.approx(1.99)


@pytest.mark.parametrize("names", [(["e0"], ["e0"]), (["n1"], ["n2"])])
def test_units_that_are_not_the_same_have_no_common_occupancy(names):
    """Ensembles of different recordings share a name and nothing else; neurons of other names are others."""
    awake = phi_of([1.0, 2.0], [50, 50], recording="day1", units=1, names=names[0])
    sleep = phi_of([1.0, 2.0], [90, 10], recording="day2", window="sleep", units=1, names=names[1])
    other = phi_of([1.0, 2.0], [1, 99], recording="x", subject="m2", units=1)
    both = phi_of([1.0, 2.0], [1, 3], recording="day3", window="nap", units=1)
    again = phi_of([1.0, 2.0], [3, 1], recording="day3", window="run", units=1)
    summary, _ = summarise([awake, sleep, other, both, again])
    common = summary[summary["measure"] == "phi_s_common"].set_index(["recording", "window"])
    for place in (("day1", "awake"), ("day2", "sleep")):
        assert np.isnan(common.loc[place, "value"])
        assert common.loc[place, "flag"] == "units_differ"
    assert common.loc[("x", "awake"), "value"] == pytest.approx(1.99)  # one recording of its own
    for window in ("nap", "run"):  # one recording with both conditions
        assert common.loc[("day3", window), "value"] == pytest.approx(1.5)
    assert (summary.loc[summary["measure"] == "phi_s", "flag"] == "").all()


def test_macro_scales_take_over_that_the_units_differ():
    windows = [
        made
        for recording, window in (("day1", "awake"), ("day2", "sleep"))
        for made in (
            phi_of([0.1] * 4, [1] * 4, recording=recording, window=window),
            phi_of([0.1, 0.1], [3, 1], recording=recording, window=window, units=1, macro_state=[0, 0, 0, 1]),
        )
    ]
    summary, _ = summarise(windows)
    common = summary[summary["measure"] == "phi_s_common"]
    assert len(common) == 4
    assert (common["flag"] == "units_differ").all()


def test_recordings_with_several_conditions_stand_alone():
    windows = [
        phi_of([1.0, 2.0], visits, recording=r, window=w, units=1)
        for r, w, visits in (
            ("r1", "awake", [5, 5]),
            ("r1", "sleep", [9, 1]),
            ("r2", "awake", [2, 8]),
            ("r2", "sleep", [2, 8]),
        )
    ]
    summary, _ = summarise(windows)
    common = summary[summary["measure"] == "phi_s_common"].set_index(["recording", "window"])
    assert common.loc[("r1", "awake"), "value"] == pytest.approx(1.3)
    assert common.loc[("r2", "sleep"), "value"] == pytest.approx(1.8)


def test_macro_scales_share_the_micro_distribution_though_their_groupings_differ():
    micro = [phi_of([0.0] * 4, visits, window=w) for w, visits in (("awake", [4, 2, 2, 2]), ("sleep", [6, 2, 1, 1]))]
    macro = [
        phi_of([1.0, 2.0], [8, 2], units=1, macro_state=[0, 0, 0, 1]),
        phi_of([1.0, 2.0], [6, 4], units=1, macro_state=[0, 1, 1, 1], window="sleep"),
    ]
    summary, _ = summarise(micro + macro)
    shared = np.array([0.5, 0.2, 0.15, 0.15])
    assert value(summary, "phi_s_common", scale=1) == pytest.approx(1 + shared[3])
    assert value(summary, "phi_s_common", "sleep", scale=1) == pytest.approx(1 + shared[1:].sum())
    summary, _ = summarise(macro)
    assert value(summary, "phi_s_common", scale=1, column="flag") == "no_micro_scale"


def test_gain_in_causal_power_is_paired_by_draw():
    micro = phi_of([0.1] * 4, [1] * 4, causal_power=(0.2, (0.1, 0.2, 0.3)))
    macro = phi_of([0.1, 0.1], [3, 1], units=1, macro_state=[0, 0, 0, 1], causal_power=(0.6, (0.5, 0.6, 0.7)))
    summary, _ = summarise([micro, macro], min_row_visits=0)
    assert value(summary, "delta_causal_power", scale=1) == pytest.approx(0.4)
    assert value(summary, "delta_causal_power", scale=1, column="ci_low") == pytest.approx(0.4)
    assert value(summary, "delta_causal_power", scale=1, column="ci_high") == pytest.approx(0.4)
    assert "delta_causal_power" not in set(summary[summary["scale"] == 2]["measure"])


def test_null_by_hand():
    test = null_test(1.0, np.array([0.0, 1.0, 0.5, 0.5, np.nan]))
    assert test["mean"] == 0.5
    assert test["sd"] == pytest.approx(np.sqrt(0.5 / 3))
    assert test["z"] == pytest.approx(0.5 / np.sqrt(0.5 / 3))
    assert test["excess"] == 0.5
    assert test["p"] == 2 / 5  # a tie counts against the value
    assert test["n_surrogates"] == 4
    constant = null_test(0.0, np.zeros(9))
    assert constant["p"] == 1.0
    assert np.isnan(constant["z"])
    assert np.isnan(null_test(1.0, np.array([np.nan]))["p"])


def test_the_null_that_is_shown_is_named_and_never_replaced():
    phi = phi_of([0.1, 0.4, 0.0, np.nan], [60, 30, 10, 0])
    summary, nulls = summarise([phi], [nulls_of(phi, [0.0, 0.1, 0.2])])
    assert len(nulls) == 1
    assert nulls["null"].item() == "integration"
    assert nulls["excess"].item() == pytest.approx(0.08)
    assert value(summary, "phi_s", column="null_mean") == pytest.approx(0.1)
    assert value(summary, "phi_s", column="null_p") == 0.5
    assert np.isnan(value(summary, "phi_s_common", column="null_p"))
    assert value(summary, "phi_s", column="null") == "integration"
    assert value(summary, "phi_s_common", column="null") == ""
    summary, nulls = summarise([phi], [nulls_of(phi, [0.9, 0.8], family="no_dynamics")])
    assert value(summary, "phi_s", column="flag") == "no_null:integration"
    assert np.isnan(value(summary, "phi_s", column="null_p"))
    assert nulls["p"].notna().all()


@pytest.mark.parametrize("groupings", [2, 18, 19])
def test_few_random_groupings_have_no_p_and_nothing_takes_their_place(groupings):
    """Two other groupings cannot give a p below 1/3, nineteen can give 0.05."""
    micro = phi_of([0.5] * 4, [1] * 4)
    macro = phi_of([0.5, 0.5], [3, 1], units=1, macro_state=[0, 0, 0, 1])
    padded = [0.2] * groupings + [np.nan] * (39 - groupings)
    random = nulls_of(macro, padded, family="random_grouping")
    nulls = xr.concat([nulls_of(macro, [0.1] * 39), random], "null")
    summary, tests = summarise([micro, macro], [nulls], shown={"phi_s": "random_grouping"})
    row = summary[(summary["scale"] == 1) & (summary["measure"] == "phi_s")].iloc[0]
    assert row["null"] == "random_grouping"
    if groupings == 19:
        assert (row["flag"], row["null_mean"], row["null_p"]) == ("", pytest.approx(0.2), pytest.approx(1 / 20))
    else:
        assert row["flag"] == f"few_groupings:{groupings}"
        assert np.isnan(row["null_p"])
        assert np.isnan(row["null_mean"])
    assert sorted(tests["null"]) == ["integration", "random_grouping"]  # the table of nulls keeps both


def test_interaction_null_of_a_window_too_short_is_flagged():
    phi = phi_of([0.1, 0.4, 0.0, np.nan], [60, 30, 10, 0])
    null = nulls_of(phi, [0.0, 0.1, 0.2]).assign_coords(flag=("null", ["short_shift"]))
    summary, _ = summarise([phi], [null])
    assert value(summary, "phi_s", column="flag") == "short_shift"
    assert value(summary, "phi_s_common", column="flag") == ""


def test_random_groupings_test_the_gain_in_causal_power():
    micro = phi_of([0.1] * 4, [1] * 4, causal_power=(0.2, (0.1, 0.3)))
    macro = phi_of([0.1, 0.1], [3, 1], units=1, macro_state=[0, 0, 0, 1], causal_power=(0.6, ()))
    null = nulls_of(macro, [0.3, 0.5, 0.7], "causal_power", "random_grouping")
    _, nulls = summarise([micro, macro], [null])
    rows = nulls.set_index("measure")
    assert rows.loc["causal_power", "mean"] == pytest.approx(0.5)
    assert rows.loc["delta_causal_power", "mean"] == pytest.approx(0.3)
    assert rows.loc["delta_causal_power", "p"] == rows.loc["causal_power", "p"] == 0.5


def test_null_p_is_calibrated():
    """A value drawn from its own null is called significant at the stated rate."""
    rng = np.random.default_rng(8)
    p = np.array([null_test(*np.split(rng.gamma(2, size=100), [1]))["p"] for _ in range(2000)])
    assert np.mean(p <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    assert np.mean(p <= 0.05) >= 0.05 - 3 * np.sqrt(0.05 * 0.95 / 2000)


def test_rows_are_sorted_and_bytes_stable_whatever_the_order(tmp_path):
    windows = [
        phi_of([0.1, 1 / 3], [1, 2], recording=r, window=w, units=1) for r in ("r2", "r1") for w in ("sleep", "awake")
    ]
    for name, order in (("first", windows), ("second", windows[::-1])):
        save_table(summarise(order)[0], tmp_path / f"{name}.csv")
    text = (tmp_path / "first.csv").read_text()
    assert text == (tmp_path / "second.csv").read_text()
    summary = summarise(windows)[0]
    keys = list(zip(summary["recording"], summary["window"], strict=True))
    assert keys == sorted(keys)
    for _, rows in summary.groupby(["recording", "window"]):
        places = [SUMMARISED.index(m) for m in rows["measure"]]
        assert places == sorted(places)
    assert ",0.2555555556," in text  # ten significant digits


def test_no_windows_give_empty_tables_with_their_columns():
    summary, nulls = summarise([])
    assert list(summary.columns) == SUMMARY_COLUMNS
    assert summary.empty
    assert list(nulls.columns) == NULL_COLUMNS


def test_recordings_that_share_their_units_have_common_states():
    """Two ensembles of one name are the same unit there; and recordings that hold both conditions stay apart."""

    def shared(phi):
        return phi.assign_attrs(units_shared="subject")

    awake = shared(phi_of([1.0, 2.0], [50, 50], recording="day1", units=1, names=["e0"]))
    sleep = shared(phi_of([1.0, 2.0], [90, 10], recording="day2", window="sleep", units=1, names=["e0"]))
    summary, _ = summarise([awake, sleep])
    common = summary[summary["measure"] == "phi_s_common"]
    assert common["value"].to_numpy() == pytest.approx([0.7 * 1 + 0.3 * 2] * 2)
    assert (common["flag"] == "").all()

    day = {day: {w: [50 - 20 * (w == "sleep") - 9 * day, 50] for w in ("awake", "sleep")} for day in (1, 2)}
    both = [
        shared(phi_of([1.0, 2.0], visits, recording=f"day{d}", window=w, units=1, names=["e0"]))
        for d, windows in day.items()
        for w, visits in windows.items()
    ]
    occupancy = common_occupancy(both)
    assert occupancy[key_of(both[0])] == occupancy[key_of(both[1])]
    assert occupancy[key_of(both[0])].weights != pytest.approx(occupancy[key_of(both[2])].weights)


def test_the_probability_of_more_than_nothing_stands_beside_an_interval_that_may_end_at_it():
    draws = np.repeat(np.array([0.0] * 30 + [1e-12] * 10 + [0.2] * 60)[:, None], 2, axis=1)
    summary, _ = summarise([phi_of([0.1, 0.1], [50, 50], draws=draws, units=1)])
    assert value(summary, "phi_s", scale=1, column="p_positive") == pytest.approx(0.6)
    assert value(summary, "phi_s", scale=1, column="ci_low") == 0.0
    assert value(summary, "phi_s_common", scale=1, column="p_positive") == pytest.approx(0.6)
    assert np.isnan(value(summary, "effective_information", scale=1, column="p_positive"))


@pytest.mark.parametrize(
    ("visits", "information", "structure"),
    [([10, 10, 10, 10], "", ""), ([10, 10, 10, 9], "1_of_4", ""), ([97, 1, 1, 1], "3_of_4", "3_of_4")],
)
def test_what_rests_on_rows_hardly_visited_is_withheld(visits, information, structure):
    """EI averages all rows; Φ most of them; phi_s is that of the states that were visited."""
    ones = np.ones(4)
    phi = phi_of(ones, visits, draws=np.ones((50, 4)), big_phi=ones, n_distinctions=ones)
    summary, _ = summarise([phi], [nulls_of(phi, [0.1] * 39, "effective_information", "interaction")])
    withheld = {"effective_information": information, "causal_power": information, "big_phi": structure}
    for measure, why in (withheld | {"n_distinctions": structure, "big_phi_common": structure, "phi_s": ""}).items():
        told = f"withheld:{why}_rows" in value(summary, measure, column="flag").split(";")
        assert told == bool(why)
        assert np.isnan(value(summary, measure)) == bool(why)
    assert np.isnan(value(summary, "effective_information", column="null_p")) == bool(information)


@pytest.mark.parametrize(("spread", "withheld"), [(2.0, False), (4.0, True)])
def test_a_structure_not_known_to_a_factor_of_ten_is_withheld(spread, withheld):
    draws = np.repeat(np.geomspace(1 / spread, spread, 101)[:, None], 4, axis=1)
    phi = phi_of(np.ones(4), [50] * 4, draws=draws, big_phi=np.ones(4)).assign(
        big_phi_draws=(("draw_big", "state"), draws)
    )
    summary, _ = summarise([phi])
    assert ("withheld:tenfold" in value(summary, "big_phi", column="flag")) == withheld
    assert np.isnan(value(summary, "big_phi", column="p_positive")) == withheld
    assert value(summary, "phi_s") == 1.0  # only what grows by factors


def test_macro_units_rest_on_the_rows_of_their_micro_units():
    micro = phi_of([0.1] * 4, [40, 40, 40, 3])
    macro = phi_of([0.1, 0.1], [80, 43], units=1, macro_state=[0, 0, 1, 1])
    summary, _ = summarise([micro, macro])
    for measure in ("effective_information", "delta_causal_power"):
        assert value(summary, measure, scale=1, column="flag") == "withheld:1_of_4_rows"


def test_of_an_information_that_is_withheld_a_bound_is_told():
    phi = phi_of(np.ones(4), [10, 10, 10, 9]).assign(information_of_rows_draws=("draw", [0.4, 0.5, 0.6]))
    summary, _ = summarise([phi], confidence=0.9)
    assert value(summary, "effective_information", column="ci_low") == pytest.approx(0.41)
    assert value(summary, "causal_power", column="ci_low") == pytest.approx(0.205)
    for column in ("value", "ci_high"):
        assert np.isnan(value(summary, "effective_information", column=column))
