"""The numbers of a study in short, as Markdown: what the README of an example study shows.

`python -m pipeline.report.digest RESULTS/STUDY` prints them; `... RESULTS/STUDY README.md` writes them between the
marks of that file, so that text and numbers come from one run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from pipeline.base.files import write_text
from pipeline.inference.subjects import beside_values, subject_means, subject_values
from pipeline.report.words.glossary import NULL_NAMES, number, plain, probability
from pipeline.results.reader import Results
from pipeline.validation.halves import reliability

BEGIN, END = "<!-- from here: python -m pipeline.report.digest -->", "<!-- to here -->"
CONTRASTED = ("phi_s", "phi_s_common", "effective_information")
NULL_P = 0.05


def digest(results: Results) -> str:
    """Return phi_s per condition beside its nulls, the contrasts, and how well values come again.

    Args:
        results: of a study.
    """
    parts = [_conditions(results), _contrasts(results.comparison), _halves(results.halves)]
    return "\n\n".join(part for part in parts if part)


def _conditions(results: Results) -> str:
    """Mean over subjects in each condition, of the units; the means of the nulls; how many windows exceed them."""
    summary = results.summary
    micro = summary[(summary["route"] == "micro") & (summary["measure"] == "phi_s")]
    values = subject_values(micro)
    means, counts = subject_means(values), values.groupby("condition")["subject"].nunique()
    nulls = results.nulls[(results.nulls["route"] == "micro") & (results.nulls["measure"] == "phi_s")]
    families = list(dict.fromkeys(nulls["null"]))
    beside = beside_values(nulls, micro, ["mean"], by=["null"]) if families else None
    conditions = micro[["recording", "window", "condition"]]
    low = nulls.merge(conditions, on=["recording", "window"])
    rows = []
    for condition in dict.fromkeys(micro["condition"]):
        row = [
            condition,
            str(counts[condition]),
            str((micro["condition"] == condition).sum()),
            number(means[condition]),
        ]
        for family in families:
            assert beside is not None
            own = low[(low["null"] == family) & (low["condition"] == condition)]
            mean = subject_means(beside[beside["null"] == family], "mean")
            row += [number(mean[condition]), f"{int((own['p'] < NULL_P).sum())} of {len(own)}"]
        rows.append(row)
    heads = ["condition", "subjects", "windows", f"{plain('phi_s')}, mean over subjects"]
    for family in families:
        heads += [f"null: {NULL_NAMES.get(family, family)}", f"windows with p < {NULL_P:g}"]
    return _grid(heads, rows)


def _contrasts(comparison: pd.DataFrame) -> str:
    kept = comparison[(comparison["route"] == "micro") & comparison["measure"].isin(CONTRASTED)]
    rows = [
        [
            row.contrast,
            plain(row.measure) + ("" if row.adjusted == "raw" else f", {row.adjusted.replace('_', ' ')}"),
            str(int(row.n_subjects)),
            number(row.estimate),
            f"{number(row.ci_low)} to {number(row.ci_high)}",
            probability(row.p),
            probability(row.p_corrected),
            number(row.smallest_p),
        ]
        for row in kept.itertuples()
    ]
    heads = ["contrast", "measure", "subjects", "difference", "interval", "p", "p corrected", "smallest p possible"]
    return _grid(heads, rows)


def _halves(halves: pd.DataFrame) -> str:
    rows = [
        [plain(row.measure), str(row.scale), str(row.n_windows)]
        + [number(value) for value in (row.mean, row.noise_sd, row.spread_sd, row.r)]
        for row in reliability(halves).itertuples()
    ]
    heads = ["measure", "units", "windows", "mean", "noise sd of a half", "sd between windows", "r of the halves"]
    return _grid(heads, rows)


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) if len(lines) > 2 else ""


def within(text: str, told: str) -> str:
    """Return a text with what stands between its marks replaced.

    Args:
        text: of a file, with BEGIN and END once each.
        told: what stands there now.
    """
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{told}\n\n{END}{rest.split(END)[1]}"


def main(arguments: Sequence[str]) -> None:
    """Print the digest of the results folder that is named first, or write it into the file named second."""
    told = digest(Results(Path(arguments[0])))
    if len(arguments) > 1:
        path = Path(arguments[1])
        write_text(within(path.read_text(encoding="utf-8"), told), path)
    else:
        print(told)


if __name__ == "__main__":
    main(sys.argv[1:])
