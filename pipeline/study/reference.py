"""The page that lists every field of study.yaml, with what each method is and whom to cite for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic.fields import FieldInfo

from pipeline.base.parameters import Section
from pipeline.base.registry import Chosen
from pipeline.study.fields import Part, default, meaning, parts
from pipeline.study.parameters import Parameters

HEADER = (
    "# Fields of study.yaml",
    "",
    "Generated from the sections that each room states in its `parameters.py`. Fields that are not listed here are",
    "refused. A section that is left out, or left empty, has its defaults.",
)


def field_reference(model: type[Section] = Parameters) -> str:
    """Return the page (Markdown).

    Args:
        model: of the study.
    """
    sections = parts(model)
    top = {name: field for name, field in model.model_fields.items() if name not in sections}
    lines = [*HEADER, "", "## The study", "", str(model.__doc__), "", *_table(top)]
    for part in sections.values():
        lines += _section(part)
    return "\n".join(lines) + "\n"


def _section(part: Part) -> Iterator[str]:
    yield from ("", f"## `{part.name}`", "", part.words, "")
    if not part.required:
        yield from ("May be left out: then there is none.", "")
    yield from _table(part.fields, part.chosen)
    if part.chosen:
        for name in part.chosen.models:
            yield from _method(part.name, part.chosen, name)


def _method(section: str, chosen: Chosen, name: str) -> Iterator[str]:
    """Yield what a method is, its own fields and its references."""
    entry = chosen.registry[name]
    mark = " (default)" if name == chosen.default else ""
    yield from ("", f"### `{section}.method: {name}`{mark}", "", f"{entry.summary[:1].upper()}{entry.summary[1:]}.")
    own = chosen.own_fields(name)
    if own:
        yield from ("", *_table(own))
    for reference in entry.references:
        yield from ("", f"Reference: {reference}")


def _table(fields: Mapping[str, FieldInfo], chosen: Chosen | None = None) -> Iterator[str]:
    yield from ("| field | default | meaning |", "|---|---|---|")
    if chosen:
        methods = " / ".join(chosen.models)
        yield f"| `method` | `{chosen.default}` | {chosen.description} ({methods}) |"
    for name, field in fields.items():
        value = "required" if field.is_required() else f"`{default(field) or ' '}`"
        yield f"| `{name}` | {value} | {meaning(field).replace('|', '/')} |"
