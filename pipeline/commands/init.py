"""`phiscale init`: a commented study to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("init", help="write a commented study to start from")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files of a study to `args.directory`.

    Raises:
        PhiscaleError: the folder is a file, or holds a study already.
    """
    from pipeline.base.files import write_text
    from pipeline.study.schema import json_schema
    from pipeline.study.template import RECORDINGS, WINDOWS, study_template

    files = {
        "study.yaml": study_template(),
        "recordings.tsv": RECORDINGS,
        "windows.tsv": WINDOWS,
        "study.schema.json": json_schema(),
    }
    folder = args.directory
    if folder.exists() and not folder.is_dir():
        what = "is a file, not a folder"
        raise PhiscaleError(Problem(str(folder), what, "A study is a folder of several files", "name a new folder"))
    existing = [name for name in files if (folder / name).exists()]
    if existing:
        what = f"already holds {', '.join(existing)}"
        raise PhiscaleError(Problem(str(folder), what, "They would be overwritten", "choose another folder"))
    for name, text in files.items():
        write_text(text, folder / name)
    print(f"{folder}: {', '.join(files)} written. Fill in the sheets, then: phiscale check {folder}")
    return 0
