"""Which recordings of a subject are compared with each other, and not each within itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations


def compared_together(conditions: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Return the recordings of one subject in groups: those of a group are compared with each other.

    Two conditions that some recording holds both of are compared within recordings. For two that no recording holds
    both of, all recordings that hold either are compared with each other.

    Args:
        conditions: of each recording of the subject.

    Returns:
        Groups of recordings, each recording in one, in the order given.

    >>> compared_together({"a": {"awake", "deep"}, "b": {"awake", "deep"}})
    [['a'], ['b']]
    >>> compared_together({"a": {"awake"}, "b": {"awake"}, "c": {"deep"}})
    [['a', 'b', 'c']]
    """
    group = {name: {name} for name in conditions}
    for one, other in combinations(sorted({c for held in conditions.values() for c in held}), 2):
        holders = [name for name, held in conditions.items() if one in held or other in held]
        if any({one, other} <= set(held) for held in conditions.values()):
            continue
        joined = set().union(*(group[name] for name in holders))
        group |= dict.fromkeys(joined, joined)
    ordered = [[name for name in conditions if name in group[one]] for one in conditions]
    return [members for one, members in zip(conditions, ordered, strict=True) if members[0] == one]
