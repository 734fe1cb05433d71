"""Names in words, and how numbers are written."""

from __future__ import annotations

import math

from pipeline.results.measures import MEASURES

ROUTES = {"micro": "micro units", "macro_units": "macro units", "macro_model": "macro model"}

FLAGS = {
    "few_frames": "The window is shorter than the study's min_frames, or has few transitions for its number of units; its values are biased upward.",
    "unvisited_states": "So many states never occurred; their rows of the TPM come from the prior and the model alone.",
    "unvisited_micro_states": "The same, for the micro states from which a macro TPM is derived.",
    "instantaneous_correlation": "The two units named are correlated beyond what the past explains (more than 0.1, and more than chance): interaction faster than the time bin, or common input.",
    "constant_unit": "A unit never changed (or hardly) in this window; phi_s then says little about interaction.",
    "imprecise": "The interval is wider than the value itself: the data do not tell it from its double, or from nothing. Do not quote the value.",
    "reducible_within": "A macro unit that is not maximally irreducible within, so that it is no unit by the theory's own criterion, however much it raises phi_s (the part behind the colon names it; the reason is in tpm/, variable validity).",
    "below_null": "The value is not above the mean of its surrogates.",
    "interval_excludes_estimate": "The posterior draws are shifted against the point estimate: the estimate depends on the prior. Read value and interval together.",
    "common_covers": "The common states cover less than half of the mean occupancy (the number says how much): the common-occupancy value stands for few states.",
    "no_common_states": "No state was visited in all conditions.",
    "no_micro_scale": "The micro scale of this window is missing.",
    "null": "The default null was not available, or had too few random groupings to test with (fewer than 19); the one named was used.",
    "units_differ": "The subject's recordings hold one condition each, and their units are not the same ones (k-means ensembles of different recordings share nothing but their names e0, e1, ...): there is no common occupancy.",
}  # fmt: skip

NULL_NAMES = {
    "shift": "units shifted in time",
    "transition_shuffle": "transitions shuffled",
    "random_grouping": "matched random groupings",
}
MINUS = "\u2212"


def axis(measure: str) -> str:
    """Axis label with the unit, as mathtext."""
    return MEASURES[measure].axis


def plain(measure: str) -> str:
    """A measure's name in words."""
    return MEASURES[measure].words if measure in MEASURES else measure


def unit(measure: str) -> str:
    """A measure's unit; empty for one that is not known."""
    return MEASURES[measure].shown_unit if measure in MEASURES else ""


def counted(n: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is 1."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with `digits` significant digits; an en dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if abs(value) >= 10**digits:
        text = f"{value:.0f}" if abs(value) < 1e7 else f"{value:.{digits - 1}e}"
    elif abs(value) < 1e-4:
        text = f"{value:.1e}"
    else:
        text = f"{value:#.{digits}g}".rstrip(".")
        text = f"{value:.0f}" if "e" in text else text  # 999.96 is 1000, not 1.00e+03
    return text.replace("-", MINUS)


def count(value: float | None) -> str:
    """Write a whole number; an en dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.0f}"


def probability(p: float | None) -> str:
    """Write a p-value: three decimals at most, never 0."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}".rstrip("0").rstrip(".") if p < 1 else "1"
