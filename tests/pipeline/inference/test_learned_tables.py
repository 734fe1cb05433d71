"""Tables of learned dynamics and their stability, from hierarchies of planted latents; the family of their tests."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from encoder_series import autoregression

from pipeline.base.seeds import generator
from pipeline.encoder.dynamical import Sources, told_portrait
from pipeline.encoder.multiscale import WindowActivity, multiscale
from pipeline.inference.contrasts import compare
from pipeline.inference.dynamics import gather_dynamics
from pipeline.inference.stability import gather_stability
from pipeline.results.columns import DYNAMICS, FIXED_POINTS, STABILITY, SUMMARY_COLUMNS

FRAMES = 3000
FIELDS = {"couplings": 1, "hidden": 16, "steps": 10, "power_steps": 10, "seeds": 2, "surrogates": 2, "units": 4}
FIELDS |= {"nulls": ["interaction"], "dynamics_surrogates": 19, "bin_s": 0.5}


def planted(*, wells: bool) -> WindowActivity:
    """One variable, seen by four units: between two wells, or a linear process of about the same memory."""
    rng = generator(5, "planted", int(wells))
    y = np.ones(FRAMES)
    for t in range(1, FRAMES):
        pull = 0.1 * (y[t - 1] - y[t - 1] ** 3) if wells else -0.05 * y[t - 1]
        y[t] = y[t - 1] + pull + 0.2 * rng.normal()
    seen = y[:, None] + 0.15 * rng.normal(size=(FRAMES, 4))
    return WindowActivity(seen, np.zeros(FRAMES, np.int64), np.arange(FRAMES) / 2, "awake" if wells else "asleep")


@pytest.fixture(scope="module")
def found() -> list[xr.Dataset]:
    ensembles = xr.Dataset(
        {
            "label": ("neuron", np.arange(4)),
            "centroid_x": ("ensemble", np.arange(4.0)),
            "centroid_y": ("ensemble", np.zeros(4)),
        },
        coords={
            "ensemble": [f"e{i}" for i in range(4)],
            "x": ("neuron", np.arange(4.0)),
            "y": ("neuron", np.zeros(4)),
        },
    )
    windows = {part.condition: part for part in (planted(wells=True), planted(wells=False))}
    about = {"recording": "r1", "subject": "s1"}
    return [
        multiscale(part, ensembles, window=name, seed=1, **FIELDS).assign_attrs(about, window=name)
        for name, part in windows.items()
    ]


def test_planted_wells_are_metastable_in_the_table_and_a_linear_process_is_not(found: list[xr.Dataset]) -> None:
    table, points = gather_dynamics(found)
    assert list(table) == DYNAMICS.names
    assert list(points) == FIXED_POINTS.names
    value = table.pivot_table(index="window", columns="measure", values="value")
    assert value.loc["awake", "metastable"] == 1
    assert value.loc["asleep", "metastable"] == 0
    assert value.loc["awake", "wells"] == 2
    assert value.loc["awake", "switches"] >= 10
    barrier = table[table["measure"] == "barrier"].set_index("window")
    assert barrier.loc["awake", "ci_low"] > 0
    assert barrier.loc["awake", "p"] <= 0.05
    assert barrier.loc["awake", "null"] == "interaction"
    assert barrier.loc["asleep", "p"] != barrier.loc["asleep", "p"]  # one well: nothing to test
    assert set(table.loc[table["measure"] == "barrier", "n_surrogates"]) == {2}
    wells = points[(points["window"] == "awake") & (points["scale"] == 1)]
    assert wells["kind"].tolist() == ["stable", "unstable", "stable"]
    stays = wells.loc[wells["kind"] == "stable", ["occupancy", "residence_s"]]
    assert stays["occupancy"].sum() == pytest.approx(1, abs=0.05)
    assert (stays["residence_s"] > 5).all()
    assert wells.loc[wells["kind"] == "unstable", "residence_s"].isna().all()


class Map:
    """The true map of a plane with wells at -1 and 1 of its first axis, in place of a learned one."""

    n_models = 1
    latents = torch.zeros(1, 0, 2, dtype=torch.float64)

    @property
    def model(self) -> "Map":
        return self

    def dynamics(self, y: torch.Tensor) -> torch.Tensor:
        x, z = y[..., 0], y[..., 1]
        return torch.stack([x + 0.1 * (x - x**3), 0.85 * z], dim=-1)


def test_a_saddle_between_the_wells_has_its_directions(found: list[xr.Dataset]) -> None:
    rng, y = np.random.default_rng(0), np.zeros((4000, 2))
    for t in range(1, 4000):
        y[t] = Map().dynamics(torch.as_tensor(y[t - 1])).numpy() + 0.2 * rng.normal(size=2)
    linear = [(autoregression(seed, 1000, 2, memory=0.9), np.zeros(1000, np.int64)) for seed in (1, 2)]
    sources = Sources(y, np.zeros(4000, np.int64), linear, 1, 19, 0)
    told = found[0].drop_dims(["x", "y", "fixed"]).assign(told_portrait(sources, Map()))
    table, points = gather_dynamics([told])
    planar = points[points["scale"] == 2]
    assert sorted(planar["kind"]) == ["saddle", "stable node", "stable node"]
    row = planar[planar["kind"] == "saddle"].iloc[0]
    assert row["eigenvalue1_real"] > 0 > row["eigenvalue2_real"]
    assert abs(row["unstable_y1"]) > 0.9  # along the axis of the wells
    assert abs(row["stable_y2"]) > 0.9
    assert row["share"] > 0.5
    assert planar.loc[planar["kind"] != "saddle", ["unstable_y1", "share"]].isna().all().all()
    value = table[table["scale"] == 2].set_index("measure")
    assert value.loc[["fixed_points", "saddles", "saddle"], "value"].tolist() == [3, 1, 1]
    assert value.loc["saddle", "p"] <= 0.05
    assert value.loc["saddle", "null_mean"] == 0
    assert float(abs(told["portrait_learned"] - told["portrait_field"]).mean()) < 0.03


def test_the_learned_map_lies_with_the_flow_that_is_estimated(found: list[xr.Dataset]) -> None:
    linear = found[1]
    np.testing.assert_allclose(linear["flow_learned"], linear["flow_drift"], atol=0.05)
    assert abs(linear["flow_learned"]).max() > 0.1


def joint(recording: str, seed: int, *, alike: bool) -> xr.Dataset:
    """Latents of a course that all recordings share, turned and noisy; or of one of their own."""
    rng = np.random.default_rng(seed)
    course = np.cumsum(np.random.default_rng(0 if alike else seed).normal(size=(40, 2)), axis=0)
    y = np.repeat(course, 20, axis=0) @ np.linalg.qr(rng.normal(size=(2, 2)))[0] + 0.3 * rng.normal(size=(800, 2))
    return xr.Dataset(
        {"latents_2": (("frame", "axis_2"), y)},
        coords={
            "condition": ("frame", np.repeat(["awake", "asleep"], 400)),
            "time": ("frame", np.arange(800) / 2 + 7.0),
        },
        attrs={"recording": recording, "subject": recording},
    )


def test_recordings_of_one_course_agree_beyond_shuffled_times(found: list[xr.Dataset]) -> None:
    parts = [joint("r1", 1, alike=True), joint("r2", 2, alike=True), joint("r3", 3, alike=False)]
    table = gather_stability(found, parts, seed=1)
    assert list(table) == STABILITY.names
    pairs = table[table["measure"] == "consistency"].set_index(["recording", "other", "control"])
    assert len(pairs) == 6
    assert set(pairs["n"]) == {40}
    same = pairs.loc[("r1", "r2")]
    assert same["value"].min() > 0.9
    assert (same["control_high"] < 0.7).all()
    assert same.loc["shuffled_times", "control_mean"] > same.loc["shuffled_labels", "control_mean"]
    other = pairs.loc[("r1", "r3", "shuffled_times")]
    assert other["value"] < same["value"].min() - 0.2
    again = gather_stability(found, parts, seed=1)
    pd.testing.assert_frame_equal(table, again)
    one_subject = [part.assign_attrs(subject="s") for part in parts]
    assert "consistency" not in set(gather_stability(found, one_subject)["measure"])


def test_seeds_agree_beyond_frames_in_random_order(found: list[xr.Dataset]) -> None:
    table = gather_stability(found, [])
    seeds = table[(table["measure"] == "gradients") & (table["scale"] == 1)]
    assert len(seeds) == 2
    assert (seeds["value"] > 0.9).all()
    assert (seeds["control_mean"] < seeds["value"]).all()
    assert seeds["chance"].tolist() == [0.5, 0.5]
    paths = table[table["measure"] == "emergent_complexity"]
    assert (paths["low"] <= paths["value"]).all()
    assert (paths["value"] <= paths["high"]).all()
    assert set(paths["n"]) == {2}


def summary(routes: list[str]) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [
        {"recording": f"r{s}", "subject": f"s{s}", "condition": condition, "window": condition, "scale": 2}
        | {"route": route, "measure": "phi_s", "value": level + 0.1 * rng.random(), "n_frames": 100, "flag": ""}
        for route in routes
        for s in range(6)
        for condition, level in (("awake", 1.0), ("asleep", 0.0))
    ]
    return pd.DataFrame(rows).reindex(columns=list(SUMMARY_COLUMNS))


def test_learned_variables_are_a_family_of_their_own() -> None:
    pair = [("awake", "asleep")]
    alone = compare(summary(["micro", "macro_units"]), pair, bootstrap=50, permutations=200)
    both = compare(summary(["micro", "macro_units", "macro_model", "latents"]), pair, bootstrap=50, permutations=200)
    theory = both[both["role"] != "learned"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, theory)
    learned = both[both["role"] == "learned"]
    assert set(learned["route"]) == {"macro_model", "latents"}
    assert set(learned["n_tests"]) == {2}
    assert set(learned["correction"]) == {"holm"}
    assert (learned["p_corrected"] > learned["p"]).all()
