"""What people write and read: cells of tables, words that are nearly right, tables of a document."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def is_number(cell: str) -> bool:
    """Return whether a cell can be read as a number.

    >>> is_number(" 1e-3 "), is_number("0,5")
    (True, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return a question after the known word that is nearest to `word`; empty where none is near.

    Args:
        word: what somebody wrote.
        known: the words that would have been understood.

    >>> did_you_mean("rate", ["rate_hz", "dataset"])
    "did you mean 'rate_hz'?"
    >>> did_you_mean("tea", ["rate_hz", "dataset"])
    ''
    """
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, without a line's end after it.

    Args:
        heads: of the columns.
        rows: cells; a bar in them becomes a slash.

    >>> print(markdown_table(["a", "b"], [["1", "x|y"]]))
    | a | b |
    | --- | --- |
    | 1 | x/y |
    """
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in line) + " |" for line in lines)
