"""Learned coarse-grainings: so far the macro-unit encoder (`pipeline.macro.learning`), which needs torch."""

from importlib import import_module
from typing import Any

__all__ = ["Grouping", "learn_grouping"]

_WHERE = {"Grouping": "pipeline.macro.groupings", "learn_grouping": "pipeline.macro.learning"}


def __getattr__(name: str) -> Any:
    """Import on first use: torch takes seconds."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
