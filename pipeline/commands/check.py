"""`phiscale check`: everything that is wrong with a study, and what a run of it would cost."""

from __future__ import annotations

import argparse

from pipeline.commands.arguments import Commands, add_study


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("check", help="open every recording, report every problem, estimate the cost")
    add_study(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print notes and the plan of `args.study`.

    Raises:
        PhiscaleError: with every problem that was found.
    """
    from pipeline.study.check import check
    from pipeline.workflow.plan import plan

    study, findings = check(args.study, args.data)
    findings.problems.raise_if_any()
    assert study is not None
    for note in findings.notes:
        print(f"note: {note}")
    print(plan(study))
    print("no problem found")
    return 0
