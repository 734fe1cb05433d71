"""Whole runs through Snakemake: resuming, narrow reruns, a recording that fails alone, the same bytes on any number of cores."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
SECONDS, RATE_HZ, BIN_S = 200, 10, 0.5


def coupled_states(rng: np.random.Generator, n_steps: int, coupling: float) -> np.ndarray:
    """Three units that excite the next one round a ring."""
    states = np.zeros((n_steps, 3), dtype=bool)
    for t in range(1, n_steps):
        states[t] = rng.random(3) < 1 / (1 + np.exp(1.5 - coupling * np.roll(states[t - 1], 1)))
    return states


def write_study(folder: Path) -> Path:
    """Write a small study of three animals, of which the third has no file."""
    rng = np.random.default_rng(0)
    steps = int(SECONDS / BIN_S)
    for name in ("m1", "m2"):
        states = np.vstack([coupled_states(rng, steps, 4.0), coupled_states(rng, steps, 0.5)])
        traces = np.repeat(states, int(BIN_S * RATE_HZ), axis=0) + 0.1 * rng.standard_normal((2 * SECONDS * RATE_HZ, 3))
        np.save(folder / f"{name}.npy", traces.astype(np.float32))
    sheet = ["recording\tsubject\tpath\tformat\trate_hz"]
    sheet += [f"{name}\t{name}\t{name}.npy\tnpy\t{RATE_HZ}" for name in ("m1", "m2", "m3")]
    windows = ["recording\twindow\tcondition\tstart_s\tend_s"]
    for name in ("m1", "m2", "m3"):
        windows += [
            f"{name}\tawake\tawake\t0\t{SECONDS}",
            f"{name}\tasleep\tasleep\t{SECONDS}\t{2 * SECONDS}",
        ]
    (folder / "recordings.tsv").write_text("\n".join(sheet) + "\n")
    (folder / "windows.tsv").write_text("\n".join(windows) + "\n")
    parameters = {
        "study": "small",
        "conditions": ["awake", "asleep"],
        "preprocess": {"kind": "dff"},
        "ensembles": {"method": "none", "iit": 3},
        "binarize": {"method": "otsu", "bin_s": BIN_S},
        "tpm": {"draws": 10},
        "macro": {"scales": [2], "restarts": 2, "steps": 20, "random_groupings": 5},
        "iit": {"big_phi_draws": 3},
        "nulls": {"surrogates": 10, "big_phi_surrogates": 3},
        "compare": {"bootstrap": 200},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(parameters))
    return folder / "study.yaml"


def phiscale(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def rules_to_run(folder: Path) -> set[str]:
    """Return the rules that another run would execute, the failing recording left out."""
    done = phiscale(folder, "run", "study.yaml", "--", "--dry-run", "--config", 'omit=["m3"]')
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    found = set(re.findall(r"^(\w+) +\d+$", text.partition("Job stats:")[2], re.MULTILINE))
    assert found or "Nothing to be done" in text, text
    return found - {"all", "total"}


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A run on two cores, in which one recording fails."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    return folder, phiscale(folder, "run", "study.yaml", "-c", "2")


def test_a_failing_recording_fails_alone_and_is_listed(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, run = finished
    results = folder / "results" / "small"
    assert run.returncode == 1
    assert "failed: m3 (ingest)" in run.stderr
    assert "m3.npy" in run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    notes = [json.loads(path.read_text()) for path in (results / "failed").iterdir()]
    assert [(note["recording"], note["stage"]) for note in notes] == [("m3", "ingest")]
    page = (results / "report.html").read_text()
    assert "m3.npy" in page
    assert not list(results.rglob("*.partial*"))


def test_tables_hold_what_they_should(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    import pipeline

    results = pipeline.load_results(finished[0] / "results" / "small")
    summary = results.summary
    assert set(summary["recording"]) == {"m1", "m2"}
    phi = summary[(summary["measure"] == "phi_s") & (summary["route"] == "micro")].set_index(["subject", "condition"])
    for subject in ("m1", "m2"):
        assert phi.loc[(subject, "awake"), "value"] > phi.loc[(subject, "asleep"), "value"]
        assert phi.loc[(subject, "awake"), "null_p"] < 0.15
    assert set(results.comparison["contrast"]) == {"awake-asleep"}
    assert set(results.comparison["n_subjects"]) == {2}


def test_a_second_run_has_nothing_to_do(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    assert rules_to_run(finished[0]) == set()


@pytest.mark.parametrize(
    ("section", "field", "value", "rules"),
    [
        ("compare", "bootstrap", 300, {"compare", "report"}),
        ("iit", "structures", 1, {"integrate", "summarise", "compare", "report"}),
        (
            "macro",
            "restarts",
            3,
            {"coarse_grain", "integrate", "nulls", "summarise", "compare", "report"},
        ),
    ],
)
def test_a_changed_parameter_reruns_what_depends_on_it(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
    section: str,
    field: str,
    value: int,
    rules: set[str],
) -> None:
    study = finished[0] / "study.yaml"
    before = study.read_text()
    parameters = yaml.safe_load(before)
    parameters[section][field] = value
    study.write_text(yaml.safe_dump(parameters))
    try:
        assert rules_to_run(finished[0]) == rules
    finally:
        study.write_text(before)


def test_one_core_gives_the_same_bytes(finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    folder, _ = finished
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    phiscale(tmp_path, "run", "study.yaml", "-c", "1")
    for name in ("summary.csv", "nulls.csv", "comparison.csv"):
        ours, theirs = (place / "results" / "small" / name for place in (folder, tmp_path))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_an_interrupted_run_goes_on(finished: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    table = finished[0] / "results" / "small" / "comparison.csv"
    aside = table.rename(tmp_path / table.name)
    try:
        assert rules_to_run(finished[0]) == {"compare", "report"}
    finally:
        aside.rename(table)
