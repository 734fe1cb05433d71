"""The template and the schema are what the model says; regenerate them with `python -m pipeline.study.template`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from made_up import TEAS, Model

from pipeline.base.parameters import Section
from pipeline.ingest.registry import READERS
from pipeline.study.fields import parts
from pipeline.study.parameters import Parameters
from pipeline.study.reference import field_reference
from pipeline.study.schema import json_schema
from pipeline.study.sheets import OPTION_COLUMNS
from pipeline.study.template import EXAMPLES, FILES, INSTEAD, study_template

ROOT = Path(__file__).resolve().parents[3]
FIELD = re.compile(r"^( *)# ( *\w+:( .*)?)$")  # a line that is a field once `# ` is removed


@pytest.mark.parametrize("name", FILES)
def test_files_follow_the_model(name: str) -> None:
    written, generated = (ROOT / name).read_text(), FILES[name]()
    diff = "\n".join(difflib.unified_diff(written.splitlines(), generated.splitlines(), name, "model", lineterm=""))
    assert not diff, f"{name} has drifted from its model; run: python -m pipeline.study.template\n{diff}"


def test_template_is_a_valid_study_with_the_defaults() -> None:
    fields = yaml.safe_load(study_template())
    assert Parameters.model_validate(fields) == Parameters(study=fields["study"], conditions=fields["conditions"])
    jsonschema.validate(fields, json.loads(json_schema()))


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Each block of fields that are commented out (its first line), and the text with this block taken."""
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        end = i
        while end < len(lines) and FIELD.match(lines[end]):
            end += 1
        if end > i:
            taken = [FIELD.sub(r"\1\2", line) for line in lines[i:end]]
            start = i
            if lines[i - 1].strip() == INSTEAD:  # in place of the method that is taken by default
                start = max(n for n in range(i) if lines[n].startswith("  method:"))
            yield taken[0].strip(), "\n".join([*lines[:start], *taken, *lines[end:]])
        i = end + 1


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> type[Section]:
    monkeypatch.setitem(EXAMPLES, "place.room", "kitchen")
    return Model


def check_blocks(model: type[Section]) -> list[str]:
    """Take every block in turn: the study is valid, and says what the block says."""
    schema, found = json.loads(json_schema(model)), []
    for first, text in blocks(study_template(model)):
        fields = yaml.safe_load(text)
        jsonschema.validate(fields, schema)
        study = model.model_validate(fields)
        name, _, value = first.partition(":")
        if name == "method":
            method = value.split("#")[0].strip()
            section = max((n for n in parts(model) if f"\n{n}:" in text.split(first)[0]), key=text.index)
            assert getattr(study, section).method == method
            found.append(f"{section}.{method}")
        else:
            assert getattr(study, name) is not None
            found.append(name)
    return found


def test_every_block_that_is_commented_out_is_valid(made_up: type[Section]) -> None:
    assert check_blocks(made_up) == ["tea.bag", "tea.whisk", "place"]
    expected = [
        f"{part.name}.{method}"
        for part in parts(Parameters).values()
        if part.chosen
        for method in part.chosen.models
        if method != part.chosen.default
    ]
    assert sorted(check_blocks(Parameters)) == sorted([*expected, "encoder", "multiverse", "state_codes"])


def test_the_template_of_a_section_with_methods(made_up: type[Section]) -> None:
    assert """
# How tea is made.
tea:
  minutes: 3  # How long it draws [min]
  # How the tea is made; 3 methods:
  method: leaves  # loose leaves in a pot
  grams: 2.5  # Leaves [g]
  # Or, instead of the lines from method on:
  # method: bag  # a bag in a cup
  # Or, instead of the lines from method on:
  # method: whisk  # powder, whisked
  # powder: 1.0  # Powder [g]
  # water: hot  # Water
""" in study_template(made_up)


def test_the_reference_of_a_section_with_methods() -> None:
    page = field_reference(Model)
    assert "| `method` | `leaves` | How the tea is made (leaves / bag / whisk) |\n| `minutes` | `3` |" in page
    assert "### `tea.method: leaves` (default)\n\nLoose leaves in a pot.\n\n| field | default | meaning |" in page
    assert "\n\nReference: Okakura K (1906). The book of tea.\n\n### `tea.method: bag`\n\nA bag in a cup.\n" in page


@pytest.mark.parametrize("method", TEAS)
def test_the_schema_takes_every_method(method: str) -> None:
    schema = json.loads(json_schema(Model))
    jsonschema.validate({"study": "s", "conditions": ["a"], "tea": {"method": method}}, schema)
    jsonschema.validate({"study": "s", "conditions": ["a"], "tea": None, "place": None}, schema)


def test_schema_refuses_what_the_model_refuses() -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"study": "a", "conditions": ["x"], "tmp": 1}, json.loads(json_schema()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"study": "a", "conditions": ["x"], "tea": {"powder": 1}}, json.loads(json_schema(Model)))


def test_the_reference_lists_formats_and_their_columns() -> None:
    page = field_reference()
    for name, reader in READERS.items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}` | {reader.summary} |")]
        assert all(f"`{column}`" in row for column in reader.columns)
    assert set(OPTION_COLUMNS) <= set(re.findall(r"`(\w+)`", page.split("recordings.tsv\n")[1]))
