"""Integrated information of many TPMs at once (posterior draws, surrogates), in the states visited.

TPMs are P(ON) arrays (tpm, 2**n, n), states are joint states as integers (bit i = unit i).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import iitcore as iit
from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.base.raster import bits
from pipeline.emergence.discrete import causal_power, effective_information, information_of_rows, state_by_state

TIE = 1e-10  # ibits; see iitcore


def system_phi(
    p_on: Floats, states: Ints, units: Sequence[int] | None = None, threads: int = 1, formalism: iit.Formalism = "2023"
) -> Floats:
    """Compute phi_s of one system in many TPMs and states (Albantakis et al. 2023, Eqs. 14-23).

    Args:
        p_on: (tpm, state, unit) P(ON).
        states: (chosen state,) joint states.
        units: the system's, all by default; the rest is background.
        threads: of the exact engine.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        (tpm, chosen state) [ibit].
    """
    return iit.phi_batch(p_on, bits(states, p_on.shape[-1]), units=units, threads=threads, formalism=formalism)


def first_complexes(
    p_on: Floats, states: Ints, threads: int = 1, formalism: iit.Formalism = "2023"
) -> tuple[Floats, Ints]:
    """Find the subset of units with the largest phi_s (Albantakis et al. 2023, Eqs. 24-26).

    Of subsets that tie (within 1e-10 ibits) the one that comes first as a number is named: exact ties have
    probability 0 among posterior draws; in a point estimate `iitcore.complexes` resolves them.

    Args:
        p_on: (tpm, state, unit) P(ON).
        states: (chosen state,) joint states.
        threads: of the exact engine.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        (tpm, chosen state) phi_s [ibit], and the subset as a bit mask, 0 where every subset has phi_s = 0.
    """
    n = p_on.shape[-1]
    best = np.zeros((len(p_on), len(states)))
    winner = np.zeros(best.shape, dtype=int)
    for mask in range(1, 2**n):
        phi = system_phi(p_on, states, [i for i in range(n) if mask >> i & 1], threads, formalism)
        better = phi > best + TIE
        best[better], winner[better] = phi[better], mask
    return best, winner


def structures(
    p_on: Floats, states: Ints, units: Sequence[int] | None = None, threads: int = 1, formalism: iit.Formalism = "2023"
) -> dict[str, Floats]:
    """Unfold one system in many TPMs and states (Albantakis et al. 2023, Eqs. 27-59).

    Args:
        p_on: (tpm, state, unit) P(ON).
        states: (chosen state,) joint states.
        units: the system's, all by default; the rest is background.
        threads: of the exact engine.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        Φ (`big_phi`), its two sums [ibit], and the numbers of distinctions and relations, each (tpm, chosen state).
    """
    on = bits(states, p_on.shape[-1])
    found = iit.big_phi_batch(p_on, on, units=units, threads=threads, formalism=formalism)
    return {
        "big_phi": found.phi,
        "sum_phi_d": found.sum_phi_d,
        "sum_phi_r": found.sum_phi_r,
        "n_distinctions": found.n_distinctions,
        "n_relations": found.n_relations,
    }


def causal_measures(p_on: Floats) -> dict[str, Floats]:
    """Return effective information [bit] and causal power [1] of each TPM (tpm, state, unit), (tpm,)."""
    tpms = state_by_state(p_on)
    return {
        "effective_information": np.asarray(effective_information(tpms)),
        "causal_power": np.asarray(causal_power(tpms)),
    }


def least_information(p_on: Floats, known: Bools) -> Floats:
    """Return the least effective information [bit] that known rows of each TPM imply, (tpm,).

    Args:
        p_on: (tpm, state, unit) P(ON).
        known: (state,) rows that were visited often enough.
    """
    return np.asarray(information_of_rows(state_by_state(p_on), known))
