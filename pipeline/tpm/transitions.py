"""Counts of the transitions from each joint state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.base.arrays import Array, Bools, Ints


@dataclass(frozen=True)
class Counts:
    """Transitions by source state, and by what they led to.

    Attributes:
        transitions: (..., state), or (..., state, unit) where units have borders of their own (shifted surrogates).
        on: (..., state, unit) those after which each unit is ON.
    """

    transitions: Array
    on: Array

    @property
    def per_unit(self) -> Array:
        """Transitions as (..., state, unit), or (..., state, 1) where they are the same for all units."""
        shared = self.transitions.ndim < self.on.ndim
        return self.transitions[..., None] if shared else self.transitions


def count(source: Ints, target: Array, valid: Bools | None = None) -> Counts:
    """Count transitions.

    Args:
        source: (..., transition) joint states.
        target: (..., transition, unit) 0 or 1.
        valid: (..., transition, unit), False where a unit's own transition crosses a border.

    Returns:
        Counts with the leading axes of `source`.
    """
    lead, n_units = source.shape[:-1], target.shape[-1]
    n_states, n_sets = 2**n_units, int(np.prod(lead))
    row = (source.reshape(n_sets, -1) + n_states * np.arange(n_sets)[:, None]).ravel()

    def by_state(weights: Array | None = None) -> Array:
        found = np.bincount(row, weights=weights, minlength=n_sets * n_states)
        return found.reshape(*lead, n_states)

    def by_state_and_unit(weights: Array) -> Array:
        flat = weights.reshape(-1, n_units)
        return np.stack([by_state(flat[:, u]) for u in range(n_units)], axis=-1)

    if valid is None:
        return Counts(by_state(), by_state_and_unit(target))
    return Counts(by_state_and_unit(valid), by_state_and_unit(target * valid))
