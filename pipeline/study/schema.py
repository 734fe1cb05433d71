"""The JSON schema of study.yaml, for editors that check while one types."""

from __future__ import annotations

import json

from pipeline.base.parameters import Section
from pipeline.study.fields import parts
from pipeline.study.parameters import Parameters


def json_schema(model: type[Section] = Parameters) -> str:
    """Return the JSON schema of a study's model, as text.

    Args:
        model: of the study.
    """
    schema = model.model_json_schema()
    for name in parts(model):  # an empty section (null) has its defaults
        section = schema["properties"][name]
        kept = {key: section.pop(key) for key in ("default", "description", "title") if key in section}
        choices = section.pop("anyOf", None) or [dict(section)]
        if {"type": "null"} not in choices:
            choices.append({"type": "null"})
        schema["properties"][name] = {"anyOf": choices, **kept}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
