"""Scales of a hierarchy, and those whose latents are made ON and OFF; light to import."""

from __future__ import annotations

LARGEST = 8  # latents of a macro model: 2**16 states of 16, or 2**32 of 32, are more than any recording visits


def scales_of(n_units: int) -> tuple[int, ...]:
    """Return the dimensions of the scales: all, then halves, the odd one kept, down to 1.

    >>> scales_of(32), scales_of(6)
    ((32, 16, 8, 4, 2, 1), (6, 3, 2, 1))
    """
    found = [n_units]
    while found[-1] > 1:
        found.append((found[-1] + 1) // 2)
    return tuple(found)
