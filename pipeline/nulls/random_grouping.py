"""The null of macro scales: other groupings of the same units."""

from __future__ import annotations

from typing import ClassVar

from pipeline.base.registry import Entry


class RandomGrouping(Entry):
    """Groupings with the same sizes and mappings as the learned one, applied to the data (`pipeline.macro`).

    No study chooses it: macro scales have it always, other scales never.
    """

    name: ClassVar[str] = "random_grouping"
    summary: ClassVar[str] = "units grouped at random into macro units of the same sizes and mappings"
    label: ClassVar[str] = "matched random groupings"
    methods: ClassVar[str] = "the matched random groupings"
    tests: ClassVar[str] = "a small p rejects that it does not matter which units are taken together"
    keeps: ClassVar[str] = "the data, and the sizes and mappings of the macro units"
    breaks: ClassVar[str] = "which units belong together"
