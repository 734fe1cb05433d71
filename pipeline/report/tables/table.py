"""A table of the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.report.words.glossary import number

Cell = str


@dataclass(frozen=True)
class Table:
    """A caption, column heads (those that end with "#" hold numbers) and rows of cells."""

    caption: str
    heads: list[str]
    rows: list[list[Cell]]

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """Heads without their mark, and whether they hold numbers."""
        return [(head.rstrip("#").strip(), head.endswith("#")) for head in self.heads]


def flags(text: object) -> Cell:
    """Write the words of a flag, as the glossary explains them."""
    return text.replace(";", ", ") if isinstance(text, str) else ""


def interval(low: float, high: float) -> Cell:
    """Write the limits of an interval, or the lower one where it is a bound; an en dash where there is none.

    Args:
        low: lower end.
        high: upper end.
    """
    if not np.isfinite(high):
        return f"at least {number(low)}" if np.isfinite(low) else "–"
    return f"{number(low)} to {number(high)}"


def window_name(window: str, condition: str) -> Cell:
    """Write a condition, with the name of its window where that is another.

    Args:
        window: name of the window.
        condition: its condition.
    """
    return condition if condition == window else f"{condition} ({window})"
