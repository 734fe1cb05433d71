"""The page and its figures: complete, self-contained, the same for the same results, and fit for any study."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from fake_results import FakeStudy, write_study

from pipeline import report
from pipeline.base import files
from pipeline.report.figures import canvas, levels, macro_maps, scales
from pipeline.report.figures import truth as truth_figure
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.macro_units import introduction, macro_units
from pipeline.report.tables import study as study_tables
from pipeline.results.layout import Layout


class Page(HTMLParser):
    """What a test asks of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("img", "meta", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag: str, attribute: str) -> list[str]:
        return [str(a[attribute]) for t, a in self.tags if t == tag and attribute in a]


def build(study: FakeStudy) -> Path:
    return report.build(study.results, study.parameters, study.failures, study.windows, study.recordings)


def opened(study: FakeStudy) -> Findings:
    return Findings(study.results, study.parameters, study.failures, study.windows, study.recordings)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> FakeStudy:
    made = write_study(tmp_path_factory.mktemp("study"), subjects=2)
    build(made)
    return made


@pytest.fixture(scope="module")
def page(study: FakeStudy) -> Page:
    return Page((study.results / "report.html").read_text())


def test_page_is_well_formed_and_every_link_leads_somewhere(page: Page) -> None:
    assert page.open == []
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {h.removeprefix("#") for h in page.all("a", "href")} <= set(ids)
    assert len(page.all("a", "href")) > 10


def test_page_fetches_nothing_and_stays_small(study: FakeStudy, page: Page) -> None:
    assert not page.all("img", "src")
    assert not page.all("link", "href")
    assert not page.all("script", "src")
    assert "url(" not in (study.results / "report.html").read_text()
    assert (study.results / "report.html").stat().st_size < 1.2e6 * 2


def test_every_picture_can_be_read_without_seeing_it(page: Page) -> None:
    panels = [a for tag, a in page.tags if tag == "svg" and str(a.get("class", "")).startswith("panel")]
    assert len(panels) > 40
    assert all(len(str(a["aria-label"])) > 3 and a["tabindex"] == "0" for a in panels)
    groups = [str(a["aria-label"]) for _, a in page.tags if a.get("class") == "panels"]
    assert len(groups) >= 9
    assert all(len(told) > 30 for told in groups)
    assert any("awake 0.2" in told or "awake 0.3" in told for told in groups)


def test_figures_lie_beside_the_page_as_drawings_and_tables(study: FakeStudy) -> None:
    names = {p.name for p in (study.results / "figures").iterdir()}
    for name in ("answer", "scales", "grains", "contrasts", "activity", "truth", "macro_units", "tpms", "connectivity"):
        assert {f"{name}.svg", f"{name}.csv"} <= names
    assert {"qc-m1_s1-traces.svg", "qc-m2_s1-states.svg"} <= names


def test_drawings_are_well_formed_and_need_nothing_else(study: FakeStudy) -> None:
    for path in (study.results / "figures").glob("*.svg"):
        text = path.read_text()
        root = ElementTree.fromstring(text)
        assert len(root) > 2, path.name
        assert "url(" not in text
        assert "nan" not in re.findall(r' (?:d|x|y|cx|cy|width|height)="[^"]*"', text), path.name
        assert not re.search(r'="[^"]*\bnan\b', text), path.name


def test_a_figures_table_is_read_back_from_the_page(study: FakeStudy) -> None:
    text = (study.results / "report.html").read_text()
    written = re.search(r'data-name="scales".*?<script type="text/csv">(.*?)</script>', text, re.S)
    table = (study.results / "figures/scales.csv").read_text()
    assert written[1].replace("\\u003c", "<") == table
    dots = pd.read_csv(study.results / "figures/scales.csv")
    own = dots[(dots["measure"] == "phi_s") & (dots["route"] == "micro") & (dots["subject"] == "m1")]
    assert own["condition"].tolist() == ["awake", "anesthesia", "recovery"]
    assert np.isfinite(own["value"]).all()


def test_names_that_are_markup_are_told_as_they_are(tmp_path: Path) -> None:
    bad = '<img src=x onerror="alert(1)">&'
    made = write_study(tmp_path, subjects=1, conditions=("awake", "anesthesia"), failed=False)
    for name in ("summary", "comparison", "nulls"):
        path = Layout(made.results).of_study(name)
        quoted = '"' + bad.replace('"', '""') + '",'
        path.write_text(path.read_text().replace("anesthesia", "b<i>").replace("m1,", quoted))
    made.parameters["conditions"], made.parameters["study"] = ["awake", "b<i>"], bad
    made.windows = made.windows.replace("anesthesia", "b<i>")
    page = Page(build(made).read_text())
    assert page.open == []
    assert not {"img", "i"} & {tag for tag, _ in page.tags}
    assert bad in page.text
    assert "b<i>" in page.text
    for path in (made.results / "figures").glob("*.svg"):
        ElementTree.fromstring(path.read_text())


def test_same_results_same_bytes(study: FakeStudy) -> None:
    def content() -> dict[str, bytes]:
        files = [study.results / "report.html", *(study.results / "figures").iterdir()]
        return {p.name: p.read_bytes() for p in files}

    first = content()
    build(study)
    assert content() == first
    assert not any(re.search(rb"<dc:date>", b) for n, b in first.items() if n.endswith(".svg"))


def test_failures_are_told_with_stage_and_reason_and_cannot_break_the_page(page: Page) -> None:
    assert "1 recording failed and is left out." in page.text
    assert "m9_s1 all all ingest" in page.text
    assert "mark the frame <dropped>" in page.text  # escaped in the source, read as it was said
    assert not any(tag == "dropped" for tag, _ in page.tags)


def test_what_a_study_was_run_in_spite_of_is_told(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    assert "problems" not in Page(build(study).read_text()).all("h3", "id")
    files.save_json(["<b>m1</b>: has the wrong rate."], Layout(study.results).of_study("problems"))
    told = Page(build(study).read_text())
    assert "problems" in told.all("h3", "id")
    assert "#problems" in told.all("a", "href")
    assert "Run in spite of 1 problem that a check found" in told.text
    assert "<b>m1</b>: has the wrong rate." in told.text


def test_a_failure_names_the_window_and_the_system_that_are_left_out(study: FakeStudy) -> None:
    part = {"recording": "m1_s1", "window": "awake", "system": "macro_units-2", "stage": "macro", "reason": "why"}
    rows = study_tables.failures(replace(opened(study), failures=[part])).rows
    assert rows == [["m1_s1", "awake", "macro_units-2", "macro", "why"]]


def test_page_and_methods_say_what_a_lab_needs_to_publish(study: FakeStudy, page: Page) -> None:
    methods = (study.results / "methods.md").read_text()
    source = (study.results / "report.html").read_text()
    assert re.search(r'<script type="text/markdown">(.*?)</script>', source, re.S)[1].replace("\\u003c", "<") == methods
    said = page.text + methods
    sources = ("Albantakis", "2509.10891", "SHA-256", "seed")
    handling = ("0.7 times it was subtracted", "non-negative deconvolution", "observational", "common occupancy")
    for text in (*sources, *handling, "sign-flip", "smallest p", "Holm", "never visited"):
        assert text in said, text


def test_learned_grouping_is_held_against_the_planted_one(page: Page) -> None:
    assert "{e0, e1} AND · {e2, e3} AND" in page.text
    assert re.search(r"awake {e0, e1} AND · {e2, e3} AND yes · yes yes 0\.800 encoder, 7 of 8", page.text)


def test_single_condition_without_positions_truth_or_provenance(tmp_path: Path) -> None:
    made = write_study(
        tmp_path,
        subjects=1,
        conditions=("awake",),
        truth=False,
        positions=False,
        failed=False,
        frames=120,
    )
    written = opened(made).provenance["inputs"]
    (made.results / "provenance.json").unlink()
    assert opened(made).provenance["inputs"] == written
    page = Page(build(made).read_text())
    assert "single condition, so nothing is compared" in page.text
    assert "Comparison of conditions" not in page.text.split("Methods")[0]
    assert "Nothing failed." in page.text
    assert "Truth against estimate" not in page.text
    assert "few_frames" in page.text
    assert "Windows with fewer frames than the study's minimum: m1_s1/awake" in page.text


def test_every_recording_failed(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=1)
    for path in made.results.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    page = Page(build(made).read_text())
    assert "No recording could be analysed." in page.text
    assert " 0 " not in page.text.partition("Values at every scale")[0]
    assert "No phi_s could be computed" in page.text.replace("φ s", "phi_s")
    assert "m9_s1" in page.text


def test_windows_may_come_from_the_run(study: FakeStudy, tmp_path: Path) -> None:
    for name, rows in study.windows.groupby("recording"):
        files.write_whole(tmp_path / f"windows/{name}.csv", lambda p, r=rows: r.to_csv(p, index=False))
    found = Findings(tmp_path, study.parameters, [], None, study.recordings).windows
    order = ["recording", "start_s"]
    pd.testing.assert_frame_equal(
        found.sort_values(order, ignore_index=True),
        study.windows.sort_values(order, ignore_index=True).astype({"start_s": float, "end_s": float}),
        check_dtype=False,
    )


def test_scales_are_ordered_micro_first(study: FakeStudy) -> None:
    assert opened(study).scales == [StudyScale("micro", 4), StudyScale("macro_units", 2)]


def test_both_kinds_of_truth_are_counted_apart(study: FakeStudy, page: Page) -> None:
    said = truth_figure.coverage(opened(study))
    assert said[0].startswith("Intervals that contain the planted value (interventional TPM): ")
    assert said[1].startswith("Intervals that contain what unlimited data would show")
    assert said[0].split(": ")[1] != said[1].split(": ")[1]
    assert "Contains planted Contains unlimited" in page.text


def test_macro_units_are_told_with_the_theorys_verdict(study: FakeStudy, page: Page) -> None:
    assert "{e0, e2} AND · {e1, e3} AND yes · no no 0.800" in page.text
    assert "m1_s1 anesthesia {e1, e3} reducible" in page.text
    assert "2 of 12 macro units (all windows) are not maximally irreducible within" in page.text
    assert "learned in each window by itself" in page.text
    found = macro_units(opened(study))
    shared = [replace(g, shared=True) for g in found]
    once = introduction(shared)
    assert "once per recording" in once
    assert "by itself" not in once
    mixed = introduction([*found, *shared])
    assert "not comparable throughout" in mixed


def test_one_grouping_per_recording_is_read_and_drawn_once(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=1, failed=False)
    path = Layout(made.results).of("macro", "m1_s1")
    attrs = {"grouping": "recording", "window_bits": 0.5}
    files.save_groups({g: macro.assign_attrs(attrs) for g, macro in files.load_groups(path).items()}, path)
    again = opened(made)
    found = macro_units(again)
    assert {(g.shared, g.objective) for g in found} == {(True, "0.500")}
    [panel] = macro_maps.maps(again).panels
    assert panel.tags["condition"] == "all windows"
    assert panel.label.startswith("m1_s1, all windows: {e0, e1} AND · {e2, e3} AND")


def test_imprecise_values_are_open_among_all_and_absent_from_the_answer(study: FakeStudy) -> None:
    made = opened(study)
    marked = StudyScale("micro", 4).of(made.values, "phi_s").set_index("condition")["imprecise"]
    assert marked.groupby(level=0).all().to_dict() == {"awake": False, "anesthesia": True, "recovery": False}
    every, answer = scales.scales(made), scales.answer(made)
    micro = next(p for p in every.panels if p.tags == {"measure": "phi_s", "scale": "4 micro units"})
    dots = re.findall(r"<title>m\d, (\w+), 4 micro units[^<]*</title>.*?<(?:circle|path) class=\"([fh])\"", micro.body)
    assert {style for condition, style in dots if condition == "anesthesia"} == {"h"}
    assert {style for condition, style in dots if condition != "anesthesia"} == {"f"}
    assert scales.IMPRECISE in [key.label for key in every.keys]
    first = answer.panels[0].body
    assert not re.search(r"<title>m\d, anesthesia", first)
    assert re.search(r"<title>m\d, awake", first)
    assert ">imprecise</text>" in first


def test_nulls_and_planted_values_are_of_the_windows_of_the_dots_with_their_weights(tmp_path: Path) -> None:
    """A condition of one subject gets a second window, thrice as long, and a third one of few frames."""
    made = write_study(tmp_path, subjects=2)
    before, recording = opened(made), str(made.recordings["recording"].iloc[0])
    more = {"long": ("", 3, 0.0, 2.0), "brief": ("few_frames", 1, 50.0, 90.0)}  # flag, frames, null, planted
    changed = {"summary": before.summary, "nulls": before.nulls, "truth": before.true_values}
    for name, table in changed.items():
        own = table[(table["recording"] == recording) & (table["window"] == "awake")]
        added = [table]
        for window, (flag, frames, mean, planted) in more.items():
            numbers = {"flag": flag, "n_frames": frames * own.get("n_frames", 0), "mean": mean, "planted": planted}
            added.append(own.assign(window=window, **{n: v for n, v in numbers.items() if n in table}))
        files.save_table(pd.concat(added), made.results / f"{name}.csv")

    def drawn(study: Findings) -> tuple[float, float]:
        scale = StudyScale("micro", 4)
        families = levels.null_levels(study, scale, "phi_s")
        [mean] = [found["awake"][0] for family, found in families.items() if family != levels.RANDOM]
        known = levels.planted(study, scale, "phi_s")
        here = (known["condition"] == "awake") & (known["subject"] == made.recordings["subject"].iloc[0])
        return mean, float(known.loc[here, "planted"].item())

    (null, planted), after = drawn(before), drawn(opened(made))
    assert after == pytest.approx(((null / 4 + null) / 2, (planted + 3 * 2.0) / 4))


def test_the_order_that_is_estimated_is_that_of_the_dots() -> None:
    """A short window apart, the order of the conditions is the planted one."""
    windows = [("awake", "a", 2.0, 3.0, ""), ("awake", "b", 2.0, -9.0, "few_frames"), ("asleep", "c", 1.0, 1.0, "")]
    pairs = pd.DataFrame(windows, columns=["condition", "window", "planted", "value", "flag"])
    pairs = pairs.assign(recording="r", subject="s", route="micro", scale=4, measure="phi_s", n_frames=100)
    numbers = {"ci_low": 0.0, "ci_high": 1.0, "contains_planted": "", "contains_unlimited": ""}
    study = SimpleNamespace(pairs=pairs.assign(**numbers), summary=pairs.assign(**numbers))
    assert truth_figure.coverage(study) == []
    pairs["planted"] = [0.5, 0.5, 1.0]
    study.pairs = pairs.assign(**numbers)
    assert "(asleep > awake) is not what is estimated (awake > asleep)" in truth_figure.coverage(study)[0]


def test_axes_are_shared_logarithmic_or_own_by_what_the_values_need() -> None:
    a, b = StudyScale("micro", 4), StudyScale("macro_units", 2)

    def axes(first: list[float], second: list[float], *, logarithmic: bool) -> list[tuple[str, float]]:
        found = scales.axes_of({a: first, b: second}, logarithmic=logarithmic)
        return [(type(axis).__name__, pytest.approx(axis.high)) for axis in found.values()]

    assert axes([1.0, 2.0], [3.0, 4.0], logarithmic=True) == [("Linear", 4.32)] * 2
    assert axes([0.1, 0.2], [30.0, 40.0], logarithmic=True) == [("Logarithmic", 64.0)] * 2
    assert axes([0.1, 0.2], [30.0, 40.0], logarithmic=False) == [("Linear", 0.216), ("Linear", 43.2)]
    assert axes([0.0, 0.2], [30.0, 40.0], logarithmic=True)[0] == ("Linear", 0.216)


def test_figures_leave_the_settings_of_the_user_alone() -> None:
    import matplotlib

    matplotlib.rcParams["font.size"] = 33.0
    try:
        with canvas.style():
            assert matplotlib.rcParams["font.size"] == 8.5
        assert matplotlib.rcParams["font.size"] == 33.0
    finally:
        matplotlib.rcdefaults()


def test_a_report_without_learned_variables_needs_no_matplotlib(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=1, failed=False)
    made.windows.to_csv(tmp_path / "windows.csv", index=False)
    made.recordings.to_csv(tmp_path / "recordings.csv", index=False)
    code = (
        "import json, sys, pandas as pd; from pathlib import Path; from pipeline import report;"
        f"p = json.loads({json.dumps(json.dumps(made.parameters))});"
        f"t = [pd.read_csv({str(tmp_path)!r} + '/' + n) for n in ('windows.csv', 'recordings.csv')];"
        f"report.build(Path({str(made.results)!r}), p, [], *t); sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_report_needs_no_torch() -> None:
    code = "import sys, pipeline.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_that_the_study_no_longer_uses_are_not_read(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=2, failed=False)
    path = Layout(made.results).of("macro", "m1_s1")
    tpms = files.load_groups(path)
    files.save_groups({**tpms, "awake/macro_units-3": tpms["awake/macro_units-2"]}, path)
    assert {key.scale for key, _ in opened(made).macro_tpms} == {2}
    made.recordings = made.recordings[made.recordings["recording"] == "m1_s1"]
    one = opened(made)
    for own in (one.truths, one.quality["recording"], one.fits["recording"], one.true_values["recording"]):
        assert set(own) == {"m1_s1"}
    assert {key.recording for key, _ in one.macro_tpms} == {"m1_s1"}
    (made.results / "summary.csv").unlink()
    assert {key.scale for key, _ in opened(made).macro_tpms} == {2}
    made.parameters["macro"]["scales"] = [4]
    assert opened(made).macro_tpms == []
