"""The part of docs/results.md that says what the tables hold, written from the columns and measures themselves.

`python -m pipeline.results.describe` writes it anew; a test fails where the page has drifted.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.base.text import markdown_table
from pipeline.results.columns import TABLES
from pipeline.results.measures import MEASURES, OF_ACTIVITY, SUMMARISED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "results.md"
BEGIN, END = "<!-- from here: python -m pipeline.results.describe -->", "<!-- to here -->"


def described() -> str:
    """Return the columns of every table, and the measures, as Markdown."""
    parts = []
    for table in TABLES:
        columns = [[f"`{c.name}`", "number" if c.number else "text", c.unit, c.meaning] for c in table.columns]
        parts.append(f"## {table.file}\n\nOne row per {table.row}.\n\n" + markdown_table(_HEADS, columns))
    for title, names in (("Measures of systems", SUMMARISED), ("Measures of activity", OF_ACTIVITY)):
        rows = [[f"`{MEASURES[n].name}`", MEASURES[n].shown_unit, MEASURES[n].meaning] for n in names]
        parts.append(f"## {title}\n\n" + markdown_table(["measure", "unit", "meaning"], rows))
    return "\n\n".join(parts)


_HEADS = ["column", "holds", "unit", "meaning"]


def page_of(text: str) -> str:
    """Return the page with its part between the marks written anew."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{described()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page_of(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
