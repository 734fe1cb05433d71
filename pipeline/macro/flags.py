"""Words that a macro TPM may put beside a number, besides those of the TPM it is derived from."""

FLAGS = {
    "not_cross_fitted": "Half of the window is too short to learn macro units on: values and tests are of the grouping "
    "learned on all of it, which has an advantage there.",
    "unvisited_micro_states": "So many micro states from which a macro TPM is derived never occurred; their rows "
    "come from the prior and the model alone.",
    "reducible_within": "A macro unit that is not maximally irreducible within, so that it is no unit by the "
    "theory's own criterion, however much it raises phi_s (the part behind the colon names it; the reason is in "
    "tpm/, variable validity).",
}
