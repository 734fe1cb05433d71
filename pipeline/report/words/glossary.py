"""Names in words, and how numbers are written."""

from __future__ import annotations

import math

from pipeline.binarize.registry import BINARIZERS
from pipeline.encoder.flags import FLAGS as flags_of_encoder
from pipeline.inference.flags import FLAGS as flags_of_inference
from pipeline.integration.flags import FLAGS as flags_of_integration
from pipeline.macro.flags import FLAGS as flags_of_macro
from pipeline.multiverse.flags import FLAGS as flags_of_multiverse
from pipeline.nulls.registry import FAMILIES
from pipeline.results.measures import MEASURES
from pipeline.tpm.flags import FLAGS as flags_of_tpm
from pipeline.tpm.registry import ESTIMATORS
from pipeline.traces.flags import FLAGS as flags_of_traces

FLAGS: dict[str, str] = {
    **flags_of_traces,
    **flags_of_tpm,
    **flags_of_macro,
    **flags_of_encoder,
    **flags_of_integration,
    **flags_of_inference,
    **flags_of_multiverse,
    **{
        word: meaning
        for entry in (*BINARIZERS.values(), *ESTIMATORS.values(), *FAMILIES.values())
        for word, meaning in entry.flags.items()
    },
}

NULL_NAMES = {name: family.label for name, family in FAMILIES.items()}
MINUS = "\u2212"


def labelled(measure: str) -> str:
    """A measure's name on an axis, with its unit where it has one."""
    name = short(measure)
    head = name if name.startswith("phi_s") else name[:1].upper() + name[1:]
    return head if unit(measure) in ("1", "count") else f"{head} [{unit(measure)}]"


def axis(measure: str) -> str:
    """Axis label with the unit, as mathtext."""
    return MEASURES[measure].axis


def plain(measure: str) -> str:
    """A measure's name in words."""
    return MEASURES[measure].words if measure in MEASURES else measure


def short(measure: str) -> str:
    """A measure's symbol, or its name in words where it has none."""
    return MEASURES[measure].short


def valued(value: float, measure: str) -> str:
    """Write a value of a measure with its unit.

    Args:
        value: in units of the measure.
        measure: name of the measure.
    """
    return f"{number(value)} {unit(measure)}"


def unit(measure: str) -> str:
    """A measure's unit; empty for one that is not known."""
    return MEASURES[measure].shown_unit if measure in MEASURES else ""


def counted(n: int, noun: str) -> str:
    """Write a number with its noun, in the plural unless it is 1.

    Args:
        n: the number.
        noun: in the singular; its plural ends in s.
    """
    return f"{n} {noun}{'' if n == 1 else 's'}"


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with `digits` significant digits; an en dash where there is none.

    Args:
        value: the number; None or NaN where there is none.
        digits: number of significant digits.
    """
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


def interval_of(low: float, high: float) -> str:
    """Write an interval in brackets; nothing where there is none.

    Args:
        low: lower end.
        high: upper end.
    """
    return f" [{number(low)}, {number(high)}]" if math.isfinite(low) else ""


def count(value: float | None) -> str:
    """Write a whole number; an en dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.0f}"


def probability(p: float | None) -> str:
    """Write a p-value: three decimals at most, never 0."""
    if p is None or not math.isfinite(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}".rstrip("0").rstrip(".") if p < 1 else "1"
