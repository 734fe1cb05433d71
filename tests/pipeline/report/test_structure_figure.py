"""Φ-structures as they are drawn: every relation where the theory has one, with its phi, and turned as they should."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fake_results import write_study
from fake_structures import structure_of, with_structures

import iitcore as iit
from pipeline.report.figures import structures
from pipeline.report.findings import Findings


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    made = with_structures(write_study(tmp_path_factory.mktemp("structures"), subjects=1, failed=False))
    return Findings(made.results, made.parameters, [], made.windows, made.recordings)


def dense() -> iit.PhiStructure:
    """A structure of three units with many distinctions."""
    p_on = np.random.default_rng(5).random((8, 3))
    return iit.unfold(iit.Substrate(p_on, units=("a", "b", "c")).system((1, 0, 0)), threads=1)


def test_structures_of_the_most_visited_state_stand_side_by_side(study: Findings) -> None:
    found = structures.unfolded(study)
    assert [(u.condition, u.state) for u in found] == [(c, "0000") for c in ("awake", "anesthesia", "recovery")]
    figure = structures.structures(study)
    assert figure.turns
    assert [p.tags["condition"] for p in figure.shown] == ["awake", "anesthesia", "recovery"]
    for panel, own in zip(figure.shown, found, strict=True):
        whole = structure_of(own.condition)
        assert f"{whole.n_distinctions} distinctions, {whole.n_relations} relations" in panel.body
    assert figure.csv.count("\n") == 1 + sum(u.structure.n_distinctions for u in found)


@pytest.mark.parametrize(
    ("flag", "told"), [("corrected;withheld:tenfold", "Φ withheld"), ("imprecise", "ibit, imprecise")]
)
def test_a_size_that_the_data_do_not_carry_is_not_told(tmp_path: Path, flag: str, told: str) -> None:
    made = with_structures(write_study(tmp_path, subjects=1, failed=False))
    path = Path(made.results) / "summary.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table["flag"] = np.where((table["measure"] == "big_phi") & (table["condition"] == "awake"), flag, "")
    table.to_csv(path, index=False)
    figure = structures.structures(Findings(made.results, made.parameters, [], made.windows, made.recordings))
    awake, *others = figure.shown
    assert told in awake.body
    assert ("relations" in awake.body) == (told != "Φ withheld")
    assert all(told not in panel.body for panel in others)


def test_a_structure_without_distinctions_says_so(study: Findings) -> None:
    found = structures.unfolded(study)[0]
    nothing = iit.unfold(iit.Substrate(np.full((8, 3), 0.5)).system((0, 0, 0)), threads=1)
    assert not nothing.distinctions
    panel = structures._panel(replace(found, structure=nothing), 1.0, first=True)
    assert (nothing.reason or "no distinctions") in panel.body


def test_edges_and_faces_are_the_relations_of_the_theory() -> None:
    structure = dense()
    view = structures._View(structure.labels, structure.distinctions, 1.0)
    for degree in (2, 3):
        known = {
            frozenset(m for m in r.mechanisms): (r.phi, {(f.relata, f.overlap) for f in r.faces})
            for r in structure.relations.enumerate(degree)
            if r.degree == degree
        }
        drawn: dict[frozenset, list] = {}
        for phi, corners, overlap in view._overlaps(degree):
            members = frozenset(structure.distinctions[c // 3].mechanism for c in corners)
            drawn.setdefault(members, []).append((phi, corners, overlap))
        assert set(drawn) <= set(known)
        for members, (phi, faces) in known.items():
            simple = {relata for relata, _ in faces if "both" not in relata}
            assert len(drawn.get(members, [])) == len(simple)
            assert all(value == pytest.approx(phi) for value, *_ in drawn.get(members, []))


def test_a_star_is_the_relation_of_all_distinctions_over_an_element() -> None:
    structure = dense()
    view = structures._View(structure.labels, structure.distinctions, 1.0)
    relations = structure.relations.enumerate(None)
    known = {frozenset(r.mechanisms): r.phi for r in relations if r.degree >= structures.STAR}
    marks = "".join(view._star_marks())
    told = re.findall(r"relation of (\d+) distinctions over (\w+)=(\d), φ ([\d.]+) ibit", marks)
    assert len(told) == len(view.stars) > 0
    for (n, unit, value, phi), (element, members) in zip(told, view.stars, strict=True):
        mechanisms = frozenset(structure.distinctions[i].mechanism for i in members)
        assert (unit, int(value), int(n)) == (*element, len(mechanisms))
        assert float(phi) == pytest.approx(known[mechanisms], rel=6e-3)


def test_a_view_is_turned_and_keeps_lengths() -> None:
    points = np.random.default_rng(0).normal(size=(6, 3))
    ahead = structures.projected(points, 0.0, 0.0)
    assert np.allclose(ahead[:, 0], structures.MIDDLE[0] + structures.UNIT * points[:, 0])
    top = structures.projected(points, 0.7, np.pi / 2)  # seen from above: distances on the ground stay
    ground = [np.hypot(*(points[a, :2] - points[b, :2])) for a, b in itertools.combinations(range(6), 2)]
    seen = [np.hypot(*(top[a] - top[b])) for a, b in itertools.combinations(range(6), 2)]
    assert np.allclose(seen, structures.UNIT * np.array(ground))


def test_everything_drawn_lies_inside_its_panel(study: Findings) -> None:
    for panel in structures.structures(study).panels:
        places = [tuple(map(float, p)) for p in re.findall(r"translate\(([\d.-]+) ([\d.-]+)\)", panel.body)]
        assert len(places) > 10
        assert all(0 < x < panel.width and 30 < y < panel.height for x, y in places)


def test_a_study_that_keeps_no_structure_draws_none(tmp_path: Path) -> None:
    made = write_study(tmp_path, subjects=1, failed=False)
    assert structures.structures(Findings(made.results, made.parameters, [], made.windows, made.recordings)) is None
