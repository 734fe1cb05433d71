"""Corrections of p-values for their number: how each is made, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.base.arrays import Floats


@dataclass(frozen=True)
class Correction:
    """One correction.

    Attributes:
        name: what a study calls it.
        words: its name in a sentence.
        methods: how p-values were corrected, for the methods section.
        of_sorted: (test,) p-values, the smallest first, and what is made of them; may exceed 1.
        multiplies_smallest: equal p-values rise with their number.
        reference: the paper that it is from.
    """

    name: str
    words: str
    methods: str
    of_sorted: Callable[[Floats], Floats]
    multiplies_smallest: bool = False
    reference: str = ""


def _holm(p: Floats) -> Floats:
    risen: Floats = np.maximum.accumulate(p * (len(p) - np.arange(len(p))))
    return risen


def _fdr(p: Floats) -> Floats:
    raised = p * len(p) / np.arange(1, len(p) + 1)
    least: Floats = np.minimum.accumulate(raised[::-1])[::-1]
    return least


def _none(p: Floats) -> Floats:
    return p


_ALL = (
    Correction(
        "holm",
        "Holm",
        "by Holm's method",
        _holm,
        multiplies_smallest=True,
        reference="Holm S (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
        "Statistics 6(2): 65-70.",
    ),
    Correction(
        "fdr",
        "Benjamini-Hochberg",
        "by the Benjamini-Hochberg procedure",
        _fdr,
        reference="Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate. Journal of the Royal "
        "Statistical Society B 57(1): 289-300.",
    ),
    Correction("none", "no correction", "not at all", _none),
)
CORRECTIONS = {correction.name: correction for correction in _ALL}


def correct(p_values: Sequence[float], method: str) -> Floats:
    """Correct p-values for their number; NaN (no test) stays NaN and does not count.

    Args:
        p_values: p of each test.
        method: "holm" (family-wise error, Holm 1979), "fdr" (false discovery rate, Benjamini and Hochberg 1995) or
            "none".

    >>> correct([0.01, 0.04], "holm").tolist()
    [0.02, 0.04]
    """
    p = np.asarray(p_values, dtype=float)
    corrected = p.copy()
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    corrected[order] = CORRECTIONS[method].of_sorted(p[order])
    capped: Floats = np.minimum(corrected, 1.0)
    return capped
