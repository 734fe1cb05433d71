"""Whole runs through Snakemake: resuming, narrow reruns, what fails alone, the same bytes on any number of cores."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.base.files import groups_of, load, load_groups
from pipeline.results.layout import Layout
from pipeline.workflow.costs import by_stage, costs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
ALL = (
    "ingest",
    "preprocess",
    "ensembles",
    "states",
    "halves",
    "score",
    "choose",
    "tpm",
    "macro",
    "phi",
    "nulls",
    "matched",
    "detection",
    "summarise",
    "compare",
    "validate",
    "report",
)
Finished = tuple[Path, subprocess.CompletedProcess[str]]
SECONDS, RATE_HZ, BIN_S = 200, 10, 0.5


def coupled_states(rng: np.random.Generator, n_steps: int, coupling: float) -> np.ndarray:
    """Three units that excite the next one round a ring."""
    states = np.zeros((n_steps, 3), dtype=bool)
    for t in range(1, n_steps):
        states[t] = rng.random(3) < 1 / (1 + np.exp(1.5 - coupling * np.roll(states[t - 1], 1)))
    return states


def write_study(folder: Path, **changes: dict[str, object]) -> Path:
    """Write a small study of three animals: the third has no file, the first a window without frames."""
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
    windows.append(f"m1\tnothing\tasleep\t{2 * SECONDS}\t{2 * SECONDS + 100}")
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
    for section, fields in changes.items():
        parameters[section] = {**parameters.get(section, {}), **fields}
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
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run on two cores, in which one recording fails."""
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    return folder, phiscale(folder, "run", "study.yaml", "-c", "2", "--anyway")


def test_what_fails_fails_alone_and_is_listed(finished: Finished) -> None:
    """A recording without a file, and one window of another."""
    folder, run = finished
    layout = Layout(folder / "results" / "small")
    assert run.returncode == 1
    told = sorted(line for line in run.stderr.splitlines() if line.startswith("failed: "))
    assert [line.partition(")")[0] for line in told] == ["failed: m1, window nothing (tpm", "failed: m3 (ingest"]
    assert "m3.npy" in told[1]
    assert "Traceback" not in run.stdout + run.stderr
    notes = [json.loads(path.read_text()) for path in layout.notes()]
    assert [(n["recording"], n.get("window"), n["stage"]) for n in notes] == [
        ("m3", None, "ingest"),
        ("m1", "nothing", "tpm"),
    ]
    page = layout.of_study("page").read_text()
    assert "m3.npy" in page
    assert "window nothing" in page
    assert not list((folder / "results").rglob("*.partial*"))
    assert groups_of(layout.of("phi", "m1")) == [
        f"{window}/{system}" for window in ("asleep", "awake") for system in ("macro_units-2", "micro-3")
    ]


def test_most_of_the_time_is_that_of_the_stages(finished: Finished) -> None:
    table = by_stage(costs(finished[0] / "results" / "small"))
    assert table.loc["tpm", "jobs"] == 2
    assert 0 < table.loc["total", "cpu_s"] < 1.2 * table.loc["total", "wall_s"]


@pytest.mark.parametrize("lost", ["files", "windows"])
def test_there_is_a_page_where_everything_fails(tmp_path: Path, lost: str) -> None:
    """No recording can be read; or no window of any of them has frames enough."""
    write_study(tmp_path)
    if lost == "files":
        for path in tmp_path.glob("*.npy"):
            path.unlink()
    else:
        rows = [f"{m}\t{w}\t{w}\t{t}\t{t + 20}" for m in ("m1", "m2") for t, w in ((0, "awake"), (200, "asleep"))]
        head = "recording\twindow\tcondition\tstart_s\tend_s"
        (tmp_path / "windows.tsv").write_text("\n".join([head, *rows, "m3\tawake\tawake\t0\t20"]) + "\n")
    run = phiscale(tmp_path, "run", "study.yaml", "-c", "2", "--anyway")
    assert run.returncode == 1
    layout = Layout(tmp_path / "results" / "small")
    page = layout.of_study("page").read_text()
    assert "MissingOutputException" not in run.stdout + run.stderr
    failed = [line for line in run.stderr.splitlines() if line.startswith("failed: ")]
    if lost == "files":
        assert len(failed) == 3
        assert all(f"{name}.npy" in page for name in ("m1", "m2", "m3"))
    else:
        assert len(failed) == 2 * (2 + 1) + 1  # each window, what is left of its recording, and the lost file
        assert "m3.npy" in page
        assert "transitions" in page


def test_plain_snakemake_does_the_same_in_processes_of_its_own(finished: Finished, tmp_path: Path) -> None:
    """Without the setting of the default profile, Snakemake starts a process for each job."""
    folder, _ = finished
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    study = tmp_path / "study.yaml"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"),
            *("--workflow-profile", "none", "--config", f"study={study}", 'omit=["m1", "m3"]'),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ours, theirs = (Layout(place / "results" / "small").of("phi", "m2") for place in (folder, tmp_path))
    for group, phi in load_groups(ours).items():
        assert phi.identical(load(theirs, group))


def test_tables_hold_what_they_should(
    finished: Finished,
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
    primary = results.comparison[results.comparison["measure"] == "phi_s"]
    assert set(primary["n_subjects"]) == {2}
    assert set(primary["adjusted"]) == {"raw", "matched_length", "matched_rate", "excess_over_null"}
    assert set(results.matched["recording"]) == {"m1", "m2"}


def test_a_second_run_has_nothing_to_do(
    finished: Finished,
) -> None:
    assert rules_to_run(finished[0]) == set()


@pytest.mark.parametrize(
    ("section", "field", "value", "rules"),
    [
        ("compare", "bootstrap", 300, {"compare", "report"}),
        ("nulls", "detection", 3, {"detection"}),
        ("nulls", "surrogates", 11, {"nulls", "summarise", "compare", "validate", "report"}),
        ("preprocess", "highpass_s", 200.0, {*ALL} - {"ingest"}),
        ("iit", "structures", 1, {"phi", "summarise", "compare", "validate", "report"}),
        (
            "macro",
            "restarts",
            3,
            {"macro", "phi", "nulls", "matched", "summarise", "compare", "validate", "report"},
        ),
    ],
)
def test_a_changed_parameter_reruns_what_depends_on_it(
    finished: Finished,
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


def test_one_core_gives_the_same_bytes(finished: Finished, tmp_path: Path) -> None:
    folder, _ = finished
    for path in folder.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    phiscale(tmp_path, "run", "study.yaml", "-c", "1", "--anyway")
    for name in ("summary.csv", "nulls.csv", "comparison.csv"):
        ours, theirs = (place / "results" / "small" / name for place in (folder, tmp_path))
        assert ours.read_bytes() == theirs.read_bytes(), name


def stopped(run: subprocess.Popen[str], how: str, root: Path) -> str:
    """Stop a run that is at work, wait until nothing of it is left, and return what it told."""
    workflow = os.getpgid(json.loads((root / ".running").read_text())["process"])
    if how == "everything killed":
        os.killpg(workflow, signal.SIGKILL)
    number = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}.get(how.split()[0], signal.SIGKILL)
    (os.killpg if how.endswith("group") else os.kill)(run.pid, number)
    told = run.communicate(timeout=120)[1]
    assert run.returncode == (128 + number if number != signal.SIGKILL else -number)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(workflow, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    return told


def test_however_a_run_is_stopped_the_same_command_goes_on(finished: Finished, tmp_path: Path) -> None:
    """One run, stopped at one stage after another, in each way once; a terminal's Ctrl-C is the first of them."""
    folder, _ = finished
    write_study(tmp_path)
    layout = Layout(tmp_path / "results" / "small")
    command = [sys.executable, "-m", "pipeline.cli", "run", "study.yaml", "-c", "2", "-v", "--anyway"]
    stops = {
        "states": "SIGINT to the group",
        "tpm": "SIGTERM to the command",
        "macro": "SIGKILL of the command",
        "phi": "everything killed",
        "summarise": "SIGINT to the command",
    }
    for stage, how in stops.items():
        run = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
        log = layout.study_log(stage) if stage == "summarise" else layout.log(stage, "m1")
        deadline = time.monotonic() + 120
        while not (log.exists() and log.read_text() == "running\n") and time.monotonic() < deadline:
            assert run.poll() is None, run.communicate()
            time.sleep(0.02)
        told = stopped(run, how, layout.root)
        noted = {(note["recording"], note["stage"]) for note in map(json.loads, map(Path.read_text, layout.notes()))}
        if how != "everything killed":
            assert noted <= {("m3", "ingest"), ("m1", "tpm")}, how  # what fails without being stopped
            assert log.read_text() == "interrupted\n"
            assert not list(layout.root.rglob("*.partial*"))
            assert "Finishing without" not in told.partition("Terminating processes")[2]
    done = phiscale(tmp_path, "run", "study.yaml", "-c", "2", "--anyway")
    assert layout.of_study("page").exists(), done.stderr
    assert not list(layout.root.rglob("*.partial*"))
    assert [path.name for path in layout.notes()] == ["ingest--m3.json", "tpm--m1--nothing.json"]
    for pattern in ("*.csv", "*/*.csv"):
        ours, theirs = (
            {path.name: path.read_bytes() for path in root.glob(pattern)}
            for root in (layout.root, folder / "results" / "small")
        )
        assert ours == theirs, pattern


def test_an_interrupted_run_goes_on(finished: Finished, tmp_path: Path) -> None:
    table = finished[0] / "results" / "small" / "comparison.csv"
    aside = table.rename(tmp_path / table.name)
    try:
        assert rules_to_run(finished[0]) == {"compare", "report"}
    finally:
        aside.rename(table)
