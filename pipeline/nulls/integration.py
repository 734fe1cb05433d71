"""The null without integration: units that act on each other, but some cut of them costs nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pipeline.base.registry import Entry
from pipeline.nulls.drawn import LEFT_OUT, Surrogates

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Array, Ints


class Integration(Entry):
    """Recordings of reducible models fitted to the data (`pipeline.nulls.reducible`).

    Units may act on each other as strongly as they seem to, except that one part of them does not act on the rest:
    phi_s of the model is 0, and what its recordings give is what short data alone give a reducible system.
    """

    name: ClassVar[str] = "integration"
    summary: ClassVar[str] = "recordings of the best reducible models (interaction, but a cut that costs nothing)"
    label: ClassVar[str] = "best reducible models"
    methods: ClassVar[str] = (
        "recordings of the window's length and gaps simulated from reducible models of it, in which one part of the "
        "units does not act on the rest, so that their φ_s is 0, and a slow common drive may act on all: the cut was "
        "drawn with its probability given the data (the evidence of each unit's models, averaged over sets of "
        "parents), and the model from its posterior under that cut; where states are hidden, what would be seen of "
        "them was simulated and fitted again (keeps interaction within the parts and from the rest to the part, "
        "destroys integration)"
    )
    references: ClassVar[tuple[str, ...]] = ()
    flags: ClassVar[Mapping[str, str]] = LEFT_OUT
    tests: ClassVar[str] = "a small p rejects that some part of the units does not act on the rest"
    keeps: ClassVar[str] = "what the units do to each other, but for one cut"
    breaks: ClassVar[str] = "integration: one part of the units does not act on the rest"
    acts_on: ClassVar[Literal["states", "traces"]] = "states"
    takes: ClassVar[tuple[str, ...]] = ("states",)

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw `n` surrogates of states (frame, unit); see `Null.draw`."""
        from pipeline.nulls.reducible import draw_reducible

        return Surrogates(draw_reducible(values, runs, lag, n, rng), runs)
