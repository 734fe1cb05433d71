"""A small registry, the section that is chosen from it, and a model of a study that has the section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, model_validator

from pipeline.base.parameters import Identifier, Section
from pipeline.base.registry import Entry, Registry, chosen_section
from pipeline.study.fields import empty_sections


class Common(Section):
    """How tea is made."""

    minutes: int = Field(3, description="How long it draws [min]", ge=1)


class Leaves(Entry):
    name: ClassVar[str] = "leaves"
    summary: ClassVar[str] = "loose leaves in a pot"
    methods: ClassVar[str] = "loose leaves, {grams:g} g, for {minutes} min"
    references: ClassVar[tuple[str, ...]] = ("Okakura K (1906). The book of tea.",)
    flags: ClassVar[Mapping[str, str]] = {"bitter": "It drew for too long."}

    class Parameters(Section):
        grams: float = Field(2.5, description="Leaves [g]")


class Bag(Entry):
    name: ClassVar[str] = "bag"
    summary: ClassVar[str] = "a bag in a cup"
    methods: ClassVar[str] = "a bag for {minutes} min"


class Whisk(Entry):
    name: ClassVar[str] = "whisk"
    summary: ClassVar[str] = "powder, whisked"
    methods: ClassVar[str] = "{powder:g} g of powder"
    references: ClassVar[tuple[str, ...]] = ("Okakura K (1906). The book of tea.",)

    class Parameters(Section):
        powder: float = Field(1.0, description="Powder [g]")
        water: str = Field("hot", description="Water")


TEAS: Registry[Any] = Registry("tea", "tea.method", Leaves(), Bag(), Whisk())
Tea = chosen_section(TEAS, Common, default="leaves", description="How the tea is made")


class Place(Section):
    """Where it is drunk."""

    room: str = Field(description="Name of the room")
    seats: int = Field(4, description="Seats")


class Model(Section):
    """A study of tea."""

    study: Identifier = Field(description="Name")
    conditions: list[Identifier] = Field(description="Conditions")
    tea: Tea = Field({}, validate_default=True)  # type: ignore[valid-type]
    place: Place | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, fields: Any) -> Any:
        return empty_sections(cls, fields)
