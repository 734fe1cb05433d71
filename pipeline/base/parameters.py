"""What the sections of a study are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.base.errors import PhiscaleError, Problem

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$")]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the study; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S", bound=Section)


def filled(section: type[S], given: Mapping[str, Any], where: str, whose: str = "") -> S:
    """Return a section from keyword parameters of a function, with its defaults for those that are not given.

    Args:
        section: what takes the parameters.
        given: parameters by name.
        where: name of the section in a study, e.g. "tpm".
        whose: what has these parameters, for the message; by default the section.

    Raises:
        PhiscaleError: a parameter that the section does not have, or a value that it cannot take.
    """
    try:
        return section(**given)
    except ValidationError as error:
        whose = whose or f"the section {where}"
        has = ", ".join(section.model_fields) or "none"
        raise PhiscaleError(
            *[_problem(fault, where, f"{whose}, which has: {has}") for fault in error.errors()]
        ) from None


def _problem(fault: Mapping[str, Any], where: str, whose: str) -> Problem:
    field = ".".join([where, *map(str, fault["loc"])])
    if fault["type"] == "extra_forbidden":
        return Problem(
            field, f"is no parameter of {whose}", "It would change nothing", "leave it out, or correct its name"
        )
    return Problem(field, f"{fault['input']!r} is refused ({fault['msg']})", fix="give a value that it takes")
