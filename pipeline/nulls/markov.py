"""The null of units that know only their own last state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from pipeline.base.registry import Entry
from pipeline.nulls.drawn import LEFT_OUT, Surrogates

if TYPE_CHECKING:
    from pipeline.base.arrays import Array, Ints


class Markov(Entry):
    """One two-state chain per unit, its two probabilities (ON after OFF, ON after ON) from the data.

    Each run starts afresh, from the unit's rate.
    """

    name: ClassVar[str] = "markov"
    summary: ClassVar[str] = "a Markov chain per unit (no interaction, no slower structure)"
    label: ClassVar[str] = "independent Markov chains"
    methods: ClassVar[str] = (
        "each unit's state sequence drawn anew from a two-state Markov chain with the unit's own transition "
        "probabilities (keeps each unit's rate and persistence, destroys interaction and each unit's slower structure)"
    )
    tests: ClassVar[str] = "a small p rejects that each unit depends on its own last state and on nothing else"
    keeps: ClassVar[str] = "each unit's rate and persistence"
    breaks: ClassVar[str] = "every relation between units, and slower structure"
    acts_on: ClassVar[Literal["states", "traces"]] = "states"
    takes: ClassVar[tuple[str, ...]] = ("states",)
    flags: ClassVar[Mapping[str, str]] = LEFT_OUT

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of states (frame, unit) of 0 and 1; see `Null.draw`."""
        within = runs[1:] == runs[:-1]
        before, after = values[:-1][within], values[1:][within]
        rate = values.mean(axis=0)
        p_on = [((before == b) * after).sum(0) / np.maximum((before == b).sum(0), 1) for b in (0, 1)]
        fresh = np.concatenate([[True], ~within])
        drawn = np.empty((n, *values.shape), values.dtype)
        for surrogate in drawn:
            noise = rng.random(values.shape)
            for t, starts in enumerate(fresh):
                surrogate[t] = noise[t] < (rate if starts else np.where(surrogate[t - 1] == 1, p_on[1], p_on[0]))
        return Surrogates(drawn, runs)
