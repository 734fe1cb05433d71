"""Averaging estimator: logistic models of each unit averaged over parent sets, families and sizes of weights."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from pipeline.base.parameters import Section
from pipeline.base.registry import Entry
from pipeline.tpm.sampled import JEFFREYS, SampledRecording, median_model, p_on_of, share_of_parents

if TYPE_CHECKING:
    from pipeline.base.arrays import Array, Bools, Floats
    from pipeline.tpm.parent_sets import Draws
    from pipeline.tpm.transitions import Counts

# Transitions per unit and unit; see `pipeline.tpm.logistic`. The number of weights is learned, so that few transitions
# cost power and not belief: at the first, nine of ten absent connections of independent fair coins are left out.
PER_UNIT = (20, 40)
MOST_UNITS, NEVER = 8, 2**62  # units of which all sets of parents are averaged over; no recording has more
WARM_UP, THIN = 300, 5
POINT_WARM_UP, POINT_DRAWS = 100, 100  # of a chain that only an estimate is taken from, of surrogates and folds


class AverageParameters(Section):
    """Parameters of `average`."""

    family: Annotated[int, Field(ge=1, le=3)] = Field(
        3,
        description="Largest family averaged over: 1 each parent by itself, 2 with products of two, "
        "3 with a free table of up to four parents",
    )
    drive: bool = Field(
        True, description="Whether a slow drive, common to the units, may act on them; the TPM is then drive-held"
    )


class Average(Entry):
    """Logistic models averaged over parent sets, families and sizes of weights (`pipeline.tpm.parent_sets`).

    A connection that is not there is left out of most draws, rather than given a small weight in all of them: each
    spurious weight would add distinctions and relations to every structure. A weak one that is there keeps its size.
    """

    name: ClassVar[str] = "average"
    summary: ClassVar[str] = "logistic models averaged over parent sets, families and sizes of weights"
    methods: ClassVar[str] = (
        "Bayesian averaging of logistic models over parent sets, families (up to family {family:d} of: each parent by "
        "itself, products of two, free tables of up to four parents) and sizes of weights (a mixture of Gaussians of "
        "0.06 to 4 logits, its shares learned from all connections), by Gibbs sampling with Pólya-Gamma variables "
        "[Polson et al. 2013] (a hidden common drive of three levels, slow and possibly absent, allowed: {drive}); the "
        "estimate is the mean over the draws that have each unit's most frequent parents"
    )
    references: ClassVar[tuple[str, ...]] = (
        "Polson NG, Scott JG, Windle J (2013). Bayesian inference for logistic models using Pólya-Gamma latent "
        "variables. Journal of the American Statistical Association 108(504): 1339-1349.",
    )
    Parameters: ClassVar[type[Section]] = AverageParameters

    def fit(self, counts: Counts, family: int, drive: bool = False) -> AveragePosterior:
        """Return the posterior of counts, averaged up to `family`; counts tell of no drive."""
        return AveragePosterior(counts, family)

    def fit_raster(
        self, states: Array, joined: Bools, lag: int, draws: int, rng: np.random.Generator, *, family: int, drive: bool
    ) -> SampledRecording:
        """Draw the models of one window whose states are given.

        Args:
            states: (frame, unit) of 0 and 1.
            joined: (frame, unit) True where the unit's transition from `lag` frames before counts.
            lag: of a transition [frames].
            draws: how many; 0 for a shorter chain, of which only the estimate is used.
            rng: fixes them.
            family: the largest family averaged over.
            drive: whether there may be a common drive.

        Returns:
            A recording of one window, named "".
        """
        from pipeline.tpm.chain import sample_recording
        from pipeline.tpm.recorded import Model, Recorded, Sweeps

        n, n_units = states.shape
        nothing, given = np.zeros((n, n_units), np.int64), np.asarray(states, np.int64)
        first: Bools = np.asarray(~joined.any(axis=1))
        recorded = Recorded(nothing, first, joined, np.array([0, n]), lag, np.zeros(n, np.int64), 1)
        model = Model(family, drive, hidden=False)
        sweeps = Sweeps(draws, THIN, WARM_UP) if draws else Sweeps(POINT_DRAWS, 1, POINT_WARM_UP)
        drawn = sample_recording(recorded, given, model, sweeps, rng)
        return SampledRecording([""], recorded, drawn, model)

    def needed(self, n_units: int, level: int = 0) -> int:
        """Return how many transitions `n_units` need: level 0 not to be refused, level 1 not to be flagged."""
        return PER_UNIT[level] * (1 + n_units) if n_units <= MOST_UNITS else NEVER


class AveragePosterior:
    """Posterior averaged over models.

    Args:
        counts: transitions, with any leading axes.
        family: largest family.

    Attributes:
        p_on: (..., state, unit) mean over the draws in which the unit has its most frequent parents.
        constant: (..., unit) units that never change, which get the Jeffreys posterior Beta(ON + ½, OFF + ½) of their
            rate.
        connection: (..., unit, unit) share of draws in which the second unit is a parent of the first.
    """

    def __init__(self, counts: Counts, family: int) -> None:
        self.counts, self.family = counts, family
        lead = counts.on.shape[:-2]
        n_states, n_units = counts.on.shape[-2:]
        total, on = counts.per_unit.sum(-2), counts.on.sum(-2)
        self.constant: Bools = (on == 0) | (on == total)
        self.rate: tuple[Floats, Floats] = (on + JEFFREYS, total - on + JEFFREYS)
        # the point has draws of its own, fixed by the data, so that it does not depend on how many draws are asked for
        points = [self._sample(i, POINT_DRAWS, 1, _seed(self._set(i))) for i in range(self._n_sets())]
        p_on = np.array([median_model(p_on_of(d.logits), d.parents) for d in points]).reshape(*lead, n_states, n_units)
        self.p_on: Floats = self._with_constant(p_on, self.rate[0] / (total + 2 * JEFFREYS))
        shares = np.array([share_of_parents(d.parents) for d in points])
        self.connection: Floats = shares.reshape(*lead, n_units, n_units)

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` draws, (n, ..., state, unit)."""
        seeds = rng.integers(2**32, size=self._n_sets())
        drawn = [p_on_of(self._sample(i, n, THIN, int(seed)).logits) for i, seed in enumerate(seeds)]
        p_on = np.stack(drawn, axis=1).reshape(n, *self.counts.on.shape)
        return self._with_constant(p_on, rng.beta(*self.rate, size=(n, *self.constant.shape)))

    def _with_constant(self, p_on: Floats, rate: Floats) -> Floats:
        """Give units that never change the posterior of their rate, the same after every state."""
        return np.where(self.constant[..., None, :], rate[..., None, :], p_on)

    def _n_sets(self) -> int:
        return int(np.prod(self.counts.on.shape[:-2]))

    def _set(self, i: int) -> tuple[Array, Array]:
        """Return (state, 1 or unit) transitions and (state, unit) those to ON of one set of counts."""
        per_unit = np.broadcast_to(self.counts.per_unit, (*self.counts.on.shape[:-1], self.counts.per_unit.shape[-1]))
        return per_unit.reshape(-1, *per_unit.shape[-2:])[i], self.counts.on.reshape(-1, *self.counts.on.shape[-2:])[i]

    def _sample(self, i: int, draws: int, thin: int, seed: int) -> Draws:
        from pipeline.tpm.parent_sets import sample

        return sample(*self._set(i), self.family, draws, thin, WARM_UP, np.random.default_rng(seed))


def _seed(arrays: tuple[Array, Array]) -> int:
    """Return a number that only the counts decide."""
    text = b"".join(np.ascontiguousarray(a, dtype=np.int64).tobytes() for a in arrays)
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "little")
