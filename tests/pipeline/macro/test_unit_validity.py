"""Macro units that predict well are not always units by the theory's criterion."""

import numpy as np

from pipeline.base.raster import states_of
from pipeline.macro.groupings import Grouping
from pipeline.macro.validity import unit_validity
from pipeline.simulation import planted

STATES = states_of(4)
WEIGHTS = np.zeros((4, 4))
for source, target in (planted.PAIRS, planted.PAIRS[::-1]):
    WEIGHTS[np.ix_(source, target)] = planted.WEIGHT
P_ON = 1 / (1 + np.exp(-(planted.BIAS + STATES @ WEIGHTS)))
VISITS = np.full(16, 10)
NAMES = ["a", "b", "c", "d"]


def test_members_of_a_planted_pair_do_not_act_on_each_other() -> None:
    (first, why), (second, _) = unit_validity(P_ON, Grouping((0, 0, 1, 1), ("and", "and")), VISITS, NAMES)
    assert (first, second) == (0, 0)
    assert "a, b" in why
    assert "reducible" in why


def test_units_that_act_on_each_other_are_valid() -> None:
    found = unit_validity(P_ON, Grouping((0, 1, 0, 1), ("or", "or")), VISITS, NAMES)
    assert [holds for holds, _ in found] == [1, 1]


def test_single_units_are_valid_and_large_substrates_are_not_checked() -> None:
    single = unit_validity(P_ON, Grouping((0, 1, 1, 1), ("and", "and")), VISITS, NAMES)[0]
    assert single == (1, "a micro unit")
    many = np.full((2**7, 7), 0.5)
    found = unit_validity(many, Grouping((0, 0, 0, 1, 1, 1, 1), ("and", "and")), np.ones(128, int), list("abcdefg"))
    assert [holds for holds, _ in found] == [-1, -1]
