"""Files that can bring down the library that reads them: opened in another process before they are in this one.

A damaged file of HDF5 or MATLAB can end the process that reads it, a declared shape can ask for more memory than there
is, a broken index can have it read for ever. The other process meets that, and this one tells what became of it. It is
started when it is first needed, serves all files of a process, and ends with it.
"""

from __future__ import annotations

import atexit
import importlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.base.errors import PhiscaleError, Problem

START_S, LEAST_S = 30.0, 20.0  # for the process to start, and for a file that is small
BYTES_PER_S = 2e6  # that the slowest of disks and parsers read of a large one
SPARE = 2**32  # address space besides the memory of the machine: libraries reserve more than they use
CONTAINERS = (".mat", ".h5", ".hdf5", ".hdf", ".nc", ".nwb")
LIBRARIES = ("pipeline.ingest", "pandas", "xarray", "h5py", "netCDF4", "scipy.io")
CODE = "import sys; from pipeline.ingest.apart import serve; serve(int(sys.argv[1]))"


def opens(row: Mapping[str, Any]) -> None:
    """Return if the recording of a row of the sheet can be opened.

    Args:
        row: see `open_recording`; of plain values.

    Raises:
        PhiscaleError: what `open_recording` raises of it; or it ends its process, asks for more memory than the
            machine has, or comes to no end.
    """
    _asked(("open", dict(row)), str(row.get("path")), f"recording {row.get('recording')!r}, {row.get('path')}")


def looks(path: Path) -> None:
    """Return if all formats can look at a file without harm; what they find wrong with it is left to them to tell.

    Args:
        path: the file.

    Raises:
        PhiscaleError: it ends the process that looks at it, or that comes to no end.
    """
    if path.suffix.lower() in CONTAINERS and path.is_file():
        _asked(("look", str(path)), str(path), str(path))


def _asked(question: tuple[str, Any], path: str, where: str) -> None:
    global _server
    if _server is None or _server.ended:
        _server = _Server()
    _server.ask(question, LEAST_S + _size(path) / BYTES_PER_S, where)


class _Server:
    """The other process, and our end of the connection with it."""

    def __init__(self) -> None:
        self._ready = False
        ours, theirs = socket.socketpair()
        with theirs:
            path = os.pathsep.join(path or os.getcwd() for path in sys.path)
            self._process = subprocess.Popen(
                [sys.executable, "-c", CODE, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._connection = Connection(ours.detach())
        atexit.register(self.end)

    @property
    def ended(self) -> bool:
        """Whether it can be asked no more."""
        return self._process.poll() is not None

    def ask(self, question: tuple[str, Any], wait_s: float, where: str) -> None:
        """Have a file opened or looked at; see `opens` and `looks`.

        Args:
            question: what is to be done, with what.
            wait_s: how long to wait for an answer [s].
            where: the file, for messages.
        """
        try:
            if not self._ready:
                self._ready = self._connection.poll(START_S) and self._connection.recv()
            self._connection.send(question)
            if not self._connection.poll(wait_s):
                self.end()
                raise PhiscaleError(_unusable(where, f"is not read after {wait_s:.0f} s"))
            told = self._connection.recv()
        except (EOFError, OSError):
            number = -self._process.wait()
            self.end()
            names = {one.value: one.name for one in signal.Signals}
            how = f" ({names.get(number, number)})" if number > 0 else ""
            raise PhiscaleError(_unusable(where, f"ends the process that reads it{how}")) from None
        if told:
            raise PhiscaleError(*told)

    def end(self) -> None:
        """End the process, if it has not ended."""
        atexit.unregister(self.end)
        self._connection.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()


_server: _Server | None = None


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return 0


def _unusable(where: str, what: str) -> Problem:
    fix = "copy the file again, or write it anew with the program that made it"
    return Problem(where, what, "It is damaged, or made to do harm", fix)


def serve(number: int) -> None:
    """Open what the other end of a connection names, and answer with what is wrong with it.

    Args:
        number: open file of the connection.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks is interrupted, and then ends this one
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(ValueError, OSError):  # a lower limit may be set already
        resource.setrlimit(resource.RLIMIT_AS, (memory + SPARE, memory + SPARE))
    for name in LIBRARIES:  # now, and not in the time that a file has
        importlib.import_module(name)
    connection = Connection(number)
    connection.send(True)
    while True:
        try:
            connection.send(_answer(*connection.recv()))
        except EOFError:
            return


def _answer(what: str, of: Any) -> tuple[Problem | str, ...]:
    """Open a recording, or look at a file, and return what is wrong with it."""
    from pipeline.ingest import READERS
    from pipeline.ingest.streaming import read_through

    if what == "look":
        for reader in READERS.values():
            with suppress(Exception):  # told by whoever looks at it next
                for part in reader.recordings(Path(of)):
                    reader.look(part)
        return ()
    try:
        read_through(of)
    except PhiscaleError as error:
        return error.problems
    except Exception as error:  # a fault of a library, which the process that asks would meet as well
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return (_unusable(f"recording {of.get('recording')!r}, {of.get('path')}", f"cannot be read ({said})"),)
    return ()
