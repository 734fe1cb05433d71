"""The compiler as a typed decorator: serial, cached on disk, without the interpreter lock."""

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile on first call; callers may run several at once in threads."""
    return cast(Function, njit(cache=True, nogil=True)(function))
