"""Every null from a recording's activity to a p-value: binarized and estimated like the data, and calibrated."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.base.errors import PhiscaleError
from pipeline.base.files import load, save
from pipeline.binarize.states import binarize_windows
from pipeline.inference.summary import summarise
from pipeline.integration import integrate, integrate_nulls
from pipeline.macro import coarse_grain
from pipeline.nulls import NULLS, Traces
from pipeline.tpm import estimate_window

BINARIZE = {"method": "quantile", "quantile": 0.6, "bin_s": 0.5}
PHI_ALONE = {"big_phi_max_units": 0, "complex_max_units": 0}
OF_TRACES = [name for name, null in NULLS.items() if null.acts_on == "traces"]


def ensembles_of(values: np.ndarray) -> xr.Dataset:
    """Activity (time, ensemble) of a recording at 2 Hz."""
    n, k = values.shape
    return xr.Dataset(
        {"activity": (("time", "ensemble"), values, {"units": "1"}), "dropped": ("time", np.zeros(n, bool))},
        coords={"time": np.arange(n) / 2.0, "ensemble": [f"e{i}" for i in range(k)]},
        attrs={"recording": "r1", "subject": "m1", "sampling_rate_hz": 2.0},
    )


def windows_of(*spans: tuple[str, float, float]) -> pd.DataFrame:
    return pd.DataFrame([{"window": w, "condition": w, "start_s": a, "end_s": b} for w, a, b in spans])


def autoregressive(frames: int, step: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((frames, len(step)))
    for t in range(1, frames):
        x[t] += step @ x[t - 1]
    return x


@pytest.mark.parametrize("kind", NULLS)
def test_independent_units_are_not_called_integrated_much_more_often_than_stated(kind):
    """At p <= 0.05 in 40 recordings of three unrelated units of different persistence: 2 are expected."""
    windows, p = windows_of(("awake", 0, 150)), []
    for seed in range(40):
        ensembles = ensembles_of(autoregressive(300, np.diag([0.2, 0.5, 0.7]), seed))
        states = binarize_windows(ensembles, windows, **BINARIZE)
        tpm = estimate_window(states, "awake")
        traces = Traces(ensembles, windows, BINARIZE, seed)
        nulls = integrate_nulls(states, tpm, kinds=[kind], surrogates=19, traces=traces, seed=seed, **PHI_ALONE)
        _, table = summarise([integrate(tpm, **PHI_ALONE)], [nulls])
        p.append(table.set_index("measure").loc["phi_s", "p"])
    assert np.mean(np.array(p) <= 0.05) <= 0.2


@pytest.mark.parametrize(("kind", "told"), [("ar1", True), ("var", False)])
def test_what_the_family_breaks_is_told_and_what_it_keeps_is_not(kind, told):
    """A linear interaction is beyond independent autoregressions, and within a vector autoregression."""
    step = np.array([[0.2, 0.7, 0.0], [0.0, 0.2, 0.7], [0.7, 0.0, 0.2]])
    ensembles, windows = ensembles_of(autoregressive(600, step, 1)), windows_of(("awake", 0, 300))
    states = binarize_windows(ensembles, windows, **BINARIZE)
    tpm = estimate_window(states, "awake")
    traces = Traces(ensembles, windows, BINARIZE)
    nulls = integrate_nulls(states, tpm, kinds=[kind], surrogates=39, traces=traces, **PHI_ALONE)
    _, table = summarise([integrate(tpm, **PHI_ALONE)], [nulls])
    assert (table.set_index("measure").loc["phi_s", "p"] == pytest.approx(1 / 40)) == told


@pytest.fixture(scope="module")
def recording():
    values = np.concatenate([autoregressive(500, np.diag([0.5] * 4), s) for s in (1, 2)])
    ensembles, windows = ensembles_of(values), windows_of(("awake", 0, 250), ("sleep", 250, 500))
    states = binarize_windows(ensembles, windows, **BINARIZE)
    return ensembles, windows, states


@pytest.mark.parametrize("kind", OF_TRACES)
def test_windows_and_scales_share_what_was_drawn(recording, kind, monkeypatch, tmp_path):
    ensembles, windows, states = recording
    tpms = [estimate_window(states, w) for w in ("awake", "sleep")]
    tpms.append(coarse_grain(tpms[0], 2, method="exhaustive"))
    options = {"kinds": [kind], "surrogates": 4, "big_phi_surrogates": 1}
    alone = [
        integrate_nulls(states, t, window=t.attrs["window"], traces=Traces(ensembles, windows, BINARIZE, 5), **options)
        for t in tpms
    ]
    shared, calls = Traces(ensembles, windows, BINARIZE, 5), []
    draw = Traces.draw
    monkeypatch.setattr(Traces, "draw", lambda self, *a: calls.append(a) or draw(self, *a))
    for t, one in zip(tpms, alone, strict=True):
        again = integrate_nulls(states, t, window=t.attrs["window"], traces=shared, seed=9, **options)
        xr.testing.assert_equal(again, one)
    assert calls == [(kind, 4)]
    save(one, tmp_path / "nulls.nc")
    assert load(tmp_path / "nulls.nc").drop_attrs().equals(one.drop_attrs())
    assert np.isfinite(one["value"].sel(null=kind, measure="phi_s")[0])


def test_nulls_of_states_need_no_activity_and_those_of_traces_say_so(recording):
    _, _, states = recording
    tpm = estimate_window(states, "awake")
    kinds = [name for name, null in NULLS.items() if null.acts_on == "states"]
    found = integrate_nulls(states, tpm, window="awake", kinds=kinds, surrogates=2, **PHI_ALONE)
    assert found["null"].values.tolist() == kinds
    with pytest.raises(PhiscaleError, match=r"'ar1' is drawn of the units' activity.*give traces="):
        integrate_nulls(states, tpm, window="awake", kinds=["ar1"], surrogates=2)


def test_surrogates_without_a_raster_are_left_out_and_counted(recording):
    """Random walks drift apart from window to window: some lie above the common threshold all the time, or below."""
    ensembles, windows, states = recording
    tpm = estimate_window(states, "awake")
    traces = Traces(ensembles, windows, BINARIZE)
    options = {"window": "awake", "traces": traces, **PHI_ALONE}
    found = integrate_nulls(states, tpm, kinds=["interaction", "brownian"], surrogates=10, **options)
    left = int(np.isnan(found["value"].sel(null="brownian", measure="phi_s")).sum())
    assert 0 < left < 10
    assert found["flag"].values.tolist() == ["", f"surrogates_left_out:{left}"]
    _, table = summarise([integrate(tpm, **PHI_ALONE)], [found])
    counted = table.set_index(["null", "measure"])["n_surrogates"]
    assert counted["brownian", "phi_s"] == 10 - left
    assert counted["interaction", "phi_s"] == 10


def test_a_null_without_any_surrogate_left_tests_nothing(recording):
    ensembles, windows, states = recording
    traces = Traces(ensembles, windows, {"method": "zscore", "z": 50, "bin_s": 0.5})
    micro = estimate_window(states, "awake")
    for tpm in (micro, coarse_grain(micro, 2, method="exhaustive")):
        found = integrate_nulls(states, tpm, window="awake", kinds=["var"], surrogates=3, traces=traces, **PHI_ALONE)
        assert str(found["flag"].sel(null="var").item()) == "surrogates_left_out:3"
        _, table = summarise([integrate(tpm, **PHI_ALONE)], [found])
        assert "var" not in set(table["null"])


def test_a_parameter_that_the_section_does_not_have_is_refused(recording):
    _, _, states = recording
    tpm = estimate_window(states, "awake")
    with pytest.raises(PhiscaleError, match=r"iit.magic: is no parameter of the section iit"):
        integrate(tpm, magic=1)
    with pytest.raises(PhiscaleError, match=r"iit.min_visits: 0 is refused"):
        integrate_nulls(states, tpm, min_visits=0)
