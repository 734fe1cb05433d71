"""What a check of a study finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.base.errors import Problems

if TYPE_CHECKING:
    from pipeline.traces.identity import Held


@dataclass
class Checked:
    """What a check found.

    Attributes:
        problems: what stops a run.
        notes: what does not.
        held: the neurons of each recording that could be opened.
        read: what was read of each: source, dataset, neurons, frames, rate_hz.
        traces: a digest of the values of each.
    """

    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    read: dict[str, dict[str, Any]] = field(default_factory=dict)
    traces: dict[str, str] = field(default_factory=dict)
