"""What a study's model refuses, in words that name the field as the study writes it and say how to mend it."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.parameters import Section
from pipeline.base.registry import registry_of
from pipeline.base.text import did_you_mean
from pipeline.study.fields import Part, choices, parts

MOST = 50  # faults that are told
LONGEST = 60  # of a value that is shown
TEXT_WANTED = ("string_type", "literal_error")


@dataclass(frozen=True)
class Place:
    """Where a study has a fault.

    Attributes:
        field: as a study names it, e.g. "tpm.prior".
        last: its last part, e.g. "prior".
        part: the section; None for a field that stands in none.
        method: that of the section; empty where it has none.
    """

    field: str
    last: str
    part: Part | None
    method: str


def explain(path: str, error: ValidationError, model: type[Section]) -> Iterator[Problem]:
    """Yield one problem for each fault.

    Args:
        path: file that the study was read from.
        error: what pydantic found.
        model: of the study.
    """
    sections = parts(model)
    for fault in error.errors()[:MOST]:
        if fault["type"] == "cross_field":
            yield from (Problem(path, line) for line in fault["ctx"]["faults"].splitlines())
        else:
            yield _problem(path, fault, _place(fault["loc"], sections), dict(model.model_fields))


def _place(loc: Sequence[int | str], sections: dict[str, Part]) -> Place:
    """Leave out what pydantic adds to a field's path: the method of a section, and marks of keys."""
    names = [_cut(str(part)) for part in loc if part != "[key]"]
    part = sections.get(names[0]) if names else None
    method = part.chosen.default if part and part.chosen else ""
    if part and part.chosen and len(names) > 1:
        method = names.pop(1)
    return Place(".".join(names), names[-1] if names else "", part, method)


def _problem(path: str, fault: Any, place: Place, top: dict[str, FieldInfo]) -> Problem:
    where = f"{path}: {place.field}"
    if fault["type"] == "extra_forbidden":
        return _unknown(where, place, top)
    if fault["type"] == "union_tag_invalid":
        return _no_such_method(path, fault["input"], place)
    if fault["type"] == "missing":
        fix = "add it (phiscale init DIR writes a commented template)"
        return Problem(where, "is missing", "The study cannot be run without it", fix)
    if fault["type"] in TEXT_WANTED and isinstance(fault["input"], bool):
        return _unquoted(where, fault["input"])
    if fault["type"] == "model_type":
        fix = "write its fields below it, indented, one name: value in each line"
        return Problem(where, f"holds {shown(fault['input'])}, not fields", "None of them can be read", fix)
    what = f"{shown(fault['input'])} is not allowed ({_lowered(fault['msg'])})"
    if fault["type"] == "string_type" and not isinstance(fault["input"], list | dict | NoneType):
        return Problem(where, what, "", f"put it in quotes: '{_cut(str(fault['input']))}'")
    return Problem(where, what, "", _guess(fault["input"], place) or "correct the value")


def shown(value: Any) -> str:
    """Return a value as Python writes it, shortened where it is long or holds itself many times over.

    >>> shown("a" * 200)[:20], len(shown(10**400)) < 80
    ("'aaaaaaaaaaaaaaaaaaa", True)
    """
    if isinstance(value, int) and not -(10**30) < value < 10**30:
        return f"a number of {int(value.bit_length() * 0.30103) + 1} digits"
    short = reprlib.Repr()
    short.maxlevel, short.maxlist, short.maxdict = 2, 4, 4
    short.maxstring = short.maxother = LONGEST
    return short.repr(value)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def _lowered(message: str) -> str:
    """Return a message that goes on within a sentence; what it quotes stays as it is."""
    return message[:1].lower() + message[1:]


def _guess(word: Any, place: Place) -> str:
    """Return what somebody may have meant who wrote `word` into a field; empty where nothing is like it."""
    name = place.field.split(".")[1:2]
    field = place.part.known(place.method).get(name[0]) if place.part and name else None
    if field is None:
        return ""
    registry = registry_of(field)
    return registry.guess(word) if registry else did_you_mean(word, choices(field.annotation))


def _unknown(where: str, place: Place, top: dict[str, FieldInfo]) -> Problem:
    """Tell a field that the study does not have, or has with another method only."""
    part, chosen = place.part, place.part.chosen if place.part else None
    if part and chosen and (owners := chosen.methods_with(place.last)):
        named = " and ".join(repr(owner) for owner in owners)
        choice = f"{part.name}.method"
        return Problem(
            where,
            f"belongs to the method{'s' if len(owners) > 1 else ''} {named}, and {choice} is {place.method!r}",
            "It would be ignored",
            f"remove it, or set {choice} to {' or '.join(repr(owner) for owner in owners)}",
        )
    known = part.known(place.method) if part else top
    others = [name for method in chosen.models for name in chosen.own_fields(method)] if chosen else []
    fix = did_you_mean(place.last, [*known, *others]) or f"known here: {', '.join(known)}"
    return Problem(where, "is not a field of a study", "It would be ignored", fix)


def _no_such_method(path: str, section: Any, place: Place) -> Problem:
    """Tell a method that the registry does not have; the registry knows the words."""
    assert place.part is not None
    assert place.part.chosen is not None
    where, method = f"{path}: {place.field}.method", section["method"]
    if isinstance(method, bool):
        return _unquoted(where, method)
    if not isinstance(method, str):
        return Problem(where, f"{shown(method)} is no name of a method", "", "write one of its names")
    try:
        place.part.chosen.registry.choose(method, where)
    except PhiscaleError as error:
        return next(problem for problem in error.problems if isinstance(problem, Problem))
    raise AssertionError("pydantic refused a method that the registry has")


def _unquoted(where: str, value: bool) -> Problem:
    words, quoted = ("no, off or false", '"no"') if not value else ("yes, on or true", '"yes"')
    return Problem(
        where,
        f"is read as {str(value).lower()}, not as text",
        f"YAML takes an unquoted {words} (in capitals too) for a truth value",
        f"put it in quotes, e.g. {quoted}",
    )
