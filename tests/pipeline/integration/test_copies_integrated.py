"""Measures of simulated copies, by hand, at both scales and on disk."""

import numpy as np
import pytest
import xarray as xr
from planted import planted, simulate, states_dataset

from pipeline.base.files import load, save
from pipeline.integration import batch, integrate
from pipeline.integration.occupancy import weighted_mean
from pipeline.macro import coarse_grain
from pipeline.tpm.estimation import estimate

CHEAP = ["phi_s_copies", "phi_s_complex_copies", "effective_information_copies", "causal_power_copies"]
QUICK = {"big_phi_draws": 0, "structures": 0, "big_phi_max_units": 0}


@pytest.fixture(scope="module")
def micro():
    return estimate(states_dataset(simulate(planted(), 900, seed=0)[0]), draws=5, seed=1, copies=3)


def by_hand(tpm, b):
    """phi_s of a copy's TPM in all states, and of its draws in the states that it visited."""
    states = np.arange(tpm.sizes["state"])
    truth = batch.system_phi(tpm["copy_p_on"].values[[b]], states)[0] @ tpm["copy_stationary"].values[b]
    occupancy = tpm["copy_occupancy"].values[b]
    drawn = batch.system_phi(tpm["copy_p_on_draws"].values[b].astype(float), states)
    return truth, weighted_mean(drawn, occupancy).mean()


@pytest.mark.parametrize("scale", [4, 2])
def test_truth_and_estimate_of_a_copy_are_weighted_with_their_own_occupancies(micro, scale, tmp_path):
    tpm = micro if scale == 4 else coarse_grain(micro, 2, method="exhaustive")
    phi = integrate(tpm, **QUICK)
    assert [v for v in phi.data_vars if v.endswith("_copies")] == CHEAP
    assert phi["phi_s_copies"].dims == ("copy", "side")
    np.testing.assert_allclose(phi["phi_s_copies"], [by_hand(tpm, b) for b in range(3)])
    for side, p_on in (("truth", tpm["copy_p_on"].values[:, None]), ("estimate", tpm["copy_p_on_draws"].values)):
        bits = [batch.causal_measures(p.astype(float))["effective_information"].mean() for p in p_on]
        np.testing.assert_allclose(phi["effective_information_copies"].sel(side=side), bits)
    assert (phi["phi_s_complex_copies"] >= phi["phi_s_copies"] - 1e-12).all()
    assert all(phi[name].attrs["units"] == phi[name.removesuffix("_copies")].attrs["units"] for name in CHEAP)
    assert all(phi[name].attrs["long_name"].endswith("simulated copies") for name in CHEAP)
    save(phi, tmp_path / "phi.nc")
    xr.testing.assert_identical(load(tmp_path / "phi.nc"), phi)


def test_complexes_are_searched_where_those_of_draws_are(micro):
    phi = integrate(micro, complex_max_units=3, **QUICK)
    assert "phi_s_complex_copies" not in phi
    assert "phi_s_copies" in phi


def test_states_that_are_not_asked_for_count_on_neither_side(micro):
    phi = integrate(micro, states=[0], **QUICK)
    truth = batch.system_phi(micro["copy_p_on"].values, np.array([0]))[:, 0]
    np.testing.assert_allclose(phi["phi_s_copies"].sel(side="truth"), truth)


def test_a_state_of_few_visits_is_passed_over_in_copies_too(micro):
    often = 100
    phi = integrate(micro, min_visits=often, **QUICK)
    few = micro["copy_occupancy"] * micro.attrs["n_frames"] < often - 0.5
    rare = micro.assign(copy_occupancy=micro["copy_occupancy"].where(~few, 0.0))
    assert few.any()
    xr.testing.assert_equal(phi["phi_s_copies"], integrate(rare, **QUICK)["phi_s_copies"])


def test_without_copies_there_is_nothing_of_them(micro):
    alone = micro.drop_vars([v for v in micro.data_vars if v.startswith("copy_")])
    of_copies = [*CHEAP, *(f"{name}_draws" for name in CHEAP), "side"]
    xr.testing.assert_equal(integrate(alone, **QUICK), integrate(micro, **QUICK).drop_vars(of_copies, errors="ignore"))
