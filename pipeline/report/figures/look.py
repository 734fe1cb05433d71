"""Colours and markers of the report, and where the marks of several subjects stand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Okabe & Ito's palette: told apart with every common form of colour blindness. Colour never stands
# alone: conditions differ in marker as well, macro units are labelled.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INK, MUTED, FAINT, NULL = "#1b1f24", "#5b6570", "#d5dae0", "#9aa3ad"
CROWD = 6  # with more subjects, marks are smaller and planted values are averaged
LOG_SPAN = 30  # values that multiply and span more than this factor are shown on a logarithmic axis


def colours(names: Sequence[str]) -> dict[str, str]:
    """Give each name a colour, in order."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def markers(names: Sequence[str]) -> dict[str, str]:
    """Give each name a marker, in order."""
    return {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}


def classes(names: Sequence[str]) -> dict[str, str]:
    """Give each name the class that has its colour in drawings of the page, in order."""
    return {name: f"c{i % len(PALETTE)}" for i, name in enumerate(names)}


def offsets(subjects: Sequence[str]) -> dict[str, float]:
    """Shift each subject sideways, so that the dots of a condition do not cover each other."""
    reach = 0.2 if len(subjects) <= CROWD else 0.3
    spread = np.linspace(-reach, reach, len(subjects)) if len(subjects) > 1 else [0.0]
    return {s: float(o) for s, o in zip(subjects, spread, strict=True)}
