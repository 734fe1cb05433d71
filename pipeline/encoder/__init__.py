"""Learned coarse-grainings: so far the macro-unit encoder (`pipeline.macro.learning`), which needs torch."""

from typing import Any

__all__ = ["Grouping", "learn_grouping"]


def __getattr__(name: str) -> Any:
    """Import on first use: torch takes seconds."""
    if name in __all__:
        from pipeline.macro import learning

        return getattr(learning, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
