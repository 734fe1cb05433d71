"""Macro units that are evaluated where they were not learned."""

import numpy as np
import pytest
import xarray as xr

from pipeline.base.raster import encode
from pipeline.emergence.discrete import effective_information, state_by_state
from pipeline.inference.summary import summarise
from pipeline.integration import integrate, integrate_nulls
from pipeline.macro import Grouping, Learned, coarse_grain, derive
from pipeline.macro.crossfit import cross_fitted, groupings_of, half_frames, halves_of, learn_crossed, search
from pipeline.macro.groupings import exhaustive
from pipeline.tpm import estimate
from pipeline.tpm.estimation import point_estimates

MAPPINGS = ("and", "or", "majority", "threshold")
PHI_ALONE = {"big_phi_max_units": 0, "complex_max_units": 0}


def states_of(raster: np.ndarray) -> xr.Dataset:
    n, k = raster.shape
    return xr.Dataset(
        {"states": (("frame", "unit"), raster)},
        coords={
            "unit": [f"e{i}" for i in range(k)],
            "window": ("frame", np.full(n, "awake")),
            "condition": ("frame", np.full(n, "awake")),
            "segment": ("frame", np.zeros(n, int)),
            "matched": ("frame", np.ones(n, bool)),
        },
        attrs={"recording": "r1", "subject": "m1"},
    )


def pairs(frames: int, seed: int) -> np.ndarray:
    """Units 0, 1 follow the pair 2, 3, which follows them."""
    rng = np.random.default_rng(seed)
    path, state = np.empty((frames, 4), np.uint8), np.zeros(4)
    for t, luck in enumerate(rng.random((frames, 4))):
        p = 1 / (1 + np.exp(4 - 3.5 * np.array([state[2:].sum()] * 2 + [state[:2].sum()] * 2)))
        path[t] = state = luck < p
    return path


def coins(frames: int, units: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((frames, units)) < rng.uniform(0.2, 0.5, units)).astype(np.uint8)


def crossed_macro(raster: np.ndarray, n_macro: int = 2, draws: int = 20) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """States, micro TPM and cross-fitted macro TPM of one window."""
    states = states_of(raster)
    micro = estimate(states, draws=draws)
    halves = halves_of(states, micro, seed=3)
    macro = coarse_grain(micro, n_macro, method="exhaustive", random_groupings=5)
    return states, micro, cross_fitted(macro, halves, learn_crossed([halves], n_macro, MAPPINGS))


@pytest.fixture(scope="module")
def planted():
    return crossed_macro(pairs(1500, 1))


def test_halves_do_not_touch_and_are_estimated_as_the_window_was(planted):
    states, micro, macro = planted
    raster = states["states"].values
    first, second = half_frames(raster, np.zeros(len(raster), int))
    assert first.start == 0
    assert second.stop == len(raster)
    assert second.start > first.stop
    for half, frames in enumerate((first, second)):
        np.testing.assert_allclose(macro["half_p_on"].values[half], point_estimates(raster[frames]))
        np.testing.assert_array_equal(
            macro["half_visits"].values[half], np.bincount(encode(raster[frames]), minlength=16)
        )
    assert micro.attrs["estimator"] == "logistic"


def test_each_half_has_the_grouping_of_the_other(planted):
    _, _, macro = planted
    for half, grouping in enumerate(groupings_of(macro)):
        best = exhaustive(macro["half_p_on"].values[1 - half], 2, MAPPINGS)[0]
        assert (grouping.group, grouping.mapping) == (best.group, best.mapping)
    assert [g.group for g in groupings_of(macro)] == [(0, 0, 1, 1)] * 2


def test_values_and_draws_are_means_over_both_ways_and_the_reported_grouping_is_of_all_data(planted):
    states, micro, macro = planted
    phi = integrate(macro)
    expected = []
    for half in (0, 1):
        own = micro.assign(p_on=micro["p_on"].copy(data=macro["half_p_on"].values[half]))
        expected.append(float(integrate(own, **PHI_ALONE)["causal_power"]))
    gain = float(phi["causal_power_cross"]) - np.mean(expected)
    assert float(phi["delta_causal_power_cross"]) == pytest.approx(gain)
    summary, _ = summarise([integrate(micro), phi], min_row_visits=0)
    rows = summary[summary["route"] == "macro_units"].set_index("measure")
    for name in ("phi_s", "big_phi", "effective_information", "delta_causal_power"):
        assert rows.loc[name, "value"] == pytest.approx(float(phi[f"{name}_cross"]))
        assert rows.loc[name, "ci_low"] < rows.loc[name, "ci_high"]
    assert rows.loc["phi_s_common", "value"] != rows.loc["phi_s", "value"]
    assert rows.loc["delta_causal_power", "ci_low"] > 0
    assert tuple(phi["group"].values) == (0, 0, 1, 1)
    assert states.sizes["frame"] == macro.attrs["n_frames"]


def test_surrogates_are_learned_and_evaluated_on_their_own_halves(planted, monkeypatch):
    """A surrogate that is the data gives the value of the data."""
    states, micro, macro = planted
    from pipeline.nulls import Surrogates

    monkeypatch.setattr(
        "pipeline.integration.surrogates.draw",
        lambda s, kind, n, seed, lag: Surrogates(np.repeat(s["states"].values[None], n, axis=0), s["segment"].values),
    )
    nulls = integrate_nulls(states, macro, kinds=["interaction"], surrogates=2, big_phi_surrogates=1)
    phi = integrate(macro)
    for name in ("phi_s", "big_phi", "effective_information", "causal_power", "delta_causal_power"):
        found = float(nulls["value"].sel(null="interaction", measure=name)[0])
        assert found == pytest.approx(float(phi[f"{name}_cross"]), rel=1e-9), name
    summary, _ = summarise([integrate(micro), phi], [nulls], min_row_visits=0)
    rows = summary[summary["route"] == "macro_units"].set_index("measure")
    assert rows.loc["delta_causal_power", "null"] == "interaction"
    assert rows.loc["delta_causal_power", "null_p"] == 1.0


def test_planted_pairs_are_found_with_their_gain(planted):
    states, micro, macro = planted
    nulls = integrate_nulls(states, macro, kinds=["interaction"], surrogates=19, **PHI_ALONE)
    summary, table = summarise(
        [integrate(micro, **PHI_ALONE), integrate(macro, **PHI_ALONE)], [nulls], min_row_visits=0
    )
    rows = summary[summary["route"] == "macro_units"].set_index("measure")
    for name in ("effective_information", "delta_causal_power"):
        assert rows.loc[name, "null_p"] == pytest.approx(1 / 20)
    random = table[table["null"] == "random_grouping"].set_index("measure")
    assert random.loc["effective_information", "mean"] < rows.loc["effective_information", "value"]
    assert random.loc["delta_causal_power", "excess"] > 0


def test_a_window_too_short_is_told_and_keeps_the_grouping_of_all_its_data():
    states = states_of(coins(160, 4, 0))
    micro = estimate(states)
    assert halves_of(states, micro) is None
    macro = cross_fitted(coarse_grain(micro, 2, method="exhaustive"), None, [])
    assert "not_cross_fitted" in macro.attrs["flag"].split(";")
    nulls = integrate_nulls(states, macro, kinds=["interaction"], surrogates=2, **PHI_ALONE)
    assert np.isfinite(nulls["value"].sel(null="interaction", measure="delta_causal_power")).any()
    assert "phi_s_cross" not in integrate(macro, **PHI_ALONE)


def test_many_units_are_searched_by_ascent():
    """Seven units, of which the first four are planted pairs, in two windows."""
    raster = np.column_stack([pairs(2000, 2), coins(2000, 3, 1)])
    p_on = point_estimates(np.stack([raster[:1000], raster[1000:]]))
    found = search(p_on, 3, MAPPINGS)
    assert found.group[0] == found.group[1] != found.group[2] == found.group[3]
    own = [Grouping(found.group, found.mapping).macro_p_on(p) for p in p_on]
    expected = np.mean([float(effective_information(state_by_state(p))) for p in own])
    assert found.objective == pytest.approx(expected)
    assert search(p_on, 3, MAPPINGS) == found


@pytest.mark.slow
@pytest.mark.parametrize(("units", "recordings", "most"), [(6, 20, 5), (8, 10, 4)])
def test_independent_units_have_no_macro_claims_at_any_scale(units, recordings, most):
    """EI above its null, or a gain in causal power, at 5% over all scales together: more have a chance below .001."""
    claims = np.zeros(2)
    for seed in range(recordings):
        states = states_of(coins(1500, units, seed))
        micro = estimate(states, draws=2, seed=seed)
        halves = halves_of(states, micro, seed)
        phi, nulls = [integrate(micro, **PHI_ALONE)], []
        for size in range(units - 1, 0, -1):
            crossed = learn_crossed([halves], size, MAPPINGS)
            macro = cross_fitted(derive(micro, learned(micro, crossed[0], size), 0), halves, crossed)
            phi.append(integrate(macro, **PHI_ALONE))
            nulls.append(integrate_nulls(states, macro, kinds=["interaction"], surrogates=19, seed=seed, **PHI_ALONE))
        _, tests = summarise(phi, nulls, min_row_visits=0)
        least = tests[tests["route"] == "macro_units"].groupby("measure")["p_scales"].min()
        claims += [least["effective_information"] <= 0.05, least["delta_causal_power"] <= 0.05]
    assert claims.max() <= most


def learned(micro, grouping, size):
    """A grouping as `learn` gives it; which one is of no consequence to what is cross-fitted."""
    named = list(map(str, micro["unit"].values))
    return Learned(grouping, named, [""], shared=False, found={}, settings={"n_macro": size, "seed": 0})
