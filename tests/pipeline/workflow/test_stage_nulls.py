"""The stages `macro`, `nulls` and `detection` as the workflow runs them, with every null that a study can name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.base.files import load_groups, save, save_groups, save_table
from pipeline.binarize.states import binarize_windows
from pipeline.nulls import NULLS
from pipeline.tpm import estimate_window
from pipeline.workflow.job import Job
from pipeline.workflow.stages import detection, macro, nulls

BINARIZE = {"method": "quantile", "quantile": 0.6, "bin_s": 0.5, "per_window": True}
IIT = {"big_phi_max_units": 2, "min_visits": 1, "complex_max_units": 0}
MACRO = {"mappings": ["and", "or", "majority", "threshold"], "restarts": 1, "steps": 5}


def job(stage: str, folder: Path, params: dict[str, Any], **output: Path) -> Job:
    files = {name: str(folder / f"{name}.nc") for name in ("states", "tpm", "ensembles")}
    return Job(
        stage,
        str(folder),
        str(folder),
        {"recording": "r1"},
        SimpleNamespace(
            **files,
            windows=str(folder / "windows.csv"),
            tpms=[files["tpm"], str(folder / "macro.nc")],
            shared=[],
            macro_models=[],
        ),
        SimpleNamespace(**{name: str(path) for name, path in output.items()}),
        SimpleNamespace(seed=1, **params),
        1,
        str(folder / "log"),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a recording of four Gaussian units in a ring, in two windows, and of its micro and macro TPMs."""
    found = tmp_path_factory.mktemp("study")
    rng, step = np.random.default_rng(3), 0.3 * np.eye(4) + 0.5 * np.roll(np.eye(4), 1, axis=0)
    x = rng.standard_normal((1600, 4))
    for t in range(1, len(x)):
        x[t] += step @ x[t - 1]
    ensembles = xr.Dataset(
        {"activity": (("time", "ensemble"), x, {"units": "1"}), "dropped": ("time", np.zeros(len(x), bool))},
        coords={"time": np.arange(len(x)) / 2.0, "ensemble": [f"e{i}" for i in range(4)]},
        attrs={"recording": "r1", "subject": "m1", "sampling_rate_hz": 2.0},
    )
    spans = {"awake": (0.0, 400.0), "sleep": (400.0, 800.0)}
    windows = pd.DataFrame(
        [{"recording": "r1", "window": w, "condition": w, "start_s": a, "end_s": b} for w, (a, b) in spans.items()]
    )
    states = binarize_windows(ensembles, windows, **BINARIZE)
    save(ensembles, found / "ensembles.nc")
    save_table(windows, found / "windows.csv")
    save(states, found / "states.nc")
    save_groups({f"{w}/micro-4": estimate_window(states, w, draws=5) for w in spans}, found / "tpm.nc")
    params = {"scales": [2], "grouping": "recording", "encoder": MACRO, "random_groupings": 3, "cross_fit": True}
    macro.run(job("macro", found, params, macro=found / "macro.nc"))
    return found


def test_windows_share_the_macro_units_of_each_half(folder: Path) -> None:
    made = load_groups(folder / "macro.nc")
    assert list(made) == ["awake/macro_units-2", "sleep/macro_units-2"]
    first, second = made.values()
    np.testing.assert_array_equal(first["cross_group"], second["cross_group"])
    assert not np.array_equal(first["half_p_on"], second["half_p_on"])


def test_every_two_windows_are_compared_under_equal_detection(folder: Path, tmp_path: Path) -> None:
    detection.run(job("detection", folder, {"repeats": 2}, detection=tmp_path / "detection.csv"))
    equal = pd.read_csv(tmp_path / "detection.csv")
    assert equal[["window_a", "window_b"]].values.tolist() == [["awake", "sleep"]]
    assert equal["phi_s_a_matched"].notna().all()


@pytest.mark.parametrize("kind", NULLS)
def test_a_study_reaches_every_null(folder: Path, tmp_path: Path, kind: str) -> None:
    params = {
        "nulls": {"kinds": [kind], "surrogates": 3, "big_phi_surrogates": 1},
        "iit": IIT,
        "mappings": MACRO["mappings"],
        "hidden_surrogates": 2,
        "binarize": BINARIZE if NULLS[kind].acts_on == "traces" else {},
    }
    one = job("nulls", folder, params, nulls=tmp_path / "nulls.nc")
    nulls.run(one)
    found = load_groups(tmp_path / "nulls.nc")
    assert sorted(found) == sorted(f"{w}/{s}" for w in ("awake", "sleep") for s in ("micro-4", "macro_units-2"))
    assert not one.left_out
    for group, values in found.items():
        of_kind = values["value"].sel(null=kind)
        assert np.isfinite(of_kind.sel(measure="phi_s")).any()
        assert np.isfinite(of_kind.sel(measure="delta_causal_power")).any() == ("macro" in group)
        assert np.isfinite(of_kind.sel(measure="big_phi")[0]) == ("macro" in group)
