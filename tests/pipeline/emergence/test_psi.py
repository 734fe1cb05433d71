from itertools import product

import numpy as np
import pytest

from pipeline.emergence.pairs import encoded, information
from pipeline.emergence.psi import criteria, psi_of_series


def parity_recording(frames: int, seed: int, keep: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Three fair bits whose parity persists though no unit predicts anything: Ψ is the information in the parity."""
    rng = np.random.default_rng(seed)
    flips = rng.random(frames) > keep
    parity = np.cumsum(flips) % 2
    x = rng.integers(0, 2, (frames, 3))
    x[:, 2] = x[:, 0] ^ x[:, 1] ^ parity
    return x, parity


def test_exclusive_or_of_rosas(exact):
    """All pairs of present state and coin, each as likely: frequencies are then exact."""
    case = exact["rosas_xor"]
    rows = np.array(list(product((0, 1), repeat=3)))
    now, later = rows[:, :2], np.stack([rows[:, 0] ^ rows[:, 1], rows[:, 2]], axis=1)
    v, v_later = (z[:, 0] ^ z[:, 1] for z in (now, later))
    found = criteria(now, later, v, v_later, "discrete")
    assert found.psi == pytest.approx(case["psi_bits"], abs=1e-9)
    assert found.delta == pytest.approx(case["delta_bits"], abs=1e-9)
    assert found.gamma == pytest.approx(case["gamma_bits"], abs=1e-9)


def test_parity_is_emergent_and_says_so():
    exact_bits = 1 + 0.95 * np.log2(0.95) + 0.05 * np.log2(0.05)
    x, v = parity_recording(2000, 0)
    found = psi_of_series(x, v, kind="discrete")
    assert found.psi == pytest.approx(exact_bits, abs=0.08)
    assert found.emergent
    assert found.low < found.psi
    assert found.raw.gamma < 0.02


def test_what_units_do_by_themselves_is_not_emergent():
    claims = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = np.empty((1000, 4))
        x[0] = rng.normal(size=4)
        for t in range(1, 1000):
            x[t] = 0.9 * x[t - 1] + rng.normal(size=4)
        claims += psi_of_series(x, x[:, :1], seed=seed).emergent
    assert claims == 0


def test_a_cloned_unit_creates_nothing():
    x, v = parity_recording(1500, 1)
    noisy = np.random.default_rng(2).random(x.shape) < 0.02
    x = x ^ noisy
    before = psi_of_series(x, v, kind="discrete")
    after = psi_of_series(x[:, [0, 1, 2, 0, 0]], v, kind="discrete")
    assert after.raw.psi <= before.raw.psi + 1e-12
    assert after.raw.delta <= before.raw.delta + 1e-12


def test_bias_of_many_units_is_told():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 40))
    found = psi_of_series(x, x.sum(axis=1))
    assert found.bias == pytest.approx((1 - 40) / (2 * 399 * np.log(2)), rel=0.4)
    assert abs(found.psi) < abs(found.bias)
    assert not found.emergent


def test_runs_and_mistakes():
    x, v = parity_recording(200, 4)
    runs = np.repeat([0, 1], 100)
    assert psi_of_series(x, v, runs=runs, kind="discrete") == psi_of_series(x, v, runs=runs, kind="discrete")
    with pytest.raises(ValueError, match="runs of shape"):
        psi_of_series(x, v, runs=runs[:50])
    with pytest.raises(ValueError, match="kind 'ranks'"):
        psi_of_series(x, v, kind="ranks")
    with pytest.raises(ValueError, match="not finite"):
        psi_of_series(x * np.nan, v)
    with pytest.raises(ValueError, match="at least 2"):
        psi_of_series(x[:2], v[:2])


def test_information_of_gaussian_samples():
    rng = np.random.default_rng(5)
    a = rng.normal(size=(200000, 2))
    b = np.stack([a[:, 0], a[:, 0]], axis=1) * 0.6 + 0.8 * rng.normal(size=(200000, 1))
    assert information(encoded(a, "gaussian"), encoded(b, "gaussian")) == pytest.approx(-np.log2(0.8), abs=0.01)
