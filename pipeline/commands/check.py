"""`phiscale check`: everything that is wrong with a study, and what a run of it would cost."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from pipeline.base.errors import notes_once
from pipeline.commands.arguments import Commands, add_study

if TYPE_CHECKING:
    from pipeline.study.checked import Checked


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("check", help="open every recording, report every problem, estimate the cost")
    add_study(parser)
    parser.add_argument("--json", action="store_true", help="print problems, notes and what was read as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print notes and the plan of `args.study`, or all that was found as JSON.

    Args:
        args: of the command line.

    Returns:
        The exit status: 1 where there are problems (with --json; else they are raised).

    Raises:
        PhiscaleError: with every problem that was found.
    """
    from pipeline.study.check import check
    from pipeline.workflow.plan import plan

    study, findings = check(args.study, args.data)
    if args.json:
        print(as_json(findings))
        return 1 if findings.problems.found else 0
    findings.problems.raise_if_any()
    assert study is not None
    for note in notes_once(findings.notes):
        print(f"note: {note}")
    print(plan(study))
    print("no problem found")
    return 0


def as_json(findings: Checked) -> str:
    """Return what was found as JSON: `problems` (where, what, consequence, fix), `notes`, `recordings`.

    Args:
        findings: of a check.
    """
    keys = ("where", "what", "consequence", "fix")
    problems = [{key: getattr(problem, key) for key in keys} for problem in findings.problems.found]
    found = {"problems": problems, "notes": findings.notes, "recordings": findings.read}
    return json.dumps(found, indent=2, ensure_ascii=False)
