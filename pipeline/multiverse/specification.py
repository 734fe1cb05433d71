"""What one specification is, and what it is called."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.base.seeds import derive

LONGEST = 120  # characters of a name, which is that of a folder too
ABSENT = "–"  # where a field belongs to a method that a specification does not use


@dataclass(frozen=True)
class Estimand:
    """The difference that all specifications estimate.

    Attributes:
        measure: name of the measure.
        macro_scale: number of macro units; None for the units themselves, however many there are.
        contrast: conditions a and b, a minus b.
    """

    measure: str
    macro_scale: int | None
    contrast: tuple[str, str]

    @property
    def route(self) -> str:
        """How the system is made whose measure is compared."""
        return "micro" if self.macro_scale is None else "macro_units"

    def scale(self, units: int) -> int:
        """Return the number of units of that system.

        Args:
            units: number of units of the specification.
        """
        return units if self.macro_scale is None else self.macro_scale


@dataclass(frozen=True)
class Specification:
    """One way to analyse a study.

    Attributes:
        name: of the specification, made of letters, digits and underscores.
        choices: field of the study -> value, of those fields of the grid that it has.
        main: it is the study as it stands.
    """

    name: str
    choices: Mapping[str, Any]
    main: bool = False

    @property
    def told(self) -> str:
        """The choices in one line."""
        return "; ".join(f"{field}: {shown(value)}" for field, value in self.choices.items())


def shown(value: Any) -> str:
    """Return a value of a choice as a reader is told it.

    >>> [shown(value) for value in (0.5, True, None, ["and", "or"])]
    ['0.5', 'true', 'none', 'and + or']
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return " + ".join(map(shown, value)) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)


def name_of(choices: Mapping[str, Any]) -> str:
    """Return a name that says the choices, in their order.

    >>> name_of({"binarize.method": "events", "binarize.bin_s": 0.5, "tpm.lag": 1})
    'events_bin_s_0p5_lag_1'
    """
    name = "_".join(_word(field, value) for field, value in choices.items())
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}_{_digest(choices)}"


def _word(field: str, value: Any) -> str:
    section, _, last = field.partition(".")
    text = re.sub(r"[^A-Za-z0-9]+", "_", shown(value).replace(".", "p").replace("-", "m")).strip("_")
    if last == "method" and text != "none":
        return text
    return f"{section if last == 'method' else last}_{text}"


def _digest(choices: Mapping[str, Any]) -> str:
    text = json.dumps(sorted(choices.items()), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def named(found: Iterable[Mapping[str, Any]]) -> list[Specification]:
    """Return a specification for each set of choices, with names that differ.

    Args:
        found: choices of each, which differ.
    """
    sets = list(found)
    names = [name_of(choices) for choices in sets]
    return [
        Specification(name if names.count(name) == 1 else f"{name[: LONGEST - 9]}_{_digest(choices)}", choices)
        for name, choices in zip(names, sets, strict=True)
    ]


def sampled(specifications: Sequence[Specification], size: int, seed: int) -> list[Specification]:
    """Return so many specifications, drawn without replacement; the main one is always among them, beside the others.

    Which ones are drawn depends on their names, not on the order in which they come.

    Args:
        specifications: all that there are.
        size: how many are drawn beside the main one.
        seed: of the study.
    """
    others = [s for s in specifications if not s.main]
    drawn = set(sorted((s.name for s in others), key=lambda name: derive(seed, "multiverse", name))[:size])
    return [s for s in specifications if s.main or s.name in drawn]
