"""Whether learned macro units are units by the theory's own criterion: maximally irreducible within."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import iitcore as iit
from pipeline.base.arrays import Floats, Ints
from pipeline.base.raster import bits
from pipeline.macro.groupings import Grouping

MOST_UNITS = 6  # up to these macro units of any size are judged: beyond, rival systems inside a large one are too many
MOST_CONSTITUENTS = 4  # of a macro unit that is judged among more units
MOST_STATES = 64  # over which phi_s is averaged: those visited most, all of them up to 6 units
MOST_DRAWS = 100  # posterior draws in which pairs are judged
LEAST = 1e-10  # ibits: phi_s that differ by less are equal, as in iitcore


def unit_validity(
    p_on: Floats, grouping: Grouping, visits: Ints, names: Sequence[str], formalism: iit.Formalism = "2023"
) -> list[tuple[int, str]]:
    """Check each macro unit of a grouping.

    A macro unit is valid when phi_s of its constituents (micro units, or smaller valid units), taken as a system, is
    above zero and above that of every other system of units inside it (Marshall et al. 2024); here phi_s
    is the mean over the (64 most) visited micro states, weighted with their visits. A unit of a single constituent is a
    micro unit, and valid as such.

    Args:
        p_on: (state, unit) micro TPM.
        grouping: the macro units.
        visits: (state,) frames in each micro state.
        names: (unit,) of the micro units.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        For each macro unit 1 (valid), 0 (not valid) or -1 (not checked), and the reason.
    """
    substrate = iit.Substrate(p_on, units=tuple(names))
    seen = _most_visited(visits)
    states = bits(seen, p_on.shape[1])
    found = []
    for block, table in zip(grouping.blocks, grouping.truth_tables, strict=True):
        if len(block) == 1:
            found.append((1, "a micro unit"))
        elif p_on.shape[1] > MOST_UNITS and len(block) > MOST_CONSTITUENTS:
            found.append((-1, f"more than {MOST_CONSTITUENTS} of more than {MOST_UNITS} units: not checked"))
        else:
            verdict = iit.is_maximally_irreducible_within(
                substrate,
                iit.MacroUnit(block, table),
                states[:, None, :],
                weights=visits[seen].astype(float),
                formalism=formalism,
            )
            found.append((int(bool(verdict)), verdict.reason))
    return found


def valid_shares(draws: Floats, grouping: Grouping, visits: Ints, formalism: iit.Formalism = "2023") -> list[float]:
    """Return the share of posterior draws in which each macro unit is valid, as far as that is quickly told.

    Inside a pair there are its two units alone, so that a pair is valid where its phi_s is above 0 and above theirs.

    Args:
        draws: (draw, state, unit) micro TPMs; the first 100 are judged.
        grouping: the macro units.
        visits: (state,) frames in each micro state.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        Of each macro unit; 1 for a micro unit, NaN for macro units of more than two, or where there are no draws.
    """
    some, seen = draws[:MOST_DRAWS], _most_visited(visits)
    states, weights = bits(seen, draws.shape[-1]), visits[seen] / visits[seen].sum()

    def phi(units: Sequence[int]) -> Floats:
        found: Floats = iit.phi_batch(some, states, units=units, threads=1, formalism=formalism) @ weights
        return found

    shares = []
    for block in grouping.blocks:
        if len(block) != 2 or not len(some):
            shares.append(1.0 if len(block) == 1 else float("nan"))
            continue
        inside = np.maximum(phi(block[:1]), phi(block[1:]))
        shares.append(float(np.mean(phi(block) > np.maximum(inside, 0.0) + LEAST)))
    return shares


def _most_visited(visits: Ints) -> Ints:
    """The states visited most, in their order."""
    ranked = np.argsort(-visits, kind="stable")[:MOST_STATES]
    return np.sort(ranked[visits[ranked] > 0])
