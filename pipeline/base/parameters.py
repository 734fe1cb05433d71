"""What the sections of a study are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from pipeline.base.errors import PhiscaleError, Problem

LONGEST_NAME = 255  # bytes that a file system takes
Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_]*$", max_length=80)]
# Every number of a study has limits: beyond these no recording, no machine and no analysis is meant.
Positive = Annotated[float, Field(ge=1e-6, le=1e6)]
Seconds = Annotated[float, Field(ge=1e-3, le=1e6)]  # a millisecond to eleven days
Hertz = Annotated[float, Field(ge=1e-3, le=1e5)]
Deviations = Annotated[float, Field(ge=1e-3, le=1e3)]  # of noise, above which something is taken for a signal


def _is_path(text: str) -> str:
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) < 0xE000 for sign in text):
        raise ValueError("no file has a name with such signs")
    if any(len(part.encode()) > LONGEST_NAME for part in text.split("/")):
        raise ValueError(f"no file has a name of more than {LONGEST_NAME} bytes")
    return text


PathText = Annotated[str, AfterValidator(_is_path), Field(max_length=4000)]
MOST_FRAMES = 1_000_000  # bins of a window, and lags in them
MOST_DRAWS = 100_000  # draws, surrogates, resamples


def _kinds(annotation: Any) -> Iterator[Any]:
    """Yield the types that a field may have."""
    inner = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from _kinds(inner[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in inner:
            yield from _kinds(part)
    else:
        yield annotation


class Section(BaseModel):
    """A part of the study; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_for_a_number(cls, value: Any, about: ValidationInfo) -> Any:
        """Refuse true and false where a number is meant: they would be 1 and 0."""
        if isinstance(value, bool) and about.field_name:
            meant = set(_kinds(cls.model_fields[about.field_name].annotation))
            if meant & {int, float} and bool not in meant:
                raise ValueError("a number is meant, not a truth value")
        return value


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
