"""The command `phiscale`: init, check, run, demo, simulate, phi, report."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from pipeline.base.errors import PhiscaleError, Problem, unusable


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status (1 for a mistake in the input, told without traceback)."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    extra: list[str] = []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, extra = arguments[:split], arguments[split + 1 :]
    args = _parser().parse_args(arguments)
    args.extra = extra
    try:
        return int(args.run(args) or 0)
    except PhiscaleError as error:
        return _tell(error)
    except OSError as error:
        return _tell(PhiscaleError(unusable(error)))
    except KeyboardInterrupt:
        print("phiscale: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def _tell(error: PhiscaleError) -> int:
    count = len(error.problems)
    print(f"phiscale: {count} problems:" if count > 1 else "phiscale: a problem:", file=sys.stderr)
    print("\n".join(f"- {problem}" for problem in error.problems), file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    from pipeline.commands import phi as phi_command

    parser = argparse.ArgumentParser(
        prog="phiscale",
        description="Integrated information across scales and states of consciousness, from calcium imaging.",
    )
    parser.add_argument("--version", action="version", version=f"phiscale {version('phiscale')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("init", help="write a commented study to start from")
    command.add_argument("directory", type=Path, metavar="DIR")
    command.set_defaults(run=_init)

    command = commands.add_parser("check", help="open every recording, report every problem, estimate the cost")
    _study_arguments(command)
    command.set_defaults(run=_check)

    command = commands.add_parser("run", help="run a study to its report; snakemake options may follow after --")
    _study_arguments(command)
    _run_arguments(command)
    command.set_defaults(run=_run)

    command = commands.add_parser("report", help="write the report of a study again")
    _study_arguments(command)
    _run_arguments(command)
    command.set_defaults(run=_report)

    command = commands.add_parser("demo", help="run the demo study on simulated recordings")
    _run_arguments(command)
    command.set_defaults(run=_demo)

    command = commands.add_parser("simulate", help="write simulated recordings with their truth, as a study of its own")
    command.add_argument("directory", type=Path, metavar="DIR")
    command.add_argument("--subjects", type=int, default=3, help="simulated animals (3)")
    command.add_argument("--seed", type=int, default=0, help="seed (0)")
    command.set_defaults(run=_simulate)

    phi_command.add_parser(commands)
    return parser


def _study_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("study", type=Path, metavar="STUDY", help="study.yaml, or the folder that holds it")
    command.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder from which the paths in recordings.tsv start",
    )


def _run_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("-c", "--cores", type=int, help="processor cores to use (1; a profile's own with --profile)")


def _resource(name: str) -> Path:
    """Return a file that stands beside the packages in a checkout, or in share/phiscale of an installation."""
    here = Path(__file__).resolve().parents[1] / name
    path = here if here.exists() else Path(sys.prefix) / "share" / "phiscale" / name
    if not path.exists():
        raise PhiscaleError(
            Problem(
                name,
                "is not part of this installation",
                "The workflow cannot run",
                "install phiscale again, or run from a checkout",
            )
        )
    return path


def _init(args: argparse.Namespace) -> int:
    from pipeline.base.files import write_whole
    from pipeline.study.schema import json_schema
    from pipeline.study.template import RECORDINGS, WINDOWS, study_template

    files = {
        "study.yaml": study_template(),
        "recordings.tsv": RECORDINGS,
        "windows.tsv": WINDOWS,
        "study.schema.json": json_schema(),
    }
    if args.directory.exists() and not args.directory.is_dir():
        raise PhiscaleError(
            Problem(
                str(args.directory),
                "is a file, not a folder",
                "A study is a folder of several files",
                "name a new folder",
            )
        )
    existing = [name for name in files if (args.directory / name).exists()]
    if existing:
        raise PhiscaleError(
            Problem(
                str(args.directory),
                f"already holds {', '.join(existing)}",
                "They would be overwritten",
                "choose another folder",
            )
        )
    for name, text in files.items():
        write_whole(args.directory / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    print(f"{args.directory}: {', '.join(files)} written. Fill in the sheets, then: phiscale check {args.directory}")
    return 0


def _check(args: argparse.Namespace) -> int:
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


def _run(args: argparse.Namespace, *options: str) -> int:
    from pipeline.base.files import check_writable
    from pipeline.study.study import Study
    from pipeline.workflow.failures import failures, place

    study = Study.load(args.study, args.data)
    check_writable(study.root)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(_resource("Snakefile"))]
    if not any(option.split("=")[0] in ("--profile", "--workflow-profile") for option in args.extra):
        command += ["--workflow-profile", str(_resource("profiles/default"))]
        command += ["--cores", str(args.cores or 1)]
    elif args.cores:
        command += ["--cores", str(args.cores)]
    status = subprocess.run([*command, *options, *_with_config(args)], check=False).returncode
    looking = ("-n", "--dry-run", "--dryrun", "--lint", "--unlock", "--summary", "--dag")
    if any(option in looking for option in args.extra):
        return status
    for failure in failures(study):
        what = f"failed: {place(failure)} ({failure['stage']}): {failure['reason']}"
        print(what, file=sys.stderr)
    if (study.root / "report.html").exists():
        print(f"report: {study.root / 'report.html'}")
    return min(status, 1)


def _with_config(args: argparse.Namespace) -> list[str]:
    """Return the options for Snakemake, the study added to a --config that may be among them."""
    config = [f"study={args.study.absolute()}"]
    config += [f"data={args.data.absolute()}"] if args.data else []
    names = [name for name in ("--config", "-C") if name in args.extra]
    at = args.extra.index(names[0]) + 1 if names else len(args.extra)
    return [*args.extra[:at], *([] if names else ["--config"]), *config, *args.extra[at:]]


def _report(args: argparse.Namespace) -> int:
    return _run(args, "--forcerun", "report")


def _demo(args: argparse.Namespace) -> int:
    args.study, args.data = _resource("config/demo/study.yaml"), None
    return _run(args)


def _simulate(args: argparse.Namespace) -> int:
    from pipeline.simulation.recordings import simulate_study

    simulate_study(args.directory, n_subjects=args.subjects, seed=args.seed)
    print(
        f"{args.directory}: study.yaml and {args.subjects} recordings written. Run it with: phiscale run {args.directory}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
