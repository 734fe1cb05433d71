import numpy as np
import pytest

from pipeline.emergence.closure import closure_gap


def autoregression(step: np.ndarray, frames: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = np.zeros((frames, len(step)))
    for t in range(1, frames):
        x[t] = step @ x[t - 1] + rng.normal(size=len(step))
    return x


def linear_gap(step: np.ndarray, pick: np.ndarray) -> float:
    """Exact gap of y = pick @ x in a stationary autoregression with unit noise [bit]."""
    d = len(step)
    spread = np.linalg.solve(np.eye(d * d) - np.kron(step, step), np.eye(d).ravel()).reshape(d, d)
    here, cross = pick @ spread @ pick.T, pick @ step @ spread @ pick.T
    alone = here - cross @ np.linalg.inv(here) @ cross.T
    return 0.5 * (np.linalg.slogdet(alone)[1] - np.linalg.slogdet(pick @ pick.T)[1]) / np.log(2)


def test_a_unit_that_is_driven_is_not_closed():
    step, pick = np.array([[0.5, 0.6], [0.0, 0.7]]), np.array([[1.0, 0.0]])
    exact = linear_gap(step, pick)
    x = autoregression(step, 4000, 0)
    found = closure_gap(x, x[:, :1])
    assert found.bits == pytest.approx(exact, abs=0.04)
    assert found.held_out == pytest.approx(exact, abs=0.04)
    assert found.held_out_nonlinear == pytest.approx(exact, abs=0.06)
    assert found.p <= 0.01
    assert 0 < found.bias < 0.01


def test_an_autonomous_unit_is_closed_and_p_is_fair():
    step = np.array([[0.9, 0.0], [0.5, 0.6]])
    found = [closure_gap(x, x[:, :1], seed=i) for i, x in ((i, autoregression(step, 500, i)) for i in range(25))]
    assert np.mean([f.p <= 0.05 for f in found]) <= 0.15
    assert abs(np.mean([f.bits for f in found])) < 0.003
    assert np.mean([f.held_out for f in found]) <= 0.001
    assert np.mean([f.held_out_nonlinear for f in found]) <= 0.001


def test_the_nonlinear_estimate_sees_what_the_linear_one_cannot():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 2))
    x[1:, 0] = 1.5 * np.abs(x[:-1, 1]) + 0.3 * rng.normal(size=2999)
    found = closure_gap(x, x[:, :1])
    assert found.p > 0.05 or found.bits < 0.02
    assert found.held_out_nonlinear > 0.5


def test_a_curve_in_the_macro_variable_is_no_gap():
    """y(t+1) = |y(t)| + e is closed; units that are the square of y help a straight line, not a curve."""
    rng = np.random.default_rng(3)
    y = np.zeros(3000)
    for t in range(1, 3000):
        y[t] = np.abs(y[t - 1]) - 0.8 + 0.5 * rng.normal()
    x = np.stack([y, y**2], axis=1)
    found = closure_gap(x, y)
    assert found.bits > 0.1
    assert abs(found.held_out_nonlinear) < 0.02


def test_a_cloned_unit_changes_nothing_and_whole_is_closed():
    x = autoregression(np.array([[0.5, 0.6], [0.0, 0.7]]), 800, 5)
    once, twice = closure_gap(x, x[:, :1]), closure_gap(x[:, [0, 1, 1]], x[:, :1])
    assert twice.raw == pytest.approx(once.raw, abs=1e-9)
    whole = closure_gap(x, x)
    assert whole.raw == pytest.approx(0, abs=1e-9)
    assert whole.held_out == pytest.approx(0, abs=0.002)


def test_too_few_frames_are_refused():
    x = np.random.default_rng(0).normal(size=(20, 10))
    with pytest.raises(ValueError, match="too few"):
        closure_gap(x, x[:, :1])
    with pytest.raises(ValueError, match="leaves too few"):
        closure_gap(x[:, :2], x[:, :1], gap=50)
