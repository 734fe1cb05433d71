"""Tests of any macro scale of a window, and the grain that the theory accepts, by hand."""

import numpy as np
import pytest
from test_summarise import nulls_of, phi_of

from pipeline.inference.over_scales import p_over_scales
from pipeline.inference.summary import summarise


def macro_of(phi, size=1, valid=(1,), **more):
    """A macro scale of four micro states, whose units are or are no units."""
    dataset = phi_of(phi, [6] * 2**size, units=size, macro_state=np.arange(4) % 2**size, **more)
    return dataset if valid is None else dataset.assign(valid_unit=("unit", np.resize(valid, size)))


def rows_of(phi, nulls=()):
    summary, tests = summarise(phi, nulls, min_row_visits=0)
    return summary[summary["measure"] == "phi_s"].set_index("scale"), tests


def test_one_scale_has_the_p_that_it_has_alone():
    rng = np.random.default_rng(0)
    for _ in range(20):
        value, surrogates = rng.normal(1), rng.normal(size=19)
        alone = (1 + (surrogates >= value).sum()) / 20
        assert p_over_scales(np.array([value]), surrogates[None]).tolist() == [alone]


def test_several_scales_are_found_together_no_more_often_than_one_is():
    """Four scales, correlated, 19 surrogates: under the null 5% of 2000 windows, plus 4.5 standard errors."""
    rng = np.random.default_rng(1)
    hits, alone = 0, 0
    for _ in range(2000):
        every = rng.normal(size=(1, 20)) + rng.normal(size=(4, 20)) * np.array([[1], [2], [0.5], [3]])
        p = p_over_scales(every[:, 0], every[:, 1:])
        hits += p.min() <= 0.05
        alone += ((every[:, 1:] >= every[:, :1]).sum(axis=1) == 0).any()
    assert hits / 2000 <= 0.05 + 4.5 * np.sqrt(0.05 * 0.95 / 2000)
    assert hits / 2000 > 0.03
    assert alone / 2000 > 0.09


def test_a_scale_that_never_varies_says_nothing():
    p = p_over_scales(np.array([1.0, 0.0]), np.array([[1.0] * 9, [0.0] * 8 + [1.0]]))
    assert p.tolist() == [1.0, 1.0]


def test_tables_have_p_over_the_macro_scales_of_a_window():
    micro = phi_of([1.0] * 4, [3] * 4)
    macros = [macro_of([2.0, 2.0]), macro_of([1.0, 1.0, 1.0, 1.0], size=2).assign_attrs(scale=2)]
    values = {1: [0.1, 0.2, 0.1, 3.0], 2: [0.0, 0.5, 2.0, 0.1, np.nan]}  # more rows than it has surrogates
    nulls = [nulls_of(m, values[m.sizes["unit"]]) for m in macros] + [nulls_of(micro, [0.0, 0.0])]
    summary, tests = summarise([micro, *macros], nulls, min_row_visits=0)
    own = tests[tests["route"] == "macro_units"].set_index("scale")["p_scales"]
    expected = p_over_scales(np.array([2.0, 1.0]), np.array([values[1], values[2][:4]]))
    assert own.loc[[1, 2]].tolist() == pytest.approx(expected.tolist())
    assert tests.loc[tests["route"] == "micro", "p_scales"].isna().all()
    told = summary[(summary["route"] == "macro_units") & (summary["measure"] == "phi_s")].set_index("scale")
    assert told["null_p_scales"].loc[[1, 2]].tolist() == pytest.approx(expected.tolist())


def test_random_groupings_are_others_at_every_scale():
    macro = macro_of([2.0, 2.0])
    _, tests = summarise([phi_of([1.0] * 4, [3] * 4), macro], [nulls_of(macro, [0.1] * 5, family="random_grouping")])
    assert np.isfinite(tests["p"]).all()
    assert tests["p_scales"].isna().all()


@pytest.mark.parametrize(
    ("phi", "valid", "word", "micro_word"),
    [
        (2.0, (1,), "accepted", "units"),
        (2.0, (0,), "no units", "accepted"),
        (2.0, (-1,), "unchecked", "accepted"),
        (2.0, None, "unchecked", "accepted"),
        (0.5, (1,), "units", "accepted"),
    ],
)
def test_the_grain_is_the_largest_phi_s_of_units_that_are_units(phi, valid, word, micro_word):
    rows, _ = rows_of([phi_of([1.0] * 4, [3] * 4), macro_of([phi, phi], valid=valid)])
    assert rows["grain"].to_dict() == {2: micro_word, 1: word}


def test_nothing_is_accepted_where_nothing_is_integrated():
    nothing = {"draws": np.zeros((3, 4))}, {"draws": np.zeros((3, 2))}
    rows, _ = rows_of([phi_of([0.0] * 4, [3] * 4, **nothing[0]), macro_of([0.0, 0.0], **nothing[1])])
    assert rows["grain"].to_dict() == {2: "units", 1: "units"}
    assert rows["grain_share"].to_dict() == {2: 0.0, 1: 0.0}


def test_the_share_is_of_draws_in_which_a_scale_is_the_largest():
    micro = phi_of([1.0] * 4, [3] * 4, draws=[[1.0] * 4, [1.0] * 4, [3.0] * 4, [1.0] * 4])
    macro = macro_of([2.0, 2.0], draws=[[2.0, 2.0]] * 4)
    rows, _ = rows_of([micro, macro])
    assert rows["grain_share"].to_dict() == {2: 0.25, 1: 0.75}
    rows, _ = rows_of([micro, macro_of([2.0, 2.0], valid=(0,), draws=[[2.0, 2.0]] * 4)])
    assert rows["grain_share"].isna().all()
