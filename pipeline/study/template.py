"""The commented study template and its JSON schema, both generated from the model of config.py."""

from __future__ import annotations

import json
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.ingest.parameters import StateCodes
from pipeline.study.parameters import Parameters

HEADER = """\
# A phiscale study. Every field is shown with its default; lines that begin with '#' and hold a field may be left out.
# Beside this file: recordings.tsv (one row per recording) and windows.tsv (one row per stretch of a condition).
# See what it will do, and everything that is wrong with it, with:  phiscale check study.yaml
"""
EXAMPLE = {"study": "my_study", "conditions": ["awake", "anesthesia", "recovery"]}
RECORDINGS = """\
# One row per recording. Optional columns: rate_hz, dataset, transpose, indicator, neuropil_path, neuropil_dataset,
# positions, time_dataset, state_codes, state_dataset, state_rate_hz, truth.
recording\tsubject\tpath\tformat\trate_hz\tindicator
m1_day1\tm1\tdata/m1_day1.csv\tcsv\t10\tGCaMP6f
"""
WINDOWS = """\
# One row per stretch; rows that share recording and window belong to one window.
recording\twindow\tcondition\tstart_s\tend_s
m1_day1\tawake\tawake\t0\t600
m1_day1\tanesthesia\tanesthesia\t600\t1200
m1_day1\trecovery\trecovery\t1200\t1800
"""


def study_template() -> str:
    """Return study.yaml with every field, its default, what it means and what it may be."""
    lines = [HEADER]
    for name, field in Parameters.model_fields.items():
        section = field.default
        if isinstance(section, BaseModel):
            lines.append(f"\n# {type(section).__doc__}\n{name}:")
            lines += [line for key, info in type(section).model_fields.items() for line in _field(key, info, 1)]
        elif name == "state_codes":
            lines.append(f"\n# {StateCodes.__doc__}\n# {name}:")
            lines.append("#   codes: {1: wake, 2: nrem, 3: rem}  # " + _comment(StateCodes.model_fields["codes"]))
            lines += [
                "#" + line
                for key, info in StateCodes.model_fields.items()
                if key != "codes"
                for line in _field(key, info, 1)
            ]
        else:
            lines += _field(name, field, 0, EXAMPLE.get(name))
    return "\n".join(lines) + "\n"


def json_schema() -> str:
    """Return the JSON schema of study.yaml, for editors that check while one types."""
    return json.dumps(Parameters.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _field(name: str, field: FieldInfo, depth: int, example: Any = None) -> list[str]:
    value = example if example is not None else field.get_default(call_default_factory=True)
    return [f"{'  ' * depth}{name}: {_yaml(value)}  # {_comment(field)}".replace(":   #", ":  #")]


def _comment(field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    return (field.description or "") + (f" ({' | '.join(choices)})" if choices else "")


def _choices(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(value) for value in get_args(annotation)]
    if get_origin(annotation) in (list, Union, UnionType):
        return [choice for part in get_args(annotation) for choice in _choices(part)]
    return []


def field_reference() -> str:
    """Return the page that lists every field of study.yaml (Markdown)."""
    lines = [
        "# Fields of study.yaml",
        "",
        "Generated from the model in `pipeline/study/parameters.py`. Fields that are not listed here are refused.",
    ]
    sections = {
        "The study": Parameters,
        **{
            name: type(field.default)
            for name, field in Parameters.model_fields.items()
            if isinstance(field.default, BaseModel)
        },
        "state_codes": StateCodes,
    }
    for title, model in sections.items():
        heading = title if model is Parameters else f"`{title}`"
        lines += [
            "",
            f"## {heading}",
            "",
            str(model.__doc__),
            "",
            "| field | default | meaning |",
            "|---|---|---|",
        ]
        for name, field in model.model_fields.items():
            if isinstance(field.default, BaseModel):
                continue
            value = (
                "required" if field.is_required() else f"`{_yaml(field.get_default(call_default_factory=True)) or ' '}`"
            )
            lines.append(f"| `{name}` | {value} | {_comment(field).replace('|', '/')} |")
    return "\n".join(lines) + "\n"


def _yaml(value: Any) -> str:
    if value is None:
        return ""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).replace("\n...", "").strip()


FILES = {
    "config/study.template.yaml": study_template,
    "config/study.schema.json": json_schema,
    "docs/study-fields.md": field_reference,
}

if __name__ == "__main__":
    for name, generate in FILES.items():
        (Path(__file__).resolve().parents[2] / name).write_text(generate(), encoding="utf-8")
