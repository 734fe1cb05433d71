"""What several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_study(parser: argparse.ArgumentParser) -> None:
    """Add the study and the folder of its recordings."""
    parser.add_argument("study", type=Path, metavar="STUDY", help="study.yaml, or the folder that holds it")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder from which the paths in recordings.tsv start")


def add_cores(parser: argparse.ArgumentParser) -> None:
    """Add the number of cores."""
    parser.add_argument("-c", "--cores", type=int, help="processor cores to use (1; a profile's own with --profile)")


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Add the choice between progress in a line and all that Snakemake says."""
    parser.add_argument("-v", "--verbose", action="store_true", help="show what Snakemake says, in place of progress")
