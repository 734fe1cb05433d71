"""Learned multiscale variables: invertible hierarchies and their dynamics; all of it needs torch, which takes seconds.

The macro-unit encoder (`pipeline.macro.learning`) is offered here too.
"""

from importlib import import_module
from typing import Any

_WHERE = {
    "Grouping": "pipeline.macro.groupings",
    "Hierarchy": "pipeline.encoder.hierarchy",
    "Trained": "pipeline.encoder.training",
    "learn_grouping": "pipeline.macro.learning",
    "train": "pipeline.encoder.training",
}

__all__ = ["Grouping", "Hierarchy", "Trained", "learn_grouping", "train"]


def __getattr__(name: str) -> Any:
    """Import on first use."""
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
