"""Which version of the theory a number is of.

`"2023"`: Albantakis et al. 2023, PLoS Comput Biol 19: e1011465. phi_s = min(phi_c, phi_e) at the minimum partition.

`"2026"`: a system also has to leave itself alternatives (Mayner, Marshall & Tononi 2026, Entropy 28: 410). The minimum
partition is that of 2023; at it

    phi_s = min(phi_c, phi_e, ii_c, ii_e, i_diff_c, i_diff_e), or 0,

with `ii` the intrinsic information of each side (there called intrinsic specification) and `i_diff` its intrinsic
differentiation, here -log2 of the probability of the *present* state, on the cause side given itself as the past state,
on the effect side given itself as the present one; 0 where that probability is 0 or 1. So phi_s never exceeds that of
2023, and a deterministic system has none.

`"2026-specified"`: the same with the differentiation of the *specified* states, -log2 of their selectivity
(p_e(s'_e | s), and p_c(s'_c | s) by Bayes' rule): as the paper's Eqs. 4, 6 and 11 are given in the documentation of its
authors' software. The two differ wherever the present state is not the one specified.

Distinctions, relations and their sums are the same in all; which complexes there are, and which of several tied
cause-effect states a structure is congruent with, follows phi_s.
"""

from __future__ import annotations

from typing import Literal

from iitcore._numbers import SubstrateError

Formalism = Literal["2023", "2026", "2026-specified"]
FORMALISMS: tuple[Formalism, ...] = ("2023", "2026", "2026-specified")
UNCAPPED, PRESENT, SPECIFIED = 0, 1, 2  # for compiled code: what differentiation is of


def code_of(formalism: str) -> int:
    """Number of a formalism, for compiled code.

    Args:
        formalism: its name.

    Raises:
        SubstrateError: no such formalism.
    """
    if not isinstance(formalism, str) or formalism not in FORMALISMS:
        raise SubstrateError(
            f"formalism {formalism!r}: phi_s would be of no known definition; choose one of {', '.join(FORMALISMS)}"
        )
    return FORMALISMS.index(formalism)
