"""The page that lists every field of study.yaml, with what each method is and whom to cite for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic.fields import FieldInfo

from pipeline.base.parameters import Section
from pipeline.base.registry import Chosen, Entry, registry_of
from pipeline.ingest.registry import READERS
from pipeline.study.fields import Part, default, meaning, parts
from pipeline.study.parameters import Parameters
from pipeline.study.sheets import OPTION_COLUMNS, RECORDING_COLUMNS

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
    lines += _formats()
    return "\n".join(lines) + "\n"


def _section(part: Part) -> Iterator[str]:
    yield from ("", f"## `{part.name}`", "", part.words, "")
    if not part.required:
        yield from ("May be left out: then there is none.", "")
    yield from _table(part.fields, part.chosen)
    if part.chosen:
        for name, entry in part.chosen.registry.items():
            mark = " (default)" if name == part.chosen.default else ""
            yield from _entry(f"`{part.name}.method: {name}`{mark}", entry, part.chosen.own_fields(name))
    for field, info in part.fields.items():
        for name, entry in (registry_of(info) or {}).items():
            yield from _entry(f"`{name}` in `{part.name}.{field}`", entry, {})


def _entry(heading: str, entry: Entry, own: Mapping[str, FieldInfo]) -> Iterator[str]:
    """Yield what an entry of a registry is, its own fields and its references."""
    yield from ("", f"### {heading}", "", f"{entry.summary[:1].upper()}{entry.summary[1:]}.")
    if own:
        yield from ("", *_table(own))
    for reference in entry.references:
        yield from ("", f"Reference: {reference}")


def _formats() -> Iterator[str]:
    """Yield the formats of recordings, with the columns of the sheet that each heeds."""
    yield from ("", "## `format` in recordings.tsv", "")
    yield from (
        f"Every row has {', '.join(f'`{name}`' for name in RECORDING_COLUMNS)}; other columns may be left out.",
        "",
    )
    yield from ("| format | what it is | files | columns |", "|---|---|---|---|")
    for name, reader in READERS.items():
        columns = ", ".join(f"`{column}`" for column in reader.columns)
        yield f"| `{name}` | {reader.summary} | {', '.join(reader.suffixes) or '-'} | {columns or '-'} |"
    yield from ("", f"With any format: {', '.join(f'`{name}`' for name in _columns_of_any_format())}.")


def _columns_of_any_format() -> list[str]:
    of_formats = {column for reader in READERS.values() for column in reader.columns}
    return [column for column in OPTION_COLUMNS if column not in of_formats]


def _table(fields: Mapping[str, FieldInfo], chosen: Chosen | None = None) -> Iterator[str]:
    yield from ("| field | default | meaning |", "|---|---|---|")
    if chosen:
        methods = " / ".join(chosen.models)
        yield f"| `method` | `{chosen.default}` | {chosen.description} ({methods}) |"
    for name, field in fields.items():
        value = "required" if field.is_required() else f"`{default(field) or ' '}`"
        yield f"| `{name}` | {value} | {meaning(field).replace('|', '/')} |"
