"""Runs that are stopped at random moments, in every way: the same command goes on to the same bytes, nothing is left.

`PHISCALE_KILLS=50 pytest -m slow tests/pipeline/workflow/test_kills.py`; PHISCALE_KILL_SEED takes other moments.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tiny_study import write_tiny

from pipeline.results.layout import Layout

KILLS, SEED = int(os.environ.get("PHISCALE_KILLS", "0")), int(os.environ.get("PHISCALE_KILL_SEED", "1"))
LONGEST_S = 10.0  # after the start of the first job
WAYS = (
    *(["everything killed"] * 5),
    *("SIGKILL of the command", "SIGINT to the group", "SIGTERM to the group"),
    *("SIGINT to the command", "SIGTERM to the command"),
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not KILLS, reason="PHISCALE_KILLS says how many; one of each kind is in test_workflow"),
]


def started(folder: Path, cores: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pipeline.cli", "run", "study.yaml", "-c", str(cores)]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def bytes_of(root: Path) -> dict[str, bytes]:
    """Return the tables and what they were made of: all that holds no time of its making."""
    kept = ("*.csv", "*/*.csv", "*/*.nc", "*/*.json", "methods.md")
    found = {str(path.relative_to(root)): path.read_bytes() for pattern in kept for path in root.glob(pattern)}
    return {name: held for name, held in found.items() if not name.startswith(("logs", ".snakemake"))}


def wait_for_work(run: subprocess.Popen[str], root: Path) -> bool:
    """Wait until a job has begun, or the run has ended; tell whether it is at work."""
    begun = time.time()
    while run.poll() is None:
        with suppress(FileNotFoundError):
            if any(path.stat().st_mtime > begun and path.read_text() == "running\n" for path in root.glob("logs/*/*")):
                return True
        time.sleep(0.02)
    return False


def stop(run: subprocess.Popen[str], way: str, root: Path) -> None:
    """Stop a run, and wait until nothing of it is left."""
    workflow = os.getpgid(json.loads((root / ".running").read_text())["process"])
    if way == "everything killed":
        os.killpg(workflow, signal.SIGKILL)
    number = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM}.get(way.split()[0], signal.SIGKILL)
    with suppress(ProcessLookupError):
        (os.killpg if way.endswith("group") else os.kill)(run.pid, number)
    told = run.communicate(timeout=120)[1]
    assert "Traceback" not in told, told
    end = time.monotonic() + 90
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(workflow, 0)
            time.sleep(0.05)
        pytest.fail(f"{way}: something of the workflow is left")


@pytest.mark.parametrize("cores", [1, 2])
def test_runs_stopped_at_random_moments_end_in_the_same_bytes(tmp_path: Path, cores: int) -> None:
    chance = random.Random(f"{SEED} {cores}")
    write_tiny(tmp_path)
    root = Layout(tmp_path / "results" / "s").root
    whole = started(tmp_path, cores)
    told = whole.communicate(timeout=900)[1]
    assert whole.returncode == 0, told
    expected, done, runs = bytes_of(root), 0, 0
    while done < KILLS // 2:
        shutil.rmtree(root)
        runs += 1
        while True:
            run, way = started(tmp_path, cores), chance.choice(WAYS)
            if done < KILLS // 2 and wait_for_work(run, root):
                time.sleep(chance.uniform(0, LONGEST_S))
            if done == KILLS // 2 or run.poll() is not None:
                told = run.communicate(timeout=900)[1]
                assert run.returncode == 0, told
                break
            stop(run, way, root)
            done += 1
            print(f"seed {SEED}, {cores} cores, {done}: {way}", flush=True)
        assert bytes_of(root) == expected
        assert not list(root.rglob("*.partial*"))
        assert not Layout(root).notes()
    print(f"{done} stops in {runs} runs on {cores} cores", flush=True)
