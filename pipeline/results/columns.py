"""Tables of a study: their columns, which of them hold numbers, their units and what each means."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.results.layout import OF_RECORDING, OF_STUDY

# How a system was made, and what its units are called; in the order of rows and figures.
ROUTES = {"micro": "micro units", "macro_units": "macro units", "macro_model": "macro model"}


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
    "mapping; their TPM follows from the micro TPM), macro_model (learned latent variables).",
)
_MEASURE = Column("measure", "What was measured; the measures and their units have a table of their own.")
_VALUE = _number(
    "value",
    "The measure of the point estimate of the TPM; a mean over visited states where each state has one. Flagged "
    "corrected: moved by what simulated copies show of its bias.",
)
_CI = (
    _number(
        "ci_low", "Lower limit: quantile over posterior draws of the TPM, or over copies (uncertainty of one window)."
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
        _number("null_mean", "Mean of the measure over surrogates that went through the same estimation."),
        _number(
            "null_p", "One-sided p against them: (1 + surrogates at or above the value) / (1 + number of surrogates)."
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
        _number("excess", "Value minus the mean of the surrogates."),
        _number("n_surrogates", "Surrogates that have a value."),
    ),
)
COMPARISON = TableFile(
    OF_STUDY["comparison"],
    "contrast, scale, route and measure, across subjects",
    (
        *(_MEASURE, _SCALE, _ROUTE),
        Column("contrast", "a-b: condition a minus condition b, within subjects."),
        _number("n_subjects", "Subjects that have both conditions."),
        _number("estimate", "Mean over subjects of the within-subject difference."),
        _number("ci_low", "Lower limit of the bootstrap interval over subjects, stretched to Student's t."),
        _number("ci_high", "Upper limit of the bootstrap interval over subjects, stretched to Student's t."),
        _number("p", "Two-sided sign-flip test across subjects."),
        _number("p_corrected", "The same, corrected over all scales and measures of the contrast."),
        _number("n_subjects_short", "Those of the subjects for whom a condition has windows flagged few_frames only."),
        _number("n_flips", "Sign flips of the test: all 2**n_subjects, or as many random ones as the study asks for."),
        _number("smallest_p", "Smallest p that the test can give, whatever the data."),
        Column("correction", "For the number of tests: holm, fdr (Benjamini-Hochberg) or none."),
        _number("n_tests", "Tests of the contrast that are corrected for."),
        _number(
            "smallest_p_corrected",
            "Smallest corrected p that is possible; it takes that all tests of the contrast give their smallest p "
            "(one alone cannot get below n_tests times smallest_p).",
        ),
        _number("n_subjects_needed", "Subjects with both conditions that a corrected p of 0.05 would take."),
        _number("n_flips_needed", "Sign flips that it would take; empty where the study's permutations are enough."),
        _number("n_resamples", "Bootstrap resamples of the subjects: all n**n of them, or as many as the study asks."),
        _number("confidence", "Level of the interval."),
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
WINDOWS = TableFile(
    OF_RECORDING["windows"].format(recording="R"),
    "stretch of a window",
    (
        *(_RECORDING, _WINDOW, _CONDITION),
        _number("start_s", "Where the stretch begins.", "s"),
        _number("end_s", "Where it ends.", "s"),
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
TABLES = (SUMMARY, NULLS, COMPARISON, FITS, TRUTH, TRUE_GROUPINGS, QUALITY, WINDOWS, MULTIVERSE)

SUMMARY_COLUMNS, NULL_COLUMNS, COMPARISON_COLUMNS = SUMMARY.names, NULLS.names, COMPARISON.names
QUALITY_COLUMNS, WINDOW_COLUMNS = QUALITY.names, tuple(WINDOWS.names)
NUMBERS = {column.name for table in TABLES for column in table.columns if column.number}
