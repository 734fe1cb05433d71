"""What values are held against in figures: nulls, and what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.inference.subjects import subject_means
from pipeline.nulls.registry import RANDOM_GROUPING
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words import glossary

RANDOM = RANDOM_GROUPING.name


def band(study: Findings) -> str:
    """Return the null family that is drawn as a band: the first that is not the random groupings."""
    return next((str(f) for f in study.nulls["null"] if f != RANDOM), "")


def null_name(study: Findings) -> str:
    """Return the name of that family in words; empty where there is none."""
    family = band(study)
    return glossary.NULL_NAMES.get(family, family)


def planted(study: Findings, scale: StudyScale, measure: str) -> pd.DataFrame:
    """Return planted values, one per subject and condition (no rows if unknown), combined as the dots are.

    Args:
        study: what was found in the study.
        scale: one of its scales.
        measure: name of the measure.
    """
    rows = scale.of(study.planted_values, measure)
    return rows[rows["condition"].isin(study.conditions)]


def null_levels(study: Findings, scale: StudyScale, measure: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Return mean and sd of the null that is drawn, and of random groupings, by condition: means over subjects.

    What belongs to a subject is combined from its windows as its dot is. Random groupings have no sd.

    Args:
        study: what was found in the study.
        scale: one of its scales.
        measure: name of the measure.
    """
    known = scale.of(study.null_values, measure)
    known = known[known["null"].isin([band(study), RANDOM])]
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for family, rows in known.groupby("null", sort=False):
        means, spreads = (subject_means(rows, column) for column in ("mean", "sd"))
        found[str(family)] = {
            str(c): (float(means[c]), 0.0 if family == RANDOM or np.isnan(spreads[c]) else float(spreads[c]))
            for c in means.index
        }
    return found
