"""Tables in HTML and figures of substrates, phi_s and structures."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot

import iitcore as iit

mpl.use("Agg")
SUBSTRATE = iit.Substrate.logistic([[0.1, 0.6, 0.3], [0.5, 0.1, 0.2], [-0.4, 0.3, 0.2]], units=["<a>", "b", "c"])


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def test_tpm_as_html_shows_every_probability_in_its_row() -> None:
    html = SUBSTRATE._repr_html_()
    row = next(part for part in html.split("<tr>") if part.startswith("<td>110</td>"))
    assert all(f">{p:.3f}<" in row for p in SUBSTRATE.tpm[3])
    assert "and " not in html


def test_names_are_escaped() -> None:
    system = SUBSTRATE.system("110")
    for html in (SUBSTRATE._repr_html_(), iit.system_phi(system)._repr_html_(), iit.unfold(system)._repr_html_()):
        assert "<a>" not in html


def test_a_long_tpm_is_cut_and_says_so() -> None:
    html = iit.Substrate.logistic(np.eye(6))._repr_html_()
    assert html.count("<tr>") == 33
    assert "and 32 more" in html


def test_structure_as_html_shows_what_its_repr_counts() -> None:
    structure = iit.unfold(SUBSTRATE.system("110"))
    html = structure._repr_html_()
    assert f"{structure.n_distinctions} distinctions" in html
    assert f"{structure.n_relations} relations" in html
    assert html.count("<tr>") == structure.n_distinctions + 1


def test_tpm_as_a_picture() -> None:
    axes = SUBSTRATE.plot()
    assert np.array_equal(axes.images[0].get_array(), SUBSTRATE.tpm)
    assert [t.get_text() for t in axes.get_yticklabels()][1] == "100"
    assert [t.get_text() for t in axes.get_xticklabels()] == ["<a>", "b", "c"]


def test_structure_as_a_picture_holds_every_distinction_and_relation_of_two() -> None:
    structure = iit.unfold(SUBSTRATE.system("110"))
    left, right = structure.plot().axes[:2]
    assert len(left.lines) == 2 * structure.n_distinctions
    values = np.asarray(right.images[0].get_array().filled(np.nan))
    small = list(structure.relations.enumerate(2))
    assert np.isfinite(values[np.triu_indices(len(values))]).sum() == len(small)
    assert np.nansum(values[np.triu_indices(len(values))]) == pytest.approx(sum(r.phi for r in small))


def test_an_empty_structure_is_not_drawn() -> None:
    still = iit.Substrate([[0.5, 0.5]] * 4)
    with pytest.raises(iit.SubstrateError, match="no distinctions"):
        iit.unfold(still.system("11")).plot()
