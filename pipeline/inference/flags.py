"""Words that the summary may put beside a number."""

FLAGS = {
    "imprecise": "The interval is wider than the value itself: the data do not tell it from its double, or from "
    "nothing. Do not quote the value.",
    "withheld": "The value is not shown, because it would rest on what was hardly seen. N_of_M_rows: so many rows of "
    "the TPM were visited less than iit.min_row_visits times and are the estimator's extrapolation (effective "
    "information and causal power average all rows alike; Φ is withheld from half of them on). tenfold: the interval "
    "does not tell the value to a factor of ten.",
    "below_null": "The value is not above the mean of its surrogates.",
    "interval_excludes_estimate": "The posterior draws are shifted against the point estimate: the estimate "
    "depends on the prior. Read value and interval together.",
    "corrected": "Value and interval were corrected by what simulated copies of the window show of the estimator's "
    "bias and scatter (tpm.copies). The value is no longer that of the point estimate; how far it was moved is seen in "
    "the files in phi/. Tests against surrogates, below_null and "
    "delta_causal_power are about the value before.",
    "null": "The default null was not available, or had too few random groupings to test with (fewer than 19); "
    "the one named was used.",
}
