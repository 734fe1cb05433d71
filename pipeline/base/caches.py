"""Where libraries keep what they compile, for users whose own folder for that cannot be written."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from pipeline.base.errors import PhiscaleError

_provided: list[str] = []  # the temporary folder, where one is used


def provide() -> None:
    """Name a temporary folder in place of the user's own (`XDG_CACHE_HOME`, or `.cache` at home) if that is barred.

    The code of the package may be read-only as well, and without either its compiled functions could not be loaded.
    """
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    if not _writable(own):
        _provided[:] = [_temporary()]
        os.environ.update(_variables(_provided[0]))


def beside(root: Path) -> dict[str, str]:
    """Return the variables that have a workflow use a folder in its results, which lasts, in place of a temporary one.

    Args:
        root: folder of the results.
    """
    return _variables(str(root.absolute() / ".cache")) if _provided else {}


def _variables(folder: str) -> dict[str, str]:
    return {"XDG_CACHE_HOME": folder, "MPLCONFIGDIR": str(Path(folder) / "matplotlib")}


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _temporary() -> str:
    """Return a folder that only this user can write: what is read from it is executed."""
    try:
        folder = Path(tempfile.gettempdir()) / f"phiscale-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        told = folder.lstat()
        safe = stat.S_ISDIR(told.st_mode) and told.st_uid == os.getuid() and not told.st_mode & 0o077
        return str(folder) if safe else tempfile.mkdtemp(prefix="phiscale-")
    except OSError as error:
        fix = "set XDG_CACHE_HOME or TMPDIR to a folder that can be written"
        raise PhiscaleError(f"no folder can be written for what is compiled ({error}). Fix: {fix}.") from None
