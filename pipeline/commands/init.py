"""`phiscale init`: a commented study to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.base.errors import PhiscaleError, Problem, notes_once
from pipeline.commands.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("init", help="write a commented study to start from")
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument(
        "--from", nargs="+", type=Path, metavar="FILE", dest="files", help="write the sheets and parameters for these"
    )
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="COLUMN=VALUE",
        dest="columns",
        help="columns of the sheet of recordings, for all of them",
    )
    parser.add_argument("--epochs", metavar="TABLE", help="table of intervals (NWB) that gives the windows")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the files of a study to `args.directory`: for `args.files`, or a template.

    Raises:
        PhiscaleError: the folder is a file, or holds a study already; files that cannot be used.
    """
    folder: Path = args.directory
    names = ("study.yaml", "recordings.tsv", "windows.tsv", "study.schema.json")
    if folder.exists() and not folder.is_dir():
        what = "is a file, not a folder"
        raise PhiscaleError(Problem(str(folder), what, "A study is a folder of several files", "name a new folder"))
    existing = [name for name in names if (folder / name).exists()]
    if existing:
        what = f"already holds {', '.join(existing)}"
        raise PhiscaleError(Problem(str(folder), what, "They would be overwritten", "choose another folder"))
    if args.files:
        return _write_from(args, folder)
    if args.columns or args.epochs:
        what = "is given without --from"
        raise PhiscaleError(
            Problem("--set or --epochs", what, "It would be ignored", "name the recordings with --from")
        )
    from pipeline.study.template import RECORDINGS, WINDOWS, study_template

    _write(folder, {"study.yaml": study_template(), "recordings.tsv": RECORDINGS, "windows.tsv": WINDOWS})
    print(f"{folder}: {', '.join(names)} written. Fill in the sheets, then: phiscale check {folder}")
    return 0


def _write_from(args: argparse.Namespace, folder: Path) -> int:
    from pipeline.study.drafting import found_in, settled
    from pipeline.study.writing import study_of

    given = {}
    for pair in args.columns:
        name, separator, value = pair.partition("=")
        if not separator:
            fix = "e.g. --set rate_hz=10 transpose=true"
            raise PhiscaleError(Problem("--set", f"{pair!r} is not COLUMN=VALUE", "No column could be set", fix))
        given[name.strip()] = value.strip()
    written = study_of(folder, settled(found_in(args.files), given), args.epochs)
    _write(folder, written.files)
    print(f"{folder}: {', '.join(written.files)} written")
    for line in notes_once(written.told):
        print(f"- {line}")
    print(f"then: phiscale check {folder}")
    return 0


def _write(folder: Path, files: dict[str, str]) -> None:
    from pipeline.base.files import write_text
    from pipeline.study.schema import json_schema

    for name, text in {**files, "study.schema.json": json_schema()}.items():
        write_text(text, folder / name)
