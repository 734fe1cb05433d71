"""Sections filled from the keyword parameters of a function."""

from __future__ import annotations

import pytest
from made_up import Leaves

from pipeline.base.errors import PhiscaleError
from pipeline.base.parameters import filled


def test_what_is_not_given_has_its_default() -> None:
    assert filled(Leaves.Parameters, {}, "tea").model_dump() == {"grams": 2.5}
    assert filled(Leaves.Parameters, {"grams": 4}, "tea").model_dump() == {"grams": 4.0}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"powder": 1}, "tea.powder: is no parameter of the method 'leaves', which has: grams."),
        ({"grams": "heaps"}, "tea.grams: 'heaps' is refused"),
    ],
)
def test_what_does_not_belong_is_named(given: dict[str, object], expected: str) -> None:
    with pytest.raises(PhiscaleError) as raised:
        filled(Leaves.Parameters, given, "tea", "the method 'leaves'")
    assert expected in str(raised.value)


def test_every_fault_is_told() -> None:
    with pytest.raises(PhiscaleError) as raised:
        filled(Leaves.Parameters, {"powder": 1, "grams": "heaps"}, "tea")
    assert len(raised.value.problems) == 2
    assert "the section tea" in str(raised.value)
