"""The study of two mice in which a grain is planted that the theory accepts: it is found there."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pipeline.binarize.states import binarize_windows
from pipeline.inference.summary import summarise
from pipeline.integration import integrate
from pipeline.macro import coarse_grain
from pipeline.simulation.course import regimes_of
from pipeline.simulation.recordings import simulate_ensembles
from pipeline.study.study import Study
from pipeline.tpm import estimate
from pipeline.tpm.estimation import estimate_window, fit_recording
from pipeline.workflow import targets

EXAMPLE = Path(__file__).resolve().parents[3] / "config" / "examples" / "accepted-grain"
PHI_ALONE = {"big_phi_max_units": 0, "complex_max_units": 0}


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.load(EXAMPLE)


def grain_of(micro: xr.Dataset) -> dict[int, str]:
    """What each scale is to the theory."""
    scales = coarse_grain(micro, "all", method="exhaustive", random_groupings=0)
    phi = [integrate(tpm, **PHI_ALONE) for tpm in (micro, *scales.values())]
    summary, _ = summarise(phi, min_row_visits=0)
    return summary[summary["measure"] == "phi_s"].set_index("scale")["grain"].to_dict()


def test_all_scales_are_asked_for_and_the_windows_hold_what_is_simulated(study: Study) -> None:
    assert targets.systems(study) == ["micro-4", "macro_units-3", "macro_units-2", "macro_units-1"]
    assert study.parameters.simulate.substrate == "joined"
    for name in study.names:
        ends = [window["end_s"] for window in study.sheet_of(name)]
        assert max(ends) == len(ends) * study.parameters.simulate.duration_s


def test_of_known_states_the_grain_is_where_it_is_planted(study: Study) -> None:
    for subject in range(2):
        awake = regimes_of(subject, ["awake"], study.parameters.seed, study.parameters.simulate)["awake"]
        values = awake.run(3000, np.random.default_rng(subject))
        named = {"recording": "r", "subject": "r", "window": "awake", "condition": "awake"}
        grain = grain_of(estimate(values, draws=20).assign_attrs(named))
        assert grain[2] == "accepted"
        assert list(grain.values()).count("accepted") == 1


@pytest.mark.slow
def test_through_imaging_the_grain_is_where_it_is_planted(study: Study) -> None:
    p = study.parameters
    sheet = pd.DataFrame([window for window in study.sheet_of("mouse1") if window["window"] == "awake"])
    activity, _ = simulate_ensembles(0, "mouse1", "mouse1", sheet, p.seed, **p.simulate.model_dump(exclude_none=True))
    states = binarize_windows(activity, sheet, method="events", bin_s=0.5, tau_s=0.7, z=3.0)
    how = {"method": p.tpm.method, "draws": 20}
    grain = grain_of(estimate_window(states, "awake", recording=fit_recording(states, **how), **how))
    assert grain[2] == "accepted"
