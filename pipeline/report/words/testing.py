"""How a contrast was tested, in words."""

from __future__ import annotations

import math
from typing import Any

from pipeline.inference.corrections import CORRECTIONS
from pipeline.inference.families import PRIMARY
from pipeline.report.words.glossary import counted


def how_tested(row: Any) -> str:
    """Say which test was made, what it can give, and how the interval and the correction were made.

    Args:
        row: of comparison.csv.
    """
    if row.n_subjects == 0:
        return f"no subject has a value in both conditions; {_correction(row)}"
    parts = [_test(row), _interval(row)]
    if row.n_subjects_short:
        of = f"{int(row.n_subjects_short)} of {row.n_subjects}"
        parts.append(f"{of} subjects with windows of few frames only in a condition")
    for column, words in _CAUTION.items():
        n = getattr(row, column)
        parts += [f"{int(n)} {words}"] if math.isfinite(n) and n else []
    return "; ".join((*parts, _correction(row)))


_CAUTION = {
    "n_subjects_imprecise": "with an imprecise value",
    "n_subjects_withheld": "left out because a value is withheld",
}


def split(contrast: str) -> tuple[str, str]:
    """Return the two conditions of a contrast "a-b"."""
    a, _, b = contrast.partition("-")
    return a.strip(), b.strip()


def what_it_takes(row: Any) -> str:
    """Say what it would take for a corrected p of 5% to be possible at all.

    Args:
        row: of comparison.csv.
    """
    said = f"at least {int(row.n_subjects_needed)} subjects with both conditions"
    if math.isfinite(row.n_flips_needed):
        said += f" and at least {int(row.n_flips_needed)} permutations"
    several = CORRECTIONS[row.correction].multiplies_smallest and row.n_tests > 1
    return said + (", or fewer measures and scales, chosen beforehand" if several else "")


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
    if getattr(row, "role", "") == PRIMARY:
        return "the primary endpoint, tested alone"
    made = f"{correction.words} over {n} secondary tests of the study"
    if correction.name == "none" or not math.isfinite(row.smallest_p):
        return made
    said = f"{made}, smallest attainable p after correction {row.smallest_p_corrected:.4g}"
    alone = f" where all tests reach theirs, {min(1.0, n * row.smallest_p):.4g} where it alone does"
    return said + ("" if correction.multiplies_smallest else alone)
