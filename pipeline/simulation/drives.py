"""Common drives: what acts on all units from outside them, step by step, as a logit that is added to each.

A drive is known twice: as a path that a simulation follows, and as a chain of few levels from which exact occupancies
and TPMs are computed. `DRIVES` names what a study can choose from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pipeline.base.arrays import Floats

REACH = 4.5  # standard deviations that the levels of a Gaussian drive span to either side
MOST_LEVELS = 301


@dataclass(frozen=True)
class Chain:
    """A drive as a chain of levels.

    Attributes:
        levels: (level,) what each adds [logit].
        share: (level,) stationary probability.
        transition: (level, level) probability of the next level (column) given the level (row).
    """

    levels: Floats
    share: Floats
    transition: Floats


@dataclass(frozen=True)
class Drive:
    """No drive, and what all drives have in common.

    Attributes:
        amplitude: how far it moves the units [logit].
        steps: how long it stays, in steps of the substrate.
    """

    kind: ClassVar[str] = "none"
    words: ClassVar[str] = "no common drive"
    amplitude: float = 0.0
    steps: float = 20.0

    def chain(self) -> Chain:
        """Return the levels of the drive and how it moves between them."""
        return Chain(np.zeros(1), np.ones(1), np.ones((1, 1)))

    def path(self, steps: int, rng: np.random.Generator) -> Floats:
        """Return (steps,) values [logit], from its stationary law on.

        Args:
            steps: how many.
            rng: source of all chance.
        """
        return np.zeros(steps)


@dataclass(frozen=True)
class Telegraph(Drive):
    """A drive that switches between -amplitude and +amplitude; `steps` is its mean dwell time.

    >>> Telegraph(0.8, 20.0).chain().levels.tolist()
    [-0.8, 0.8]
    """

    kind: ClassVar[str] = "telegraph"
    words: ClassVar[str] = "a common drive switched between two levels, every {drive_s:g} s on average"

    @property
    def switching(self) -> float:
        """Probability per step that it changes its sign."""
        return min(0.5, 1 / self.steps)

    def chain(self) -> Chain:
        """Return its two levels; see `Drive.chain`."""
        stay = 1 - self.switching
        levels = np.array([-self.amplitude, self.amplitude])
        return Chain(levels, np.full(2, 0.5), np.array([[stay, self.switching], [self.switching, stay]]))

    def path(self, steps: int, rng: np.random.Generator) -> Floats:
        """Return its values; see `Drive.path`."""
        switches = rng.random(steps) < self.switching
        first = self.amplitude * rng.choice([-1, 1])
        values: Floats = first * np.where(np.cumsum(switches) % 2, -1.0, 1.0)
        return values


@dataclass(frozen=True)
class Autoregressive(Drive):
    """A Gaussian AR(1): `amplitude` is its standard deviation, `steps` its time constant."""

    kind: ClassVar[str] = "ar1"
    words: ClassVar[str] = "a common drive followed a Gaussian autoregression with a time constant of {drive_s:g} s"

    @property
    def persistence(self) -> float:
        """Correlation from one step to the next."""
        return float(np.exp(-1 / self.steps))

    def chain(self) -> Chain:
        """Return levels at equal distances, of at most one standard deviation of what a step adds.

        The rule is Tauchen's with densities: at that distance sums over the levels are integrals over the Gaussian to
        eight digits. See Tauchen G (1986), Finite state Markov-chain approximations to univariate and vector
        autoregressions, Economics Letters 20(2): 177-181.
        """
        rho = self.persistence
        noise = np.sqrt(1 - rho**2)
        n = min(MOST_LEVELS, 2 * int(np.ceil(REACH / noise)) + 1)
        z = np.linspace(-REACH, REACH, n)
        moves = np.exp(-((z[None] - rho * z[:, None]) ** 2) / (2 * noise**2))
        share = np.exp(-(z**2) / 2)
        return Chain(self.amplitude * z, share / share.sum(), moves / moves.sum(axis=1, keepdims=True))

    def path(self, steps: int, rng: np.random.Generator) -> Floats:
        """Return its values; see `Drive.path`."""
        from scipy.signal import lfilter

        rho = self.persistence
        luck = rng.standard_normal(steps + 1)
        start = rho * luck[0]
        values, _ = lfilter([np.sqrt(1 - rho**2)], [1, -rho], luck[1:], zi=[start])
        path: Floats = self.amplitude * values
        return path


DRIVES: dict[str, type[Drive]] = {drive.kind: drive for drive in (Drive, Telegraph, Autoregressive)}
