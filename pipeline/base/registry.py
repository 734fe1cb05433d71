"""Registries: what a study can choose from, each entry one object in a file of its own.

An entry carries all that the rest of the package has to say of it: its parameters, its words for the template, the
messages and the methods text, its references and its flags. Adding one is a new file in its room and one line in the
room's registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Generic, Literal, Protocol, TypeVar, Union

from pydantic import Discriminator, Field, Tag, create_model
from pydantic.fields import FieldInfo

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.parameters import Section
from pipeline.base.text import did_you_mean


class Entry(Protocol):
    """One thing that a study can choose by its name.

    Attributes:
        name: what the study writes.
        summary: what it is, in half a line without a full stop (template, field reference, messages).
        methods: the same for a methods section, a format string over the fields of the study's section.
        references: full references that the methods text cites.
        flags: words that it may put beside a number, and what each means.
        Parameters: fields of the study that only this entry has.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    methods: ClassVar[str]
    references: ClassVar[tuple[str, ...]] = ()
    flags: ClassVar[Mapping[str, str]] = {}
    Parameters: ClassVar[type[Section]] = Section

    def sentence(self, section: Mapping[str, Any]) -> str:
        """Return `methods` filled in.

        Args:
            section: fields of the study's section.
        """
        return self.methods.format(**section)


E = TypeVar("E", bound=Entry)


class Registry(Mapping[str, E], Generic[E]):
    """Entries by name, in the order in which they are offered.

    Args:
        what: what one entry is, e.g. "estimator".
        field: where a study names it, e.g. "tpm.method".
        entries: the entries; the first is offered first.
        renamed: names that entries had once, and those that they have now.
    """

    def __init__(self, what: str, field: str, *entries: E, renamed: Mapping[str, str] | None = None) -> None:
        self.what, self.field, self._renamed = what, field, dict(renamed or {})
        self._entries = {entry.name: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise ValueError(f"two entries of the {what} registry have one name")

    def __getitem__(self, name: str) -> E:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def guess(self, name: object) -> str:
        """Return what somebody who wrote `name` may have meant; empty where there is nothing like it."""
        new = self._renamed.get(str(name))
        return f"{name!r} is called {new!r} now" if new else did_you_mean(name, self)

    def choose(self, name: str, where: str = "") -> E:
        """Return the entry called `name`.

        Args:
            name: what the study, the sheet or a caller wrote.
            where: what the message names; by default the registry's field.

        Raises:
            PhiscaleError: there is no such entry; the message lists what there is.
        """
        if name in self._entries:
            return self._entries[name]
        raise PhiscaleError(
            Problem(
                where or self.field,
                f"{name!r} is not one of {', '.join(self._entries)}",
                f"There is no such {self.what}",
                self.guess(name) or "choose one of them",
            )
        )


@dataclass(frozen=True, eq=False)
class Chosen:
    """How a section with a chosen method is made; stands in the metadata of the type that `chosen_section` returns.

    Attributes:
        registry: what `method` may name.
        common: fields that the section has whatever the method.
        default: entry that is meant where a study names none.
        description: of the field `method`.
        models: the whole section, by method.
    """

    registry: Registry[Any]
    common: type[Section]
    default: str
    description: str
    models: Mapping[str, type[Section]]

    def section(self) -> Section:
        """Return the section of a study that says nothing of it: the default method with its defaults."""
        return self.models[self.default]()

    def method_of(self, value: Any) -> str:
        """Return the method that the fields (or the model) of a section name, as text."""
        if isinstance(value, Mapping):
            return str(value.get("method", self.default))
        return str(getattr(value, "method", self.default))

    def own_fields(self, method: str) -> dict[str, FieldInfo]:
        """Return the fields that the section has with this method only."""
        fields = self.models[method].model_fields
        return {name: f for name, f in fields.items() if name not in self.common.model_fields and name != "method"}

    def methods_with(self, field: str) -> list[str]:
        """Return the methods that have this field as their own."""
        return [method for method in self.models if field in self.own_fields(method)]


def chosen_section(registry: Registry[Any], common: type[Section], default: str, description: str) -> Any:
    """Return the type of a section whose field `method` names an entry of a registry.

    A study writes the entry's own parameters beside the common ones. A parameter of another entry is refused.

    Args:
        registry: what `method` may name.
        common: fields that the section has whatever the method.
        default: entry that is meant where a study names none.
        description: of the field `method`.

    Returns:
        A union of models, one per entry, that pydantic tells apart by `method`; its metadata hold a `Chosen`.
    """
    models = {name: _model(entry, common, default, description) for name, entry in registry.items()}
    chosen = Chosen(registry, common, default, description, models)
    tagged = tuple(Annotated[model, Tag(name)] for name, model in models.items())
    members: Any = Union[tagged]  # noqa: UP007 (the members are known at run time only)
    return Annotated[members, Discriminator(chosen.method_of), chosen]


def chosen_of(field: FieldInfo) -> Chosen | None:
    """Return how a study's section is chosen; None where a field is no such section."""
    return next((part for part in field.metadata if isinstance(part, Chosen)), None)


def registry_of(field: FieldInfo) -> Registry[Any] | None:
    """Return the registry that a field's names are of, where its type is annotated with one."""
    return next((part for part in field.metadata if isinstance(part, Registry)), None)


def _model(entry: Entry, common: type[Section], default: str, description: str) -> type[Section]:
    fixed = Literal[entry.name]  # type: ignore[name-defined]  # known at run time only
    given = entry.name if entry.name == default else ...
    return create_model(
        f"{common.__name__}_{entry.name}",
        __base__=tuple(dict.fromkeys((entry.Parameters, common))) if entry.Parameters is not Section else common,
        __doc__=common.__doc__,
        method=(fixed, Field(given, description=description)),
    )
