"""Sign flips: all of them as long as they are few enough, and random ones that come to the same p."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inference.resampling import sign_flip


def test_all_flips_are_used_as_long_as_they_are_not_too_many() -> None:
    differences = np.array([0.3, 0.2, 0.6])
    assert sign_flip(differences, 8, np.random.default_rng(0)) == (0.25, 8, 0.25)
    assert sign_flip(differences, 7, np.random.default_rng(0))[1:] == (7, 1 / 8)


def test_random_flips_come_to_the_p_of_all_of_them() -> None:
    differences = np.random.default_rng(1).normal(0.15, 1, 12)
    exact, n, _ = sign_flip(differences, 2**12, np.random.default_rng(0))
    drawn, m, least = sign_flip(differences, 2**12 - 1, np.random.default_rng(0))
    assert (n, m) == (2**12, 2**12 - 1)
    assert least == 1 / 2**12
    assert drawn == pytest.approx(exact, abs=0.03)
    assert 0.05 < exact < 0.95
    certain, _, least = sign_flip(np.full(20, 1.0), 100, np.random.default_rng(0))
    assert certain == least == 1 / 101
