"""Information: the cause and effect states a system specifies (Eqs. 5-13)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from iitcore import _kernels, _layout
from iitcore._arrays import Floats
from iitcore._numbers import of_kind
from iitcore._plain import Plain
from iitcore.substrate import System


@dataclass(frozen=True)
class SpecifiedState(Plain):
    """The cause or effect state of a system with maximal intrinsic information.

    Attributes:
        state: one value per unit of the system.
        intrinsic_information: ibits.
        selectivity: probability of that state given the current one.
        tied_states: every state within 1e-10 ibits of the maximum, `state` included.
    """

    state: tuple[int, ...]
    intrinsic_information: float
    selectivity: float
    tied_states: tuple[tuple[int, ...], ...]


def cause_information(system: System) -> tuple[Floats, Floats]:
    """Intrinsic information of every past state (Eqs. 9-13).

    Args:
        system: a candidate system.

    Returns:
        Information (ibits) and selectivity, each (n_states,).
    """
    return _kernels.cause_information(system.cause, system.offsets, np.array(system.state))


def effect_information(system: System) -> tuple[Floats, Floats]:
    """Intrinsic information of every next state (Eqs. 5-8).

    Args:
        system: a candidate system.

    Returns:
        Information (ibits) and selectivity, each (n_states,); states that provably have less than the
        maximum are left at -inf.
    """
    row = _layout.state_index(system.state, system.alphabet)
    return _kernels.effect_information(system.effect, system.offsets, row)


def cause_effect_states(system: System) -> tuple[SpecifiedState, SpecifiedState]:
    """The cause and effect states a system specifies; of tied ones the first by index (Eqs. 5-13).

    Args:
        system: a candidate system.

    Returns:
        Cause and effect state.

    Example:
        >>> from iitcore import Substrate
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> cause, effect = cause_effect_states(swap.system("10"))
        >>> effect.state, round(effect.intrinsic_information, 3)
        ((0, 1), 2.0)
    """
    of_kind(system, System, "substrate.system(state) makes one")
    return (
        specified_state(system, *cause_information(system)),
        specified_state(system, *effect_information(system)),
    )


def specified_state(
    system: System, information: Floats, selectivity: Floats, chosen: int | None = None
) -> SpecifiedState:
    """Describe the maximal state, or the one chosen (an index) among those tied.

    Args:
        system: a candidate system.
        information: (n_states,) ibits.
        selectivity: (n_states,).
        chosen: index of a tied state; None for the first.
    """
    ties = _kernels.tied(information)
    index = int(ties[0]) if chosen is None else chosen
    return SpecifiedState(
        state_values(index, system.alphabet),
        float(information[index]),
        float(selectivity[index]),
        tuple(state_values(int(i), system.alphabet) for i in ties),
    )


def state_values(index: int, alphabet: tuple[int, ...]) -> tuple[int, ...]:
    """Unit values of a state index, first unit fastest.

    Args:
        index: of the state.
        alphabet: values per unit.
    """
    values = []
    for k in alphabet:
        values.append(index % k)
        index //= k
    return tuple(values)
