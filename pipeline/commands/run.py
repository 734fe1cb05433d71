"""`phiscale run`, and what runs the same workflow: `report` (its last part again) and `demo` (a study of its own)."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.commands.arguments import Commands, add_cores, add_study
from pipeline.workflow.lock import held
from pipeline.workflow.owner import run_owned

if TYPE_CHECKING:
    from pipeline.study import Study

PROFILES = ("--profile", "--workflow-profile")
LOOKING = ("-n", "--dry-run", "--dryrun", "--lint", "--unlock", "--summary", "--dag")  # nothing is run with these


def add_parser(commands: Commands) -> None:
    """Add the three commands to the command line."""
    parser = commands.add_parser("run", help="run a study to its report; snakemake options may follow after --")
    add_study(parser)
    add_cores(parser)
    parser.set_defaults(run=run)

    parser = commands.add_parser("report", help="write the report of a study again")
    add_study(parser)
    add_cores(parser)
    parser.set_defaults(run=report)

    parser = commands.add_parser("demo", help="run the demo study on simulated recordings")
    add_cores(parser)
    parser.set_defaults(run=demo)


def run(args: argparse.Namespace, *options: str) -> int:
    """Run Snakemake on `args.study`, and tell what failed and where the report is.

    Args:
        args: of the command line; `extra` is what followed `--`.
        options: more options of Snakemake.

    Returns:
        The exit status: 1 also where only a part of a recording failed.

    Raises:
        PhiscaleError: a study that cannot be read, or whose results another run is making.
        Stopped: somebody stopped the command; its workflow has ended as well.
    """
    from pipeline.base.files import check_writable
    from pipeline.study import Study

    study = Study.load(args.study, args.data)
    check_writable(study.root)
    command = snakemake(args, "Snakefile", *options)
    started = time.time()
    status = start(command, study.root, args.extra)
    if looking(args.extra):
        return status
    return 1 if _tell(study, started if status else 0.0) or status else 0


def looking(extra: Sequence[str]) -> bool:
    """Tell whether options of Snakemake ask for a look only, at which nothing is run."""
    return any(option in LOOKING for option in extra)


def start(command: Sequence[str], root: Path, extra: Sequence[str]) -> int:
    """Run a workflow that ends with this process, alone in its folder of results.

    Args:
        command: that runs it.
        root: folder of the results.
        extra: options of Snakemake that the user gave.

    Returns:
        Its exit status.

    Raises:
        PhiscaleError: another run is at work there.
        Stopped: somebody stopped this process.
    """
    with nullcontext() if looking(extra) else held(root):
        return run_owned(command)


def snakemake(args: argparse.Namespace, snakefile: str, *options: str) -> list[str]:
    """Return the command that runs a workflow of this package on a study.

    Args:
        args: of the command line; `extra` is what followed `--`.
        snakefile: name of the workflow.
        options: more options of Snakemake.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(resource(snakefile)), "--nolock"]
    return [*command, *_where_to_run(args), *options, *_with_config(args)]


def report(args: argparse.Namespace) -> int:
    """Write the report again, from the results that there are."""
    return run(args, "--forcerun", "report")


def demo(args: argparse.Namespace) -> int:
    """Run the study that comes with the package."""
    args.study, args.data = resource("config/demo/study.yaml"), None
    return run(args)


def _where_to_run(args: argparse.Namespace) -> Sequence[str]:
    """Return the options for Snakemake that say on what it runs: a profile that is named brings its own cores."""
    if any(option.split("=")[0] in PROFILES for option in args.extra):
        return ("--cores", str(args.cores)) if args.cores else ()
    return ("--workflow-profile", str(resource("profiles/default")), "--cores", str(args.cores or 1))


def _with_config(args: argparse.Namespace) -> list[str]:
    """Return the options for Snakemake that the user gave, the study added to a --config that may be among them."""
    config = [f"study={args.study.absolute()}"]
    config += [f"data={args.data.absolute()}"] if args.data else []
    names = [name for name in ("--config", "-C") if name in args.extra]
    at = args.extra.index(names[0]) + 1 if names else len(args.extra)
    return [*args.extra[:at], *([] if names else ["--config"]), *config, *args.extra[at:]]


def _tell(study: Study, started: float) -> bool:
    """Print what failed, and where the report is, which is an earlier one if it was written before `started`.

    Returns whether anything failed.
    """
    from pipeline.results.layout import Layout
    from pipeline.workflow.failures import failures, told

    failed = failures(study)
    for failure in failed:
        print(told(failure), file=sys.stderr)
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
