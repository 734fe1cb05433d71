"""The latent estimator on a recording of two windows, through TPM, phi and nulls."""

import numpy as np
import pytest
import xarray as xr
from test_hidden import blurred
from test_parent_sets import logistic, run

from pipeline.base.errors import PhiscaleError
from pipeline.base.files import load, save
from pipeline.integration import integrate, integrate_nulls
from pipeline.integration.measured import Measured
from pipeline.macro import coarse_grain
from pipeline.tpm.choice import score
from pipeline.tpm.estimation import estimate_window, fit_recording
from pipeline.tpm.latent import LEAST_DRAWS, seen_of
from pipeline.tpm.sampled import PATHS

UNITS = ["a", "b", "c", "d"]
RING = np.array([[0, 1.2, 0, 0.9], [1.2, 0, 0, 0], [0, 0.9, 0, 1.0], [0, 0, 1.0, 0.0]])
N = 1500


def recording(n_units=4):
    """States of a recording whose units act on each other in one window and not in the other."""
    truth = {"on": logistic(RING, bias=-1.0), "off": logistic(np.zeros((4, 4)), bias=-1.0)}
    states = np.concatenate([run(p_on, N, i) for i, p_on in enumerate(truth.values())])
    signal = blurred(states, np.random.default_rng(2))
    window = np.repeat(list(truth), N)
    matched = np.ones(2 * N, bool)
    matched[N - 100 : N] = False
    coords = {
        "window": ("frame", window),
        "condition": ("frame", window),
        "segment": ("frame", np.zeros(2 * N, int)),
        "matched": ("frame", matched),
        "unit": ("unit", UNITS),
    }
    variables = {"states": (signal > 3.0).astype(np.uint8), "signal": signal}
    data = {name: (("frame", "unit"), values) for name, values in variables.items()}
    return xr.Dataset(data, coords, {"recording": "r", "subject": "s"}).isel(unit=slice(n_units)), truth


def in_bouts(states, length=250):
    """The same frames with bouts of the windows in turn, and as they were, with the borders of the bouts."""
    frame = np.arange(N)
    order = np.argsort(np.r_[frame // length, frame // length], kind="stable")
    bout = np.r_[frame // length * 2, frame // length * 2 + 1]
    whole = states.assign_coords(segment=("frame", bout))
    return whole.isel(frame=order), whole


def test_windows_whose_bouts_alternate_are_put_together():
    alternating, whole = in_bouts(recording()[0])
    assert not np.array_equal(alternating["window"], whole["window"])
    found, expected = seen_of(alternating), seen_of(whole)
    assert found.windows == expected.windows == ["on", "off"]
    np.testing.assert_array_equal(found.states, expected.states)
    for one, other in zip(found.recorded, expected.recorded, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found.recorded.first.sum() == 2 * N / 250
    assert seen_of(alternating, ["off"]).windows == ["off"]


def test_a_frame_that_is_left_out_ends_a_run():
    states, _ = recording()
    states["matched"].values[700] = False
    seen = seen_of(states)
    assert seen.recorded.first[700]
    assert not seen.recorded.joined[700].any()
    assert seen.recorded.first.sum() == 3


def test_bouts_are_estimated_tested_and_scored_like_whole_windows():
    states, _ = in_bouts(recording(2)[0])
    how = {"method": "latent", "draws": 20, "seed": 4}
    fitted = fit_recording(states, **how)
    tpms = {name: estimate_window(states, name, recording=fitted, **how) for name in ("on", "off")}
    for name, tpm in tpms.items():
        inside = (states["window"].values == name) & states["matched"].values
        assert tpm.sizes["frame"] == inside.sum()
        agree = tpm["paths"].mean("path").values.round() == states["states"].values[inside]
        assert agree.mean() > 0.8
    nulls = integrate_nulls(
        states, tpms["on"], window="on", kinds=["integration"], surrogates=2, measured=Measured(states, tpms, most=2)
    )
    assert np.isfinite(nulls["value"].sel(measure="phi_s")).all()
    assert set(score(states, 1, {}).signal) == {"latent", "average"}


@pytest.fixture(scope="module")
def estimated():
    states, truth = recording()
    fitted = fit_recording(states, "latent", draws=50, seed=4)
    tpms = {
        name: estimate_window(states, name, recording=fitted, method="latent", draws=50, seed=4)
        for name in ("on", "off")
    }
    return states, truth, tpms


def test_each_window_has_the_tpm_of_its_units(estimated):
    _, truth, tpms = estimated
    for name, p_on in truth.items():
        weight = tpms[name]["occupancy"].values[:, None]
        assert (weight * np.abs(tpms[name]["p_on"].values - p_on)).sum() / 4 < 0.06
    acts = RING != 0
    assert tpms["on"]["connection"].values[acts].min() > 0.9
    assert tpms["off"]["connection"].values[~np.eye(4, dtype=bool)].mean() < 0.4


def test_what_is_told_of_a_window_is_that_of_its_states(estimated, tmp_path):
    tpm = estimated[2]["on"]
    assert tpm.attrs["n_frames"] == N - 100  # frames that are not matched are left out
    assert tpm["paths"].shape == (PATHS, N - 100, 4)
    assert tpm["p_on_draws"].shape == (50, 16, 4)
    assert tpm["occupancy"].sum() == pytest.approx(1)
    assert (tpm.attrs["estimator"], tpm.attrs["family"], tpm.attrs["r_hat"] < 1.2) == ("latent", 2, True)
    assert 0 < tpm.attrs["effective_draws"] <= LEAST_DRAWS
    save(tpm, tmp_path / "tpm.nc")
    xr.testing.assert_identical(load(tmp_path / "tpm.nc")["paths"], tpm["paths"])


def test_phi_and_its_null_tell_the_windows_apart(estimated):
    states, _, tpms = estimated
    means = {}
    for name, tpm in tpms.items():
        phi = integrate(tpm, big_phi_draws=2, structures=0)
        nulls = integrate_nulls(states, tpm, window=name, surrogates=19, big_phi_surrogates=0, seed=1)
        value = float((phi["phi_s"] * phi["occupancy"]).sum())
        surrogates = nulls["value"].sel(null="interaction", measure="phi_s").values
        means[name] = (value, (surrogates >= value).sum())
    assert means["on"][0] > 10 * means["off"][0]
    assert means["on"][1] == 0


def test_macro_units_take_the_paths_with_them(estimated):
    states, _, tpms = estimated
    macro = coarse_grain(tpms["on"], 2, method="exhaustive")
    assert macro["paths"].dims == ("path", "frame", "micro_unit")
    nulls = integrate_nulls(states, macro, window="on", surrogates=5, big_phi_surrogates=0)
    assert np.isfinite(nulls["value"].sel(null="interaction", measure="phi_s").values).all()


def test_the_seed_fixes_everything():
    states, _ = recording()
    a, b, c = (fit_recording(states, "latent", draws=10, seed=s).posterior("on") for s in (1, 1, 2))
    np.testing.assert_array_equal(a.p_on, b.p_on)
    np.testing.assert_array_equal(a.paths, b.paths)
    assert not np.array_equal(a.p_on, c.p_on)


def test_what_it_cannot_be_used_with_is_refused():
    states, _ = recording()
    with pytest.raises(PhiscaleError, match=r"tpm\.lag"):
        fit_recording(states, "latent", lag=2)
    with pytest.raises(PhiscaleError, match="needs the signal"):
        fit_recording(states.drop_vars("signal"), "latent")
    assert fit_recording(states, "logistic") is None
