"""Registries: choosing from them, and the sections of a study that are made of them."""

from __future__ import annotations

import json

import jsonschema
import pytest
from made_up import TEAS, Bag, Common, Leaves, Model, Tea
from pydantic import TypeAdapter, ValidationError

from pipeline.base.errors import PhiscaleError
from pipeline.base.registry import Registry, chosen_of

SECTION = TypeAdapter(Tea)


def test_entries_keep_their_order_and_are_found_by_name() -> None:
    assert list(TEAS) == ["leaves", "bag", "whisk"]
    assert TEAS.choose("bag").summary == "a bag in a cup"


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(PhiscaleError) as raised:
        TEAS.choose("coffee")
    assert "tea.method: 'coffee' is not one of leaves, bag, whisk" in str(raised.value)
    assert "choose one of them" in str(raised.value)


def test_a_misspelt_name_is_guessed_and_the_place_is_the_callers() -> None:
    with pytest.raises(PhiscaleError, match=r"sheet, line 2: 'leafs' .* did you mean 'leaves'\?"):
        TEAS.choose("leafs", "sheet, line 2")


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="tea registry have one name"):
        Registry("tea", "tea.method", Leaves(), Bag(), Leaves())


def test_the_default_method_is_meant_where_none_is_named() -> None:
    assert SECTION.validate_python({}).model_dump() == {"minutes": 3, "grams": 2.5, "method": "leaves"}
    assert SECTION.validate_python({"grams": 4}).grams == 4


@pytest.mark.parametrize("method", TEAS)
def test_a_method_has_the_common_fields_and_its_own(method: str) -> None:
    section = SECTION.validate_python({"method": method, "minutes": 5})
    assert isinstance(section, Common)
    own = set(TEAS[method].Parameters.model_fields)
    assert set(section.model_dump()) == {"method", "minutes"} | own


@pytest.mark.parametrize("method", TEAS)
def test_a_section_goes_through_json(method: str) -> None:
    section = SECTION.validate_python({"method": method})
    assert SECTION.validate_json(section.model_dump_json()) == section
    assert SECTION.validate_python(section) is section


@pytest.mark.parametrize(
    "fields",
    [{"method": "bag", "grams": 2}, {"powder": 1}, {"method": "whisk", "grams": 2}, {"method": "coffee"}, {"sugar": 1}],
)
def test_what_belongs_to_another_method_or_to_none_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SECTION.validate_python(fields)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(fields, SECTION.json_schema())


@pytest.mark.parametrize("fields", [{}, {"grams": 2}, {"method": "bag"}, {"method": "whisk", "water": "cold"}])
def test_the_schema_takes_what_the_section_takes(fields: dict[str, object]) -> None:
    SECTION.validate_python(fields)
    jsonschema.validate(fields, json.loads(json.dumps(SECTION.json_schema())))


def test_a_section_of_a_study_knows_how_it_is_chosen() -> None:
    chosen = chosen_of(Model.model_fields["tea"])
    assert chosen is not None
    assert chosen.registry is TEAS
    assert chosen.section() == SECTION.validate_python({})
    assert list(chosen.own_fields("whisk")) == ["powder", "water"]
    assert chosen.methods_with("powder") == ["whisk"]
    assert chosen.methods_with("minutes") == []
    assert chosen_of(Model.model_fields["study"]) is None
