"""Logistic estimator: each unit's next state regressed on the states of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pipeline.base.parameters import Positive, Section
from pipeline.base.registry import Entry

if TYPE_CHECKING:
    from pipeline.tpm.laplace import LogisticPosterior
    from pipeline.tpm.transitions import Counts

# Refused below the first figure, flagged below the second: transitions per parameter of a unit. At the first the EI
# of independent fair coins is still overestimated by about 0.03 bits per unit at six units.
PER_PARAMETER = (20, 40)


class LogisticParameters(Section):
    """Parameters of the logistic methods."""

    prior: Positive = Field(
        1.0, description="Precision of the Gaussian prior on the weights, that is twice the ridge penalty"
    )


class Logistic(Entry):
    """logit P(unit ON) = b + Σ_i w_i s_i, with s = -1 for OFF and +1 for ON.

    In this coding nothing depends on which of the two states is called ON. `pipeline.tpm.laplace` says how it is
    fitted, and what becomes of a unit that never changes.
    """

    name: ClassVar[str] = "logistic"
    summary: ClassVar[str] = "regularised logistic regression per unit"
    methods: ClassVar[str] = (
        "logistic regression of each unit's next state on the states of all units (coded −1 and +1; Gaussian prior "
        "of precision {prior:g} on the weights; posterior mode, with draws from the Laplace approximation)"
    )
    Parameters: ClassVar[type[Section]] = LogisticParameters
    pairwise: ClassVar[bool] = False

    def fit(self, counts: Counts, prior: float) -> LogisticPosterior:
        """Return the posterior of counts; see `Estimator.fit`.

        Args:
            counts: transitions of each unit from each source state.
            prior: precision of the weights, which have the prior N(0, 1/prior); the intercept has N(0, 10²).
        """
        from pipeline.tpm.laplace import LogisticPosterior

        return LogisticPosterior(counts, prior, self.pairwise)

    def needed(self, n_units: int, level: int = 0) -> int:
        """Return how many transitions `n_units` need, so many per parameter of a unit; see `Estimator.needed`."""
        pairs = n_units * (n_units - 1) // 2 if self.pairwise else 0
        return PER_PARAMETER[level] * (1 + n_units + pairs)
