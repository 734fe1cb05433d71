"""How a contrast was tested, in words."""

from __future__ import annotations

import math
from typing import Any

from pipeline.inference.corrections import CORRECTIONS
from pipeline.report.words.glossary import counted


def how_tested(row: Any) -> str:
    """Say which test was made, what it can give, and how the interval and the correction were made.

    Args:
        row: of comparison.csv.
    """
    if row.n_subjects == 0:
        return f"no subject has both conditions; {_correction(row)}"
    parts = [_test(row), _interval(row)]
    if row.n_subjects_short:
        of = f"{int(row.n_subjects_short)} of {row.n_subjects}"
        parts.append(f"{of} subjects with windows of few frames only in a condition")
    return "; ".join((*parts, _correction(row)))


def _test(row: Any) -> str:
    n, flips = int(row.n_subjects), int(row.n_flips)
    made = f"all {flips} flips" if flips == 2**n else f"{flips} random flips"
    across = counted(n, "subject")
    return f"sign-flip permutation across {across}, {made}, smallest attainable p {row.smallest_p:.4g}"


def _interval(row: Any) -> str:
    n, resamples = int(row.n_subjects), int(row.n_resamples)
    if n == 1:
        return "no interval: one subject says nothing about the spread between subjects"
    made = f"all {resamples}" if resamples == n**n else f"{resamples}"
    return (
        f"{100 * row.confidence:g}% interval from {made} bootstrap resamples of subjects, "
        f"stretched to Student's t with {n - 1} df"
    )


def _correction(row: Any) -> str:
    n = int(row.n_tests)
    correction = CORRECTIONS[row.correction]
    made = f"{correction.words} over {n} tests of the contrast"
    if correction.name == "none" or not math.isfinite(row.smallest_p):
        return made
    said = f"{made}, smallest attainable p after correction {row.smallest_p_corrected:.4g}"
    alone = f" where all tests reach theirs, {min(1.0, n * row.smallest_p):.4g} where it alone does"
    return said + ("" if correction.multiplies_smallest else alone)
