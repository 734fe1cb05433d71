"""Surrogates of states or traces in whatever form."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.raster import raster
from pipeline.base.seeds import generator
from pipeline.nulls.drawn import Surrogates
from pipeline.nulls.parameters import KIND, SURROGATES
from pipeline.nulls.registry import NULLS, Null


def surrogates(
    states_or_traces: Array | xr.DataArray | xr.Dataset,
    kind: str = KIND,
    n: int = SURROGATES,
    seed: int = 0,
    segments: Sequence[int] | Ints | None = None,
) -> Array:
    """Draw surrogates of states or traces.

    Args:
        states_or_traces: (frame, unit). Of a dataset only the matched frames are used.
        kind: one of `pipeline.nulls.NULLS`, which say what they keep and break.
        n: how many; the first ones do not depend on it.
        seed: fixes them.
        segments: (frame,) labels of consecutive frames.

    Returns:
        (n, frame, unit). Where their borders are, `draw` tells besides.

    Raises:
        PhiscaleError: an unknown kind, or one that does not fit the values.

    >>> surrogates([[0, 1], [1, 1], [0, 0], [0, 1]], n=3).shape
    (3, 4, 2)
    """
    return draw(states_or_traces, kind, n, seed, segments).values


def draw(
    states_or_traces: Array | xr.DataArray | xr.Dataset,
    kind: str = KIND,
    n: int = SURROGATES,
    seed: int = 0,
    segments: Sequence[int] | Ints | None = None,
    lag: int = 1,
) -> Surrogates:
    """Draw surrogates with their borders.

    Args:
        states_or_traces: as `surrogates` takes them.
        kind: name of the null.
        n: how many; the first ones do not depend on it.
        seed: fixes them.
        segments: as `surrogates` takes them.
        lag: of a transition [frames], for nulls that model them.

    Raises:
        PhiscaleError: no known kind, or one that does not fit the values.
    """
    array, runs, _, _ = raster(states_or_traces, segments)
    null = NULLS.choose(kind)
    _check(null, array)
    return null.draw(array, runs, n, generator(seed, "surrogates", kind), lag)


def _check(null: Null, array: Array) -> None:
    """Refuse a null that cannot be drawn of these values."""
    kind = "states" if np.isin(array, (0, 1)).all() else "traces"
    if kind in null.takes:
        return
    fit = ", ".join(name for name, other in NULLS.items() if kind in other.takes)
    if kind == "states":
        raise PhiscaleError(
            Problem(
                "nulls.kinds",
                f"'{null.name}' makes Gaussian traces, but the data are ON/OFF states",
                "The surrogate would not be a raster",
                f"use one of {fit}, or give the traces",
            )
        )
    raise PhiscaleError(
        Problem(
            "nulls.kinds",
            f"'{null.name}' needs ON/OFF states, but the data are traces",
            fix=f"use one of {fit}, or binarise the traces first",
        )
    )
