"""All specifications of a multiverse together: their table, the test of the curve, and a page of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.base.files import save_json, save_table
from pipeline.multiverse.specification import Estimand, Specification
from pipeline.multiverse.table import Finding, gather
from pipeline.report.multiverse import build
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.layout import OF_RECORDING, Layout
from pipeline.results.tables import read_tables
from pipeline.workflow.failures import Asked, standing
from pipeline.workflow.job import Job, Note
from pipeline.workflow.multiverse import why_failed

FACTS = ("measure", "route", "contrast", "fields", "combinations", "left_out", "not_drawn")


def run(job: Job) -> None:
    """Write the table, what all specifications say together, and the page."""
    p, study = job.params.multiverse, job.params.study
    section = study["multiverse"]
    goal = Estimand(p["measure"], p["macro_scale"], tuple(p["contrast"]))
    standing_too = next(_notes(entry) for entry in p["specifications"] if entry["main"])
    whole = set(job.params.whole)
    findings = [_finding(e, e["specification"] in whole, standing_too) for e in p["specifications"]]
    compare = {name: study["compare"][name] for name in ("bootstrap", "permutations", "confidence")}
    found, together = gather(findings, goal, **compare, seed=study["seed"])
    save_table(found, job.output.table)
    facts = {name: p[name] for name in FACTS} | together
    facts |= {"grid": section["grid"], "light": section["light"], "sample": section["sample"]}
    save_json(facts, job.output.facts)
    build(Path(job.root), study)


def _notes(entry: dict[str, Any]) -> list[Note]:
    return standing(Layout(entry["root"], entry["elsewhere"]), Asked(**entry["asked"]))


def _finding(entry: dict[str, Any], whole: bool, standing_too: list[Note]) -> Finding:
    """Return what came of a specification; of its failures, those that the study as it stands has not say why."""
    layout, notes = Layout(entry["root"], entry["elsewhere"]), _notes(entry)
    _link(layout)
    own = [note for note in notes if note not in standing_too]
    return Finding(
        Specification(entry["specification"], entry["choices"], entry["main"]),
        read_tables([layout.of_study("summary")] if whole else [], SUMMARY_COLUMNS),
        entry["units"],
        incomplete=bool(notes),
        why=why_failed(layout, own or notes),
    )


def _link(layout: Layout) -> None:
    """Let the folder of a specification show what it shares, so that it can be opened as the results of a study."""
    for name in OF_RECORDING:
        folder = layout.of(name).parent
        link = Path(layout.root) / folder.name
        if name in layout.elsewhere and not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(os.path.relpath(folder, link.parent), target_is_directory=True)
