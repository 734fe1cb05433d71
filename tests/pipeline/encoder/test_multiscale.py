"""The hierarchy of a window as the workflow asks for it, and as the stage writes it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from encoder_series import autoregression

from pipeline.base.errors import PhiscaleError
from pipeline.base.files import load_groups, save, save_table
from pipeline.emergence.discrete import emergent_complexity
from pipeline.encoder.multiscale import activity_of, multiscale
from pipeline.encoder.parameters import Encoder, Training
from pipeline.inference.latents import summarise_latents
from pipeline.results.columns import NULL_COLUMNS, SUMMARY_COLUMNS
from pipeline.workflow.failures import omitted
from pipeline.workflow.job import Job, JobFailed, perform

FIELDS = {"couplings": 1, "hidden": 4, "steps": 10, "power_steps": 10, "seeds": 2, "surrogates": 3, "units": 4}
FIELDS["dynamics_surrogates"] = 19
NULLS = ["interaction", "brownian"]


def ensembles(seed: int = 1, frames: int = 800) -> xr.Dataset:
    """Four ensembles of two neurons each at 10 Hz, one frame dropped."""
    dropped = np.zeros(frames, bool)
    dropped[100] = True
    places = np.random.default_rng(0).uniform(-4, 4, (8, 2))
    return xr.Dataset(
        {
            "activity": (("time", "ensemble"), autoregression(seed, frames, 4, memory=0.9)),
            "dropped": ("time", dropped),
            "label": ("neuron", np.repeat(np.arange(4), 2)),
            "centroid_x": ("ensemble", places.reshape(4, 2, 2).mean(axis=1)[:, 0]),
            "centroid_y": ("ensemble", places.reshape(4, 2, 2).mean(axis=1)[:, 1]),
        },
        coords={
            "time": np.arange(frames) / 10,
            "ensemble": [f"e{i}" for i in range(4)],
            "x": ("neuron", places[:, 0]),
            "y": ("neuron", places[:, 1]),
        },
        attrs={"sampling_rate_hz": 10.0, "recording": "r1", "subject": "s1"},
    )


WINDOWS = pd.DataFrame(
    {
        "recording": "r1",
        "window": ["a", "b", "c"],
        "condition": ["awake", "asleep", "awake"],
        "start_s": [0.0, 40.0, 79.0],
        "end_s": [40.0, 79.0, 80.0],
    }
)


def test_frames_lie_in_their_windows() -> None:
    parts = activity_of(ensembles(), WINDOWS)
    assert {name: len(part.values) for name, part in parts.items()} == {"a": 399, "b": 390, "c": 10}
    assert parts["b"].condition == "asleep"
    assert len(np.unique(parts["a"].runs)) == 2
    binned = activity_of(ensembles(), WINDOWS, 0.5)["a"]
    np.testing.assert_allclose(binned.values[1], ensembles()["activity"].values[5:10].mean(axis=0))
    assert np.diff(binned.time) == pytest.approx(0.5)


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    data = ensembles()
    part = activity_of(data, WINDOWS)["a"]
    return multiscale(part, data, window="a", seed=3, nulls=NULLS, **FIELDS)


def test_a_window_has_all_its_numbers(found: xr.Dataset) -> None:
    assert found["scale"].values.tolist() == [4, 2, 1]
    assert found["causal_power"].dims == ("seed", "scale")
    assert found["causal_power_null"].sizes == {"null": 2, "surrogate": 3, "scale": 3}
    assert np.isfinite(found["causal_power_null"]).all()
    assert found["attribution"].sizes == {"scale": 3, "unit": 4}
    assert (found["coverage_mm"] > 0).all()
    assert found["latents_1"].sizes == {"frame": 399}
    assert found["latents_2"].sizes == {"frame": 399, "axis": 2}
    assert ((found["agreement"] > 0.3) & (found["agreement"] <= 1)).all()
    low, high = found["causal_power_draws"].quantile([0.025, 0.975], dim="draw").values
    value = found["causal_power"].mean("seed").values
    assert (low < value).all()
    assert (value < high).all()
    assert found["trade_off_loss"].shape == found["trade_off_power"].shape


def test_the_same_seed_gives_the_same_numbers_whatever_else_is_in_the_stack(found: xr.Dataset) -> None:
    data = ensembles()
    part = activity_of(data, WINDOWS)["a"]
    again = multiscale(part, data, window="a", seed=3, nulls=NULLS, **FIELDS)
    xr.testing.assert_identical(found, again)
    fewer = multiscale(part, data, window="a", seed=3, nulls=NULLS[:1], **FIELDS)
    np.testing.assert_array_equal(found["causal_power"], fewer["causal_power"])


def test_independent_units_are_no_more_than_their_shifted_copies(found: xr.Dataset) -> None:
    unit = -0.5 * np.log2(1 - 0.9**2)
    np.testing.assert_allclose(found["causal_power"].mean("seed")[0] / 4, unit, rtol=0.25)
    rows, nulls = summarise_latents([found.assign_attrs(recording="r1", subject="s1", window="a")], 0.95)
    assert list(rows) == list(SUMMARY_COLUMNS)
    assert list(nulls) == list(NULL_COLUMNS)
    power = rows[rows["measure"] == "gaussian_causal_power"].set_index("scale")
    assert power.loc[4, "value"] == pytest.approx(float(found["causal_power"].mean("seed")[0]) / 4)
    assert power.loc[4, "null_mean"] == pytest.approx(float(found["causal_power_null"][0, :, 0].mean()) / 4)
    assert set(power["null"]) == {"interaction"}
    assert set(nulls["null"]) == set(NULLS)
    gain = rows[rows["measure"] == "delta_gaussian_causal_power"].set_index("scale")
    assert gain.index.tolist() == [2, 1]
    assert gain.loc[1, "value"] == pytest.approx(power.loc[1, "value"] - power.loc[4, "value"])
    spread = rows[rows["measure"].str.startswith("emergent_complexity")].set_index("measure")["value"]
    ours = (found["causal_power"].mean("seed") / found["scale"]).values
    assert spread["emergent_complexity"] == pytest.approx(emergent_complexity(ours, "running_maximum"))
    assert spread["emergent_complexity_successive"] == pytest.approx(emergent_complexity(ours, "successive"))
    assert (rows["ci_low"].isna() == (rows["measure"] == "coverage_mm")).all()


def test_the_stage_leaves_out_what_is_too_short(tmp_path: Path) -> None:
    save(ensembles(), tmp_path / "ensembles.nc")
    save_table(WINDOWS, tmp_path / "windows.csv")
    job = Job(
        *("encode", str(tmp_path), str(tmp_path), {"recording": "r1"}),
        SimpleNamespace(ensembles=str(tmp_path / "ensembles.nc"), windows=str(tmp_path / "windows.csv")),
        SimpleNamespace(encoder=str(tmp_path / "encoder.nc"), weights=str(tmp_path / "encoder.pt")),
        SimpleNamespace(encoder=Encoder(**{**FIELDS, "nulls": NULLS}).model_dump(mode="json"), seed=1),
        *(1, str(tmp_path / "log")),
    )
    perform(job)
    groups = load_groups(tmp_path / "encoder.nc")
    assert list(groups) == ["a/latents-4", "b/latents-4"]
    assert groups["b/latents-4"].attrs["condition"] == "asleep"
    assert [note["window"] for note in job.left_out] == ["c"]
    assert "transitions train" in job.left_out[0]["reason"]
    save_table(WINDOWS[2:], tmp_path / "windows.csv")
    with pytest.raises(JobFailed, match="none of its windows"):
        perform(job)
    assert omitted({"recording": "r1", "stage": "encode", "reason": ""}) == "r1:encoder"


def test_constant_units_are_refused() -> None:
    data = ensembles()
    data["activity"][:, 2] = 1.0
    with pytest.raises(PhiscaleError, match="e2 are constant"):
        multiscale(activity_of(data, WINDOWS)["a"], data, window="a", **FIELDS)


def test_fields_left_empty_are_those_of_the_mode() -> None:
    ours, theirs = Training(), Training(mode="published")
    assert (ours.learning_rate, ours.transitions, ours.waits) == (0.003, 4096, 5)
    assert (theirs.learning_rate, theirs.transitions, theirs.waits) == (1e-4, 512, 0)
    assert Training(mode="published", rate=0.1, patience=3).waits == 3
