"""A workflow that belongs to a command: interrupted with it, and ended when it dies.

A terminal sends Ctrl-C to all processes at once, a batch system or a program only to the one that it started. So the
workflow gets a session of its own, and the command passes on what it is sent. The two hold the ends of a connection,
which tells the command when its workflow can be interrupted, and the workflow when its command is gone.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from pipeline.workflow import lock

OWNER = "PHISCALE_OWNER"  # in the environment: the workflow's end of the connection
GRACE_S = 60.0  # for a workflow to end after it was interrupted
LEFT_S = 2.0  # for what a workflow leaves behind, after its own end
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The command was told to stop, and its workflow has ended.

    Args:
        number: of the signal; kept as the attribute of that name.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__("interrupted; the same command goes on from here")


class Owned:
    """A workflow in a session of its own.

    Args:
        command: that runs it.
        environment: variables that are set for it.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.stopped = 0
        self._connection, theirs = socket.socketpair()
        self._connection.setblocking(False)
        self._ready = False
        with theirs:
            self._process = subprocess.Popen(
                command,
                start_new_session=True,
                pass_fds=(theirs.fileno(), *lock.handed_on()),
                env={**os.environ, **environment, **_output(), OWNER: str(theirs.fileno())},
            )

    def wait(self) -> int:
        """Wait until the workflow has ended, and return its exit status."""
        status = self._process.wait()
        if self.stopped or status < 0:
            self._end_what_is_left()
        self._connection.close()
        return status

    def stop(self, number: int) -> None:
        """Interrupt the workflow as a terminal would; when asked again, or after `GRACE_S`, kill it.

        Args:
            number: of the signal that the command got.
        """
        if self.stopped or not self._is_ready():
            self.send(signal.SIGKILL)
        else:
            print("phiscale: stopping (asked again, it does not wait for order)", file=sys.stderr)
            self.send(signal.SIGINT)
            killing = threading.Timer(GRACE_S, self.send, [signal.SIGKILL])
            killing.daemon = True
            killing.start()
        self.stopped = number

    def pause(self) -> None:
        """Stop the workflow and this process, until somebody lets this process go on."""
        self.send(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        self.send(signal.SIGCONT)

    def send(self, number: int) -> None:
        """Send a signal to all processes of the workflow."""
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:  # all of them have ended
            return

    def _is_ready(self) -> bool:
        """Tell whether the workflow can be interrupted; before, it has begun nothing and may as well be killed."""
        try:
            self._ready = self._ready or self._connection.recv(1) != b""
        except OSError:  # nothing has come yet, or the workflow has ended
            return False
        return self._ready

    def _end_what_is_left(self) -> None:
        end = time.monotonic() + LEFT_S
        while time.monotonic() < end:
            try:
                os.killpg(self._process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.02)
        self.send(signal.SIGKILL)


def _output() -> dict[str, str]:
    """Return the variable that has a workflow write where its command does: what cannot be written there as `?`."""
    return {"PYTHONIOENCODING": f"{sys.stderr.encoding or 'utf-8'}:replace"}


def run_owned(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a workflow, and see to it that it ends when this process is told to, or dies.

    Args:
        command: that runs it.
        environment: variables that are set for it, beside those of this process.

    Returns:
        Its exit status.

    Raises:
        Stopped: this process got SIGINT, SIGTERM or SIGHUP; nothing of the workflow is running any more.
    """
    early: list[int] = []
    heed: list[Callable[[int], None]] = [early.append]  # until there is a workflow
    with _handled(lambda number: heed[0](number)) as pausing:
        workflow = Owned(command, environment or {})
        heed[0] = workflow.stop
        pausing.append(workflow.pause)
        for number in early:
            workflow.stop(number)
        status = workflow.wait()
    if workflow.stopped:
        raise Stopped(workflow.stopped)
    return status


@contextmanager
def _handled(stop: Callable[[int], None]) -> Iterator[list[Callable[[], None]]]:
    """Have signals that would stop or pause this process handled; those that it was started to ignore stay ignored.

    SIGINT is handled even then, by doing nothing: what is ignored here would be ignored in the workflow as well.
    """
    pausing: list[Callable[[], None]] = []
    before: dict[int, signal.Handlers | int | Callable[[int, FrameType | None], object] | None] = {}
    if threading.current_thread() is threading.main_thread():
        for number in STOPPING:
            before[number] = signal.getsignal(number)
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, lambda received, _: stop(received))
            elif number == signal.SIGINT:
                signal.signal(number, lambda received, _: None)
        before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, lambda *_: [pause() for pause in pausing])
    try:
        yield pausing
    finally:
        for handled, handler in before.items():
            signal.signal(handled, handler)


def heed_owner() -> None:
    """Tell the command that started this workflow that it can be interrupted, and interrupt it when the command dies.

    Does nothing in a workflow that no command started.
    """
    number = os.environ.pop(OWNER, None)  # for this process, not for those that it starts
    if number is None:
        return
    connection = socket.socket(fileno=int(number))
    connection.sendall(b".")
    threading.Thread(target=_outlived, args=(connection,), daemon=True).start()


def _outlived(connection: socket.socket) -> None:
    """Wait until the other end is closed, which nothing does before the command has ended."""
    with suppress(ConnectionError):
        connection.recv(1)
    print("phiscale: the command that started this workflow is gone; stopping", file=sys.stderr)
    os.killpg(0, signal.SIGINT)
    time.sleep(GRACE_S)
    os.killpg(0, signal.SIGKILL)


def run_through(command: Sequence[str]) -> int:
    """Run a command that is interrupted together with this process, and wait for its end all the same.

    Args:
        command: that is run; it gets the lock of this process.

    Returns:
        Its exit status.
    """
    process = subprocess.Popen(command, pass_fds=lock.handed_on())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
