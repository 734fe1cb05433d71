"""What the model of a study refuses is told in the words of the study, with the way to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from made_up import Model
from pydantic import ValidationError

from pipeline.base.errors import Problems
from pipeline.study.fields import parts
from pipeline.study.messages import explain
from pipeline.study.parameters import Parameters
from pipeline.study.reading import read_parameters

SOUND = "study: tea\nconditions: [a]\n"


def told(text: str) -> list[str]:
    with pytest.raises(ValidationError) as raised:
        Model.model_validate(yaml.safe_load(SOUND) | yaml.safe_load(text))
    return [str(problem) for problem in explain("study.yaml", raised.value, Model)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "tea: {powder: 2}",
            "study.yaml: tea.powder: belongs to the method 'whisk', and tea.method is 'leaves'. It would be ignored. "
            "Fix: remove it, or set tea.method to 'whisk'.",
        ),
        (
            "tea: {method: bag, grams: 2}",
            "study.yaml: tea.grams: belongs to the method 'leaves', and tea.method is 'bag'. It would be ignored. "
            "Fix: remove it, or set tea.method to 'leaves'.",
        ),
        (
            "tea: {minute: 2}",
            "study.yaml: tea.minute: is not a field of a study. It would be ignored. Fix: did you mean 'minutes'?",
        ),
        (
            "tea: {powdr: 2}",
            "study.yaml: tea.powdr: is not a field of a study. It would be ignored. Fix: did you mean 'powder'?",
        ),
        (
            "tea: {sugar: 2}",
            "study.yaml: tea.sugar: is not a field of a study. It would be ignored. "
            "Fix: known here: method, grams, minutes.",
        ),
        (
            "tea: {method: leafs}",
            "study.yaml: tea.method: 'leafs' is not one of leaves, bag, whisk. There is no such tea. "
            "Fix: did you mean 'leaves'?",
        ),
        (
            "tea: {method: whisk, minutes: 0}",
            "study.yaml: tea.minutes: 0 is not allowed (input should be greater than or equal to 1). "
            "Fix: correct the value.",
        ),
        (
            "tea: 3",
            "study.yaml: tea: holds 3, not fields. None of them can be read. "
            "Fix: write its fields below it, indented, one name: value in each line.",
        ),
        (
            "tea: {method: off}",
            "study.yaml: tea.method: is read as false, not as text. YAML takes an unquoted no, off or false "
            '(in capitals too) for a truth value. Fix: put it in quotes, e.g. "no".',
        ),
        (
            "conditions: [a, on]",
            "study.yaml: conditions.1: is read as true, not as text. YAML takes an unquoted yes, on or true "
            '(in capitals too) for a truth value. Fix: put it in quotes, e.g. "yes".',
        ),
        (
            "study: 2026",
            "study.yaml: study: 2026 is not allowed (input should be a valid string). Fix: put it in quotes: '2026'.",
        ),
        (
            "place: {seats: 2}",
            "study.yaml: place.room: is missing. The study cannot be run without it. "
            "Fix: add it (phiscale init DIR writes a commented template).",
        ),
        (
            "plaice: {seats: 2}",
            "study.yaml: plaice: is not a field of a study. It would be ignored. Fix: did you mean 'place'?",
        ),
    ],
)
def test_one_message(text: str, expected: str) -> None:
    assert told(text) == [expected]


def test_every_fault_is_told() -> None:
    assert len(told("tea: {method: whisk, grams: 2, powder: heaps, minutes: -1}\nplaice: 1")) == 4


@pytest.mark.parametrize(
    ("fields", "field", "expected"),
    [
        ({"nulls": {"kinds": ["intraction"]}}, "nulls.kinds.0", "did you mean 'interaction'?"),
        ({"nulls": {"kinds": ["shift"]}}, "nulls.kinds.0", "'shift' is called 'interaction' now."),
        ({"preprocess": {"detrend": "lineal"}}, "preprocess.detrend", "did you mean 'linear'?"),
        ({"tpm": {"method": "logistik"}}, "tpm.method", "did you mean 'logistic'?"),
        ({"tpm": {"priors": 2}}, "tpm.priors", "did you mean 'prior'?"),
        ({"preprocess": {"detrend": "x"}}, "preprocess.detrend", "correct the value."),
    ],
)
def test_a_misspelt_word_of_a_study_is_guessed(fields: dict[str, object], field: str, expected: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Parameters.model_validate({"study": "s", "conditions": ["a"]} | fields)
    [problem] = explain("study.yaml", raised.value, Parameters)
    assert problem.where == f"study.yaml: {field}"
    assert str(problem).endswith(f"Fix: {expected}")


@pytest.mark.parametrize("text", ["tea:", "tea: {}", "place:"])
def test_an_empty_section_has_its_defaults(text: str) -> None:
    fields = yaml.safe_load(SOUND)
    assert Model.model_validate(fields | yaml.safe_load(text)) == Model.model_validate(fields)


@pytest.mark.parametrize("name", parts(Parameters))
def test_every_section_of_a_study_may_be_empty(name: str) -> None:
    fields = {"study": "s", "conditions": ["a"]}
    assert Parameters.model_validate(fields | {name: None}) == Parameters.model_validate(fields)


def test_a_name_given_twice_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("study: s\nconditions: [a]\ntpm:\n  lag: 1\n  draws: 5\n  lag: 2\n")
    problems = Problems()
    assert read_parameters(path, problems) is None
    [problem] = problems.found
    assert "study.yaml, line 6: is not valid YAML ('lag' is given twice in one place)" in str(problem)


def test_a_name_may_occur_in_several_places(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("study: s\nconditions: [a]\ntpm:\n  method: beta\nbinarize:\n  method: otsu\n")
    problems = Problems()
    assert read_parameters(path, problems) is not None
    assert not problems.found
