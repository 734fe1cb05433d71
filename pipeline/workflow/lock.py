"""One run at a time in a folder of results.

The lock belongs to processes, not to a file that stays behind: the kernel frees it when its last holder has ended, in
whatever way, so that there is nothing to clear. What a holder starts to go on in its place (the workflow of a command,
a second run after failures) gets the lock with its open file, whose number stands in the environment.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pipeline.base.errors import PhiscaleError, Problem

NAME = ".running"  # in the folder of results
HELD = "PHISCALE_LOCK"  # in the environment: the open file of a lock that was handed on


def take(root: str | Path) -> int:
    """Take the lock of a folder of results, until this process has ended or closes the file.

    Files that were left half-written by a run that was killed are removed: nobody else writes there now.

    Args:
        root: the folder, made where there is none.

    Returns:
        The open file, to be handed on with `handed_on`.

    Raises:
        PhiscaleError: another process holds it.
    """
    from pipeline.base.files import remove_partial

    path = Path(root) / NAME
    number = _given(path)
    if number is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        _lock(number, path)
        remove_partial(path.parent)
    os.ftruncate(number, 0)
    os.pwrite(number, json.dumps(_myself()).encode(), 0)
    os.environ[HELD] = str(number)
    return number


@contextmanager
def held(root: str | Path) -> Iterator[None]:
    """Hold the lock of a folder of results for a while; raises as `take`.

    Args:
        root: the folder.
    """
    number = take(root)
    try:
        yield
    finally:
        os.environ.pop(HELD, None)
        os.close(number)


def handed_on() -> tuple[int, ...]:
    """Return the open files that a process in this one's place has to be given; none where there is no lock."""
    number = os.environ.get(HELD, "")
    return (int(number),) if number and _is_open(int(number)) else ()


def _given(path: Path) -> int | None:
    """Return the open file of this lock that another process handed on."""
    for number in handed_on():
        if path.exists() and os.path.samestat(os.fstat(number), path.stat()):
            return number
    return None


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _lock(number: int, path: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _holder(number)
        os.close(number)
        raise PhiscaleError(
            Problem(
                str(path.parent),
                f"is in use by {holder}",
                "Two runs would write the same files",
                "wait for its end, or stop it; nothing has to be cleared after it",
            )
        ) from None
    except OSError as error:  # a file system without locks: as safe as before there was this one
        print(f"note: {path.parent} cannot be locked ({error.strerror}): start no second run in it", file=sys.stderr)


def _myself() -> dict[str, str | int]:
    since = datetime.now().astimezone().isoformat(" ", "seconds")
    return {"process": os.getpid(), "host": socket.gethostname(), "since": since}


def _holder(number: int) -> str:
    """Return who holds a lock, in words, from what it wrote into the file."""
    try:
        told = json.loads(os.pread(number, 4096, 0))
        return f"process {told['process']} on {told['host']} since {told['since']}"
    except (ValueError, KeyError, TypeError):  # it has not written yet
        return "another process"
