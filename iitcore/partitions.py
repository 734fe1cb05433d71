"""Directional partitions of a system (Eqs. 14-18), as objects and as an exhaustive list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from iitcore._arrays import Ints
from iitcore._layout import check_labels
from iitcore._numbers import items
from iitcore._plain import Plain

Mark = Literal["<-", "->", "<->"]
MARKS: tuple[Mark, ...] = ("<-", "->", "<->")


@dataclass(frozen=True)
class SystemPartition(Plain):
    """A system cut into parts, each with its inputs (<-), outputs (->) or both (<->) cut.

    Attributes:
        parts: units of each part, as positions within the system.
        marks: one mark per part.
        labels: unit names.
    """

    parts: tuple[tuple[int, ...], ...]
    marks: tuple[Mark, ...]
    labels: tuple[str, ...]

    @classmethod
    def from_arrays(
        cls,
        masks: Ints,
        marks: Ints,
        labels: Sequence[str],
    ) -> SystemPartition:
        """Build from each unit's part and mark, as the search leaves them.

        Args:
            masks: (n,) each unit's part, as a set of bits.
            marks: (n,) index in `MARKS` of each unit's part.
            labels: unit names.
        """
        chosen = {int(p): int(m) for p, m in zip(masks, marks, strict=True)}
        if 1 not in chosen.values():  # without a part marked ->, <- and <-> cut the same
            chosen = dict.fromkeys(chosen, 2)
        order = sorted(chosen, key=lambda p: p & -p)
        parts = tuple(tuple(j for j in range(len(labels)) if p >> j & 1) for p in order)
        return cls(parts, tuple(MARKS[chosen[p]] for p in order), tuple(labels))

    @property
    def kept(self) -> tuple[tuple[int, ...], ...]:
        """Per unit, the units that still reach it."""
        n = len(self.labels)
        if n == 1:
            return ((),)
        feeding = [j for p, m in zip(self.parts, self.marks, strict=True) if m == "<-" for j in p]
        kept: list[tuple[int, ...]] = [()] * n
        for part, mark in zip(self.parts, self.marks, strict=True):
            for j in part:
                kept[j] = tuple(sorted({*part, *feeding} if mark == "->" else part))
        return tuple(kept)

    @property
    def cut_matrix(self) -> Ints:
        """(n, n); 1 where the connection from row to column is cut."""
        n = len(self.labels)
        cut = np.ones((n, n), dtype=np.int64)
        for j, sources in enumerate(self.kept):
            cut[list(sources), j] = 0
        return cut

    @property
    def norm(self) -> int:
        """Number of connections that could exist and are cut (Eq. 22)."""
        return int(self.cut_matrix.sum())

    def __str__(self) -> str:
        return " ".join(
            f"{{{','.join(self.labels[j] for j in part)}}}{mark}"
            for part, mark in zip(self.parts, self.marks, strict=True)
        )

    def __repr__(self) -> str:
        return f"SystemPartition({self})"


def set_partitions(items: Sequence[int]) -> Iterator[list[list[int]]]:
    """Every partition of a set into non-empty blocks."""
    if not items:
        yield []
        return
    first, rest = items[0], items[1:]
    for blocks in set_partitions(rest):
        yield [[first], *blocks]
        for i, block in enumerate(blocks):
            yield [*blocks[:i], [first, *block], *blocks[i + 1 :]]


def system_partitions(labels: Sequence[str]) -> Iterator[SystemPartition]:
    """Every directional partition of a system; different ones may cut the same connections.

    Their number grows as the Touchard polynomial T_n(3): 12 thousand at six units, 682 thousand
    at eight. `system_phi` never enumerates them.

    Args:
        labels: unit names.

    Yields:
        Each partition once: blocks in the order of their first unit, marks in the order of `MARKS`.

    Example:
        >>> sum(1 for _ in system_partitions("ABC"))
        54
        >>> next(system_partitions("AB"))
        SystemPartition({A}<- {B}<-)
    """
    labels = check_labels(labels, len(items(labels, "unit names")))
    n = len(labels)
    if n == 1:
        yield SystemPartition(((0,),), ("<->",), tuple(labels))
        return
    for blocks in set_partitions(range(n)):
        if len(blocks) > 1:
            parts = tuple(sorted(map(tuple, blocks)))
            for marks in product(MARKS, repeat=len(parts)):
                yield SystemPartition(parts, marks, tuple(labels))
