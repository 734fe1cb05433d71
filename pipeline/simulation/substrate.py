"""What a substrate has to say of itself and to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np

from pipeline.base.arrays import Floats
from pipeline.base.registry import Entry
from pipeline.simulation.drives import Drive
from pipeline.simulation.regimes import Regime, logistic


@dataclass(frozen=True)
class Circumstances:
    """What a condition does to a substrate.

    Attributes:
        condition: its name.
        coupling: strength of the connections relative to awake.
        drive: what acts on all units from outside.
        drift: rates move from -drift to +drift over a window [logit].
        hidden: units, among all, that are not recorded.
        step_s: length of a step [s].
    """

    condition: str = "awake"
    coupling: float = 1.0
    drive: Drive = field(default_factory=Drive)
    drift: float = 0.0
    hidden: tuple[int, ...] = ()
    step_s: float = 0.5


class Substrate(Entry, Protocol):
    """A kind of substrate, of which each subject has one that is drawn.

    Attributes:
        reducible: phi_s of all its units is 0, whatever is drawn.
        least_units: fewest units of which one can be made.
        planted: state mapping of the pairs of units that were planted as macro units, in motifs of four units that do
            not act on each other; empty where none were.
    """

    reducible: ClassVar[bool] = False
    planted: ClassVar[str] = ""
    least_units: ClassVar[int] = 2

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> Any:
        """Draw what differs between subjects.

        Args:
            n: number of units, hidden ones included.
            jitter: relative spread of connections between subjects, where they are otherwise alike.
            rng: source of all chance.
        """

    def regime(self, drawn: Any, circumstances: Circumstances) -> Regime:
        """Return the substrate of a subject in a condition.

        Args:
            drawn: what `draw` returned for the subject.
            circumstances: what the condition does to it.
        """


class Signed(Substrate, Protocol):
    """Logistic units of inputs that are -1 (OFF) or +1 (ON): mean and spread of the input do not move together."""

    def draw(self, n: int, jitter: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return weights (n, n), in [u, j] from unit j to unit u, and biases (n,) [logit]; see `Substrate.draw`."""

    def regime(self, drawn: tuple[Floats, Floats], circumstances: Circumstances) -> Regime:
        """Return the substrate with its weights scaled by the coupling; see `Substrate.regime`."""
        signed, level = drawn
        signed = circumstances.coupling * signed
        return of_sums(2 * signed.T, level - signed.sum(axis=1), circumstances)


def of_sums(weights: Floats, bias: Floats | float, given: Circumstances) -> Regime:
    """Return units that add up what acts on them.

    Args:
        weights: (n, n) logit that unit i being ON adds to unit j, in [i, j], in this condition.
        bias: logit without input, of all units or of each.
        given: the condition.
    """
    return of_logits(logistic(weights, bias), given, weights, bias)


def of_logits(
    logits: Floats, given: Circumstances, weights: Floats | None = None, bias: Floats | float | None = None
) -> Regime:
    """Return units whose logits stand in a table (2**n, n), in this condition.

    Args:
        logits: the table.
        given: the condition.
        weights: that the table comes from, if it does.
        bias: that the table comes from, if it does.
    """
    return Regime(
        logits=logits,
        drive=given.drive,
        drift=given.drift,
        hidden=given.hidden,
        coupling=given.coupling,
        weights=weights,
        bias=bias,
        step_s=given.step_s,
    )


def spread_out(n: int, hidden: int) -> tuple[int, ...]:
    """Return which of `n` units are hidden: at equal distances, so that each part of a substrate loses some.

    >>> spread_out(6, 2)
    (1, 4)
    """
    return tuple(int((i + 0.5) * n / hidden) for i in range(hidden))
