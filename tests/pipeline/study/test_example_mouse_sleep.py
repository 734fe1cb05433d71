"""The study of mouse sleep: its states lie on the frames they were scored for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.base.recording import frames_of
from pipeline.binarize.states import binarize_windows
from pipeline.ingest import open_recording, statecodes
from pipeline.study.study import Study
from pipeline.traces.ensembles import group
from pipeline.traces.preprocess import preprocess

EXAMPLE = Path(__file__).resolve().parents[3] / "config" / "examples" / "mouse-sleep"


@pytest.fixture(scope="module")
def study(data_dir):
    return Study.load(EXAMPLE / "study.yaml", data=data_dir / "mouse_sleep_mch")


@pytest.fixture(scope="module")
def sessions(study):
    """(row, recording, windows) of every session, bouts of any length."""
    mapping = study.parameters.state_codes.codes
    rows = [study.row(name) for name in study.names]
    recordings = [open_recording(row) for row in rows]
    return [(r, d, statecodes.windows(r, d, mapping)) for r, d in zip(rows, recordings, strict=True)]


def test_all_sessions_are_read(sessions):
    assert [row["recording"] for row, _, _ in sessions] == [
        f"{mouse}_{i:02d}" for mouse in ("MCH10", "MCH12") for i in range(1, 9)
    ]
    for row, dataset, _ in sessions:
        assert dataset.sizes["neuron"] == {"MCH10": 4, "MCH12": 9}[row["subject"]]


def test_activity_per_state_is_that_of_the_published_table(sessions, data_dir):
    published = pd.read_csv(data_dir / "mouse_sleep_mch" / "sessions.csv")
    published.index = [
        f"{mouse.replace(' ', '')}_{i:02d}" for mouse, i in zip(published["mouse"], published["session"], strict=True)
    ]
    for row, dataset, windows in sessions:
        values = dataset["fluorescence"].values.astype(float)
        middle = np.median(values, axis=0)
        robust_sd = 1.4826 * np.median(np.abs(values - middle), axis=0)
        active = (values > middle + 3 * robust_sd).mean(axis=1)
        for state, frames in frames_of(windows, dataset["time"].values).items():
            entry = published.loc[row["recording"]]
            assert active[frames].mean() == pytest.approx(entry[f"act_{state}"], abs=0.002)
            assert frames.mean() == pytest.approx(entry[f"frac_{state}"], abs=0.002)


def test_events_are_more_frequent_in_rem_than_in_nrem(study, sessions):
    p = study.parameters
    rem_above_nrem = []
    for row, dataset, _ in sessions:
        codes = p.state_codes
        windows = statecodes.windows(row, dataset, codes.codes, codes.min_bout_s, codes.trim_s)
        grouped = group(
            preprocess(dataset, **p.preprocess.model_dump()),
            n_ensembles=p.ensembles.iit,
            method=p.ensembles.method,
            neurons=p.ensembles.neurons.get(row["subject"]),
        )
        assert grouped.sizes["ensemble"] == 4
        found = binarize_windows(grouped, windows, **p.binarize.model_dump())
        states, segment = found["states"].values, found["segment"].values
        same = segment[1:] == segment[:-1]
        onset = ((states[1:] > states[:-1]) & same[:, None]).mean(axis=1)
        state = found["condition"].values[1:]
        rate = {name: onset[same & (state == name)].mean() for name in ("nrem", "rem")}
        rem_above_nrem.append(rate["rem"] > rate["nrem"])
    assert np.sum(rem_above_nrem) >= 15  # of 16
