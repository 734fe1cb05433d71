"""Causal power of learned channels: a gauge changes nothing, linear truth is reached, nulls are held against."""

import numpy as np
import pytest
import torch
from encoder_series import autoregression, walk

from pipeline.emergence.gaussian import causal_power
from pipeline.encoder.calibrated import channel_information
from pipeline.encoder.power import channel, held_against, powers, published_powers, readings, stack, train_stack
from pipeline.encoder.training import Trained, train

SMALL = {"hidden": 8, "couplings": 2, "steps": 20, "power_steps": 10}
PUBLISHED = {"mode": "published", "hidden": 8, "batch": 64, "rate": 0.003, "patience": 0, "steps": 30, "power_steps": 5}


def rescaled(trained: Trained, factor: float) -> None:
    """Write all latents in other units, and the dynamics with them."""
    model = trained.model
    with torch.no_grad():
        for level in range(len(model.scales)):
            getattr(model, f"root_{level}").div_(factor)
        for f in model.dynamics:
            f.inward.div_(factor)
            f.outward.mul_(factor)
            f.offset.mul_(factor)
        for flow in model.flows[1:]:
            flow.linear.div_(factor)


def test_latents_in_other_units_have_the_same_causal_power() -> None:
    trained = train(autoregression(1, n=400, d=4), **{**SMALL, "couplings": 0})
    trained.model.double()
    latents = trained.model.encode(trained.folds.values.double())[1].latents
    for f in trained.model.dynamics:
        with torch.no_grad():
            f.inward.mul_(0.02)  # far from its bound, so that other units do not reach it
    before = powers(trained)
    rescaled(trained, 0.1)
    changed = trained.model.encode(trained.folds.values.double())[1].latents
    assert not torch.allclose(latents, changed)
    np.testing.assert_allclose(powers(trained), before, atol=1e-6)


def test_the_objective_of_training_is_what_is_reported() -> None:
    rng = np.random.default_rng(0)
    a, root = rng.normal(size=(2, 20, 3, 3)), rng.normal(size=(2, 3, 3))
    noise = root @ root.swapaxes(1, 2) + np.eye(3)
    ours = channel_information(torch.as_tensor(a), torch.as_tensor(noise)) / np.log(2)
    for model in range(2):
        assert float(ours[model]) == pytest.approx(causal_power(a[model], noise[model], np.eye(3)).total, abs=1e-12)


def test_a_linear_system_has_the_causal_power_of_its_equations() -> None:
    x = autoregression(3, n=6000, d=3, memory=0.8)
    found = powers(train(x, **{**SMALL, "couplings": 0, "steps": 5, "power_steps": 0}))[0]
    unit = -0.5 * np.log2(1 - 0.8**2)
    np.testing.assert_allclose(found, unit * np.array([3, 2, 1]), rtol=0.06)


def test_channels_are_of_the_held_out_fold() -> None:
    trained = train([autoregression(1, n=400, d=4)] * 2, seeds=[1, 2], **SMALL)
    parts = channel(trained, list(readings(trained))[1], samples=10)
    assert [part.shape for part in parts] == [(2, 10, 2, 2), (2, 2, 2), (2, 2, 2)]
    model = trained.doubled(2)
    y = model.encode(trained.folds.values.double())[-2].latents
    f, folds = model.dynamics[-2], trained.folds
    e = (folds.later(y) - f(folds.now(y)))[1][folds.held[1]].detach().numpy()
    np.testing.assert_allclose(parts.noise[1], e.T @ e / len(e), atol=1e-6)
    np.testing.assert_allclose(parts.spread[1], np.eye(2), atol=1e-3)


def test_published_hierarchies_have_both_numbers() -> None:
    trained = train(autoregression(1, n=400, d=4), **PUBLISHED)
    assert (powers(trained)[0] > 0).all()
    free, boxed = (published_powers(trained, clamp=False, box_half_width=h) for h in (None, 0.5))
    np.testing.assert_allclose(free, boxed, atol=1e-12)  # ln 2L is 0 for L = ½
    assert (published_powers(trained) == np.maximum(free, 0)).all()


def test_nulls_are_trained_in_the_stack_of_their_data() -> None:
    windows = {"a": (autoregression(1, n=200, d=3), None), "b": (autoregression(2, n=180, d=3), None)}
    made = stack(windows, kinds=["brownian", "interaction"], surrogates=2, seeds=2, seed=5)
    assert len(made.series) == 2 * 2 * 5
    assert made.keys[:6] == [
        ("a", 0, "", 0),
        ("a", 0, "brownian", 0),
        ("a", 0, "brownian", 1),
        ("a", 0, "interaction", 0),
        ("a", 0, "interaction", 1),
        ("a", 1, "", 0),
    ]
    assert len(set(made.seeds[:5])) == 1
    assert len(set(made.seeds)) == 4
    assert made.series[0] is made.series[5]
    trained = train_stack(made, **SMALL)
    assert powers(trained, samples=16).shape == (20, 3)


def test_a_value_is_held_against_its_null() -> None:
    found = held_against(3.0, np.array([1.0, 2.0, 3.0]))
    assert (found.value, found.null_mean, found.null_sd, found.z, found.excess) == (3, 2, 1, 1, 1)
    assert found.p == pytest.approx(2 / 4)
    assert found.high - found.excess == pytest.approx(4.302653 * (4 / 3) ** 0.5, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "kind"), [(walk, "brownian"), (autoregression, "interaction")])
def test_slow_noise_and_independent_units_have_no_excess(make, kind: str) -> None:
    included = []
    for run in range(10):
        made = stack({"w": (make(run, n=400), None)}, kinds=[kind], surrogates=10, seeds=1, seed=run)
        found = powers(train_stack(made, **SMALL), samples=64)
        tests = [held_against(value, null) for value, null in zip(found[0], found[1:].T, strict=True)]
        included.append([test.low <= 0 <= test.high for test in tests])
    assert (np.sum(included, axis=0) >= 7).all()  # 9 expected; fewer than 7 has a probability of 1 %
    assert np.mean(included) >= 0.85
