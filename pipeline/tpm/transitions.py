"""Counts of the transitions from each joint state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Transitions by source state, (..., state), and those after which each unit is ON, (..., state, unit).

    Where units have borders of their own (shifted surrogates) `transitions` is (..., state, unit) too.
    """

    transitions: np.ndarray
    on: np.ndarray

    @property
    def per_unit(self) -> np.ndarray:
        """Transitions as (..., state, unit), or (..., state, 1) where they are the same for all units."""
        shared = self.transitions.ndim < self.on.ndim
        return self.transitions[..., None] if shared else self.transitions


def count(source: np.ndarray, target: np.ndarray, valid: np.ndarray | None = None) -> Counts:
    """Count transitions: `source` (..., transition) joint states, `target` (..., transition, unit) 0 or 1.

    valid: (..., transition, unit), False where a unit's own transition crosses a border.
    """
    lead, n_units = source.shape[:-1], target.shape[-1]
    n_states, n_sets = 2**n_units, int(np.prod(lead))
    row = (source.reshape(n_sets, -1) + n_states * np.arange(n_sets)[:, None]).ravel()

    def by_state(weights: np.ndarray | None = None) -> np.ndarray:
        found = np.bincount(row, weights=weights, minlength=n_sets * n_states)
        return found.reshape(*lead, n_states)

    def by_state_and_unit(weights: np.ndarray) -> np.ndarray:
        flat = weights.reshape(-1, n_units)
        return np.stack([by_state(flat[:, u]) for u in range(n_units)], axis=-1)

    if valid is None:
        return Counts(by_state(), by_state_and_unit(target))
    return Counts(by_state_and_unit(valid), by_state_and_unit(target * valid))
