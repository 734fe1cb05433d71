"""A command and its workflow: whatever ends the one ends the other, in order where there is time for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

# A workflow that says when it can be interrupted, has a child, and ends in order if it is interrupted.
WORKFLOW = """
import os, subprocess, sys, time
from pathlib import Path
from pipeline.workflow.owner import heed_owner
folder = Path(sys.argv[1])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stderr=subprocess.DEVNULL)
(folder / "child").write_text(str(child.pid))
try:
    if "early" not in sys.argv:
        heed_owner()
    (folder / "begun").touch()
    time.sleep(60)
except KeyboardInterrupt:
    if "stubborn" in sys.argv or "slow" in sys.argv:
        time.sleep(60)
    child.wait()
    time.sleep(0.5)  # longer than the .25 s that subprocess.run leaves
    (folder / "ended").write_text("in order")
"""
COMMAND = """
import sys
from pipeline.workflow import owner
owner.GRACE_S = 0.5 if "stubborn" in sys.argv else 60.0
try:
    owner.run_owned([sys.executable, *sys.argv[1:]])
except owner.Stopped as stopped:
    sys.exit(128 + stopped.number)
"""


def command(folder: Path, *how: str) -> subprocess.Popen[bytes]:
    """Start a command with its workflow, and wait until the workflow is at work."""
    (folder / "workflow.py").write_text(WORKFLOW)
    arguments = [sys.executable, "-c", COMMAND, str(folder / "workflow.py"), str(folder), *how]
    process = subprocess.Popen(arguments, start_new_session=True)
    wait_for((folder / "begun").exists)
    return process


def wait_for(condition: object, seconds: float = 30.0) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one whose parent does not ask for it counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("whom", ["command", "group"])
def test_a_signal_to_the_command_ends_its_workflow_in_order(tmp_path: Path, number: int, whom: str) -> None:
    process = command(tmp_path)
    (os.kill if whom == "command" else os.killpg)(process.pid, number)
    assert process.wait(30) == 128 + number
    assert (tmp_path / "ended").read_text() == "in order"
    assert is_gone(int((tmp_path / "child").read_text()))


def test_a_workflow_whose_command_is_killed_ends_in_order(tmp_path: Path) -> None:
    process = command(tmp_path)
    process.kill()
    process.wait(30)
    wait_for((tmp_path / "ended").exists)
    wait_for(lambda: is_gone(int((tmp_path / "child").read_text())))


@pytest.mark.parametrize("how", ["early", "stubborn"])
def test_a_workflow_that_cannot_be_interrupted_is_killed(tmp_path: Path, how: str) -> None:
    """Before it has begun anything, or when it does not end."""
    process = command(tmp_path, how)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not (tmp_path / "ended").exists()
    assert is_gone(int((tmp_path / "child").read_text()))


def test_who_asks_twice_does_not_wait(tmp_path: Path) -> None:
    process = command(tmp_path, "slow")
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130


def test_a_paused_command_pauses_its_workflow(tmp_path: Path) -> None:
    process = command(tmp_path)
    child = Path(f"/proc/{int((tmp_path / 'child').read_text())}/stat")

    def state() -> str:
        return child.read_text().rpartition(")")[2].split()[0]

    process.send_signal(signal.SIGTSTP)
    wait_for(lambda: state() == "T")
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: state() == "S")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143


def test_what_a_batch_system_ignores_stays_ignored(tmp_path: Path) -> None:
    """`nohup` ignores SIGHUP, a script's background commands SIGINT: the workflow can be interrupted all the same."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        process = command(tmp_path)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert (tmp_path / "ended").read_text() == "in order"
