"""`phiscale inspect`: what is in a file, and the lines of the sheets that would use it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.arguments import Commands

if TYPE_CHECKING:
    from pipeline.study.drafting import Draft

HOLDS, STRETCHES = 40, 10  # that are listed


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("inspect", help="print what is in recordings, and the lines of the sheets that use it")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, or folders of suite2p")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is in `args.files`.

    Raises:
        PhiscaleError: with every file that cannot be read.
    """
    from pipeline.study.drafting import found_in

    print("\n\n".join(described(draft) for draft in found_in(args.files)))
    return 0


def described(draft: Draft) -> str:
    """Return what lies in a file, as text.

    Args:
        draft: what was found.
    """
    from pipeline.ingest.contents import ASK
    from pipeline.study.drafting import identifier, sheet

    contents = draft.contents
    lines = [str(draft.path), f"  format {draft.reader.name}: {draft.reader.summary}", "  holds"]
    lines += [f"    {name}  {what}" for name, what in contents.holds[:HOLDS]]
    lines += [f"    and {len(contents.holds) - HOLDS} more"] if len(contents.holds) > HOLDS else []
    lines += [f"  {remark}" for remark in contents.remarks]
    name = identifier(draft.path.stem) or "recording"
    base = {"recording": name, "subject": contents.subject or ASK, "path": str(draft.path)}
    rows = [{**base, "format": draft.reader.name, **columns} for columns in contents.choices]
    if rows:
        choose = f" ({len(rows)} choices: keep one)" if len(rows) > 1 else ""
        lines += [f"  in recordings.tsv{choose}; {ASK} is for you to fill in", *_indented(sheet(rows))]
    for table, epochs in contents.epochs.items():
        kinds = list(dict.fromkeys(epoch.condition for epoch in epochs))
        lines.append(f"  {table}: {len(epochs)} stretches of {', '.join(kinds)}; in windows.tsv")
        for epoch in epochs[:STRETCHES]:
            condition = identifier(epoch.condition)
            lines.append("\t".join([f"    {name}", condition, condition, f"{epoch.start_s:g}", f"{epoch.end_s:g}"]))
        lines += [f"    and {len(epochs) - STRETCHES} more"] if len(epochs) > STRETCHES else []
    for states in contents.states:
        columns = {key: value for key, value in states.items() if key != "codes"}
        told = ", ".join(f"{key} = {value}" for key, value in {"state_codes": str(draft.path), **columns}.items())
        lines.append(f"  may hold state codes ({states['codes']}); in recordings.tsv: {told}")
    return "\n".join(lines)


def _indented(text: str) -> list[str]:
    return [f"    {line}" for line in text.splitlines()]
