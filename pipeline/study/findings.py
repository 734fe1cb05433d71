"""What a check of a study finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.base.errors import Problems


@dataclass
class Findings:
    """What a check found: `problems` stop a run, `notes` do not."""

    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)
