"""What `phiscale init` writes: a commented study.yaml, generated from its model, and two sheets to fill in.

`python -m pipeline.study.template` writes the generated files of the repository anew.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from pipeline.base.parameters import Section
from pipeline.base.registry import Chosen, registry_of
from pipeline.study.fields import Part, as_yaml, default, meaning, parts
from pipeline.study.parameters import Parameters
from pipeline.study.reference import field_reference
from pipeline.study.schema import json_schema
from pipeline.study.sheets import OPTION_COLUMNS

HEADER = """\
# A phiscale study. Every field is shown with its default; lines that begin with '#' and hold a field may be left out.
# Beside this file: recordings.tsv (one row per recording) and windows.tsv (one row per stretch of a condition).
# See what it will do, and everything that is wrong with it, with:  phiscale check study.yaml
"""
EXAMPLES: dict[str, Any] = {
    "study": "my_study",
    "conditions": ["awake", "anesthesia", "recovery"],
    "multiverse.grid": {"binarize.bin_s": [0.4, 0.5, 0.6], "tpm.lag": [1, 2]},
    "state_codes.codes": {1: "awake", 2: "anesthesia", 3: "recovery"},
}
RECORDINGS = (
    textwrap.fill(
        f"One row per recording. Optional columns: {', '.join(OPTION_COLUMNS)}.",
        width=116,
        initial_indent="# ",
        subsequent_indent="# ",
    )
    + """
recording\tsubject\tpath\tformat\trate_hz\tindicator
m1_day1\tm1\tdata/m1_day1.csv\tcsv\t10\tGCaMP6f
"""
)
WINDOWS = """\
# One row per stretch; rows that share recording and window belong to one window.
recording\twindow\tcondition\tstart_s\tend_s
m1_day1\tawake\tawake\t0\t600
m1_day1\tanesthesia\tanesthesia\t600\t1200
m1_day1\trecovery\trecovery\t1200\t1800
"""
INSTEAD = "# Or, instead of the lines from method on:"


def study_template(model: type[Section] = Parameters) -> str:
    """Return study.yaml with every field, its default, what it means and what it may be.

    What may be left out or chosen instead stands in lines that begin with `# `: without it they are fields.

    Args:
        model: of the study.
    """
    sections = parts(model)
    lines = [HEADER]
    for name, field in model.model_fields.items():
        lines += _section(sections[name]) if name in sections else [_field(name, field, EXAMPLES.get(name))]
    return "\n".join(lines) + "\n"


def _section(part: Part) -> Iterator[str]:
    yield f"\n# {part.words}"
    mark = "" if part.required else "# "
    yield f"{mark}{part.name}:"
    for name, field in part.fields.items():
        yield f"{mark}  {_field(name, field, EXAMPLES.get(f'{part.name}.{name}'))}"
        for entry in (registry_of(field) or {}).values():
            yield f"{mark}  # - {entry.name}: {entry.summary}"
    if part.chosen:
        yield from (f"  {line}" for line in _methods(part.chosen))


def _methods(chosen: Chosen) -> Iterator[str]:
    """Yield the default method with its own fields, and each other method as lines to take instead."""
    yield f"# {chosen.description}; {len(chosen.models)} methods:"
    yield from _method(chosen, chosen.default)
    for name in chosen.models:
        if name != chosen.default:
            yield INSTEAD
            yield from (f"# {line}" for line in _method(chosen, name))


def _method(chosen: Chosen, name: str) -> Iterator[str]:
    yield f"method: {as_yaml(name)}  # {chosen.registry[name].summary}"
    for own, field in chosen.own_fields(name).items():
        yield _field(own, field)


def _field(name: str, field: FieldInfo, example: Any = None) -> str:
    value = default(field) if example is None else as_yaml(example)
    return f"{name}: {value}  # {meaning(field)}".replace(":   #", ":  #")


FILES = {
    "config/study.template.yaml": study_template,
    "config/study.schema.json": json_schema,
    "docs/study-fields.md": field_reference,
}

if __name__ == "__main__":
    for file, generate in FILES.items():
        (Path(__file__).resolve().parents[2] / file).write_text(generate(), encoding="utf-8")
