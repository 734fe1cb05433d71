"""Beta-Binomial estimator: each unit and source state on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pipeline.base.parameters import Positive, Section
from pipeline.base.registry import Entry

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Floats
    from pipeline.tpm.transitions import Counts

# Transitions per source state; see `pipeline.tpm.logistic`. At the first the EI of independent fair coins is still
# overestimated by about 0.08 bits per unit at six units.
PER_STATE = (10, 50)


class BetaParameters(Section):
    """Parameters of `beta`."""

    prior: Positive = Field(1.0, description="Beta pseudo-counts (a = b) before each unit and state")


class Beta(Entry):
    """Each unit and source state on its own, with a Beta(prior, prior) in front.

    The estimate is the posterior mean; a state that was never left keeps the prior's 1/2.
    """

    name: ClassVar[str] = "beta"
    summary: ClassVar[str] = "Beta-Binomial per unit and state"
    methods: ClassVar[str] = (
        "a Beta-Binomial model per unit and state (prior Beta({prior:g}, {prior:g}); posterior mean)"
    )
    Parameters: ClassVar[type[Section]] = BetaParameters

    def fit(self, counts: Counts, prior: float) -> BetaPosterior:
        """Return the posterior of counts; see `Estimator.fit`.

        Args:
            counts: transitions of each unit from each source state.
            prior: pseudo-counts of ON, and as many of OFF.
        """
        return BetaPosterior(counts, prior)

    def needed(self, n_units: int, level: int = 0) -> int:
        """Return how many transitions `n_units` need, so many per joint state; see `Estimator.needed`."""
        return int(PER_STATE[level] * 2**n_units)


class BetaPosterior:
    """Beta posteriors of every unit and state.

    Attributes:
        on: (..., state, unit) first parameter: transitions after which the unit is ON, and the prior's.
        off: (..., state, unit) second parameter.
        p_on: (..., state, unit) posterior mean.
    """

    connection: Floats | None = None  # every unit acts on every other

    def __init__(self, counts: Counts, prior: float) -> None:
        self.on: Floats = counts.on + prior
        self.off: Floats = counts.per_unit - counts.on + prior
        self.p_on: Floats = self.on / (self.on + self.off)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` draws from the Beta posteriors, (n, ..., state, unit)."""
        return rng.beta(self.on, self.off, size=(n, *self.on.shape))
