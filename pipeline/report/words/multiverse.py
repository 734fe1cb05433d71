"""What the specifications of a study say together, in sentences, with no more claimed than they support."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.inference.families import ALPHA
from pipeline.multiverse.specification import shown
from pipeline.report.words.glossary import counted, number, probability, short, valued
from pipeline.results.columns import ROUTES
from pipeline.study.specifications import LIGHT_SURROGATES

MOST = 4  # reasons that are told


def difference(table: pd.DataFrame) -> str:
    """Return what all specifications estimate, in words: "awake − asleep in phi_s of the micro units".

    Args:
        table: rows of multiverse.csv, one at least.
    """
    first = table.iloc[0]
    route = ROUTES[first["route"]] if first["route"] == "micro" else f"{int(first['scale'])} {ROUTES[first['route']]}"
    return f"{first['contrast'].replace('-', ' − ')} in {short(first['measure'])} of the {route}"


def verdict(table: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    """Say whether the difference depends on the choices, then why.

    Args:
        table: rows of multiverse.csv.
        facts: multiverse.json.
    """
    known = table[table["estimate"].notna()]
    if known.empty:
        return ["No specification has a difference; the reasons are below."]
    main, n = known[known["main"] == "yes"], len(known)
    sign = np.sign(main["estimate"].iloc[0] if len(main) else facts["test"]["median"])
    same = int((np.sign(known["estimate"]) == sign).sum())
    alike = int(((np.sign(known["estimate"]) == sign) & (known["p"] <= ALPHA)).sum())
    against = int(((np.sign(known["estimate"]) == -sign) & (known["p"] <= ALPHA)).sum())
    whose = "the study as it stands" if len(main) else "their median"
    first = (
        f"The difference {difference(known)} has the sign of {whose} in {same} of {counted(n, 'specification')}; "
        f"{alike} of them {'has' if alike == 1 else 'have'} p ≤ {ALPHA:g} on {'its' if alike == 1 else 'their'} own"
        + (f", and so {'has' if against == 1 else 'have'} {against} with the opposite sign" if against else "")
        + f". {_sizes(main, facts)}"
    )
    return [_conclusion(n, same, facts, opposed=bool(alike and against)), first, _tested(facts)]


def _sizes(main: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    median = f"the median over specifications is {valued(facts['test']['median'], facts['measure'])}"
    if main.empty:
        return f"The study as it stands has no value; {median}."
    row = main.iloc[0]
    interval = f" [{number(row['ci_low'])}, {number(row['ci_high'])}]" if np.isfinite(row["ci_low"]) else ""
    return f"As the study stands it is {number(row['estimate'])}{interval}; {median}."


def _tested(facts: Mapping[str, Any]) -> str:
    test = facts["test"]
    if test["smallest_p"] > ALPHA:
        return (
            f"All specifications rest on the same subjects, so few that no test of the whole curve can give a p below "
            f"{probability(test['smallest_p'])}: it is described, not tested."
        )
    return (
        f"With each subject's sign flipped in all specifications at once ({test['flips']} flips), a median so far from "
        f"zero has p = {probability(test['p_median'])}".replace("= <", "<")
        + f", and so many specifications with p ≤ {ALPHA:g} of one sign have "
        + f"p = {probability(test['p_significant'])}.".replace("= <", "<")
    )


def _conclusion(n: int, same: int, facts: Mapping[str, Any], opposed: bool) -> str:
    test = facts["test"]
    if n < 2:
        return "One specification has a value: nothing can be said of what depends on the choices."
    shown = test["p_median"] <= ALPHA
    if same == n and test["smallest_p"] > ALPHA:
        return (
            "The direction does not depend on these choices; whether there is a difference at all, so few subjects "
            "cannot tell."
        )
    if same == n and shown:
        return "The answer does not depend on these choices."
    if same == n:
        return (
            "The direction does not depend on these choices, but all of them together do not show that there is a "
            "difference."
        )
    if opposed:
        return (
            "The answer depends on these choices: some show the opposite of what others show, and none of them "
            "should be reported alone."
        )
    turned = f"{n - same} of {n} give the opposite sign, or none"
    if shown:
        return f"There is a difference over all choices together, but it depends on them: {turned}."
    return f"The answer depends on these choices: {turned}, and together they do not show a difference."


def notes(table: pd.DataFrame, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a reader has to know of how the specifications were made.

    Args:
        table: rows of multiverse.csv.
        facts: multiverse.json.
    """
    moved = {field: share for field, share in facts["explained"].items() if share >= 0.005}
    if moved and table["estimate"].notna().sum() > 2:
        first, *rest = sorted(moved, key=lambda field: -moved[field])
        text = f"The choice that moves the difference most is {first} ({moved[first]:.0%} of the variance between them"
        yield text + ("; " + ", ".join(f"{f} {moved[f]:.0%}" for f in rest[: MOST - 1]) if rest else "") + ")."
    yield f"{_made(table, facts)} The grid: {_grid(facts)}."
    failed, n = int((table["failed"] != "").sum()), int((table["flag"].str.contains("incomplete")).sum())
    if failed:
        yield f"{counted(failed, 'specification')} of {len(table)} {'has' if failed == 1 else 'have'} no value (below)."
    if n:
        yield f"In {counted(n, 'specification')} a recording or a window failed (flag incomplete)."
    if facts["light"]:
        yield (
            f"Light: specifications leave out what {short(facts['measure'])} does not need, and have at most "
            f"{LIGHT_SURROGATES} surrogates per null."
        )
    yield (
        "The p-values of specifications are not corrected for each other; the test of the whole curve takes the place "
        "of a correction (Simonsohn U, Simmons JP, Nelson LD 2020. Specification curve analysis. Nature Human "
        "Behaviour 4: 1208-1214)."
    )


def _made(table: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    left_out = sorted(facts["left_out"].items(), key=lambda item: (-item[1], item[0]))
    text = f"{counted(facts['combinations'], 'combination')}, {counted(len(table), 'specification')} run"
    if facts["not_drawn"]:
        text += f" (a random sample, with the study as it stands; {facts['not_drawn']} not drawn)"
    if left_out:
        told = "; ".join(f"{reason} ({n})" for reason, n in left_out[:MOST])
        text += f". Left out: {told}" + ("; and others" if len(left_out) > MOST else "")
    return f"{text}."


def _grid(facts: Mapping[str, Any]) -> str:
    return "; ".join(f"{field} {', '.join(map(shown, facts['grid'][field]))}" for field in facts["fields"])
