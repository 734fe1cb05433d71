"""Specifications in one workflow: what they share is what they may, and a run goes on past what fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from test_workflow import phiscale, write_study

import pipeline
from pipeline.base.errors import PhiscaleError
from pipeline.results.layout import OF_RECORDING, Layout
from pipeline.results.reader import Results
from pipeline.study.parameters import Parameters
from pipeline.study.study import Study
from pipeline.workflow.multiverse import STEPS, Specifications

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "pipeline" / "workflow" / "rules"
GRID = {"binarize.z": [2.0, 60], "tpm.lag": [1, 2]}  # nothing exceeds 60 standard deviations


def write_multiverse(folder: Path, grid: dict[str, list[Any]], **fields: Any) -> Path:
    """Write the small study with a grid, and without the window that has no frames."""
    path = write_study(folder, binarize={"method": "zscore", "z": 2.0}, multiverse={"grid": grid, **fields})
    sheet = folder / "windows.tsv"
    sheet.write_text("".join(line for line in sheet.read_text().splitlines(True) if "nothing" not in line))
    return path


def specified(folder: Path, grid: dict[str, list[Any]], **fields: Any) -> Specifications:
    return Specifications.of(Study.load(write_multiverse(folder, grid, **fields)))


def test_the_rules_of_a_step_read_no_section_of_a_later_one() -> None:
    """Else specifications would share files that are not the same."""
    text = "\n".join(path.read_text() for path in RULES.glob("*.smk"))
    rules = {part.partition(":")[0]: part for part in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]}
    known: set[str] = set()
    for step in STEPS:
        known |= set(step.sections)
        for stage in step.stages:
            read = re.findall(r'(?:parameters\.|section\(\s*STUDY,\s*")(\w+)', rules[stage])
            read += ["state_codes"] if "state_codes(" in rules[stage] else []
            read += ["ensembles"] if re.search(r"UNITS|chosen_neurons", rules[stage]) else []
            assert set(read) <= known, f"{stage} reads {set(read) - known}"
    assert known <= set(Parameters.model_fields)
    assert {name for step in STEPS for name in step.files} <= set(OF_RECORDING)


def test_what_is_equal_upstream_lies_in_one_folder(tmp_path: Path) -> None:
    studies = specified(tmp_path, {"binarize.z": [2.0, 3.0], "tpm.lag": [1, 2], "nulls.surrogates": [5, 6]}).studies
    keys = ["ensembles", "states", "tpm"]
    table = pd.DataFrame([[study.elsewhere[key] for key in keys] for study in studies.values()], columns=keys)
    assert table.nunique().to_dict() == {"ensembles": 1, "states": 2, "tpm": 4}
    assert {study.root.parent for study in studies.values()} == {Path("results/small/multiverse")}
    assert [study.root.name for study in studies.values()] == list(studies)
    layouts = [study.layout for study in studies.values()]
    assert len({layout.of("phi", "m1") for layout in layouts}) == len(layouts)
    assert len({layout.of("states", "m1", 3) for layout in layouts}) == 2
    assert len({layout.note("states", "m1") for layout in layouts}) == 2


def test_a_study_without_a_grid_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(PhiscaleError, match="add the section with a grid"):
        Specifications.of(Study.load(write_study(tmp_path)))


def test_dry_run_tells_what_would_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipeline.cli import main

    grid = {"binarize.method": ["zscore", "otsu"], "binarize.z": [1.5, 2.5], "ensembles.iit": [2, 3]}
    write_multiverse(tmp_path, grid)
    with pytest.raises(SystemExit):
        main(["multiverse"])
    capsys.readouterr()
    assert main(["multiverse", str(tmp_path), "--dry-run"]) == 1  # three neurons cannot be two units of their own
    told = capsys.readouterr().err
    assert "ensembles.iit allows 2" in told
    assert "iit_2_otsu" in told
    assert main(["multiverse", str(tmp_path), "--dry-run", "--anyway"]) == 0
    assert "ensembles.iit allows 2" in capsys.readouterr().out
    write_multiverse(tmp_path, grid | {"ensembles.iit": [3]})
    assert main(["multiverse", str(tmp_path), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "4 specifications of awake - asleep in phi_s (micro), from 4 combinations" in told
    assert "left out: 1 (binarize.z belongs to another method than 'otsu')" in told
    assert "m3.npy does not exist" in told  # which fails alone
    assert "- iit_3_zscore_z_2 (the study as it stands)" in told


def test_the_plan_counts_the_jobs_that_snakemake_counts(tmp_path: Path) -> None:
    jobs = specified(tmp_path, {"tpm.lag": [1, 2], "tpm.draws": [10, 20]}).jobs()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile.multiverse"), "--dry-run"),
            *("--directory", str(tmp_path), "--cores", "1", "--config", f"study={tmp_path / 'study.yaml'}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    text = (done.stdout + done.stderr).partition("Job stats:")[2].partition("total")[0]
    counted: dict[str, int] = {}
    for name, count in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE):
        stage = name.rpartition("__")[2]
        counted[stage] = counted.get(stage, 0) + int(count)
    assert counted == jobs, done.stdout + done.stderr


@pytest.mark.parametrize(("status", "ran"), [(0, True), (1, False)])
def test_the_section_goes_into_the_report_that_a_study_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, ran: bool
) -> None:
    """After a multiverse that came to its end; not after one that was stopped before it wrote its page."""
    from pipeline.cli import main
    from pipeline.commands import run as running

    monkeypatch.chdir(tmp_path)
    write_multiverse(tmp_path, {"tpm.lag": [1, 2]})
    layout = Study.load(tmp_path).layout
    for name in ("page", "multiverse_page"):
        path = layout.of_study(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
        os.utime(path, (0, 0))
    started: list[list[str]] = []
    monkeypatch.setattr(running, "run_owned", lambda command, _: started.append(command) or status)
    assert main(["multiverse", str(tmp_path)]) == status
    assert [Path(command[4]).name for command in started] == ["Snakefile.multiverse", *["Snakefile"] * ran]
    told = capsys.readouterr().out.splitlines()[-1]
    assert told == f"multiverse{'' if ran else ' of an earlier run'}: {layout.of_study('multiverse_page')}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run of four specifications on two cores; one recording fails, and two of the specifications."""
    folder = tmp_path_factory.mktemp("multiverse")
    write_multiverse(folder, GRID)
    return folder, phiscale(folder, "multiverse", "study.yaml", "--anyway", "-c", "2")


def waiting_jobs(folder: Path) -> set[str]:
    """Return the jobs that the same command would run, those left out that failed."""
    names = Specifications.of(Study.load(folder / "study.yaml")).studies
    omit = [f"{name}/m3" for name in names] + [f"{name}/m{i}" for name in names if "60" in name for i in (1, 2)]
    done = phiscale(
        folder, "multiverse", "study.yaml", "--anyway", "--", "--dry-run", "--config", f"omit={json.dumps(omit)}"
    )
    text = (done.stdout + done.stderr).partition("Job stats:")[2].partition("total")[0]
    return set(re.findall(r"^(\w+) +\d+$", text, re.MULTILINE)) - {"all"}


@pytest.mark.slow
def test_specifications_that_fail_do_not_sink_the_others(finished: Any) -> None:
    folder, run = finished
    assert run.returncode == 1
    layout = Layout(folder / "results" / "small")
    assert f"multiverse: {layout.of_study('multiverse_page').relative_to(folder)}" in run.stdout
    table = Results(layout.root).multiverse.set_index("specification")
    assert list(table.index) == ["z_2_lag_1", "z_2_lag_2", "z_60_lag_1", "z_60_lag_2"]
    assert table["estimate"].notna().tolist() == [True, True, False, False]
    assert (table["estimate"].dropna() > 0).all()
    assert table.loc["z_2_lag_1", "n_subjects"] == 2
    assert "never ON" in table.loc["z_60_lag_1", "failed"]
    assert re.search(r"failed: m1 \(states\).*never ON.*\[specifications z_60_lag_1, z_60_lag_2\]", run.stderr)
    assert "Traceback" not in run.stdout + run.stderr
    path = layout.of_study("multiverse_page")
    page = path.read_text()
    assert "never ON" in page
    assert "<figure" in page
    assert (path.parent / "figures" / "multiverse.svg").exists()
    facts = json.loads(layout.of_study("multiverse_facts").read_text())
    assert facts["test"]["specifications"] == 2


@pytest.mark.slow
def test_shared_stages_ran_once_and_a_specification_opens_as_a_study(finished: Any) -> None:
    below = finished[0] / "results" / "small" / "multiverse"
    assert len(list(below.glob("*/logs/preprocess/m1.log"))) == 1
    assert len(list(below.glob("*/logs/states/m1.log"))) == 2
    results = pipeline.load_results(below / "z_2_lag_2")
    assert results.states("m1", 3).sizes["unit"] == 3
    assert results.phi("m1", "awake", "micro", 3)["phi_s"].size == 8
    assert results.tpm("m1", "awake", "micro", 3).sizes["state"] == 8


@pytest.mark.slow
def test_the_same_command_goes_on_and_the_order_of_the_grid_is_nothing(finished: Any) -> None:
    folder, _ = finished
    study = folder / "study.yaml"
    assert waiting_jobs(folder) == set()
    content = yaml.safe_load(study.read_text())
    content["multiverse"]["grid"] = {"tpm.lag": [2, 1], "binarize.z": [60, 2.0]}
    study.write_text(yaml.safe_dump(content, sort_keys=False))
    assert waiting_jobs(folder) <= {"multiverse"}  # which tells the grid as it is written
    summary = folder / "results" / "small" / "multiverse" / "z_2_lag_2" / "summary.csv"
    aside = summary.rename(folder / "aside.csv")
    try:
        assert waiting_jobs(folder) == {"spec_z_2_lag_2__summarise", "multiverse"}
    finally:
        aside.rename(summary)
        write_multiverse(folder, GRID)


@pytest.mark.slow
def test_one_core_gives_the_same_bytes(finished: Any, tmp_path: Path) -> None:
    folder, _ = finished
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    (tmp_path / "recordings.tsv").write_text(
        "".join(line for line in (folder / "recordings.tsv").read_text().splitlines(True) if "m3" not in line)
    )
    windows = (folder / "windows.tsv").read_text().splitlines(True)
    (tmp_path / "windows.tsv").write_text("".join(line for line in windows if "m3" not in line))
    write = yaml.safe_load((tmp_path / "study.yaml").read_text())
    write["multiverse"]["grid"] = {"tpm.lag": [1, 2], "binarize.z": [2.0]}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(write))
    done = phiscale(tmp_path, "multiverse", "study.yaml", "--anyway", "-c", "1")
    assert done.returncode == 0, done.stderr
    ours, theirs = (Layout(place / "results" / "small") for place in (folder, tmp_path))
    for name in ("z_2_lag_1", "z_2_lag_2"):
        one, other = (layout.of_study("multiverse").parent / name / "summary.csv" for layout in (ours, theirs))
        assert one.read_bytes() == other.read_bytes()
    assert not theirs.of_study("page").exists()
