"""Tables of a study: their columns, which of them hold numbers, their units and what each means."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.results.layout import OF_RECORDING, OF_STUDY

LATENTS = "latents"  # the route that has no TPM
MACRO_MODEL = "macro_model"  # latents made ON and OFF: no macro units in the sense of the theory
LEARNED = (MACRO_MODEL, LATENTS)  # what the encoder adds, which is told apart from everything else
# How a system was made, and what its units are called; in the order of rows and figures.
ROUTES = {"micro": "micro units", "macro_units": "macro units", MACRO_MODEL: "macro model", LATENTS: "latents"}
RAW = "raw"
# What was done to the values of a contrast, besides nothing.
ADJUSTMENTS = {
    "matched_length": "windows cut to the same number of bins",
    "matched_rate": "windows cut to the same number of bins, ON events deleted at random until the event rates agree",
    "matched_detection": "the same detection of events in both conditions",
    "excess_over_null": "values minus the mean of their surrogates",
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: its head in the file.
        meaning: one line, for the glossary and the documentation.
        number: it holds numbers; otherwise text, even where that looks like a number ("007").
        unit: physical unit of the numbers; "" where there is none, or where it is that of the row's measure.
    """

    name: str
    meaning: str
    number: bool = False
    unit: str = ""


@dataclass(frozen=True)
class TableFile:
    """One table of a study.

    Attributes:
        file: where it lies in the folder of the results.
        row: what one row is about.
        columns: its columns, in order.
    """

    file: str
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]


def _number(name: str, meaning: str, unit: str = "") -> Column:
    return Column(name, meaning, number=True, unit=unit)


_RECORDING = Column("recording", "Recording, as the study's sheet names it.")
_SUBJECT = Column("subject", "Subject that was recorded.")
_CONDITION = Column("condition", "Condition of the window.")
_WINDOW = Column("window", "Window of the recording.")
_SCALE = _number("scale", "Number of units of the system that was analysed.")
_ROUTE = Column(
    "route",
    "How the system was made: micro (the ensembles themselves), macro_units (disjoint groups of ensembles with a state "
    "mapping; their TPM follows from the micro TPM), macro_model (learned latent variables, made ON and OFF), "
    "latents (the same variables as they are: no TPM, and so no phi).",
)
_MEASURE = Column("measure", "What was measured; the measures and their units have a table of their own.")
_VALUE = _number(
    "value",
    "The measure of the point estimate of the TPM; a mean over visited states where each state has one. Flagged "
    "corrected: moved by what simulated copies show of its bias. Empty where it is withheld; the flag says why.",
)
_CI = (
    _number(
        "ci_low",
        "Lower limit: quantile over posterior draws of the TPM, or over copies (uncertainty of one window). Of an "
        "effective information (or causal power) of units that is withheld: the same quantile of the least that the "
        "rows visited often enough imply, whatever the others are.",
    ),
    _number(
        "ci_high", "Upper limit: quantile over posterior draws of the TPM, or over copies (uncertainty of one window)."
    ),
)
_N_FRAMES = _number("n_frames", "States (time bins) of the window that were used.")
_ESTIMATOR = Column("estimator", "How the TPM was estimated.")

SUMMARY = TableFile(
    OF_STUDY["summary"],
    "window, scale, route and measure",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _SCALE, _ROUTE, _MEASURE, _VALUE, *_CI),
        _number(
            "p_positive",
            "Share of posterior draws above 1e-9, for measures whose 0 means that there is nothing (phi_s, that of the "
            "first complex, Φ). An interval of draws that are never negative holds 0 at most at its end.",
        ),
        _number(
            "copies_held",
            "Simulated copies of the window (recordings like it, of known truth) whose truth is in the interval of the "
            "posterior draws of their estimates, before any correction; empty where there are none.",
        ),
        _number("n_copies", "Number of these copies."),
        Column("null", "Null that the next two are about (nulls.shown); empty for a measure that has none."),
        _number("null_mean", "Mean of the measure over surrogates that went through the same estimation."),
        _number(
            "null_p", "One-sided p against them: (1 + surrogates at or above the value) / (1 + number of surrogates)."
        ),
        _number("null_p_scales", f"The same over all macro scales of the window, see p_scales of {OF_STUDY['nulls']}."),
        Column(
            "grain",
            "accepted: of the scales of the window whose units are all units by the theory (micro units are; macro "
            "units where they are maximally irreducible within) the one with the largest phi_s, which is above 0: the "
            "grain that IIT accepts among those analysed. Other scales: units, no units, or unchecked (a macro unit of "
            "more than 4 among more than 6 units).",
        ),
        _number(
            "grain_share",
            "Share of posterior draws in which the scale has the largest phi_s of those whose units are units, before "
            "any correction; empty where its own are not, or there is one such scale only.",
        ),
        _N_FRAMES,
        _number("n_states_visited", "States that occurred in the window; only those have a phi."),
        _ESTIMATOR,
        Column("flag", "Words of caution, separated by semicolons; empty where there are none."),
    ),
)
NULLS = TableFile(
    OF_STUDY["nulls"],
    f"row of {OF_STUDY['summary']} and null family",
    (
        *(_RECORDING, _WINDOW, _SCALE, _ROUTE, _MEASURE),
        Column("null", "Null family: what is absent from the surrogates."),
        _number("mean", "Mean of the surrogates."),
        _number("sd", "Standard deviation of the surrogates."),
        _number("z", "Value minus the mean of the surrogates, in their standard deviations."),
        _number("p", "One-sided p: (1 + surrogates at or above the value) / (1 + number of surrogates)."),
        _number(
            "p_scales",
            "The same, corrected over all macro scales of the window: the value is compared with the largest of any "
            "scale in each surrogate, in standard deviations (maxT). Empty for micro units and random groupings.",
        ),
        _number("excess", "Value minus the mean of the surrogates."),
        _number("n_surrogates", "Surrogates that have a value."),
    ),
)
COMPARISON = TableFile(
    OF_STUDY["comparison"],
    "contrast, scale, route and measure, across subjects, and for the primary measure each way to adjust the values",
    (
        *(_MEASURE, _SCALE, _ROUTE),
        Column("contrast", "a-b: condition a minus condition b, within subjects."),
        Column(
            "role",
            "primary: the endpoint that the study names, tested alone; secondary: all other tests of values as they "
            "are; learned: those of latents and macro models, a family of their own; adjusted: whether a difference "
            "survives, which claims nothing by itself.",
        ),
        Column(
            "adjusted",
            f"{RAW}: values as they are in {OF_STUDY['summary']}; otherwise "
            + "; ".join(f"{name}: {meaning}" for name, meaning in ADJUSTMENTS.items())
            + ".",
        ),
        _number("n_subjects", "Subjects that have both conditions."),
        _number("estimate", "Mean over subjects of the within-subject difference."),
        _number("ci_low", "Lower limit of the bootstrap interval over subjects, stretched to Student's t."),
        _number("ci_high", "Upper limit of the bootstrap interval over subjects, stretched to Student's t."),
        _number("p", "Two-sided sign-flip test across subjects."),
        _number(
            "p_corrected",
            "The same, corrected over all secondary tests of the study (all contrasts, scales and measures; causal "
            "power shares the test of effective information), or over all tests of learned variables. That of "
            "the primary endpoint is p itself; adjusted tests have none.",
        ),
        _number("n_subjects_short", "Those of the subjects for whom a condition has windows flagged few_frames only."),
        _number("n_subjects_imprecise", "Those of the subjects for whom the value of a condition is imprecise."),
        _number("n_subjects_withheld", "Subjects left out because the value of a condition is withheld."),
        _number("n_flips", "Sign flips of the test: all 2**n_subjects, or as many random ones as the study asks for."),
        _number("smallest_p", "Smallest p that the test can give, whatever the data."),
        Column("correction", "For the number of tests: holm, fdr (Benjamini-Hochberg) or none."),
        _number("n_tests", "Tests that are corrected for together."),
        _number(
            "smallest_p_corrected",
            "Smallest corrected p that is possible; it takes that all tests of the family give their smallest p "
            "(one alone cannot get below n_tests times smallest_p).",
        ),
        _number("n_subjects_needed", "Subjects with both conditions that a corrected p of 0.05 would take."),
        _number("n_flips_needed", "Sign flips that it would take; empty where the study's permutations are enough."),
        _number("n_resamples", "Bootstrap resamples of the subjects: all n**n of them, or as many as the study asks."),
        _number("confidence", "Level of the interval."),
        _number("mixed_estimate", "Difference in the linear mixed model value ~ condition + (1 | subject)."),
        _number("mixed_low", "Lower limit of its interval (Student's t, one degree of freedom less than subjects)."),
        _number("mixed_high", "Upper limit of its interval."),
        _number("mixed_p", "Its two-sided p."),
        Column("mixed", "Whether the model was fitted, or why not; empty for measures other than the primary one."),
    ),
)
CLASSIFICATION = TableFile(
    OF_STUDY["classification"],
    "contrast and features: how well the condition is told in a subject that was left out",
    (
        Column("contrast", "a-b: the two conditions that are told apart."),
        Column("features", "What they are told by: the primary measure, rate (event rate), or both, joined by +."),
        _number("n_subjects", "Subjects that have both conditions; each is left out once."),
        _number("accuracy", "Share of the values of subjects left out whose condition is told right."),
        _number("chance", "What guessing gives: each subject has both conditions."),
        _number("p", "One-sided permutation test: labels exchanged within subjects."),
        _number("smallest_p", "Smallest p that it can give."),
        _number("n_permutations", "Permutations: all of them, or as many random ones."),
    ),
)
QUALITY = TableFile(
    OF_RECORDING["quality"].format(recording="R"),
    "window of a recording, unit and measure of activity",
    (
        *(_RECORDING, _SUBJECT, _WINDOW, _CONDITION),
        Column("unit", "Unit; empty for measures of the whole window."),
        _MEASURE,
        _number("value", "Its value."),
        Column("units", "Its physical unit."),
    ),
)
MATCHED = TableFile(
    OF_RECORDING["matched"].format(recording="R"),
    "window of a recording, scale, way to match it and condition that it is matched with",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _SCALE, _ROUTE, _MEASURE),
        Column("adjusted", f"How the values were made comparable; see {OF_STUDY['comparison']}."),
        Column("against", "Condition that the window was matched with."),
        _number("value", "The measure of the point estimate of the TPM, mean over repetitions."),
        _number("n_frames", "States (time bins) that were left."),
        Column("flag", "Words of caution about the window's TPM."),
    ),
)
WINDOWS = TableFile(
    OF_RECORDING["windows"].format(recording="R"),
    "stretch of a window",
    (
        *(_RECORDING, _WINDOW, _CONDITION),
        _number("start_s", "Where the stretch begins.", "s"),
        _number("end_s", "Where it ends.", "s"),
    ),
)
DETECTION = TableFile(
    OF_RECORDING["detection"].format(recording="R"),
    "two windows of a recording: what is left of their difference under equal detection",
    (
        _RECORDING,
        Column("window_a", "Window."),
        Column("window_b", "The other window."),
        _SCALE,
        _number("phi_s_a", "phi_s of the estimate of window a, own occupancy.", "ibit"),
        _number("phi_s_b", "The same of window b.", "ibit"),
        _number(
            "phi_s_a_matched",
            "phi_s of window a if all of the difference in how often a unit is ON were one of detection: after as many "
            "ON states were lost, at random, as makes each unit ON equally often in both windows.",
            "ibit",
        ),
        _number("phi_s_b_matched", "The same of window b.", "ibit"),
        _number(
            "misses_to_explain",
            "Share of ON states that would have to be missed, besides, in the window with the larger phi_s to bring it "
            "down to the other; empty where 80% do not.",
        ),
        _number("false_on_to_explain", "Share of OFF states that would have to be seen as ON; empty where 40% do not."),
    ),
)
FITS = TableFile(
    OF_STUDY["fits"],
    "window: how far its unit TPM can be trusted",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _SCALE, _N_FRAMES),
        _number("n_transitions", "Pairs of states, one lag apart, from which the TPM was estimated."),
        _number("n_states", "States that the units can have together."),
        _number("transitions_per_state", "Their ratio."),
        _number("least_visits", "Frames in the state that was visited least."),
        _number("states_never_visited", "States that never occurred; their rows of the TPM come from the model alone."),
        _number("held_out_bits", "Log2-likelihood per transition and unit on held-out blocks.", "bit"),
        _number("held_out_gain", "The same above that of constant rates; 0 or less: the TPM predicts nothing.", "bit"),
        _number("largest_residual", "Largest instantaneous correlation of two units that is left given the past."),
        _ESTIMATOR,
        Column("flag", "Words of caution about the TPM, separated by semicolons."),
    ),
)
TRUTH = TableFile(
    OF_STUDY["truth"],
    "window, scale, route and measure of a recording whose truth is known",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _ROUTE, _SCALE, _MEASURE),
        _number("planted", "True value of the units that were estimated, from the interventional TPM."),
        _number("unlimited", "What recordings of any length would approach: that of the observational TPM."),
        *(_VALUE, *_CI),
        Column("contains_planted", "Whether the interval contains the planted value (yes, no); empty if not known."),
        Column("contains_unlimited", "Whether it contains the value of unlimited data (yes, no); empty if not known."),
    ),
)
TRUE_GROUPINGS = TableFile(
    OF_STUDY["true_groupings"],
    "window and macro scale of a recording whose truth is known",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _ROUTE, _SCALE),
        Column(
            "planted_group",
            "Planted macro unit of each unit of the analysis, in the units' order; empty where none was planted, or a "
            "unit has no true ensemble.",
        ),
        Column(
            "recovered",
            'Whether the learned grouping is the planted one: yes, "pairs, other mapping", no; empty where none was '
            "planted, or the units are not the true ensembles one for one.",
        ),
    ),
)
HALVES = TableFile(
    OF_STUDY["halves"],
    "window and measure: the window's first half beside its second",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _SCALE, _MEASURE),
        _number("n_frames", "States (time bins) of the first half, of all that the window has before it is matched."),
        _number("first", "The measure of the first half; empty where it is too short for the estimator."),
        _number("second", "The measure of the second half."),
    ),
)
MULTIVERSE = TableFile(
    OF_STUDY["multiverse"],
    "specification: a way to analyse the study that would be as defensible",
    (
        Column("specification", "Its name, and that of the folder of its results."),
        Column("main", "yes for the study as it stands; empty for the others."),
        Column("choices", "What it chooses, as `field: value`, separated by semicolons."),
        *(_MEASURE, _ROUTE, _SCALE),
        Column("contrast", "Conditions compared, a-b: a minus b."),
        _number("mean_a", "Mean over subjects in condition a."),
        _number("mean_b", "Mean over subjects in condition b."),
        _number("estimate", "Mean over subjects of the within-subject difference a minus b."),
        _number("ci_low", "Lower limit of the bootstrap interval of the difference over subjects."),
        _number("ci_high", "Upper limit of the bootstrap interval of the difference over subjects."),
        _number("p", "Two-sided sign-flip p of the difference, not corrected."),
        _number("n_subjects", "Subjects with both conditions."),
        Column("estimator", "Estimators of the TPM in its windows."),
        Column("flag", "Words of caution about any of its windows, separated by semicolons."),
        Column("failed", "Why it has no value; empty where it has one."),
    ),
)
_DIMENSIONS = _number("scale", "Number of latents of the learned hierarchy: 1 has a flow, 2 a phase portrait.")
DYNAMICS = TableFile(
    OF_STUDY["dynamics"],
    "window and measure of the dynamics of its learned latents of 1 and 2 dimensions",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _DIMENSIONS),
        Column(
            "measure",
            "wells: stable zeros of the flow; barrier: the highest between two neighbouring wells, in units of the "
            "noise (Kramers: the time to cross grows as its exponential); switches: changes of well; metastable: 1 "
            "where two wells are there in most recordings made of the window's own blocks, with a barrier that linear "
            "surrogates do not reach (p <= 0.05), left and entered again, and longer stays than it takes to settle; "
            "fixed_points and saddles: their numbers in the region that is visited; saddle: 1 where one is there in "
            "most recordings made of the window's own blocks and in few linear surrogates (p <= 0.05).",
        ),
        _number("value", "Its value."),
        _number("ci_low", "5th percentile over the window's blocks drawn anew; of barriers where there are two wells."),
        _number("ci_high", "95th percentile."),
        _number(
            "share", "Recordings made of the window's blocks that have two wells, or a saddle near (the best of them)."
        ),
        _number(
            "p", "One-sided, against linear surrogates; empty where there is nothing to test (one well, no saddle)."
        ),
        Column("null", "Null of the activity whose surrogates were encoded as the data were."),
        _number(
            "null_mean", "Mean over these surrogates; of metastable and saddle: share that has two wells, a saddle."
        ),
        _number("n_surrogates", "Number of these surrogates."),
    ),
)
FIXED_POINTS = TableFile(
    OF_STUDY["fixed_points"],
    "window and fixed point of the flow of its learned latents of 1 and 2 dimensions",
    (
        *(_RECORDING, _SUBJECT, _CONDITION, _WINDOW, _DIMENSIONS),
        Column("kind", "stable or unstable (1 latent); stable or unstable node or spiral, or saddle (2 latents)."),
        _number("y1", "Where it is: first latent, in its standard deviations over the training fold."),
        _number("y2", "Second latent; empty of 1 latent."),
        _number("eigenvalue1_real", "Less stable eigenvalue of the Jacobian of the step, per lag: its real part."),
        _number("eigenvalue1_imag", "Its imaginary part."),
        _number("eigenvalue2_real", "The other eigenvalue: its real part; empty of 1 latent."),
        _number("eigenvalue2_imag", "Its imaginary part."),
        _number("unstable_y1", "Of a saddle: direction in which it is left, first latent."),
        _number("unstable_y2", "The same, second latent."),
        _number("stable_y1", "Of a saddle: direction in which it is approached, first latent."),
        _number("stable_y2", "The same, second latent."),
        _number("occupancy", "Share of the frames in this well (1 latent, stable)."),
        _number("residence_s", "Mean stay in it; inf where it is never left.", "s"),
        _number("share", "Of a saddle: recordings made of the window's blocks that have one near."),
    ),
)
STABILITY = TableFile(
    OF_STUDY["stability"],
    "what was learned twice, and scale: how far it is the same",
    (
        *(_RECORDING, _SUBJECT),
        Column("other", "The other recording, where two are compared; empty where seeds of one are."),
        *(_CONDITION, _WINDOW),
        _number("scale", "Number of latents."),
        Column(
            "measure",
            "gradients: mean cosine of the principal angles between what hierarchies of several seeds read of the "
            "units at the same frames; consistency: R² of the latents of one recording as a linear function of those "
            "of another, by condition and time since its start (mean of both ways); emergent_complexity and "
            "emergent_complexity_successive: over paths from all units up, each the hierarchy of one seed [bit].",
        ),
        _number("value", "Its value, mean over pairs of seeds or over paths."),
        _number("low", "Least over paths."),
        _number("high", "Largest over paths."),
        Column(
            "control",
            "random_order: frames in random order, learned likewise; shuffled_labels: times and conditions of one "
            "recording exchanged at random; shuffled_times: times exchanged within conditions only.",
        ),
        _number("control_mean", "Mean of the control."),
        _number("control_high", "Largest of the control."),
        _number("chance", "What subspaces of this size in random directions would give (gradients)."),
        _number("n", "Pairs of seeds, paths, or labels that both recordings have."),
    ),
)
TABLES = (
    *(SUMMARY, NULLS, COMPARISON, CLASSIFICATION, FITS, HALVES, TRUTH, TRUE_GROUPINGS),
    *(QUALITY, MATCHED, WINDOWS, DETECTION, DYNAMICS, FIXED_POINTS, STABILITY, MULTIVERSE),
)

SUMMARY_COLUMNS, NULL_COLUMNS, COMPARISON_COLUMNS = SUMMARY.names, NULLS.names, COMPARISON.names
QUALITY_COLUMNS, WINDOW_COLUMNS = QUALITY.names, tuple(WINDOWS.names)
DETECTION_COLUMNS = DETECTION.names
NUMBERS = {column.name for table in TABLES for column in table.columns if column.number}
