"""From calcium-imaging recordings to integrated information across scales and states."""

from typing import Any

__all__ = ["load_results"]


def __getattr__(name: str) -> Any:
    """Import on first use: reading results needs pandas and scipy, a command's --help does not."""
    if name == "load_results":
        from pipeline.results.reader import load_results

        return load_results
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
