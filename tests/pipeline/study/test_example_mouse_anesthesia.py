"""The mouse study on simulated recordings: its windows, what is planted in them, and that its format takes files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.base.seeds import derive
from pipeline.encoder.flow import metastability
from pipeline.ingest import open_recording
from pipeline.simulation.recordings import simulate_recording
from pipeline.study.study import Study

EXAMPLE = Path(__file__).resolve().parents[3] / "config" / "examples" / "mouse-anesthesia"
CONDITIONS = ("awake", "anesthesia", "recovery")


@pytest.mark.parametrize(("file", "mode"), [("study.yaml", "calibrated"), ("published.yaml", "published")])
def test_fifteen_windows_of_100_s_lie_in_what_is_simulated(file: str, mode: str) -> None:
    study = Study.load(EXAMPLE / file)
    parameters = study.parameters
    assert (parameters.encoder.mode, parameters.encoder.units) == (mode, 32)
    assert parameters.simulate.recorded * parameters.simulate.neurons_per_ensemble == 1200
    for name in study.names:
        sheet = study.sheet_of(name)
        assert [w["end_s"] - w["start_s"] for w in sheet] == [100] * 15
        shown = [w["condition"] for w in sheet]
        assert shown == ["awake"] * 1 + ["anesthesia"] * 6 + ["recovery"] * 8
        assert sheet[-1]["end_s"] == 3 * parameters.simulate.duration_s


def test_the_two_studies_differ_in_their_encoder_only() -> None:
    ours, theirs = (Study.load(EXAMPLE / file).parameters.model_dump() for file in ("study.yaml", "published.yaml"))
    assert {name for name in ours if ours[name] != theirs[name]} == {"study", "encoder"}


def test_what_is_planted_is_metastable_awake_and_not_under_anesthesia() -> None:
    study = Study.load(EXAMPLE)
    p = study.parameters
    fields = p.simulate.model_dump(exclude_none=True) | {"neurons_per_ensemble": 8}
    truth = simulate_recording(
        0, "m", "m", pd.DataFrame(study.sheet_of("mouse1")), CONDITIONS, derive(1, "x"), **fields
    )[1]
    laws = {name: truth["conditions"][name]["landscape"] for name in CONDITIONS}
    assert [law["scale"] for law in laws["awake"]] == [1, 2, 4, 4, *[8] * 4, *[16] * 8]
    assert laws["awake"][0]["kind"] == laws["recovery"][0]["kind"] == "two wells"
    assert laws["anesthesia"][0]["kind"] == "one well"
    assert laws["awake"][0]["residence_s"] > laws["recovery"][0]["residence_s"] > 1
    values = np.array(truth["landscape"]["values"])[0]
    every = truth["landscape"]["every_s"]
    anesthesia, recovery = (values[round(a / every) : round(b / every)] for a, b in ((100, 700), (700, 1500)))
    assert metastability(recovery, n_surrogates=19).metastable
    assert not metastability(anesthesia, n_surrogates=19).metastable


def test_the_files_that_it_describes_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [f"n{i}" for i in range(6)]
    pd.DataFrame(100 + rng.normal(size=(50, 6)), columns=names).to_csv(tmp_path / "m.csv", index=False)
    places = pd.DataFrame({"neuron": names, "x": rng.normal(size=6), "y": rng.normal(size=6)})
    places.to_csv(tmp_path / "places.csv", index=False)
    row = {"recording": "m", "subject": "m", "path": tmp_path / "m.csv", "format": "csv"}
    recording = open_recording({**row, "rate_hz": 10, "positions": tmp_path / "places.csv"})
    assert recording.sizes == {"time": 50, "neuron": 6}
    np.testing.assert_allclose(recording["x"].values, places["x"])
