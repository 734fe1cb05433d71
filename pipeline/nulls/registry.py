"""The nulls: what a study can choose from, and the one that macro scales have besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from pipeline.base.registry import Entry, Registry
from pipeline.nulls.ar1 import Ar1
from pipeline.nulls.brownian import Brownian
from pipeline.nulls.drawn import Surrogates
from pipeline.nulls.integration import Integration
from pipeline.nulls.interaction import Interaction
from pipeline.nulls.markov import Markov
from pipeline.nulls.no_dynamics import NoDynamics
from pipeline.nulls.random_grouping import RandomGrouping
from pipeline.nulls.var import Var

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Array, Ints


class NullFamily(Entry, Protocol):
    """Values that a measure has where one thing is absent.

    Attributes:
        label: name in figures and sentences, e.g. "units shifted in time".
        tests: what a small p rejects, half a sentence without a full stop.
        keeps: what is left of the data.
        breaks: what is not.
    """

    label: ClassVar[str]
    tests: ClassVar[str]
    keeps: ClassVar[str]
    breaks: ClassVar[str]


class Null(NullFamily, Protocol):
    """Surrogate recordings in which one thing is known to be absent: interaction, or dynamics.

    Attributes:
        acts_on: what a study draws it of, its states or the traces (activity) that are then binarized anew.
        takes: all that it can be drawn of.
    """

    acts_on: ClassVar[Literal["states", "traces"]]
    takes: ClassVar[tuple[str, ...]]

    def draw(self, values: Array, runs: Ints, n: int, rng: np.random.Generator, lag: int = 1) -> Surrogates:
        """Draw surrogates.

        Args:
            values: (frame, unit) states or traces.
            runs: (frame,) run of consecutive frames; nothing is carried from one to the next.
            n: how many; the first ones do not depend on it.
            rng: source of all chance.
            lag: of a transition [frames]; heeded by nulls that model transitions.
        """
        ...


RENAMED = {"shift": Interaction.name, "transition_shuffle": NoDynamics.name}
NULLS: Registry[Null] = Registry(
    *("null", "nulls.kinds"),
    *(Integration(), Interaction(), NoDynamics(), Markov(), Ar1(), Brownian(), Var()),
    renamed=RENAMED,
)
RANDOM_GROUPING = RandomGrouping()
FAMILIES: Registry[NullFamily] = Registry("null family", "null", *NULLS.values(), RANDOM_GROUPING, renamed=RENAMED)
