"""The page docs/validation.md, its tables and figures, from the rows that `pipeline.validation.coverage` made.

python -m pipeline.validation.page results/validation/small
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.base.arrays import Bools, Floats
from pipeline.base.text import markdown_table
from pipeline.inference.families import ALPHA
from pipeline.tpm.average import Average
from pipeline.tpm.latent import Latent
from pipeline.validation.cells import CASES, GIVEN, IMAGING, KEY, MEASURES, STUDIES
from pipeline.validation.counts import Count, verdict
from pipeline.validation.coverage import RESULTS, rows_of
from pipeline.validation.drawing import TOLERANCE, WORDS, draw_figures, held

DOCS = Path(__file__).resolve().parents[2] / "docs"
START, END = "<!-- generated: python -m pipeline.validation.page -->", "<!-- end of the generated part -->"
CELL = ["case", "length", "imaging", "estimator"]
IDEAL_BAR, BIG_PHI_BAR, NULL_BAR = 0.88, 0.85, 0.09
COHORT_BARS = {"power": (0.75, True), "nothing": (0.09, False), "detection": (0.12, False), "drive": (0.15, False)}
CHAIN_BARS = {"10 Hz": 0.85, "10 Hz, noise × 4": 0.80, "3 Hz": 0.70}
WIDEST = 2.0  # intervals of phi_s, relative to those of the true model
HALF = 0.5  # P(phi_s > 0) below which a system is not called integrated; share of Φ that is to be given
LEAST_LENGTH = 2000  # of recordings that something is asked of


def tables_of(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the rows of each study, numbers as numbers.

    Args:
        folder: of the tables.
    """
    return {study: _numbers(pd.DataFrame(rows_of(folder / f"{study}.csv", study)), study) for study in STUDIES}


def _numbers(table: pd.DataFrame, study: str) -> pd.DataFrame:
    words = ("case", "imaging", "estimator", "flag", "failed")
    if table.empty:
        return pd.DataFrame(columns=[*KEY, *STUDIES[study].columns, "draws", "copies", "seconds", "failed"])
    for name in table.columns:
        if name not in words:
            table[name] = [float(cell or "nan") for cell in table[name]]
    table["length"] = table["length"].astype(int)
    return table


def coverage_table(rows: pd.DataFrame, measure: str) -> str:
    """Return the table (Markdown) of one measure: how many intervals hold the truth, bias and width.

    Args:
        rows: of the study `coverage`.
        measure: which.
    """
    heads = [*CELL, "given", "hold the truth", "where it is > 0", "truth", "bias", "width"]
    return markdown_table(heads, [_covered(key, own, measure) for key, own in _cells(rows)])


def _covered(key: tuple[str, ...], rows: pd.DataFrame, measure: str) -> list[str]:
    found, own = held(rows, measure), rows[np.isfinite(rows[f"{measure}_value"].astype(float))]
    truth = own[f"{measure}_truth"].mean()
    above = held(own[own[f"{measure}_truth"] > TOLERANCE], measure)
    numbers = ["-"] * 3
    if len(own):
        bias = (own[f"{measure}_value"] - own[f"{measure}_truth"]).mean()
        width = (own[f"{measure}_high"] - own[f"{measure}_low"]).mean()
        numbers = [f"{truth:.4f}", _relative(bias, truth, signed=True), _relative(width, truth)]
    where = "as before" if above == found else str(above)
    return [*key, f"{len(own)} of {len(rows)}", str(found), where, *numbers]


def bar_of(case: str, imaging: str, measure: str) -> float | None:
    """Return the share of intervals that is asked to hold the truth; None where none is.

    Args:
        case: substrate.
        imaging: how it is seen.
        measure: of which.
    """
    if measure == "big_phi" and imaging == GIVEN and not CASES[case].reducible:
        return BIG_PHI_BAR
    if measure == "phi_s_observational" and imaging == GIVEN and not CASES[case].reducible:
        return IDEAL_BAR
    return CHAIN_BARS.get(imaging) if measure == "phi_s" and case == "awake" else None


def _relative(value: float, truth: float, signed: bool = False) -> str:
    """A number as a share of the truth where that is not 0."""
    sign = "+" if signed else ""
    return f"{value:{sign}.4f}" if truth < TOLERANCE else f"{100 * value / truth:{sign}.0f}%"


def _short(share: float) -> str:
    return f"{share:.2f}".removeprefix("0")


def _cells(rows: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """Yield the rows of each cell, in the order of cases and imaging."""
    order = {name: i for i, name in enumerate((*CASES, *IMAGING))}
    grouped = [(key, own) for key, own in rows.groupby(CELL)]
    grouped.sort(key=lambda pair: (order.get(pair[0][2], 99), order.get(pair[0][0], 99), pair[0]))
    for key, own in grouped:
        yield tuple(map(str, key)), own


def bars_table(tables: Mapping[str, pd.DataFrame]) -> str:
    """Return everything that is asked for, with what was found, and how many misses carry a flag.

    Args:
        tables: rows of each study.
    """
    lines, coverage = [], _asked_of(tables["coverage"])
    for measure in ("phi_s_observational", "phi_s", "big_phi"):
        for key, own in _cells(coverage):
            bar = bar_of(key[0], key[2], measure)
            if bar is not None:
                found = held(own, measure)
                name = f"interval of {WORDS[measure]} holds the truth"
                lines.append([name, *key, str(found), *_asked(found, bar), _flagged(own, measure)])
    for key, own in _cells(coverage[~_are_reducible(coverage)]):
        pairs = _widths(own, tables["reference"])
        if len(pairs):
            ratio = float(pairs["own"].mean() / pairs["best"].mean())
            reached = "met" if ratio <= WIDEST else f"above by {ratio - WIDEST:.2f}"
            name = "width of the interval of phi_s, relative to the true model's"
            lines.append([name, *key, f"{ratio:.2f} of {len(pairs)}", f"≤ {WIDEST:g}", reached, "-"])
    for key, own in _cells(coverage[coverage["case"].isin(["sparse", "awake"]) & (coverage["imaging"] == GIVEN)]):
        found = Count(int(own["big_phi_value"].notna().sum()), len(own))
        lines.append(["Φ is given", *key, str(found), *_asked(found, HALF), "-"])
    for key, own in _cells(coverage[_are_reducible(coverage)]):
        found = Count(int((own["p_positive"] < HALF).sum()), int(own["p_positive"].notna().sum()))
        lines.append(["reducible: P(phi_s > 0) < .5", *key, str(found), *_asked(found, IDEAL_BAR), "-"])
    for key, own in _cells(tables["nulls"]):
        found = significant(own)
        lines.append(["reducible: called integrated", *key, str(found), *_asked(found, NULL_BAR, above=False), "-"])
    for key, own in _cells(tables["cohorts"]):
        found, (bar, above) = significant(own), COHORT_BARS[key[0]]
        lines.append([f"groups: p ≤ {ALPHA:g}", *key, str(found), *_asked(found, bar, above), "-"])
    return markdown_table(["what", *CELL, "found", "asked for", "reached", "flagged: misses; others"], lines)


def _asked_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the estimators and lengths that something is asked of: hidden states where there is imaging."""
    estimator = np.where(rows["imaging"] == GIVEN, Average.name, Latent.name)
    return rows[(rows["length"] >= LEAST_LENGTH) & (rows["estimator"] == estimator)]


def _asked(found: Count, bar: float, above: bool = True) -> list[str]:
    return [f"{'≥' if above else '≤'} {_short(bar)}", verdict(found, bar, above)]


def _flagged(rows: pd.DataFrame, measure: str) -> str:
    """Say how many intervals have a word of warning beside them, of those that miss the truth and of the others."""
    if measure == "big_phi":
        return "-"  # words stand beside phi_s
    inside = np.array([held(own, measure).k for _, own in rows.groupby("seed")])
    warned = np.array([bool(_warnings(own["flag"].iloc[0])) for _, own in rows.groupby("seed")])
    return "; ".join(f"{int(warned[inside == k].sum())} of {int((inside == k).sum())}" for k in (0, 1))


def _warnings(flag: object) -> set[str]:
    return set(re.findall(r"(?:^|;)([a-z_]+)", str(flag))) - {"corrected", "nan"}


def _are_reducible(rows: pd.DataFrame) -> Bools:
    return np.array([CASES[case].reducible for case in rows["case"]], bool)


def significant(rows: pd.DataFrame) -> Count:
    """Count p-values at most 5%.

    Args:
        rows: with the column p.
    """
    return Count(int((rows["p"] <= ALPHA).sum()), int(rows["p"].notna().sum()))


def null_table(rows: pd.DataFrame) -> str:
    """Return how often reducible systems are called integrated by the null `integration`.

    Args:
        rows: of the study `nulls`.
    """
    lines = []
    for key, own in _cells(rows):
        means = [f"{own[name].mean():.5f}" for name in ("value", "null_mean")]
        lines.append([*key, f"{own['surrogates'].iloc[0]:.0f}", str(significant(own)), *means])
    return markdown_table([*CELL, "surrogates", "called integrated", "mean phi_s", "of surrogates"], lines)


def cohort_table(rows: pd.DataFrame) -> str:
    """Return what groups of animals decide about the primary endpoint.

    Args:
        rows: of the study `cohorts`.
    """
    lines = []
    for key, own in _cells(rows):
        means = [f"{own[name].mean():.4f}" for name in ("estimate", "truth")]
        lines.append([key[0], key[1], key[3], str(significant(own)), *means])
    return markdown_table(["question", "length", "estimator", f"p ≤ {ALPHA:g}", "difference", "true"], lines)


def grouping_table(rows: pd.DataFrame) -> str:
    """Return how often the grouping into two macro units is that of the true TPM.

    Args:
        rows: of the study `groupings`.
    """
    lines = []
    for key, own in _cells(rows):
        counts = [Count(int(own[name].sum()), int(own[name].notna().sum())) for name in ("recovered", "with_mapping")]
        lines.append([*key, *map(str, counts)])
    return markdown_table([*CELL, "same units", "same units and mappings"], lines)


def width_table(coverage: pd.DataFrame, reference: pd.DataFrame) -> str:
    """Return how wide intervals of phi_s are beside the narrowest that are right, of the same recordings.

    Args:
        coverage: rows of that study.
        reference: rows of that study.
    """
    lines = []
    for key, own in _cells(coverage[~_are_reducible(coverage)]):
        pairs = _widths(own, reference)
        if len(pairs):
            own_width, best = pairs["own"].mean(), pairs["best"].mean()
            numbers = [f"{own_width:.4f}", f"{best:.4f}", f"{own_width / best:.2f}"]
            lines.append([*key, str(len(pairs)), *numbers, str(Count(int(pairs["held"].sum()), len(pairs)))])
    heads = [*CELL, "recordings", "width [ibit]", "of the true model", "ratio", "the true model's hold the truth"]
    return markdown_table(heads, lines)


def _widths(coverage: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """Widths of phi_s [ibit] of the recordings that both have: of their intervals, and of the true model's."""
    of = ["case", "length", "imaging", "seed"]
    both = coverage.merge(reference[[*of, "low", "high"]], on=of)
    truth = both["phi_s_truth"].astype(float)
    inside = (both["low"] <= truth + TOLERANCE) & (truth <= both["high"] + TOLERANCE)
    widths = {"own": both["phi_s_high"] - both["phi_s_low"], "best": both["high"] - both["low"], "held": inside}
    return pd.DataFrame(widths).astype(float).dropna()


def attenuation_table(rows: pd.DataFrame) -> str:
    """Return how large values are relative to the truth, by imaging and estimator.

    Args:
        rows: of the study `coverage`.
    """
    lines = []
    for key, own in _cells(rows[rows["case"].isin(["awake", "anesthesia"])]):
        ratios = [_ratio(own, m) for m in MEASURES]
        lines.append([*key, str(len(own)), *ratios])
    return markdown_table([*CELL, "recordings", *(WORDS[m] for m in MEASURES)], lines)


def _ratio(rows: pd.DataFrame, measure: str) -> str:
    """Median of value over truth, and its quartiles; of those that are given."""
    values: Floats = (rows[f"{measure}_value"] / rows[f"{measure}_truth"]).to_numpy(float)
    values = values[np.isfinite(values)]
    if not len(values):
        return "not given"
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def flag_table(rows: pd.DataFrame) -> str:
    """Return which flags stand beside phi_s, how often.

    Args:
        rows: of the study `coverage`.
    """
    lines = []
    for key, own in _cells(rows):
        words = [_warnings(flag) for flag in own["flag"]]
        names = sorted({w for some in words for w in some})
        told = ", ".join(f"`{name}` {sum(name in some for some in words)}" for name in names)
        failed = int((own["failed"].fillna("") != "").sum())
        lines.append([*key, f"{failed} of {len(own)}", told or "none"])
    return markdown_table([*CELL, "refused", "flags (recordings)"], lines)


def sections(tables: Mapping[str, pd.DataFrame], size: str) -> Iterator[str]:
    """Yield the parts of the page.

    Args:
        tables: rows of each study.
        size: name of the setting, for the commands.
    """
    coverage, nulls, groupings, cohorts = (tables[study] for study in ("coverage", "nulls", "groupings", "cohorts"))
    if any(len(table) for table in (coverage, nulls, cohorts)):
        yield f"### What is asked for, and what is reached\n\n{bars_table(tables)}"
    if len(coverage):
        yield _part("Intervals", "coverage", size, _effort(coverage), FIGURE.format(*COVERAGE))
        if len(tables["reference"]):
            widths = width_table(coverage, tables["reference"])
            yield _part("Width of intervals of phi_s", "reference", size, BEST, widths)
        for measure in MEASURES:
            shown = coverage[~_are_reducible(coverage)] if measure == "big_phi" else coverage
            yield _part(f"Intervals of {WORDS[measure]}", "coverage", size, coverage_table(shown, measure))
    if len(nulls):
        title = "Called integrated by the null `integration`"
        yield _part(title, "nulls", size, null_table(nulls), FIGURE.format(*NULLS))
    if len(cohorts):
        yield _part("Groups of eight animals, primary endpoint", "cohorts", size, cohort_table(cohorts))
    if len(coverage):
        shown = attenuation_table(coverage)
        yield _part("What imaging leaves", "coverage", size, RATIOS, shown, FIGURE.format(*ATTENUATION))
    if len(groupings):
        yield _part("Groupings into two macro units", "groupings", size, grouping_table(groupings))
    if len(coverage):
        yield _part("Flags beside these values", "coverage", size, flag_table(coverage))


BEST = (
    "Mean width beside that of the posterior of the true model: of somebody who knew which units act on which, and "
    "how, and had the same recording to learn the weights from; and how many of those intervals hold the truth."
)
FIGURE = "![{}](validation/{}.svg)"
COVERAGE = "Share of 95% intervals that hold the truth", "coverage"
NULLS = "Share of reducible systems that are called integrated", "nulls"
ATTENUATION = "Value over truth, by imaging and estimator", "attenuation"
RATIOS = "Value over truth: median (quartiles), of the values that are given."


def _part(title: str, study: str, size: str, *told: str) -> str:
    command = f"`python -m pipeline.validation.coverage --{size} {study}`"
    return "\n\n".join([f"### {title}", command, *told])


def _effort(rows: pd.DataFrame) -> str:
    """Say what was computed of each recording."""
    draws, copies = int(rows["draws"].max()), int(rows["copies"].max())
    seconds = ", ".join(f"{name} {own.mean():.0f} s" for name, own in rows.groupby("estimator")["seconds"])
    return (
        f"Of each recording {draws} posterior draws and {copies} simulated copies; mean time by estimator: {seconds}."
    )


def page(text: str, tables: Mapping[str, pd.DataFrame], size: str) -> str:
    """Return the page with its generated part made anew; what stands around that is kept.

    Args:
        text: of the page as it is.
        tables: rows of each study.
        size: name of the setting.
    """
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    parts = [before.strip(), START, *sections(tables, size), END, after.strip()]
    return "\n\n".join(part for part in parts if part) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the page, the tables and the figures beside it.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.validation.page", description=__doc__)
    parser.add_argument(
        "folder", type=Path, nargs="?", default=RESULTS / "full", help="of the rows, named like a setting"
    )
    parser.add_argument("--out", type=Path, default=DOCS, help="folder of validation.md")
    given = parser.parse_args(arguments)
    path, beside = given.out / "validation.md", given.out / "validation"
    beside.mkdir(parents=True, exist_ok=True)
    tables = tables_of(given.folder)
    for study, table in tables.items():
        table.sort_values(list(KEY)).to_csv(beside / f"{study}.csv", index=False, lineterminator="\n")
    draw_figures(tables, beside)
    before = path.read_text(encoding="utf-8") if path.exists() else "# Validation\n"
    path.write_text(page(before, tables, given.folder.name), encoding="utf-8")


if __name__ == "__main__":
    main()
