"""What every estimator of the registry has to hold; a new one is tested by being registered."""

import string
from itertools import pairwise

import numpy as np
import pytest
from planted import planted, simulate
from pydantic import TypeAdapter, ValidationError

from pipeline import tpm
from pipeline.base.errors import PhiscaleError
from pipeline.base.raster import encode
from pipeline.tpm import ESTIMATORS
from pipeline.tpm.parameters import METHOD, Tpm
from pipeline.tpm.registry import RasterEstimator
from pipeline.tpm.transitions import count

SECTION = TypeAdapter(Tpm)


@pytest.fixture(scope="module")
def counts():
    states = simulate(planted(), 600, seed=1, runs=3)
    code = encode(states)
    return count(code[:, :-1], states[:, 1:])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_words_are_whole(name):
    entry = ESTIMATORS[name]
    assert entry.summary
    assert not entry.summary.endswith(".")
    section = SECTION.validate_python({"method": name}).model_dump()
    said = entry.methods.format(**section)
    assert said
    fields = {field for _, field, _, _ in string.Formatter().parse(entry.methods) if field}
    assert fields >= set(entry.Parameters.model_fields)  # what can be set is told
    assert all(isinstance(r, str) and r for r in entry.references)
    assert all(word and meaning for word, meaning in entry.flags.items())


@pytest.mark.parametrize("name", ESTIMATORS)
def test_parameters_come_back_from_the_section_and_from_the_dataset(name):
    entry = ESTIMATORS[name]
    assert all(field.description for field in entry.Parameters.model_fields.values())
    section = SECTION.validate_python({"method": name, "lag": 2})
    assert SECTION.validate_python(section.model_dump()) == section
    own = {field: getattr(section, field) for field in entry.Parameters.model_fields}
    states = simulate(planted(), 700, seed=2)[0]
    dataset = tpm.estimate(states, **section.model_dump(include={"method", "lag"}), **own)
    assert tpm.estimated_with(dataset) == {"method": name, "lag": 2, **own}
    again = tpm.point_estimates(states, **tpm.estimated_with(dataset))
    sampled = isinstance(entry, RasterEstimator)  # of surrogates by a shorter chain
    expected = tpm.point_estimates(states, name, lag=2, **own) if sampled else dataset["p_on"]
    np.testing.assert_allclose(again, expected, atol=1e-7)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_posteriors_have_the_shape_of_the_counts_and_draws_follow_the_seed(name, counts):
    entry = ESTIMATORS[name]
    own = entry.Parameters().model_dump()
    posterior = entry.fit(counts, **own)
    assert posterior.p_on.shape == (3, 16, 4)
    assert ((posterior.p_on > 0) & (posterior.p_on < 1)).all()
    one, again, other = (posterior.draw(5, np.random.default_rng(s)) for s in (1, 1, 2))
    assert one.shape == (5, 3, 16, 4)
    assert ((one >= 0) & (one <= 1)).all()
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_more_units_need_more_transitions_and_to_be_trusted_more_still(name):
    entry = ESTIMATORS[name]
    most = 8 if isinstance(entry, RasterEstimator) else 10
    least = [entry.needed(n) for n in range(1, most + 1)]
    assert all(a < b for a, b in pairwise(least))
    assert all(entry.needed(n, level=1) > entry.needed(n) > 0 for n in range(1, most + 1))
    assert (entry.needed(9) > 1e9) == (most == 8)


def test_a_study_that_names_none_gets_the_default():
    assert SECTION.validate_python({}).method == METHOD


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_parameter_that_is_not_the_methods_is_refused_with_those_that_are(name):
    states = simulate(planted(), 700, seed=2)[0]
    has = ", ".join(ESTIMATORS[name].Parameters.model_fields)
    with pytest.raises(PhiscaleError, match=f"tpm.magic: is no parameter of the method '{name}', which has: {has}"):
        tpm.estimate(states, method=name, magic=3)
    for own in ESTIMATORS[name].Parameters.model_fields:
        with pytest.raises(PhiscaleError, match=f"tpm.{own}: 'much' is refused"):
            tpm.estimate(states, method=name, **{own: "much"})
    with pytest.raises(ValidationError, match="magic"):
        SECTION.validate_python({"method": name, "magic": 3})
