"""At which scale the theory finds its units."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA
from pipeline.inference.over_scales import ACCEPTED, NO_UNITS, UNCHECKED, UNITS
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.glossary import counted, number

PHI = "phi_s"


def share_of(study: Findings, scale: StudyScale, condition: str, subject: str, word: str) -> float:
    """Return the share of a subject's windows in which a scale is what a word says.

    Args:
        study: what was found in the study.
        scale: one of its scales.
        condition: of the windows.
        subject: whose they are.
        word: ACCEPTED for the grain; UNITS for units that are units, whether or not it is the grain.
    """
    rows = scale.of(study.summary, PHI)
    own = rows[(rows["condition"] == condition) & (rows["subject"] == subject) & rows["value"].notna()]
    words = {word, ACCEPTED}
    return float(own["grain"].isin(words).mean()) if len(own) else 0.0


def grain_sentences(study: Findings) -> list[str]:
    """Say for each condition at which scale the theory finds its units, and why not at others."""
    rows = study.summary[(study.summary["measure"] == PHI) & study.summary["value"].notna()]
    if not (rows["route"] == "macro_units").any() or rows["grain"].isin(["", UNCHECKED]).all():
        return []
    said = []
    for condition in study.conditions:
        own = rows[rows["condition"] == condition]
        windows = len(own[["recording", "window"]].drop_duplicates())
        if windows:
            said.append(f"{condition}: {_grain(study, own, windows)}.{_refused(study, own)}")
    return said


def _grain(study: Findings, own: pd.DataFrame, windows: int) -> str:
    parts = []
    for scale in study.scales:
        here = scale.of(own)
        found = here[here["grain"] == ACCEPTED]
        if len(found):
            share = float(found["grain_share"].astype(float).mean())
            told = [f"in {share:.0%} of posterior draws, on average"] if np.isfinite(share) else []
            p = found["null_p_scales"].where(found["null_p_scales"].notna(), found["null_p"]).astype(float)
            told += (
                [f"with phi_s above its null at p ≤ {ALPHA:g} in {int((p <= ALPHA).sum())}"] if p.notna().any() else []
            )
            more = f" ({'; '.join(told)})" if told else ""
            parts.append(f"{scale} in {len(found)} of {counted(windows, 'window')}{more}")
    return "the grain is " + ", ".join(parts) if parts else "no scale is accepted"


def _refused(study: Findings, own: pd.DataFrame) -> str:
    """Scales that would have a larger phi_s than the grain, and are refused."""
    held = own[own["grain"].isin([ACCEPTED, UNITS])].groupby(["recording", "window"])["value"].max()
    parts = []
    for scale in study.scales:
        here = scale.of(own)
        here = here[here["grain"] == NO_UNITS].set_index(["recording", "window"])
        above = here[here["value"] > held.reindex(here.index).fillna(0.0)]
        if len(above):
            mean = number(float(above["value"].mean()))
            parts.append(f"{scale} in {counted(len(above), 'window')} (mean {mean} ibit)")
    if not parts:
        return ""
    return (
        f" Larger phi_s, but of macro units that are reducible within, and so none by the theory: {', '.join(parts)}."
    )
