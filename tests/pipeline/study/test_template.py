"""The template and the schema are what the model says; regenerate them with `python -m pipeline.study.template`."""

import difflib
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.study.parameters import Parameters
from pipeline.study.template import FILES

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", FILES)
def test_files_follow_the_model(name: str) -> None:
    written, generated = (ROOT / name).read_text(), FILES[name]()
    diff = "\n".join(difflib.unified_diff(written.splitlines(), generated.splitlines(), name, "model", lineterm=""))
    assert not diff, (
        f"{name} has drifted from pipeline/study/parameters.py; run: python -m pipeline.study.template\n{diff}"
    )


def test_template_is_a_valid_study_with_the_defaults() -> None:
    fields = yaml.safe_load(FILES["config/study.template.yaml"]())
    assert Parameters.model_validate(fields) == Parameters(study=fields["study"], conditions=fields["conditions"])
    jsonschema.validate(fields, json.loads(FILES["config/study.schema.json"]()))


def test_schema_refuses_what_the_model_refuses() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            {"study": "a", "conditions": ["x"], "tmp": 1},
            json.loads(FILES["config/study.schema.json"]()),
        )
