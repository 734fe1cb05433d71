"""The figure of learned multiscale variables: there where a study learned some, with its nulls, and nowhere else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from fake_results import write_study

from pipeline.base import files
from pipeline.encoder.parameters import Encoder
from pipeline.inference.latents import summarise_latents
from pipeline.report.figures import canvas
from pipeline.report.figures.drawn import drawn
from pipeline.report.figures.multiscale import LEAST_WINDOWS, multiscale, over_time
from pipeline.report.findings import Findings
from pipeline.report.methods import paragraphs
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
        assert over_time(study) is None
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
        figure = over_time(study)
    assert figure is not None
    assert figure.svg.count(b"400") >= 1
