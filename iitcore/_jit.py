"""The compiler as a typed decorator: serial, cached on disk, without the interpreter lock."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile on first call; callers may run several at once in threads."""
    dispatcher = njit(cache=True, nogil=True)(function)
    _depend_on_all_sources(dispatcher)
    return cast(Function, dispatcher)


def _depend_on_all_sources(dispatcher: Any) -> None:
    """Make cached machine code obsolete when any compiled source changes.

    numba compares only the file of the function itself, so that a cached caller would go on using
    the callee it was compiled with after an upgrade of the callee's file.
    """
    index: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(index, "_source_stamp"):
        index._source_stamp = (index._source_stamp, _sources())


@cache
def _sources() -> str:
    """Digest of all modules of this package that contain compiled functions."""
    digest = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_bytes()
        if b"@compiled" in text:
            digest.update(text)
    return digest.hexdigest()
