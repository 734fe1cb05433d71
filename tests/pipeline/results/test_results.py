"""A study's results read back."""

import numpy as np
import pytest
import xarray as xr

import pipeline
from pipeline.base.errors import PhiscaleError
from pipeline.base.files import save_groups, save_json, save_table
from pipeline.results.columns import (
    COMPARISON_COLUMNS,
    NULL_COLUMNS,
    QUALITY_COLUMNS,
    SUMMARY_COLUMNS,
)
from pipeline.results.layout import SystemKey
from pipeline.results.tables import table


@pytest.fixture
def folder(tmp_path):
    row = dict.fromkeys(SUMMARY_COLUMNS, np.nan) | {"recording": "007", "subject": "NA"}
    row |= {"window": "awake", "condition": "awake", "route": "micro", "scale": 2, "n_frames": 9}
    row |= {
        "measure": "phi_s",
        "value": 0.25,
        "estimator": "beta",
        "flag": "",
        "n_states_visited": 3,
    }
    rows = [row | {"route": r, "scale": n} for r, n in (("micro", 2), ("macro_units", 1), ("micro", 10))]
    save_table(table(rows, SUMMARY_COLUMNS), tmp_path / "summary.csv")
    save_table(table([], NULL_COLUMNS), tmp_path / "nulls.csv")
    phi = xr.Dataset(
        {"phi_s": ("state", [0.1, 0.4]), "structure": ("state", ["", ""])},
        coords={"state": [0, 1]},
    )
    systems = ("micro-2", "macro_units-1", "micro-10", "micro-5")  # the last: an earlier run's
    save_groups({f"awake/{system}": phi for system in systems}, tmp_path / "phi/007.nc")
    save_json({"recording": "008", "stage": "ingest", "reason": "no"}, tmp_path / "failed/008.json")
    return tmp_path


def test_tables_keep_identifiers_as_text(folder):
    results = pipeline.load_results(folder)
    row = results.summary.iloc[0]
    assert (row["recording"], row["subject"], row["flag"]) == ("007", "NA", "")
    assert (row["scale"], row["value"]) == (2, 0.25)
    assert np.isnan(row["ci_low"])
    assert list(results.nulls.columns) == NULL_COLUMNS


def test_tables_that_are_not_there_yet_are_empty(folder):
    results = pipeline.load_results(folder)
    assert list(results.comparison.columns) == COMPARISON_COLUMNS
    assert results.comparison.empty
    assert results.quality.empty
    assert results.provenance == {}


def test_quality_of_recordings_that_left_the_study_is_not_read(folder):
    for name in ("007", "009"):
        row = dict.fromkeys(QUALITY_COLUMNS, "") | {
            "recording": name,
            "measure": "n_frames",
            "value": 9,
        }
        save_table(table([row], QUALITY_COLUMNS), folder / f"quality/{name}.csv")
    assert pipeline.load_results(folder).quality["recording"].tolist() == ["007"]


def test_datasets_by_recording_window_route_and_scale(folder):
    results = pipeline.load_results(folder)
    assert results.systems == (
        SystemKey("007", "awake", "macro_units", 1),
        SystemKey("007", "awake", "micro", 2),
        SystemKey("007", "awake", "micro", 10),
    )
    for key in results.systems:
        assert results.phi(*key)["phi_s"].values == pytest.approx([0.1, 0.4])
    assert results.failures[0]["recording"] == "008"
    assert "3 systems" in repr(results)


def test_missing_file_names_its_neighbours(folder):
    results = pipeline.load_results(folder)
    with pytest.raises(PhiscaleError, match=r"holds no awake/micro-3.*micro-2"):
        results.phi("007", "awake", "micro", 3)
    with pytest.raises(PhiscaleError, match=r"has 007\.nc"):
        results.phi("nobody", "awake", "micro", 2)


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(PhiscaleError, match=r"no summary\.csv.*Fix"):
        pipeline.load_results(tmp_path)
