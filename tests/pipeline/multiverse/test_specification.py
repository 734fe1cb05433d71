"""Names of specifications: readable, different where the choices differ, and independent of the order."""

from __future__ import annotations

import re

import pytest

from pipeline.base.parameters import Identifier
from pipeline.multiverse.specification import LONGEST, Estimand, Specification, name_of, named, sampled, shown


@pytest.mark.parametrize(
    ("choices", "name"),
    [
        ({"ensembles.method": "none", "binarize.method": "events"}, "ensembles_none_events"),
        ({"binarize.z": 2.0, "preprocess.resample_hz": None}, "z_2_resample_hz_none"),
        ({"binarize.per_window": True, "nulls.kinds": ["shift", "markov"]}, "per_window_true_kinds_shift_markov"),
        ({"iit.x": -0.25}, "x_m0p25"),
    ],
)
def test_a_name_says_the_choices(choices: dict[str, object], name: str) -> None:
    assert name_of(choices) == name


def test_names_are_identifiers_and_differ() -> None:
    many = [
        {f"tpm.a_rather_long_name_of_a_field_{i}": value for i in range(9)} for value in ("a-b", "a.b", "a b", "ab")
    ]
    names = [s.name for s in named(many)]
    limits = Identifier.__metadata__[0].metadata
    pattern = next(limit.pattern for limit in limits if hasattr(limit, "pattern"))
    assert len(set(names)) == 4
    assert all(re.match(pattern, name) and len(name) <= LONGEST for name in names)


def test_short_names_that_collide_are_told_apart() -> None:
    names = [s.name for s in named([{"a.x": "p q"}, {"a.x": "p+q"}, {"a.x": "r"}])]
    assert len(set(names)) == 3
    assert names[2] == "x_r"


def test_a_sample_depends_on_names_not_on_order() -> None:
    all_of_them = [Specification(f"s{i}", {}, main=i == 7) for i in range(20)]
    drawn = sampled(all_of_them, 5, seed=1)
    assert len(drawn) == 6
    assert any(s.main for s in drawn)
    assert {s.name for s in drawn} == {s.name for s in sampled(all_of_them[::-1], 5, seed=1)}
    assert {s.name for s in drawn} != {s.name for s in sampled(all_of_them, 5, seed=2)}


def test_choices_are_told() -> None:
    told = Specification("x", {"binarize.z": 2.5, "macro.mappings": []}).told
    assert told == "binarize.z: 2.5; macro.mappings: none"
    assert shown(0.1 + 0.2) == "0.3"


def test_the_endpoint_is_of_the_units_or_of_macro_units() -> None:
    micro, macro = Estimand("phi_s", None, ("a", "b")), Estimand("phi_s", 2, ("a", "b"))
    assert (micro.route, micro.scale(5)) == ("micro", 5)
    assert (macro.route, macro.scale(5)) == ("macro_units", 2)
