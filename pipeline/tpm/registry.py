"""The estimators of a unit TPM that a study can choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from pipeline.base.parameters import filled
from pipeline.base.registry import Entry, Registry
from pipeline.tpm.auto import Auto
from pipeline.tpm.average import Average
from pipeline.tpm.beta import Beta
from pipeline.tpm.latent import Latent
from pipeline.tpm.logistic import Logistic
from pipeline.tpm.logistic_pairwise import LogisticPairwise

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from pipeline.base.arrays import Array, Bools, Floats
    from pipeline.tpm.sampled import SampledWindow
    from pipeline.tpm.transitions import Counts


class Posterior(Protocol):
    """What a fit gives: an estimate, and draws of what it might as well have been.

    Attributes:
        p_on: (..., state, unit) P(unit ON next | state now); the leading axes are those of the counts.
    """

    p_on: Floats

    @property
    def connection(self) -> Floats | None:
        """(..., unit, unit) probability that the second unit acts on the first; None where the method does not say."""
        ...

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` posterior draws of P(ON), (n, ..., state, unit)."""
        ...


class Estimator(Entry, Protocol):
    """How P(ON) of every unit is found from the transitions that were seen.

    Counts are all that `fit` gets, so that it costs the same for a thousand frames as for a million, and takes
    any number of leading axes at once (folds, surrogates).
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


@runtime_checkable
class RasterEstimator(Protocol):
    """An `Estimator` that counts do not suffice for: it needs the states of a window in their order."""

    def fit_raster(
        self, states: Array, joined: Bools, lag: int, draws: int, rng: np.random.Generator, **parameters: Any
    ) -> FittedRecording:
        """Fit the states (frame, unit) of one window, named "".

        Args:
            states: 0 and 1.
            joined: (frame, unit) True where the unit's transition from `lag` frames before counts.
            lag: of a transition [frames].
            draws: how many; 0 where only the estimate is used.
            rng: fixes them.
            **parameters: the entry's own.
        """
        ...


class FittedRecording(Protocol):
    """All windows of a recording, fitted at once."""

    def __contains__(self, window: object) -> bool: ...

    def copy(self, n: int, rng: np.random.Generator) -> None:
        """Simulate `n` copies of the recording and fit them, for `posterior` to give with each window."""
        ...

    def posterior(self, window: str) -> SampledWindow:
        """Return the posterior of one window."""
        ...


@runtime_checkable
class RecordingEstimator(Protocol):
    """An `Estimator` that counts do not suffice for: it fits all windows of a recording at once, from their signals.

    Its `fit` is how states that are given, such as surrogates of its paths, are estimated.
    """

    def fit_recording(
        self, states: xr.Dataset, draws: int, rng: np.random.Generator, **parameters: Any
    ) -> FittedRecording:
        """Fit a states dataset with all its windows."""
        ...


ESTIMATORS: Registry[Estimator] = Registry(
    "estimator", "tpm.method", Auto(), Latent(), Average(), LogisticPairwise(), Logistic(), Beta()
)


def own_parameters(estimator: Estimator, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of an estimator: those given, and its defaults for the others.

    Args:
        estimator: an entry of `ESTIMATORS`.
        given: the parameters that are not to have their defaults.

    Raises:
        PhiscaleError: a parameter that the estimator does not have, or a value that it cannot take.
    """
    return filled(estimator.Parameters, given, "tpm", f"the method {estimator.name!r}").model_dump()
