"""`phiscale simulate`: recordings of known causal structure, as a study of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("simulate", help="write simulated recordings with their truth, as a study of its own")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--subjects", type=int, default=3, help="simulated animals (3)")
    parser.add_argument("--seed", type=int, default=0, help="seed (0)")
    parser.add_argument("--substrate", help="what the ensembles do to each other: a simulate.substrate (pairs)")
    parser.add_argument("--drive", help="what acts on them from outside: a simulate.drive (telegraph)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the study to `args.directory`.

    Raises:
        PhiscaleError: a number of subjects below one, or a substrate or drive that there is not.
    """
    from pipeline.simulation.recordings import simulate_study

    folder = args.directory
    given = {name: getattr(args, name) for name in ("substrate", "drive") if getattr(args, name)}
    simulate_study(folder, n_subjects=args.subjects, seed=args.seed, **given)
    print(f"{folder}: study.yaml and {args.subjects} recordings written. Run it with: phiscale run {folder}")
    return 0
