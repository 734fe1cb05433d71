"""Axes of the report's own drawings: where a value stands, and which values are written beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.report.figures.look import LOG_SPAN

Tick = tuple[float, str]  # where on the axis, 0 to 1, and what is written there


class Axis(Protocol):
    """One axis of a panel."""

    def at(self, value: float) -> float:
        """Return where a value stands, 0 at the low end and 1 at the high one."""
        ...

    def ticks(self) -> list[Tick]:
        """Return where something is written beside the axis, and what."""
        ...


@dataclass(frozen=True)
class Linear:
    """Values in proportion.

    Attributes:
        low, high: the ends.
        most: number of ticks at most.

    >>> Linear(0.0, 1.0).ticks()[:2]
    [(0.0, '0'), (0.2, '0.2')]
    """

    low: float
    high: float
    most: int = 6

    def at(self, value: float) -> float:
        """Return where a value stands, 0 to 1."""
        return (value - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> list[Tick]:
        """Round values, with as many digits as their steps need."""
        span = (self.high - self.low) or 1.0
        rough = 10.0 ** math.floor(math.log10(span / self.most))
        step = next(f * rough for f in (1, 2, 5, 10, 20) if span / (f * rough) <= self.most)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.at(i * step), _written(i * step, digits)) for i in range(first, last + 1)]


class Bare(Linear):
    """Values in proportion, with nothing written beside the axis."""

    def ticks(self) -> list[Tick]:
        """Return none."""
        return []


@dataclass(frozen=True)
class Logarithmic:
    """Factors in proportion, for values that multiply.

    Attributes:
        low, high: the ends, above 0.

    >>> [label for _, label in Logarithmic(0.5, 200).ticks()]
    ['1', '10', '100']
    """

    low: float
    high: float

    def at(self, value: float) -> float:
        """Return where a value stands, 0 to 1; what is below the low end stands there."""
        span = math.log(self.high / self.low) or 1.0
        return math.log(max(value, self.low) / self.low) / span

    def ticks(self) -> list[Tick]:
        """Powers of ten; 2 and 5 times these where there would be fewer than three."""
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for factors in ((1,), (1, 3), (1, 2, 5)):
            values = [f * 10.0**d for d in decades for f in factors]
            inside = [v for v in values if self.low * 0.999 <= v <= self.high * 1.001]
            if len(inside) >= 3:
                break
        every = -(-len(inside) // 8)
        return [(self.at(v), f"{v:g}") for v in inside[::every]]


@dataclass(frozen=True)
class Names:
    """One place for each name; `at` takes its number, and fractions lie between.

    Attributes:
        names: what is written at each place.
    """

    names: Sequence[str]

    def at(self, value: float) -> float:
        """Return where the middle of a place lies, 0 to 1."""
        return (value + 0.5) / max(len(self.names), 1)

    def ticks(self) -> list[Tick]:
        """Every name at its place."""
        return [(self.at(i), name) for i, name in enumerate(self.names)]


def reaching(values: Iterable[float], *, logarithmic: bool = False) -> Linear | Logarithmic:
    """Return an axis for values: from 0 on, or logarithmic where they multiply and span too much.

    Args:
        values: all that is to be on it; what is not finite does not count.
        logarithmic: they multiply.

    >>> reaching([0.5, 2.0])
    Linear(low=0.0, high=2.16, most=6)
    """
    known = [float(v) for v in values if v is not None and math.isfinite(v)]
    if not known:
        return Linear(0.0, 1.0)
    low, high = min(known), max(known)
    if logarithmic and low > 0 and high > LOG_SPAN * low:
        return Logarithmic(low / 1.6, high * 1.6)
    return Linear(min(0.0, low * 1.08), max(0.0, high * 1.08) or 1.0)


def _written(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return (text if float(text) else "0").replace("-", "\u2212")
