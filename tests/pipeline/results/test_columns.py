"""Columns of the tables: what they hold, and the page of the documentation that says so."""

from __future__ import annotations

import difflib

import pytest

from pipeline.results import columns, describe
from pipeline.results.columns import TABLES, TableFile


def test_the_page_says_what_the_tables_hold() -> None:
    written = describe.PAGE.read_text(encoding="utf-8")
    generated = describe.page_of(written)
    diff = "\n".join(difflib.unified_diff(written.splitlines(), generated.splitlines(), "page", "tables", lineterm=""))
    assert not diff, f"docs/results.md has drifted; run: python -m pipeline.results.describe\n{diff}"


@pytest.mark.parametrize("table", TABLES, ids=[table.file for table in TABLES])
def test_every_column_has_one_meaning(table: TableFile) -> None:
    assert len(set(table.names)) == len(table.names)
    assert all(column.meaning.endswith(".") for column in table.columns)


def test_a_column_holds_numbers_in_every_table_or_in_none() -> None:
    """Readers tell numbers from text by the column's name alone."""
    text = {column.name for table in TABLES for column in table.columns if not column.number}
    assert not text & columns.NUMBERS


def test_identifiers_are_text() -> None:
    identifiers = {"recording", "subject", "condition", "window", "route", "measure", "contrast", "unit", "null"}
    assert not identifiers & columns.NUMBERS
