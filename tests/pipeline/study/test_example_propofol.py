"""The study of sedation: every run is read as its files say, and what was censored is a state of nothing."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.ingest import open_recording
from pipeline.study.study import Study

EXAMPLE = Path(__file__).resolve().parents[3] / "config" / "examples" / "propofol-fmri"


@pytest.fixture(scope="module")
def study(data_dir):
    return Study.load(EXAMPLE, data=data_dir / "propofol_fmri")


def test_the_sheets_hold_every_run_as_long_as_it_is(study, data_dir):
    files = {path.name for path in (data_dir / "propofol_fmri").glob("*.npy")}
    assert {Path(study.row(name)["path"]).name for name in study.names} == files
    assert (study.recordings["subject"].nunique(), len(files)) == (17, 59)
    for name in study.names:
        (window,) = study.sheet_of(name)
        parcels, volumes = np.load(study.row(name)["path"], mmap_mode="r").shape
        assert (parcels, 2.0 * volumes) == (268, window["end_s"])


def test_parcels_without_values_and_volumes_that_were_filled_are_left_out(study):
    recording = open_recording(study.row("17EK_deep"))
    raw = np.load(study.row("17EK_deep")["path"])
    assert recording.sizes == {"time": 253, "neuron": int((~np.isnan(raw).all(axis=1)).sum())}
    assert int(recording["dropped"].sum()) == 121
    assert recording["neuron"].values[-1] == f"n{np.flatnonzero(~np.isnan(raw[:, 0]))[-1]}"
