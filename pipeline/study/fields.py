"""The model of a study as its readers meet it: sections, their fields by method, and how a field is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.base.parameters import Section
from pipeline.base.registry import Chosen, chosen_of


@dataclass(frozen=True)
class Part:
    """One section of a study.

    Attributes:
        name: of the section.
        words: what it is about.
        fields: those that it has whatever the method.
        chosen: how its method is chosen; None where it has no method.
        required: False where a study without the section has no such part.
    """

    name: str
    words: str
    fields: Mapping[str, FieldInfo]
    chosen: Chosen | None = None
    required: bool = True

    def known(self, method: str) -> dict[str, FieldInfo]:
        """Return the fields that a study may write with this method."""
        if self.chosen is None:
            return dict(self.fields)
        model = self.chosen.models[method]
        own = self.chosen.own_fields(method)
        return {"method": model.model_fields["method"], **own, **self.fields}


def parts(model: type[Section]) -> dict[str, Part]:
    """Return the sections of a study's model, by name."""
    found = {}
    for name, field in model.model_fields.items():
        chosen = chosen_of(field)
        inner = chosen.common if chosen else _section(field.annotation)
        if inner is not None:
            required = type(None) not in get_args(field.annotation)
            found[name] = Part(name, str(inner.__doc__), inner.model_fields, chosen, required)
    return found


def empty_sections(model: type[Section], fields: Any) -> Any:
    """Return what a study says, with `{}` for a section that it names and leaves empty (`tpm:` is None in YAML).

    Args:
        model: of the study.
        fields: what was read, of any type.
    """
    if not isinstance(fields, Mapping):
        return fields
    empty = {name for name, part in parts(model).items() if part.required and fields.get(name, part) is None}
    return {name: {} if name in empty else value for name, value in fields.items()}


def _section(annotation: Any) -> type[BaseModel] | None:
    options = [annotation, *get_args(annotation)] if get_origin(annotation) in (Union, UnionType) else [annotation]
    return next((part for part in options if isinstance(part, type) and issubclass(part, BaseModel)), None)


def default(field: FieldInfo) -> str:
    """Return a field's default as YAML in one line."""
    value = field.get_default(call_default_factory=True, validated_data={})
    return as_yaml(value.model_dump(mode="json") if isinstance(value, BaseModel) else value)


def as_yaml(value: Any) -> str:
    """Return a value as YAML in one line; None is nothing.

    >>> as_yaml({"codes": [1, True, "no"]})
    "{codes: [1, true, 'no']}"
    """
    if value is None:
        return ""
    return (
        str(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000)).replace("\n...", "").strip()
    )


def meaning(field: FieldInfo) -> str:
    """Return what a field means, and what it may be where that is one of a few words."""
    words = choices(field.annotation)
    return (field.description or "") + (f" ({' | '.join(words)})" if words else "")


def choices(annotation: Any) -> list[str]:
    """Return the words that a field may be, or hold; none where it is not one of a few.

    Args:
        annotation: type of the field.
    """
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    if get_origin(annotation) in (list, Union, UnionType):
        return [choice for part in get_args(annotation) for choice in choices(part)]
    return []
