"""What a grouping is chosen for: effective information of its macro TPM, or phi_s of its macro units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

import iitcore as iit
from pipeline.base.arrays import Floats, Ints
from pipeline.base.raster import bits
from pipeline.emergence.discrete import effective_information, state_by_state

ObjectiveName = Literal["effective_information", "phi_s"]
MOST_STATES = 32  # of a candidate, in which phi_s is computed: those visited most
MOST_VALUES = 4_000_000  # entries of TPMs held at once


class Objective(Protocol):
    """A value of macro systems that grows with what a grouping is to be chosen for.

    Attributes:
        name: as a study names it.
        unit: physical unit.
    """

    name: ClassVar[ObjectiveName]
    unit: ClassVar[str]

    def values(self, p_on: Floats, visits: Floats) -> Floats:
        """Return the value of many macro systems of equal size, (candidate,).

        Args:
            p_on: (candidate, state, unit) macro P(ON).
            visits: (candidate, state) frames in each macro state.
        """


@dataclass(frozen=True)
class EffectiveInformation(Objective):
    """Mutual information of a macro state set at random and the next one; visits play no part in it."""

    name: ClassVar[ObjectiveName] = "effective_information"
    unit: ClassVar[str] = "bit"

    def values(self, p_on: Floats, visits: Floats) -> Floats:
        """Return the effective information [bit] of each system; see `Objective.values`."""
        each = max(1, MOST_VALUES // p_on.shape[1] ** 2)
        parts = [effective_information(state_by_state(p_on[i : i + each])) for i in range(0, len(p_on), each)]
        return np.concatenate([np.atleast_1d(part) for part in parts])


@dataclass(frozen=True)
class SystemPhi(Objective):
    """phi_s of all macro units together: mean over the states visited, weighted with their visits.

    Of systems of more than 5 units over the 32 states that are visited most: they hold most of the frames, and phi_s
    of each takes long.

    Attributes:
        formalism: version of the theory, see `iitcore.formalism`.
    """

    name: ClassVar[ObjectiveName] = "phi_s"
    unit: ClassVar[str] = "ibit"
    formalism: iit.Formalism = "2023"

    def values(self, p_on: Floats, visits: Floats) -> Floats:
        """Return phi_s [ibit] of each system; see `Objective.values`."""
        n_states = p_on.shape[1]
        if n_states > MOST_STATES:
            chosen = [np.argsort(-seen, kind="stable")[:MOST_STATES] for seen in visits]
            each = zip(p_on, visits, [c[v[c] > 0] for c, v in zip(chosen, visits, strict=True)], strict=True)
            return np.array([self._mean(one[None], seen[None], states)[0] for one, seen, states in each])
        return self._mean(p_on, visits, np.flatnonzero(visits.any(axis=0)))

    def _mean(self, p_on: Floats, visits: Floats, states: Ints) -> Floats:
        phi = iit.phi_batch(p_on, bits(states, p_on.shape[-1]), threads=1, formalism=self.formalism)
        weights = visits[:, states]
        return np.asarray((phi * weights).sum(axis=1) / weights.sum(axis=1))


EI = EffectiveInformation()


def objective_of(name: ObjectiveName | str, formalism: iit.Formalism = "2023") -> Objective:
    """Return an objective by its name.

    Args:
        name: `effective_information` or `phi_s`.
        formalism: version of the theory that phi_s is of.
    """
    return SystemPhi(formalism) if name == SystemPhi.name else EI
