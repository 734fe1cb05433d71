"""The published figures, in every clone: what is printed in them is what is computed."""

import pytest
from paper import COMPLEXES, FIGURES, WEIGHTS, black_box, coarse_graining, rules

from iitcore import MacroUnit, Substrate, complexes, distinctions, macro_system, search_grains, system_phi, unfold

BY_NAME = {f.name: f for f in FIGURES}
PRINTED = 0.0101  # two decimals, cut or rounded


@pytest.mark.parametrize("figure", FIGURES, ids=lambda f: f.name)
def test_system_integrated_information(figure):
    found = system_phi(figure.substrate.system(figure.state, figure.units))
    assert found.phi == pytest.approx(figure.phi_s, abs=PRINTED)


@pytest.mark.parametrize("figure", [f for f in FIGURES if f.distinctions], ids=lambda f: f.name)
def test_structure(figure):
    found = unfold(figure.substrate.system(figure.state, figure.units))
    assert found.n_distinctions == figure.distinctions
    low, high = found.phi_range
    if figure.big_phi:
        assert low - PRINTED <= figure.big_phi + 0.5 * (figure.big_phi > 1000)
        assert figure.big_phi - 0.5 * (figure.big_phi > 1000) <= high + PRINTED
    if figure.relations and found.n_tied_choices == 1:
        assert found.n_relations == figure.relations
    if figure.big_phi and found.n_tied_choices == 1:
        assert found.phi == pytest.approx(figure.big_phi, abs=PRINTED)


@pytest.mark.parametrize("name", COMPLEXES)
def test_first_complexes(name):
    figure = BY_NAME[name]
    found = ["".join(c.units) for c in complexes(figure.substrate, figure.state)]
    assert tuple(found[: len(COMPLEXES[name])]) == COMPLEXES[name]


def test_figure_1_sides():
    found = system_phi(BY_NAME["1: aB"].substrate.system("011", "AB"))
    assert found.cause.phi == pytest.approx(0.24, abs=PRINTED)
    assert found.effect.phi == pytest.approx(0.17, abs=PRINTED)


def test_figure_2_distinctions():
    found = {d.mechanism: d.phi for d in distinctions(BY_NAME["1: aB"].substrate.system("011", "AB"))}
    assert found[("A",)] == pytest.approx(0.33, abs=PRINTED)
    assert found[("B",)] == pytest.approx(0.32, abs=PRINTED)
    assert found[("A", "B")] == pytest.approx(0.07, abs=PRINTED)


def test_figure_4_relation():
    relations = unfold(BY_NAME["1: aB"].substrate.system("011", "AB")).relations.enumerate(None)
    whole = max(relations, key=lambda r: r.degree)
    assert whole.degree == 3
    assert whole.phi == pytest.approx(0.035, abs=0.001)
    assert len(whole.faces) == 9


def test_figure_7c_is_another_universe_than_a_unit_that_is_off():
    off = Substrate.logistic(WEIGHTS["7"]).system("11000", "ABCD")
    assert abs(system_phi(off).phi - system_phi(BY_NAME["7C"].substrate.system("1100")).phi) > 1e-6


@pytest.mark.parametrize(("name", "printed"), [("top", 21.01), ("middle", 3.64)])
def test_figure_8(name, printed):
    """Three systems that do the same to their outputs; one is complex, one less so, one is none."""
    system = rules(name).system("100")
    assert [c.units for c in complexes(rules(name), "100")] == [("A", "B", "C")]
    low, high = unfold(system).phi_range
    assert low - PRINTED <= printed <= high + PRINTED


def test_figure_8_bottom_falls_into_three():
    assert system_phi(rules("bottom").system("100")).phi == 0
    assert {c.units for c in complexes(rules("bottom"), "100")} == {("A",), ("B",), ("C",)}


def test_example_1_of_2024_coarse_graining():
    """Macro units that are ON when both of their micro units are, in the state all OFF."""
    pairs = MacroUnit.all_on(("A", "B")), MacroUnit.all_on(("C", "D"))
    system = macro_system(coarse_graining(), pairs, "0000")
    assert system_phi(system).phi == pytest.approx(1.0040208141253, abs=1e-9)
    assert unfold(system).phi == pytest.approx(2.8521788234358, abs=1e-9)
    found = search_grains(coarse_graining(), "0000")
    assert (found.winner.units, found.tied, found.undecided) == (pairs, (), 0)
    assert found.complexes == (found.winner,)
    assert found.micro.phi == pytest.approx(0.0202, abs=5e-5)
    assert found.gain == found.winner.phi - found.micro.phi > 0


def test_example_2_of_2024_black_boxes():
    """Macro units of four micro units read through one of them, over two updates, in the state all ON."""
    boxes = tuple(MacroUnit.black_box(tuple(box), box[2], 2) for box in ("ABCD", "EFGH"))
    system = macro_system(black_box(), boxes, ["11111111"] * 2)
    assert system_phi(system).phi == pytest.approx(1.1183776016501, abs=1e-9)
    assert unfold(system).phi == pytest.approx(2.6245200898606, abs=1e-9)
    found = search_grains(black_box(), ["11111111"] * 2, groupings=[["ABCD", "EFGH"]])
    assert found.best.units == boxes
    assert found.best.phi == pytest.approx(1.1183776016501, abs=1e-9)
