"""What every null of the registry has to hold; a new one is tested by being registered."""

import numpy as np
import pytest

from pipeline import nulls
from pipeline.nulls import FAMILIES, NULLS, RANDOM_GROUPING
from pipeline.nulls.parameters import KINDS, SHOWN, Nulls

BOTH = [(name, kind) for name, null in NULLS.items() for kind in null.takes]


def data(kind: str, frames: int = 300) -> np.ndarray:
    """Three units of which one follows another, as states or traces."""
    rng = np.random.default_rng(0)
    if kind == "traces":
        noise = rng.standard_normal((frames + 1, 3))
        return np.stack([noise[1:, 0], noise[:-1, 0] + noise[1:, 1], noise[1:, 2]], axis=1)
    leader = rng.integers(0, 2, frames + 1)
    return np.stack([leader[1:], leader[:-1], rng.integers(0, 2, frames)], axis=1).astype(np.uint8)


@pytest.mark.parametrize("name", FAMILIES)
def test_words_are_whole(name):
    family = FAMILIES[name]
    for words in (family.summary, family.label, family.methods, family.keeps, family.breaks, family.tests):
        assert words
        assert not words.endswith(".")
    assert family.methods.format(**Nulls().model_dump()) == family.methods
    assert all(isinstance(r, str) and r for r in family.references)
    assert all(word and meaning for word, meaning in family.flags.items())
    assert not family.Parameters.model_fields  # a list of kinds in the study has no room for them


@pytest.mark.parametrize("name", NULLS)
def test_a_study_may_name_it(name):
    section = Nulls(kinds=[name])
    assert Nulls.model_validate(section.model_dump()) == section
    assert NULLS[name].acts_on in NULLS[name].takes


def test_only_macro_scales_have_random_groupings():
    assert set(FAMILIES) - set(NULLS) == {RANDOM_GROUPING.name}
    with pytest.raises(ValueError, match="kinds"):
        Nulls(kinds=[RANDOM_GROUPING.name])


def test_a_study_that_names_none_gets_the_default():
    assert Nulls().kinds == list(KINDS)


def test_a_study_names_only_the_measures_that_it_wants_shown_against_another_null():
    assert Nulls(shown={"phi_s": "markov"}).shown == {**SHOWN, "phi_s": "markov"}
    assert set(SHOWN.values()) <= set(Nulls().kinds)
    with pytest.raises(ValueError, match="shown"):
        Nulls(shown={"phi_s": "magic"})
    with pytest.raises(ValueError, match="shown"):
        Nulls(shown={"phi": "markov"})


@pytest.mark.parametrize(("name", "kind"), BOTH)
def test_same_seed_same_surrogates_whatever_their_number(name, kind):
    values = data(kind)
    three = nulls.surrogates(values, name, n=3, seed=4)
    assert three.shape == (3, 300, 3)
    assert three.dtype == values.dtype
    np.testing.assert_array_equal(three[:2], nulls.surrogates(values, name, n=2, seed=4))
    assert not np.array_equal(three[0], three[1])
    assert not np.array_equal(three, nulls.surrogates(values, name, n=3, seed=5))
    assert nulls.surrogates(values, name, n=0).shape == (0, 300, 3)


@pytest.mark.parametrize(("name", "kind"), BOTH)
def test_borders_come_with_the_values(name, kind):
    segments = np.repeat([0, 1], 150)
    drawn = nulls.draw(data(kind), name, n=2, segments=segments)
    assert drawn.runs.shape in ((300,), (2, 300, 3))
    borders = (np.diff(drawn.runs, axis=-1 if drawn.runs.ndim == 1 else 1) != 0).sum(
        axis=-1 if drawn.runs.ndim == 1 else 1
    )
    assert (borders >= 1).all()  # the data's own, or those that moved with a unit
    assert (borders <= 2).all()
