"""Which tests are corrected together: one primary endpoint alone, all others as one family, learned ones as another.

What an encoder adds (latents, their macro models) answers a question of its own, whether learned macroscopic variables
differ, and adds as many tests as its hierarchy has scales. As one family with the tests of integrated information, the
corrected p of either would depend on whether the other was computed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.base.arrays import Bools
from pipeline.inference.corrections import CORRECTIONS, correct
from pipeline.results.columns import LEARNED as LEARNED_ROUTES

ALPHA = 0.05  # the corrected p at which a difference is called significant
SAME = {"causal_power": "effective_information"}  # a measure and the one of which it is a fixed multiple at its scale
PRIMARY, SECONDARY, LEARNED, ADJUSTED = "primary", "secondary", "learned", "adjusted"
Row = dict[str, Any]


def corrected(rows: Sequence[Row], correction: str, permutations: int) -> list[Row]:
    """Add to the tests of a study their corrected p, the smallest one possible, and what 5% would take.

    The primary endpoint is a family of its own, so that its p stays what it is. All secondary tests are one family, and
    all of learned variables another;
    a measure that is a multiple of another (causal power of effective information) shares the test of that one.
    Adjusted tests ask whether a difference survives, and claim nothing by themselves: they are in no family.

    Args:
        rows: each with role, measure, scale, route, contrast, p and smallest_p; all of them tests of the raw values
            but those whose role is adjusted.
        correction: "holm", "fdr" or "none".
        permutations: sign flips that the study asks for.
    """
    found = [dict(row) for row in rows]
    for role, how in ((PRIMARY, "none"), (SECONDARY, correction), (LEARNED, correction)):
        family = [row for row in found if row["role"] == role]
        counted = _counted(family)
        _correct(family, counted, how, permutations)
    for row in found:
        if row["role"] == ADJUSTED:
            row |= {"correction": "none", "n_tests": 0} | dict.fromkeys(_OF_FAMILIES, math.nan)
    return found


def family_of(route: str) -> str:
    """Return the family of the tests of a route: SECONDARY, or LEARNED where an encoder made it.

    Args:
        route: of a row of summary.csv.
    """
    return LEARNED if route in LEARNED_ROUTES else SECONDARY


_OF_FAMILIES = ("p_corrected", "smallest_p_corrected", "n_subjects_needed", "n_flips_needed")


def _place(row: Row, measure: str) -> tuple[Any, ...]:
    return row["route"], row["scale"], row["contrast"], measure


def _counted(family: Sequence[Row]) -> Bools:
    """Which tests of a family count: not those that repeat another one in it."""
    there = {_place(row, row["measure"]) for row in family}
    return np.array([_place(row, SAME.get(row["measure"], "")) not in there for row in family], dtype=bool)


def _correct(family: Sequence[Row], counted: Bools, correction: str, permutations: int) -> None:
    """Correct a family; a test that does not count has what the one that it repeats has.

    A corrected p never falls when another p rises, so the smallest is reached where all tests give theirs.
    """
    ones = [row for row, counts in zip(family, counted, strict=True) if counts]
    p = correct([row["p"] for row in ones], correction)
    smallest = correct([row["smallest_p"] for row in ones], correction)
    n_tests = int(np.isfinite(smallest).sum())
    subjects, flips = subjects_and_flips_needed(n_tests, correction, permutations)
    shared = {
        "correction": correction,
        "n_tests": n_tests,
        "n_subjects_needed": subjects,
        "n_flips_needed": flips,
    }
    for row, own, least in zip(ones, p, smallest, strict=True):
        row |= shared | {"p_corrected": float(own), "smallest_p_corrected": float(least)}
    by_place = {_place(row, row["measure"]): row for row in ones}
    for row, counts in zip(family, counted, strict=True):
        if not counts:
            other = by_place[_place(row, SAME[row["measure"]])]
            row |= shared | {name: other[name] for name in ("p_corrected", "smallest_p_corrected")}


def subjects_and_flips_needed(tests: int, correction: str, permutations: int) -> tuple[int, float]:
    """What it would take for a corrected p of 5% to be possible at all.

    Holm's method multiplies the smallest of m p-values by m; the false discovery rate leaves it as it is where all
    tests give it.

    Args:
        tests: number of tests that are corrected for.
        correction: "holm", "fdr" or "none".
        permutations: sign flips that the study asks for.

    Returns:
        Subjects with both conditions, and sign flips; NaN where the study's permutations are enough.

    >>> subjects_and_flips_needed(21, "holm", permutations=10000)
    (10, nan)
    """
    m = max(tests, 1) if CORRECTIONS[correction].multiplies_smallest else 1
    subjects, flips = math.ceil(math.log2(2 * m / ALPHA)), math.ceil(m / ALPHA) - 1
    return subjects, float(flips) if permutations < min(flips, 2**subjects) else math.nan
