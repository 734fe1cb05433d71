"""The command `phiscale`: init, inspect, check, run, multiverse, demo, simulate, phi, report, completion."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path

from pipeline.base import caches
from pipeline.base.errors import PhiscaleError, Problem, told_once, unusable
from pipeline.commands import check, completion, init, inspect, multiverse, phi, run, simulate
from pipeline.workflow.owner import Stopped

TRACEBACK = "PHISCALE_TRACEBACK"  # in the environment: faults that nobody foresaw are shown as Python does
COMMANDS = (init, inspect, check, run, multiverse, simulate, phi, completion)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: those of the process by default; what follows `--` goes to Snakemake.

    Returns:
        The exit status: 1 for a fault, which is told without a traceback; 128 and the number of the
        signal that stopped the command.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no φ is told all the rest
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    extra: list[str] = []
    if "--" in arguments:
        split = arguments.index("--")
        arguments, extra = arguments[:split], arguments[split + 1 :]
    args = parser().parse_args(arguments)
    args.extra = extra
    try:
        caches.provide()
        return int(args.run(args))
    except PhiscaleError as error:
        return _tell(error)
    except OSError as error:
        return _tell(PhiscaleError(unusable(error)))
    except Stopped as stopped:
        print(f"phiscale: {stopped}", file=sys.stderr)
        return 128 + stopped.number
    except Exception as error:
        if TRACEBACK in os.environ:
            raise
        return _tell(PhiscaleError(_unexpected(error)))
    except KeyboardInterrupt:
        print("phiscale: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; each command sets `run`, which takes the arguments."""
    whole = argparse.ArgumentParser(
        prog="phiscale",
        description="Integrated information across scales and states of consciousness, from calcium imaging.",
    )
    whole.add_argument("--version", action="version", version=f"phiscale {version('phiscale')}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return whole


def _unexpected(error: Exception) -> Problem:
    """Return what nobody foresaw as a problem, with its place in the program."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return Problem(
        "an unexpected fault",
        f"{type(error).__name__}: {' '.join(str(error).split())} ({Path(last.filename).name}, line {last.lineno})",
        "The command ends here",
        f"set {TRACEBACK}=1 to see the whole way to it, and report it",
    )


def _tell(error: PhiscaleError) -> int:
    problems = told_once(error.problems)
    count = len(problems)
    print(f"phiscale: {count} problems:" if count > 1 else "phiscale: a problem:", file=sys.stderr)
    print("\n".join(f"- {problem}" for problem in problems), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
