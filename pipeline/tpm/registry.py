"""The estimators of a unit TPM that a study can choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.base.parameters import filled
from pipeline.base.registry import Entry, Registry
from pipeline.tpm.beta import Beta
from pipeline.tpm.logistic import Logistic
from pipeline.tpm.logistic_pairwise import LogisticPairwise

if TYPE_CHECKING:
    import numpy as np

    from pipeline.base.arrays import Floats
    from pipeline.tpm.transitions import Counts


class Posterior(Protocol):
    """What a fit gives: an estimate, and draws of what it might as well have been.

    Attributes:
        p_on: (..., state, unit) P(unit ON next | state now); the leading axes are those of the counts.
    """

    p_on: Floats

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` posterior draws of P(ON), (n, ..., state, unit)."""
        ...


class Estimator(Entry, Protocol):
    """How P(ON) of every unit is found from the transitions that were seen.

    Counts are all that `fit` gets, so that it costs the same for a thousand frames as for a million, and takes
    any number of leading axes at once (folds, surrogates).

    An estimator that counts do not suffice for (latent states, from the activity of all windows of a recording at
    once) has its place here all the same: everything after the fit, `tpm.estimation.described`, asks for a
    `Posterior` and the raster only. Such an entry would share `Entry` and `needed`, and in place of `fit` have
    `fit_windows(activity, windows, **parameters) -> Mapping[str, Posterior]`, a Protocol beside this one in the
    same registry; posteriors of several windows that draw with one generator give joint draws.
    """

    def fit(self, counts: Counts, *args: Any, **parameters: Any) -> Posterior:
        """Fit the counts.

        Args:
            counts: transitions of each unit from each source state, with any leading axes.
            *args: the entry's own parameters, by position.
            **parameters: the entry's own parameters, by keyword.
        """
        ...

    def needed(self, n_units: int, level: int = 0) -> int:
        """Return how many transitions the TPM of some units needs.

        Args:
            n_units: number of units.
            level: 0 not to be refused, 1 not to be flagged.
        """
        ...


ESTIMATORS: Registry[Estimator] = Registry("estimator", "tpm.method", Logistic(), LogisticPairwise(), Beta())


def own_parameters(estimator: Estimator, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of an estimator: those given, and its defaults for the others.

    Args:
        estimator: an entry of `ESTIMATORS`.
        given: the parameters that are not to have their defaults.

    Raises:
        PhiscaleError: a parameter that the estimator does not have, or a value that it cannot take.
    """
    return filled(estimator.Parameters, given, "tpm", f"the method {estimator.name!r}").model_dump()
