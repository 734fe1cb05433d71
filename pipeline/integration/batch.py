"""Integrated information of many TPMs at once (posterior draws, surrogates), in the states visited.

TPMs are P(ON) arrays (tpm, 2**n, n), states are joint states as integers (bit i = unit i).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import iitcore as iit
from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.raster import bits
from pipeline.emergence.discrete import causal_power, effective_information, information_of_rows, state_by_state
from pipeline.integration.parameters import Iit
from pipeline.results.measures import MEASURES, OF_SURROGATES

TIE = 1e-10  # ibits; see iitcore
OF_STRUCTURES = tuple(name for name in OF_SURROGATES if MEASURES[name].unfolded)


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


def window_measures(p_on: Floats, visits: Array, options: Iit, n_big: int, threads: int = 1) -> dict[str, Floats]:
    """Compute the measures of many systems, those of states as means weighted with each system's own visits.

    Args:
        p_on: (tpm, state, unit) P(ON).
        visits: (tpm, state) frames in each state.
        options: the section `iit`.
        n_big: how many are unfolded for Φ (the first ones).
        threads: of the exact engine.

    Returns:
        (tpm,) each, of structures (n_big,); NaN where a system visits no state often enough.
    """
    all_weights = np.where(visits >= options.min_visits, visits, 0)
    if not len(all_weights):
        return {}
    chosen = np.flatnonzero(all_weights.any(axis=0))
    weights, n_units = all_weights[:, chosen], p_on.shape[-1]

    def mean(values: Floats) -> Floats:
        total = weights[: len(values)].sum(axis=1)
        summed = (values * weights[: len(values)]).sum(axis=1)
        averaged: Floats = np.divide(summed, total, out=np.full(len(values), np.nan), where=total > 0)
        return averaged

    found = {"phi_s": mean(system_phi(p_on, chosen, None, threads, options.formalism))}
    if n_units <= options.complex_max_units:
        found["phi_s_complex"] = mean(first_complexes(p_on, chosen, threads, options.formalism)[0])
    if n_big and n_units <= options.big_phi_max_units:
        whole = structures(p_on[:n_big], chosen, None, threads, options.formalism)
        found |= {name: mean(whole[name]) for name in OF_STRUCTURES}
    return found | causal_measures(p_on)
