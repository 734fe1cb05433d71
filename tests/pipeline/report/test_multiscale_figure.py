"""The figure of learned multiscale variables: there where a study learned some, with its nulls, and nowhere else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from fake_results import write_study

from pipeline.base import files
from pipeline.encoder.multiscale import WindowActivity
from pipeline.encoder.multiscale import multiscale as multiscale_of
from pipeline.encoder.parameters import Encoder
from pipeline.inference.dynamics import gather_dynamics
from pipeline.inference.latents import summarise_latents
from pipeline.inference.stability import gather_stability
from pipeline.report.figures import canvas
from pipeline.report.figures.attributions import attributions
from pipeline.report.figures.courses import LEAST_WINDOWS, over_time
from pipeline.report.figures.drawn import drawn
from pipeline.report.figures.multiscale import macro_model, multiscale
from pipeline.report.figures.portraits import flows, planes
from pipeline.report.findings import Findings
from pipeline.report.methods import paragraphs
from pipeline.report.tables import learned as learned_tables
from pipeline.results.layout import Layout


def learned(recording: str, condition: str, seed: int) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    power = np.array([[4.0, 3.0, 2.0]]) + rng.random(3)
    return xr.Dataset(
        {
            "causal_power": (("seed", "scale"), power),
            "causal_power_draws": (("draw", "scale"), power + 0.1 * rng.normal(size=(50, 3))),
            "causal_power_null": (("null", "surrogate", "scale"), power - 1 + 0.1 * rng.normal(size=(1, 5, 3))),
            "coverage_mm": ("scale", 3 + rng.random(3)),
        },
        coords={"scale": [4, 2, 1], "null": ["interaction"]},
        attrs={
            **{"recording": recording, "subject": recording[:2], "window": condition, "condition": condition},
            **{"route": "latents", "shown": "interaction", "n_frames": 400, "mode": "calibrated", "flag": ""},
        },
    )


def test_latents_have_a_figure_and_are_no_scale_of_the_others(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=2)
    study = Findings(made.results, made.parameters, [], made.windows, made.recordings)
    before = study.scales
    assert drawn(study, "multiscale") == []
    layout = Layout(made.results)
    found = [learned(f"m{i}_s1", c, 10 * i + j) for i in (1, 2) for j, c in enumerate(("awake", "anesthesia"))]
    for name, rows in zip(("summary", "nulls"), summarise_latents(found, 0.95), strict=True):
        table = pd.read_csv(layout.of_study(name))
        files.save_table(pd.concat([table, rows], ignore_index=True), layout.of_study(name))
    study = Findings(made.results, made.parameters, [], made.windows, made.recordings)
    assert study.scales == before
    with canvas.style():
        figure = multiscale(study)
        assert over_time(study) == []
        assert macro_model(study) is None
        assert flows(study) is planes(study) is attributions(study) is None
    assert figure is not None
    assert [made.caption for made in drawn(study, "multiscale")] == [figure.caption]  # as the page asks for it
    assert "units shifted in time" in figure.caption
    assert "causal power of latents" in figure.alt
    assert (layout.of_study("figures") / "multiscale.svg").exists()


@pytest.mark.parametrize("mode", ["calibrated", "published"])
def test_the_methods_text_tells_how_hierarchies_were_learned(tmp_path: Path, mode: str) -> None:
    made = write_study(tmp_path, subjects=1)
    asked = {**made.parameters, "encoder": Encoder(mode=mode).model_dump(mode="json")}
    told = dict(paragraphs(Findings(made.results, asked, [], made.windows, made.recordings)))["Multiscale variables"]
    assert "32 ensembles" in told
    assert f"({mode}, 3 initialisations, lag 1 frame;" in told
    assert "10 surrogates of each null (Gaussian random walks, units shifted in time" in told
    assert "its 8, 4, 2 latents" in told
    assert "99 Gaussian autoregressions" in told
    assert ("published stages" in told) == (mode == "published")
    assert "Multiscale variables" not in dict(
        paragraphs(Findings(made.results, made.parameters, [], None, made.recordings))
    )


def test_a_course_of_windows_has_a_map(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=1)
    names = [f"w{i}" for i in range(LEAST_WINDOWS)]
    found = [learned("m1_s1", "awake", i).assign_attrs(window=name) for i, name in enumerate(names)]
    summary, _ = summarise_latents(found, 0.95)
    files.save_table(summary, Layout(made.results).of_study("summary"))
    windows = pd.DataFrame({"recording": "m1_s1", "window": names, "condition": "awake"})
    windows = windows.assign(start_s=[100.0 * i for i in range(len(names))], end_s=[100.0 * (i + 1) for i in range(5)])
    study = Findings(made.results, made.parameters, [], windows, made.recordings)
    with canvas.style():
        figure = over_time(study)[0]
    assert "m1_s1, window by window" in figure.caption
    assert f"{LEAST_WINDOWS} windows" in figure.alt


def two_wells(frames: int, seed: int) -> WindowActivity:
    """Four units that see one variable between two wells."""
    rng, y = np.random.default_rng(seed), np.ones(frames)
    for t in range(1, frames):
        y[t] = y[t - 1] + 0.1 * (y[t - 1] - y[t - 1] ** 3) + 0.2 * rng.normal()
    seen = y[:, None] + 0.15 * rng.normal(size=(frames, 4))
    return WindowActivity(seen, np.zeros(frames, np.int64), np.arange(frames) / 2, "awake")


def test_what_latents_do_has_figures_and_tables(tmp_path: Path) -> None:
    """A window whose wells are planted: the page shows the flow, the portrait, the map and the tables of them."""
    made = write_study(tmp_path, subjects=1)
    layout = Layout(made.results)
    recording = str(made.windows["recording"].iloc[0])
    ensembles = Findings(made.results, made.parameters, [], made.windows, made.recordings).results.ensembles(
        recording, 4
    )
    fields = {"couplings": 1, "hidden": 4, "steps": 5, "power_steps": 5, "seeds": 2, "surrogates": 2, "units": 4}
    fields |= {"nulls": ["interaction"], "dynamics_surrogates": 19}
    found = multiscale_of(two_wells(2000, 5), ensembles, window="awake", seed=1, **fields)
    found = found.assign_attrs(recording=recording, subject="m1", window="awake")
    files.save_groups({"awake/latents-4": found}, layout.of("encoder", recording))
    dynamics, points = gather_dynamics([found])
    tables = {"summary": summarise_latents([found], 0.95)[0], "dynamics": dynamics, "fixed_points": points}
    for name, table in (tables | {"stability": gather_stability([found], [])}).items():
        files.save_table(table, layout.of_study(name))
    study = Findings(made.results, made.parameters | {"encoder": fields}, [], made.windows, made.recordings)
    figures = {figure.name: figure for figure in drawn(study, "multiscale")}
    assert set(figures) == {"multiscale", "flows", "portraits", "attribution"}
    assert "awake: 1 windows" in figures["flows"].alt
    assert "Dotted in the panel of coverage" in figures["multiscale"].caption
    assert recording in figures["attribution"].alt
    told = {table.caption.partition(".")[0]: table for table in learned_tables.tables(study)}
    assert set(told) == {"Dynamics of latents", "How far learned variables are the same again"}
    table = told["Dynamics of latents"]
    heads = [head for head, _ in table.columns]
    row = dict(zip(heads[:9], table.rows[0], strict=False))
    assert (row["Wells"], row["Metastable"]) == ("2", "yes")
    assert len(told["How far learned variables are the same again"].rows) == 3
