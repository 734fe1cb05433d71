"""One hierarchy of all windows: macro models of common coordinates, surrogates encoded likewise, and the stage."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from encoder_series import autoregression

from pipeline.base.errors import PhiscaleError
from pipeline.base.files import load, load_groups, save, save_table
from pipeline.encoder.joint import learn_jointly
from pipeline.encoder.multiscale import WindowActivity
from pipeline.encoder.parameters import Encoder
from pipeline.encoder.weights import load_weights
from pipeline.integration.encoded import integrate_encoded
from pipeline.integration.observed import integrate
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.tables import table
from pipeline.workflow.job import Job, perform

FIELDS = {"couplings": 1, "hidden": 8, "steps": 20, "power_steps": 5, "seeds": 1, "surrogates": 3, "units": 4}
FIELDS |= {"nulls": ["interaction", "brownian"]}


def window(seed: int, condition: str, *, shift: float = 0.0, frames: int = 1200) -> WindowActivity:
    """Two slow variables that drive each other, each seen by two units."""
    rng = np.random.default_rng(seed)
    hidden = np.zeros((frames, 2))
    for t in range(1, frames):
        hidden[t] = 0.55 * hidden[t - 1] + 0.4 * hidden[t - 1, ::-1] + 0.4 * rng.normal(size=2)
    seen = np.repeat(hidden, 2, axis=1) + 0.1 * rng.normal(size=(frames, 4)) + shift
    return WindowActivity(seen, np.zeros(frames, np.int64), np.arange(frames) / 2, condition)


@pytest.fixture(scope="module")
def joint():
    return learn_jointly({"a": window(1, "awake"), "b": window(2, "asleep", shift=1.0)}, seed=1, **FIELDS)


def test_no_transition_leads_from_window_to_window(joint) -> None:
    folds = joint.data.folds
    assert not bool(folds.train[0, 1199])
    assert not bool(folds.held[0, 1199])
    for half in (slice(0, 1199), slice(1200, None)):
        assert folds.held[0, half].sum() > 100
        assert folds.train[0, half].sum() > 300


def test_thresholds_are_those_of_all_windows_together(joint) -> None:
    states = joint.states(2)
    on = states["states"].groupby("window").mean("frame")
    assert abs(states["states"].values.mean(axis=0) - 0.5).max() < 0.05
    higher = on.sel(window="b") - on.sel(window="a")  # the second window lies higher: the same thresholds
    assert higher.max() > 0.1
    assert states["surrogate_states"].sizes == {"null": 2, "surrogate": 3, "frame": 2400, "unit": 2}
    shares = states["surrogate_states"].mean("frame").values
    assert (abs(shares - 0.5) < 0.1).all()
    segment = states["surrogate_segment"].values
    assert (segment[..., 1199] != segment[..., 1200]).all()


def test_latents_lie_with_their_windows(joint) -> None:
    found = joint.latents()
    assert set(found.data_vars) == {"latents_4", "latents_2", "latents_1"}
    assert found["condition"].values[[0, -1]].tolist() == ["awake", "asleep"]
    assert found["time"].values[[0, 1200]].tolist() == [0, 0]


def test_the_same_seed_gives_the_same_states(joint) -> None:
    again = learn_jointly({"a": window(1, "awake"), "b": window(2, "asleep", shift=1.0)}, seed=1, **FIELDS)
    xr.testing.assert_identical(joint.states(2), again.states(2))


def test_what_cannot_be_learned_is_refused() -> None:
    with pytest.raises(PhiscaleError, match="no window"):
        learn_jointly({}, **FIELDS)
    flat = WindowActivity(np.zeros((200, 4)), np.zeros(200, np.int64), np.arange(200.0), "awake")
    with pytest.raises(PhiscaleError, match="constant"):
        learn_jointly({"a": flat}, **FIELDS)


def written(folder: Path) -> tuple[Path, list[dict[str, str]]]:
    """The stage on a recording of two windows whose units 0, 1 and 2, 3 each see one of two coupled variables."""
    parts = [window(1, "awake"), window(2, "asleep", shift=1.0)]
    ensembles = xr.Dataset(
        {
            "activity": (("time", "ensemble"), np.concatenate([part.values for part in parts])),
            "dropped": ("time", np.zeros(2400, bool)),
        },
        coords={"time": np.arange(2400) / 2, "ensemble": [f"e{i}" for i in range(4)]},
        attrs={"sampling_rate_hz": 2.0, "recording": "r1", "subject": "s1"},
    )
    rows = [("a", "awake", 0.0, 600.0), ("b", "asleep", 600.0, 1200.0)]
    keys = ("window", "condition", "start_s", "end_s")
    save(ensembles, folder / "ensembles.nc")
    windows = [{"recording": "r1", **dict(zip(keys, row, strict=True))} for row in rows]
    save_table(table(windows, WINDOW_COLUMNS), folder / "windows.csv")
    out = {name: str(folder / name) for name in ("macro_model.nc", "joint.nc", "joint.pt")}
    job = Job(
        *("macro_model", str(folder), str(folder), {"recording": "r1"}),
        SimpleNamespace(ensembles=str(folder / "ensembles.nc"), windows=str(folder / "windows.csv")),
        SimpleNamespace(macro_model=out["macro_model.nc"], joint=out["joint.nc"], weights=out["joint.pt"]),
        SimpleNamespace(encoder=Encoder(**FIELDS).model_dump(mode="json"), draws=20, min_frames=5000, seed=1),
        *(1, str(folder / "log")),
    )
    perform(job)
    return folder, job.left_out


def test_the_stage_writes_tpms_whose_phi_exceeds_that_of_encoded_surrogates(tmp_path: Path) -> None:
    folder, left_out = written(tmp_path)
    assert not left_out
    found = load_groups(folder / "macro_model.nc")
    assert list(found) == ["a/macro_model-2", "a/macro_model-4", "b/macro_model-2", "b/macro_model-4"]
    tpm = found["a/macro_model-2"]
    assert (tpm.attrs["route"], tpm.attrs["label"], tpm.attrs["scale"]) == ("macro_model", "phi of the macro model", 2)
    assert (tpm.attrs["condition"], tpm.attrs["subject"], tpm.attrs["shown"]) == ("awake", "s1", "interaction")
    assert "few_frames" in tpm.attrs["flag"]
    assert tpm.sizes["frame"] == 1200
    phi = integrate(tpm, big_phi_draws=2)
    value = float((phi["phi_s"] * phi["occupancy"]).sum())
    null = integrate_encoded(tpm, big_phi_surrogates=1)
    shifted = null["value"].sel(measure="phi_s", null="interaction").values
    assert np.isfinite(null["value"].sel(measure="phi_s")).all()
    assert np.isfinite(null["value"].sel(measure="big_phi").values).sum() == 2
    assert value > 2 * shifted.max()
    assert load(folder / "joint.nc").sizes["frame"] == 2400
    weights = load_weights(folder / "joint.pt")[""]
    assert weights.units == ("e0", "e1", "e2", "e3")
    y = weights.at(1).encode(*_frames(folder))[-1].latents[0, :, 0].detach().numpy()
    np.testing.assert_allclose(y, load(folder / "joint.nc")["latents_1"].values[:, 0], rtol=1e-5, atol=1e-6)


def _frames(folder: Path):
    import torch

    return (torch.as_tensor(load(folder / "ensembles.nc")["activity"].values)[None],)


def test_independent_units_have_no_phi_beyond_the_null() -> None:
    part = WindowActivity(autoregression(3, 1500, 4), np.zeros(1500, np.int64), np.arange(1500.0), "awake")
    from pipeline.encoder.macro_model import macro_tpm

    joint = learn_jointly({"a": part}, seed=2, **{**FIELDS, "surrogates": 9, "nulls": ["interaction"]})
    states = joint.states(2)
    tpm = macro_tpm(states, "a").assign({n: states[n] for n in ("surrogate_states", "surrogate_segment")})
    phi = integrate(tpm, big_phi_draws=0)
    value = float((phi["phi_s"] * phi["occupancy"]).sum())
    null = integrate_encoded(tpm, big_phi_surrogates=0)["value"].sel(measure="phi_s", null="interaction").values
    assert value <= null.max() + 0.02
