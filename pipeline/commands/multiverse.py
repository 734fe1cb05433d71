"""`phiscale multiverse`: the same question over a grid of choices, and the report of what it depends on."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.commands import run as running
from pipeline.commands.arguments import Commands, add_cores, add_study, add_verbose

if TYPE_CHECKING:
    from pipeline.workflow.multiverse import Specifications

TOLD = 12  # specifications that are named before a run


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "multiverse", help="ask the same over a grid of choices; snakemake options may follow after --"
    )
    add_study(parser)
    add_cores(parser)
    add_verbose(parser)
    parser.add_argument("-n", "--dry-run", action="store_true", help="check everything and tell what would be run")
    parser.add_argument("--anyway", action="store_true", help="run without the windows that some specifications lack")
    parser.set_defaults(run=multiverse)


def multiverse(args: argparse.Namespace) -> int:
    """Check every specification of `args.study`, run them, and tell what failed and where the report is.

    Args:
        args: of the command line; `extra` is what followed `--`.

    Returns:
        The exit status: 1 also where only a part of one specification failed.

    Raises:
        PhiscaleError: with every problem of the study and of all specifications; or another run is at work there.
        Stopped: somebody stopped the command; its workflow has ended as well.
    """
    from pipeline.study import Study
    from pipeline.workflow.multiverse import Specifications

    specified = Specifications.of(Study.load(args.study, args.data))
    problems, notes = checked(specified)
    if problems and not args.anyway:
        print("with --anyway, specifications are run without what is told here", file=sys.stderr)
        raise PhiscaleError(*problems)
    for problem in problems:
        print(f"note: {problem}")
    for note in notes:
        print(f"note, of the study as it stands: {note}")
    print(told(specified, every=args.dry_run))
    if args.dry_run:
        return 0
    command = running.snakemake(args, "Snakefile.multiverse", specified.study.root)
    started = time.time()
    status = running.start(command, specified.study.root, args)
    if running.looking(args.extra):
        return status
    page = specified.study.layout.of_study("multiverse_page")
    made = page.exists() and (not status or page.stat().st_mtime >= started)
    failed = _tell(specified)
    if made and specified.study.layout.of_study("page").exists():
        print("the section goes into the report of the study")
        args.extra = []
        failed = running.run_study(specified.study, args) > 0 or failed
    if page.exists():
        print(f"multiverse{'' if made else ' of an earlier run'}: {page}")
    return 1 if failed or (status and not made) else 0


def checked(specified: Specifications) -> tuple[list[Problem], list[Problem]]:
    """Return what is wrong with the specifications, and what is wrong with the study as it stands already.

    The latter fails alone, as in `phiscale run`. What is wrong with several in the same way is told once.

    Args:
        specified: the specifications of a study.
    """
    from pipeline.study.check import check_recordings, check_results
    from pipeline.study.checked import Checked

    findings = {name: Checked() for name in specified.studies}
    for name, study in specified.studies.items():
        check_results(study, findings[name])
    check_recordings(list(specified.studies.values()), list(findings.values()))
    found: dict[Problem, list[str]] = {}
    for name, checks in findings.items():
        for problem in checks.problems.found:
            found.setdefault(problem, []).append(name)
    main = next(s.name for s in specified.specifications if s.main)
    others = [
        Problem(f"{_named(names)}: {problem.where}", problem.what, problem.consequence, problem.fix)
        for problem, names in found.items()
        if main not in names
    ]
    return others, [problem for problem, names in found.items() if main in names]


def _named(names: list[str]) -> str:
    return f"specification{'s' if len(names) > 1 else ''} {', '.join(names[:3])}" + (
        f" and {len(names) - 3} more" if len(names) > 3 else ""
    )


def told(specified: Specifications, *, every: bool = False) -> str:
    """Return what will be run.

    Args:
        specified: the specifications of a study.
        every: name all specifications.
    """
    from pipeline.workflow.plan import multiverse_time

    expanded, n = specified.expanded, len(specified.studies)
    goal = expanded.estimand
    lines = [
        f"{n} specification{'s' if n > 1 else ''} of {' - '.join(goal.contrast)} in {goal.measure} "
        f"({goal.route}), from {expanded.combinations} combinations and the study as it stands"
        + (f"; {expanded.not_drawn} more not drawn" if expanded.not_drawn else ""),
        *(f"left out: {count} ({reason})" for reason, count in expanded.left_out.items()),
    ]
    shown = specified.specifications if every else specified.specifications[:TOLD]
    lines += [f"- {s.name}{' (the study as it stands)' if s.main else ''}" for s in shown]
    lines += [f"- and {n - len(shown)} more (all with --dry-run)"] if n > len(shown) else []
    return "\n".join([*lines, multiverse_time(specified)])


def _tell(specified: Specifications) -> bool:
    """Print what failed, specification by specification; return whether anything did."""
    from pipeline.workflow.failures import failures
    from pipeline.workflow.failures import told as line

    seen: dict[str, list[str]] = {}
    for name, study in specified.studies.items():
        for failure in map(line, failures(study)):
            seen.setdefault(failure, []).append(name)
    for failure, names in seen.items():
        where = "" if len(names) == len(specified.studies) else f" [{_named(names)}]"
        print(failure + where, file=sys.stderr)
    return bool(seen)
