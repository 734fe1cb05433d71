"""Whether learned macro units are units by the theory's own criterion: maximally irreducible within."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import iitcore as iit
from pipeline.base.arrays import Floats, Ints
from pipeline.base.raster import bits
from pipeline.macro.groupings import Grouping

MOST_UNITS = 6  # beyond, rival systems inside a macro unit are too many to compare


def unit_validity(
    p_on: Floats, grouping: Grouping, visits: Ints, names: Sequence[str], formalism: iit.Formalism = "2023"
) -> list[tuple[int, str]]:
    """Check each macro unit of a grouping.

    A macro unit is valid when phi_s of its constituents (micro units, or smaller valid units), taken as a system, is
    above zero and above that of every system of units that takes only some of them (Marshall et al. 2024); here phi_s
    is the mean over visited micro states, weighted with their visits. A unit of a single constituent is a micro unit,
    and valid as such.

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
    seen = np.flatnonzero(visits)
    states = bits(seen, p_on.shape[1])
    found = []
    for block, table in zip(grouping.blocks, grouping.truth_tables, strict=True):
        if len(block) == 1:
            found.append((1, "a micro unit"))
        elif p_on.shape[1] > MOST_UNITS:
            found.append((-1, f"not checked with more than {MOST_UNITS} units"))
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
