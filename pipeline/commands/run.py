"""`phiscale run`, and what runs the same workflow: `report` (its last part again) and `demo` (a study of its own)."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.base import caches
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.commands.arguments import Commands, add_cores, add_study, add_verbose
from pipeline.workflow.lock import held
from pipeline.workflow.owner import run_owned
from pipeline.workflow.progress import ASKED

if TYPE_CHECKING:
    from pipeline.study import Study

PROFILES = ("--profile", "--workflow-profile")
LOOKING = ("-n", "--dry-run", "--dryrun", "--lint", "--unlock", "--summary", "--dag")  # nothing is run with these


def add_parser(commands: Commands) -> None:
    """Add the three commands to the command line."""
    parser = commands.add_parser("run", help="run a study to its report; snakemake options may follow after --")
    add_study(parser)
    add_cores(parser)
    add_verbose(parser)
    parser.add_argument(
        "--anyway", action="store_true", help="run in spite of what check finds; the report lists what that is"
    )
    parser.add_argument(
        "--only", action="append", metavar="RECORDING", help="make the values of this recording only, no tables"
    )
    parser.set_defaults(run=run)

    parser = commands.add_parser("report", help="write the report of a study again")
    add_study(parser)
    add_cores(parser)
    add_verbose(parser)
    parser.set_defaults(run=report)

    parser = commands.add_parser("demo", help="run the demo study on simulated recordings")
    add_cores(parser)
    add_verbose(parser)
    parser.set_defaults(run=demo)


def run(args: argparse.Namespace) -> int:
    """Check `args.study`, run it, and tell what failed and where the report is.

    Args:
        args: of the command line; `extra` is what followed `--`.

    Returns:
        The exit status: 1 also where only a part of a recording failed.

    Raises:
        PhiscaleError: with all that `phiscale check` refuses (without --anyway); or another run is at work there.
        Stopped: somebody stopped the command; its workflow has ended as well.
    """
    from pipeline.study import Study
    from pipeline.workflow import targets

    study, problems = (Study.load(args.study, args.data), None) if looking(args.extra) else _checked(args)
    unknown = sorted({*(args.only or ())} - {*study.names})
    if unknown:
        known = f"name some of {', '.join(study.names)}"
        raise PhiscaleError(Problem(f"--only {', '.join(unknown)}", "is no recording of the study", fix=known))
    made = [path for name in args.only or () for path in targets.values_of(study, name)]
    only = [str(path.relative_to(study.root)) for path in made]
    return run_study(study, args, before=only, problems=problems)


def _checked(args: argparse.Namespace) -> tuple[Study, list[str]]:
    """Return the study, and what is wrong with it if it is to be run anyway."""
    from pipeline.base.files import check_writable
    from pipeline.study.check import check

    study, findings = check(args.study, args.data)
    problems = findings.problems.found
    if study is not None:
        check_writable(study.root)
    if study is None or (problems and not args.anyway):
        if study is not None:
            print("with --anyway, the study is run in spite of what is told here", file=sys.stderr)
        raise PhiscaleError(*problems)
    for problem in problems:
        print(f"note: {problem}", file=sys.stderr)
    return study, [str(problem) for problem in problems]


def run_study(
    study: Study,
    args: argparse.Namespace,
    *options: str,
    before: Sequence[str] = (),
    problems: Sequence[str] | None = None,
) -> int:
    """Run Snakemake on a study, and tell what failed and where the report is.

    Args:
        study: that is run.
        args: of the command line, which named it.
        options: more options of Snakemake.
        before: files that are to be made, in place of all; paths from the folder of results on.
        problems: that a check found, for the report; None where there was no check.

    Returns:
        The exit status: 1 also where only a part of a recording failed.

    Raises:
        PhiscaleError: another run is at work there.
        Stopped: somebody stopped the command; its workflow has ended as well.
    """
    from pipeline.base.files import check_writable

    check_writable(study.root)
    command = snakemake(args, "Snakefile", study.root, *options, before=before)
    started = time.time()
    status = start(command, study.root, args, problems)
    if looking(args.extra):
        return status
    return 1 if _tell(study, started if status else 0.0) or status else 0


def looking(extra: Sequence[str]) -> bool:
    """Tell whether options of Snakemake ask for a look only, at which nothing is run."""
    return any(option in LOOKING for option in extra)


def start(command: Sequence[str], root: Path, args: argparse.Namespace, problems: Sequence[str] | None = None) -> int:
    """Run a workflow that ends with this process, alone in its folder of results.

    It works in that folder, where Snakemake keeps its records of what was made, from what and how (`.snakemake`).

    Args:
        command: that runs it.
        root: folder of the results.
        args: of the command line.
        problems: that a check found, which are kept for the report; None keeps those that are there.

    Returns:
        Its exit status.

    Raises:
        PhiscaleError: another run is at work there.
        OSError: the folder of results cannot be made or written.
        Stopped: somebody stopped this process.
    """
    if looking(args.extra):
        return run_owned(command)
    with held(root):
        if problems is not None:
            keep_problems(root, problems)
        return run_owned(command, {**caches.beside(root), **({} if args.verbose else {ASKED: "1"})})


def keep_problems(root: Path, problems: Sequence[str]) -> None:
    """Write what a check found that the study is run in spite of, if that has changed.

    Args:
        root: folder of the results.
        problems: in words; none takes the file away.
    """
    from pipeline.base.files import save_json
    from pipeline.results.layout import Layout

    path = Layout(root).of_study("problems")
    if not problems:
        path.unlink(missing_ok=True)
    elif not path.exists() or json.loads(path.read_text()) != list(problems):
        save_json(list(problems), path)


def snakemake(
    args: argparse.Namespace, snakefile: str, root: Path, *options: str, before: Sequence[str] = ()
) -> list[str]:
    """Return the command that runs a workflow of this package on a study.

    Args:
        args: of the command line; `extra` is what followed `--`.
        snakefile: name of the workflow.
        root: folder of the results.
        options: more options of Snakemake.
        before: files that are to be made, in place of all; paths from the folder of results on.
    """
    command = [sys.executable, "-m", "snakemake", *before, "--snakefile", str(resource(snakefile)), "--nolock"]
    where = ["--directory", str(root.absolute()), *_where_to_run(args)]
    return [*command, *where, *options, *_with_config(args)]


def report(args: argparse.Namespace) -> int:
    """Write the report again, from the results that there are."""
    from pipeline.study import Study

    return run_study(Study.load(args.study, args.data), args, "--forcerun", "report")


def demo(args: argparse.Namespace) -> int:
    """Run the study that comes with the package."""
    from pipeline.study import Study

    args.study, args.data = resource("config/demo/study.yaml"), None
    return run_study(Study.load(args.study), args)


def _where_to_run(args: argparse.Namespace) -> list[str]:
    """Return the options for Snakemake that say on what it runs: a profile that is named brings its own cores."""
    if any(option.split("=")[0] in PROFILES for option in args.extra):
        return ["--cores", str(args.cores)] if args.cores else []
    return ["--workflow-profile", "none", *_default_profile(), "--cores", str(args.cores or 1)]


def _default_profile() -> list[str]:
    """Return the default profile as options: Snakemake announces a profile that it reads, whatever it is told."""
    import yaml

    options = []
    for name, value in yaml.safe_load(resource("profiles/default/config.yaml").read_text()).items():
        values = value if isinstance(value, list) else [] if value is True else [value]
        options += [] if value is False else [f"--{name}", *map(str, values)]
    return options


def _with_config(args: argparse.Namespace) -> list[str]:
    """Return the options for Snakemake that the user gave, the study added to a --config that may be among them.

    Paths stand as URIs: Snakemake reads values as YAML, in which a path may be a comment, a mapping or a number.
    """
    config = [f"study={args.study.absolute().as_uri()}", "root=."]
    config += [f"data={args.data.absolute().as_uri()}"] if args.data else []
    names = [name for name in ("--config", "-C") if name in args.extra]
    at = args.extra.index(names[0]) + 1 if names else len(args.extra)
    return [*args.extra[:at], *([] if names else ["--config"]), *config, *args.extra[at:]]


def _tell(study: Study, started: float) -> bool:
    """Print what failed, and where the report is, which is an earlier one if it was written before `started`.

    Returns whether anything failed.
    """
    from pipeline.results.layout import Layout
    from pipeline.workflow.failures import failures, study_failures, told

    failed = [*map(told, failures(study)), *study_failures(study)]
    for failure in failed:
        print(failure, file=sys.stderr)
    page = Layout(study.root).of_study("page")
    if page.exists():
        print(f"report{' of an earlier run' if page.stat().st_mtime < started else ''}: {page}")
    return bool(failed)


def resource(name: str) -> Path:
    """Return a file that stands beside the packages in a checkout, or in share/phiscale of an installation.

    Args:
        name: its path, such as "Snakefile".

    Raises:
        PhiscaleError: it is in neither.
    """
    here = Path(__file__).resolve().parents[2] / name
    path = here if here.exists() else Path(sys.prefix) / "share" / "phiscale" / name
    if not path.exists():
        fix = "install phiscale again, or run from a checkout"
        raise PhiscaleError(Problem(name, "is not part of this installation", "The workflow cannot run", fix))
    return path
