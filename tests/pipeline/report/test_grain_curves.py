"""Curves over the scales and the words on the grain, of invented results."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.report.figures import grains
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.grain import grain_sentences, share_of
from pipeline.results.columns import NULL_COLUMNS, SUMMARY_COLUMNS, TRUTH
from pipeline.study.parameters import Parameters

SCALES = (("micro", 4), ("macro_units", 2), ("macro_units", 1))


def findings(folder: Path, change=lambda row: row) -> Findings:
    """Two subjects awake and asleep: awake 2 macro units are the grain; asleep they are none, and micro units are."""
    rows = []
    for subject in ("m1", "m2"):
        for condition in ("awake", "anesthesia"):
            for route, scale in SCALES:
                awake = condition == "awake"
                word = {4: "units" if awake else "accepted", 2: "accepted" if awake else "no units", 1: "no units"}
                row = dict.fromkeys(SUMMARY_COLUMNS, np.nan)
                row |= {"recording": subject, "subject": subject, "condition": condition, "window": condition}
                row |= {
                    "route": route,
                    "scale": scale,
                    "measure": "phi_s",
                    "grain": word[scale],
                    "flag": "",
                    "null": "",
                }
                row |= {"value": {4: 0.2, 2: 0.8, 1: 0.1}[scale], "ci_low": 0.1, "ci_high": 0.9, "n_frames": 100}
                row |= {"null_p": 0.01, "null_p_scales": np.nan if scale == 4 else 0.3}
                rows.append(change(row))
    summary = pd.DataFrame(rows, columns=list(SUMMARY_COLUMNS))
    folder.mkdir(exist_ok=True)
    summary.to_csv(folder / "summary.csv", index=False)
    pd.DataFrame(columns=list(NULL_COLUMNS)).to_csv(folder / "nulls.csv", index=False)
    pd.DataFrame(columns=list(TRUTH.names)).to_csv(folder / "truth.csv", index=False)
    parameters = Parameters(study="s", conditions=["awake", "anesthesia"]).model_dump(mode="json")
    sheet = summary[["recording", "window", "condition"]].drop_duplicates()
    return Findings(folder, parameters, [], sheet, pd.DataFrame({"recording": ["m1", "m2"], "subject": ["m1", "m2"]}))


def drawn(study: Findings, condition: str = "awake") -> list[tuple[str, str, bool, bool]]:
    """Subject, scale, filled and ringed of the dots of phi_s of a condition, with their markup's own words."""
    [panel] = [p for p in grains.grains(study).panels if p.tags == {"measure": "phi_s", "condition": condition}]
    marks = re.findall(r'<g class="c\d m" data-scale="([^"]+)"><title>(\w+),[^<]*</title>(.*?)</g>(?=<g|$)', panel.body)
    return [(who, scale, 'class="f"' in mark, 'class="ring"' in mark) for scale, who, mark in marks]


def test_the_grain_is_ringed_and_scales_whose_units_are_none_are_open(tmp_path: Path) -> None:
    dots = drawn(findings(tmp_path))
    assert sorted(dots) == sorted(
        (subject, scale, scale != "1 macro unit", scale == "2 macro units")
        for subject in ("m1", "m2")
        for scale in ("4 micro units", "2 macro units", "1 macro unit")
    )


def test_withheld_values_are_absent_and_break_the_line(tmp_path: Path) -> None:
    def withheld(row):
        away = row["scale"] == 2 and row["subject"] == "m1"
        return row | (
            {"value": np.nan, "ci_low": np.nan, "ci_high": np.nan, "flag": "withheld:tenfold"} if away else {}
        )

    study = findings(tmp_path, withheld)
    assert [who for who, scale, *_ in drawn(study) if scale == "2 macro units"] == ["m2"]
    panel = grains.grains(study).panels[0]
    curves = re.findall(r'class="l pale" d="([^"]+)"/></g>', panel.body)[:2]
    assert sorted(curve.count("M") for curve in curves) == [1, 2]
    assert share_of(study, StudyScale("macro_units", 2), "awake", "m1", "accepted") == 0


def test_words_say_where_the_grain_is_and_what_was_refused(tmp_path: Path) -> None:
    awake, anesthesia = grain_sentences(findings(tmp_path))
    assert awake == "awake: the grain is 2 macro units in 2 of 2 windows (with phi_s above its null at p ≤ 0.05 in 0)."
    assert anesthesia.startswith("anesthesia: the grain is 4 micro units in 2 of 2 windows (with phi_s above its null")
    assert "Larger phi_s, but of macro units that are reducible within" in anesthesia
    assert "2 macro units in 2 windows (mean 0.800 ibit)" in anesthesia
    assert "1 macro unit" not in anesthesia


def test_nothing_is_said_where_no_macro_unit_was_judged(tmp_path: Path) -> None:
    def unchecked(row):
        return row | {"grain": "unchecked"}

    assert grain_sentences(findings(tmp_path / "a", unchecked)) == []
    assert "no scale is accepted" in grain_sentences(findings(tmp_path / "b", lambda r: r | {"grain": "no units"}))[0]


@pytest.mark.parametrize(("kept", "there"), [((4, 2, 1), True), ((4,), False)])
def test_a_curve_takes_two_scales(tmp_path: Path, kept: tuple[int, ...], there: bool) -> None:
    study = findings(tmp_path)
    summary = pd.read_csv(study.folder / "summary.csv")
    summary[summary["scale"].isin(kept)].to_csv(study.folder / "summary.csv", index=False)
    study = Findings(study.folder, study.parameters, [], study.sheet, study.recordings)
    figure = grains.grains(study)
    assert (figure is not None) == there
    if figure:
        assert "0.800 at 2 macro units (the grain)" in figure.alt
        assert "0.100 at 1 macro unit (not accepted)" in figure.alt
