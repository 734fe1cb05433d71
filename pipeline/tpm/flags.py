"""Words that the estimation of a TPM may put beside a number."""

FLAGS = {
    "few_frames": "The window is shorter than the study's min_frames, or has few transitions for its number of "
    "units; its values are biased upward.",
    "unvisited_states": "So many states never occurred; their rows of the TPM come from the prior and the model alone.",
    "instantaneous_correlation": "The two units named are correlated beyond what the past explains (more than "
    "0.1, and more than chance): interaction faster than the time bin, or common input.",
    "constant_unit": "A unit never changed (or hardly) in this window; phi_s then says little about interaction.",
}
