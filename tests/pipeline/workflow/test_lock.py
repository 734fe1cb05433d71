"""The lock of a folder of results: one holder at a time, and nothing is left to clear when it dies."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.base.errors import PhiscaleError
from pipeline.workflow import lock

HOLDER = "import sys, time; from pipeline.workflow import lock; lock.take(sys.argv[1]); print('held', flush=True); "


def holding(root: Path, then: str = "time.sleep(60)") -> subprocess.Popen[str]:
    """Start a process that takes the lock, and wait until it has it."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER + then, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_refused_by_name_and_time(tmp_path: Path) -> None:
    holder = holding(tmp_path / "results")
    with pytest.raises(PhiscaleError) as refused, lock.held(tmp_path / "results"):
        pass
    told = str(refused.value)
    assert f"{tmp_path / 'results'}: is in use by process {holder.pid} on " in told
    assert " since 20" in told
    assert "\n" not in told
    with lock.held(tmp_path / "others"):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    with lock.held(tmp_path / "results"):
        pass


def test_what_goes_on_in_its_place_has_the_lock_as_well(tmp_path: Path) -> None:
    """A workflow holds what its command handed on, also after the command's end; others do not get it."""
    code = [sys.executable, "-c", HOLDER + "sys.stdin.read()", str(tmp_path)]
    with lock.held(tmp_path):
        given = subprocess.Popen(
            code, pass_fds=lock.handed_on(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert given.stdout is not None
        assert given.stdout.readline() == "held\n"
        other = subprocess.run(code, capture_output=True, text=True, check=False)  # has the number, but not the file
        assert f"is in use by process {given.pid}" in other.stderr
    assert lock.handed_on() == ()
    with pytest.raises(PhiscaleError), lock.held(tmp_path):
        pass
    given.communicate("")
    with lock.held(tmp_path):
        pass


def test_half_written_files_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    (tmp_path / "phi").mkdir()
    left, whole = tmp_path / "phi" / ".m1.nc.4242.partial.nc", tmp_path / "phi" / "m1.nc"
    left.touch()
    whole.touch()
    with lock.held(tmp_path):
        assert not left.exists()
        assert whole.exists()
        left.touch()  # now somebody is at work
        assert lock.take(tmp_path) in lock.handed_on()
        assert left.exists()


def test_a_file_system_without_locks_is_used_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    with lock.held(tmp_path):
        assert "cannot be locked" in capsys.readouterr().err
