"""The numeric fields of the model of a study, with their limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel

from pipeline.base.registry import chosen_of
from pipeline.study.parameters import Parameters


@dataclass(frozen=True)
class Number:
    """A numeric field of the model of a study.

    Attributes:
        field: as a study writes it.
        method: that has it; empty where any has.
        whole: whether it takes whole numbers only.
        low, high: its limits.
        strict: whether the limits themselves are outside, each.
    """

    field: str
    method: str
    whole: bool
    low: float | None
    high: float | None
    strict: tuple[bool, bool]


def numbers(model: type[BaseModel] = Parameters, before: str = "", method: str = "") -> Iterator[Number]:
    """Yield the numeric fields of a model that stand by themselves (not in lists or mappings)."""
    for name, field in model.model_fields.items():
        chosen = chosen_of(field)
        if chosen:
            for own, part in chosen.models.items():
                yield from numbers(part, f"{before}{name}.", own)
        else:
            yield from _numbers(field.annotation, field.metadata, f"{before}{name}", method)


def _numbers(kind: Any, limits: list[Any], field: str, method: str) -> Iterator[Number]:
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        limits = [*limits, *(part for one in more for part in getattr(one, "metadata", [one]))]
        yield from _numbers(inner, limits, field, method)
    elif get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            yield from _numbers(part, limits, field, method)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from numbers(kind, f"{field}.", method)
    elif kind in (int, float):
        low = next((m for m in limits if isinstance(m, annotated_types.Ge | annotated_types.Gt)), None)
        high = next((m for m in limits if isinstance(m, annotated_types.Le | annotated_types.Lt)), None)
        ends = [getattr(m, a, getattr(m, b, None)) for m, a, b in ((low, "ge", "gt"), (high, "le", "lt"))]
        strict = isinstance(low, annotated_types.Gt), isinstance(high, annotated_types.Lt)
        yield Number(field, method, kind is int, ends[0], ends[1], strict)


NUMBERS = [one for one in numbers() if one.field != "simulate.phase"]
