"""A substrate in one condition: its exact TPMs and occupancy, and runs of it.

Units update together, step by step: `logit P(ON) = what the state before gives it + drive + drift`. What the state
gives is a table, so that logistic units and gates are one thing here. Units may be hidden: they act, and are not
recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import encode, states_of
from pipeline.simulation.drives import Chain, Drive

MOST_UNITS = 8  # exact occupancies need the chain of 2**n states times the levels of the drive
MOST_EQUATIONS = 100  # solved at once; beyond, the chain is run until it stands still
DRIFT_STAGES = 15  # values of the drift over which exact means are taken
NOT_STATIONARY = "the rates drift, so that no stationary law says what an unlimited recording would show"


def joint(p_on: Floats) -> Floats:
    """Return the TPM of units that are independent given the past.

    Args:
        p_on: (2**n, n) P(ON) of each unit after each state.

    Returns:
        (2**n, 2**n) probabilities of the next state (column) given the state (row).

    >>> joint(np.array([[0.1], [0.8]])).round(3).tolist()
    [[0.9, 0.1], [0.2, 0.8]]
    """
    to = states_of(p_on.shape[1])
    tpm: Floats = np.where(to[None] == 1, p_on[:, None, :], 1 - p_on[:, None, :]).prod(axis=2)
    return tpm


def stationary(p_on: Floats, chain: Chain) -> Floats:
    """Return the stationary law of a drive and the state before it acts.

    Args:
        p_on: (level, 2**n, n) P(ON) under each level of the drive.
        chain: the drive.

    Returns:
        (level, 2**n) probabilities.
    """
    blocks = np.stack([joint(p) for p in p_on])
    levels, size = blocks.shape[:2]
    if levels * size > MOST_EQUATIONS:
        return _iterated(blocks, chain)
    moves = np.einsum("ad,asu->asdu", chain.transition, blocks).reshape(levels * size, levels * size)
    equations = moves.T - np.eye(levels * size)
    equations[-1] = 1.0
    right = np.zeros(levels * size)
    right[-1] = 1.0
    law = np.clip(np.linalg.solve(equations, right), 0, None).reshape(levels, size)
    return np.asarray(law / law.sum())


def _iterated(blocks: Floats, chain: Chain) -> Floats:
    law = np.repeat(chain.share[:, None] / blocks.shape[1], blocks.shape[1], axis=1)
    for _ in range(100_000):
        after = chain.transition.T @ (law[:, None] @ blocks)[:, 0]
        moved = np.abs(after - law).sum()
        law = after
        if moved < 1e-12:
            break
    return np.asarray(law / law.sum())


@dataclass(frozen=True, eq=False)
class Regime:
    """The substrate of one subject in one condition.

    Attributes:
        logits: (2**all, all) logit of P(ON) of each unit after each state, without drive.
        drive: what acts on all units from outside.
        drift: the logit of every unit moves from -drift to +drift, linearly over a run.
        hidden: units, among all, that are not recorded.
        coupling: strength relative to awake.
        weights: (all, all) logit that unit i being ON adds to unit j, in [i, j]; None where units are no such sums.
        bias: logit without input, of all units or of each; None where units are no such sums.
        step_s: length of a step [s], for what is said of the drive.
    """

    logits: Floats
    drive: Drive = field(default_factory=Drive)
    drift: float = 0.0
    hidden: tuple[int, ...] = ()
    coupling: float = 1.0
    weights: Floats | None = None
    bias: Floats | float | None = None
    step_s: float = 0.5

    @property
    def recorded(self) -> Ints:
        """(n,) units that are recorded, among all."""
        return np.setdiff1d(np.arange(self.logits.shape[1]), self.hidden)

    @property
    def n(self) -> int:
        """Number of recorded units."""
        return int(self.logits.shape[1]) - len(self.hidden)

    @property
    def amplitude(self) -> float:
        """Of the drive [logit]."""
        return self.drive.amplitude

    @cached_property
    def chain(self) -> Chain:
        """The drive as a chain of levels."""
        return self.drive.chain()

    @cached_property
    def p_on_by_level(self) -> Floats:
        """(level, 2**all, all) P(ON) of all units under each level of the drive, in the middle of the drift."""
        return self._at(0.0)

    @cached_property
    def p_on(self) -> Floats:
        """(2**n, n) TPM with the drive held: P(ON | do(state)), drive and drift averaged over their own laws.

        Hidden units are as they stand, given the recorded state and the drive: without a drive this is the marginal
        TPM that recordings show.
        """
        return np.asarray(np.mean([self._held(stage) for stage in self._stages], axis=0))

    @property
    def p_on_observational(self) -> Floats | None:
        """(2**n, n) P(ON | state seen): what an unlimited recording without perturbation shows.

        It differs from `p_on` because a state also tells how the drive probably stands. None under drift: see
        `not_observable`.
        """
        if self.drift:
            return None
        seen = np.einsum("as,asn->sn", self._laws[0], self.p_on_by_level[..., self.recorded])
        law = self._summed(self._laws[0].sum(axis=0))
        return np.asarray(self._summed(seen) / law[:, None])

    @property
    def not_observable(self) -> str:
        """Why there is no observational TPM; empty where there is one."""
        return NOT_STATIONARY if self.drift else ""

    @cached_property
    def occupancy(self) -> Floats:
        """(2**n,) share of time in each state; under drift a mean over the run, which the chain follows closely."""
        return np.asarray(np.mean([self._summed(law.sum(axis=0)) for law in self._laws], axis=0))

    @cached_property
    def on_fraction(self) -> Floats:
        """(n,) share of time that each unit is ON."""
        return np.asarray(self.occupancy @ states_of(self.n))

    @property
    def _stages(self) -> Floats:
        if not self.drift:
            return np.zeros(1)
        return np.asarray(self.drift * (2 * (np.arange(DRIFT_STAGES) + 0.5) / DRIFT_STAGES - 1))

    @cached_property
    def _laws(self) -> list[Floats]:
        """Stationary laws (level, 2**all) at each stage of the drift."""
        return [stationary(self._at(stage), self.chain) for stage in self._stages]

    @cached_property
    def _code(self) -> Ints:
        """(2**all,) the recorded state in each state of all units."""
        return encode(states_of(self.logits.shape[1])[:, self.recorded])

    def _at(self, shift: float) -> Floats:
        from scipy.special import expit

        p_on: Floats = expit(self.logits + self.chain.levels[:, None, None] + shift)
        return p_on

    def _summed(self, values: Floats) -> Floats:
        """Sum values (2**all, ...) over the states of the hidden units."""
        if not self.hidden:
            return values
        total = np.zeros((2**self.n, *values.shape[1:]))
        np.add.at(total, self._code, values)
        return total

    def _held(self, shift: float) -> Floats:
        """TPM with the drive held, at one stage of the drift."""
        p_on = self._at(shift)[..., self.recorded]
        if self.hidden:
            law = self._laws[int(np.argmin(np.abs(self._stages - shift)))]
            seen = zip(law, p_on, strict=True)
            p_on = np.stack([self._summed(w[:, None] * p) / self._summed(w)[:, None] for w, p in seen])
        return np.asarray(np.einsum("a,asn->sn", self.chain.share, p_on))

    def motif(self, index: int) -> Regime:
        """Return four units by themselves, where groups of four do not act on each other.

        Args:
            index: which four.
        """
        own = slice(4 * index, 4 * index + 4)
        weights = None if self.weights is None else self.weights[own, own]
        return replace(self, logits=self.logits[np.arange(16) << 4 * index, own], weights=weights)

    def run(self, steps: int, rng: np.random.Generator, start: Array | None = None) -> Array:
        """Draw states of the recorded units.

        Args:
            steps: how many states.
            rng: source of all chance.
            start: (all,) state before the first, of all units; by default drawn from the stationary law (all OFF above
                `MOST_UNITS`, where that is not computed).

        Returns:
            (steps, n) uint8 states that follow `start`.
        """
        return np.asarray(self.run_all(steps, rng, start)[:, self.recorded])

    def run_all(self, steps: int, rng: np.random.Generator, start: Array | None = None) -> Array:
        """Draw states of all units, hidden ones included; see `run`."""
        from scipy.special import logit

        n = self.logits.shape[1]
        drive = self.drive.path(steps, rng)
        if self.drift:
            drive = drive + self.drift * np.linspace(-1, 1, steps)
        least = logit(rng.random((steps, n))) - drive[:, None]  # a unit is ON where its logit exceeds it
        if start is None and n > MOST_UNITS:
            code = 0
        elif start is None:
            law = self._laws[0].sum(axis=0)
            code = int(np.searchsorted(np.cumsum(law)[:-1], rng.random()))
        else:
            code = int(encode(np.asarray(start)))
        path, powers, logits = np.empty((steps, n), np.uint8), 1 << np.arange(n), self.logits
        for t in range(steps):
            on = least[t] < logits[code]
            code = int(on @ powers)
            path[t] = on
        return path


def logistic(weights: Floats, bias: Floats | float) -> Floats:
    """Return the logits (2**n, n) of units that add up what acts on them.

    Args:
        weights: (n, n) logit that unit i being ON adds to unit j, in [i, j].
        bias: logit without input, of all units or of each.
    """
    return np.asarray(bias + states_of(len(weights)) @ weights)
