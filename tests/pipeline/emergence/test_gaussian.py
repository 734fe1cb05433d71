import numpy as np
import pytest
import torch

from pipeline.emergence import gaussian
from pipeline.emergence.gaussian import (
    brownian_baseline,
    causal_power,
    information_bounds,
    interventions,
    reversibility_spectrum,
)
from pipeline.emergence.jacobians import jacobians
from pipeline.emergence.published import log_determinants, published_j, residual_variances


def channel(d: int, samples: int = 7, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Jacobians, residual covariance and latent covariance of no particular kind."""
    rng = np.random.default_rng(seed)
    noise, spread = (rng.normal(size=(d, d + 3)) for _ in range(2))
    return rng.normal(size=(samples, d, d)), noise @ noise.T / d, spread @ spread.T / d


def bits_of_gaussian(a: np.ndarray, noise: np.ndarray, spread: np.ndarray) -> float:
    """Entropy of the image minus entropy of the noise."""
    logs = [np.linalg.slogdet(m)[1] for m in (a @ spread @ a.T + noise, noise)]
    return 0.5 * (logs[0] - logs[1]) / np.log(2)


@pytest.mark.parametrize("d", [1, 2, 5, 32])
def test_causal_power_is_the_information_of_the_local_channels(d):
    a, noise, spread = channel(d)
    found = causal_power(a, noise, spread)
    expected = [bits_of_gaussian(m, noise, spread) for m in a]
    np.testing.assert_allclose(found.local, expected, rtol=1e-9)
    assert found.total == pytest.approx(np.mean(expected), rel=1e-9)
    assert found.per_dimension == pytest.approx(found.total / d)
    assert causal_power(a[0], noise, spread).total == pytest.approx(expected[0])


def test_rescaling_the_latents_changes_nothing_in_causal_power_and_ln_c_in_published_j():
    a, noise, spread = channel(6)
    before, shrunk = causal_power(a, noise, spread), causal_power(a, 0.01 * noise, 0.01 * spread)
    assert abs(before.total - shrunk.total) < 1e-6
    linear, variances = a[0], np.diag(noise)
    gained = published_j(linear, 0.01 * variances, clamp=False) - published_j(linear, variances, clamp=False)
    assert gained == pytest.approx(-np.log(0.1), abs=1e-12)


def test_no_coordinates_of_the_latents_matter():
    a, noise, spread = channel(5)
    g = np.random.default_rng(3).normal(size=(5, 5)) * np.logspace(-2, 1, 5)[:, None]
    moved = (g @ a @ np.linalg.inv(g), g @ noise @ g.T, g @ spread @ g.T)
    assert causal_power(*moved).total == pytest.approx(causal_power(a, noise, spread).total, abs=1e-6)
    np.testing.assert_allclose(reversibility_spectrum(*moved), reversibility_spectrum(a, noise, spread), atol=1e-6)


def test_tensors_give_the_same_and_keep_their_gradient():
    a, noise, spread = channel(4)
    tensors = [torch.tensor(m, requires_grad=True) for m in (a, noise, spread)]
    found = causal_power(*tensors)
    assert isinstance(found.total, torch.Tensor)
    assert found.total.item() == pytest.approx(causal_power(a, noise, spread).total, rel=1e-12)
    found.total.backward()
    step = 1e-6 * np.random.default_rng(1).normal(size=a.shape)
    changed = causal_power(a + step, noise, spread).total - causal_power(a - step, noise, spread).total
    assert float((tensors[0].grad * torch.tensor(step)).sum()) == pytest.approx(changed / 2, rel=1e-4)
    assert torch.isfinite(tensors[1].grad).all()
    mixed = causal_power(torch.tensor(a, dtype=torch.float32), noise, spread)
    assert float(mixed.total) == pytest.approx(found.total.item(), rel=1e-5)


def test_whitened_latents_have_a_finite_gradient():
    a = torch.tensor(channel(3)[0], requires_grad=True)
    causal_power(a, torch.eye(3), torch.eye(3)).total.backward()
    assert torch.isfinite(a.grad).all()


def test_monte_carlo_holds_the_linear_channel():
    a, noise, spread = channel(3, samples=1)
    exact_bits = causal_power(a, noise, spread).total
    x = interventions(spread, 4000, seed=1)
    found = information_bounds(x @ a[0].T, noise)
    assert found.lower - 3 * found.error < exact_bits < found.upper + 3 * found.error
    assert found.upper - found.lower < 0.3


def test_monte_carlo_tells_where_linear_maps_mislead():
    """A fold: two inputs for each output. Local maps see the slope, not that the sides coincide."""
    x = interventions(np.eye(1), 3000)
    noise = np.array([[1e-3]])
    slopes = np.sign(x)[:, :, None]
    local = causal_power(slopes, noise, np.eye(1)).total
    found = information_bounds(np.abs(x), noise)
    assert found.upper + 3 * found.error < local
    assert local - 1 == pytest.approx(found.lower, abs=0.1)  # which side it was: one bit


def test_samples_of_the_intervention_have_its_moments():
    _, _, spread = channel(4)
    x = interventions(spread, 20000, seed=2, mean=np.arange(4))
    np.testing.assert_allclose(x.mean(axis=0), np.arange(4), atol=1e-12)
    np.testing.assert_allclose(np.cov(x.T), spread, atol=0.1)
    np.testing.assert_array_equal(x, interventions(spread, 20000, seed=2, mean=np.arange(4)))
    assert interventions(spread, 5).shape == (5, 4)


def test_spectrum_adds_up_to_causal_power():
    a, noise, spread = channel(6)
    rho = reversibility_spectrum(a, noise, spread)
    assert rho.shape == (7, 6)
    assert (np.diff(rho, axis=1) <= 0).all()
    np.testing.assert_allclose(-0.5 * np.log2(1 - rho**2).sum(axis=1), causal_power(a, noise, spread).local)


def test_spectrum_is_the_canonical_correlation_of_now_and_next():
    a, noise, spread = channel(3)
    x = np.random.default_rng(0).multivariate_normal(np.zeros(3), spread, 200000)
    y = x @ a[0].T + np.random.default_rng(1).multivariate_normal(np.zeros(3), noise, 200000)
    q = [np.linalg.qr(z - z.mean(axis=0))[0] for z in (x, y)]
    measured = np.linalg.svd(q[0].T @ q[1], compute_uv=False)
    np.testing.assert_allclose(reversibility_spectrum(a[0], noise, spread)[0], measured, atol=0.01)


def test_published_j_has_a_switch_for_each_convention():
    a, variances = 0.5 * np.eye(2), np.array([0.001, 0.004])
    j = np.log(0.5) - 0.5 * np.log(2 * np.pi * np.e) - 0.25 * np.log(0.001 * 0.004)
    assert published_j(a, variances) == pytest.approx(j)
    assert published_j(a, variances, box_half_width=3) == pytest.approx(j + np.log(6))
    assert published_j(a, 100 * variances) == 0
    assert published_j(a, 100 * variances, clamp=False) == pytest.approx(j - np.log(10))
    two = np.stack([a, 2 * a])
    assert published_j(two, variances) == pytest.approx(j + np.log(2) / 2)
    assert published_j(two, variances, weights=[1, 3]) == pytest.approx(j + 0.75 * np.log(2))
    assert published_j(log_determinants(two), variances) == pytest.approx(j + np.log(2) / 2)
    assert published_j(torch.tensor(two), torch.tensor(variances)) == pytest.approx(j + np.log(2) / 2)
    assert published_j(np.zeros((2, 2)), variances) == 0
    assert published_j(np.zeros((2, 2)), variances, clamp=False) == -np.inf
    assert published_j(np.stack([a, 0 * a]), variances, weights=[1, 0]) == pytest.approx(j)


def test_residual_variances_as_published():
    e = np.array([[1.0, -2.0], [3.0, 0.0]])
    np.testing.assert_allclose(residual_variances(e), [5, 2])
    np.testing.assert_allclose(residual_variances(e, weights=[3, 1]), [3, 3])
    np.testing.assert_allclose(residual_variances(e, moment="absolute"), [2, 1])
    with pytest.raises(ValueError, match="moment 'cubed'"):
        residual_variances(e, moment="cubed")


def test_random_walk_of_liu(exact):
    case = exact["liu_random_walk"]
    baseline = brownian_baseline(np.array(case["Sigma"]))
    for k in (1, 2, 3, 4):
        assert baseline[k - 1] == pytest.approx(case["delta_J_nats"][f"k={k}"], abs=1e-9)
    assert baseline[0] == pytest.approx(case["published_k1"], abs=1e-9)


def test_baseline_is_the_difference_of_published_values(exact):
    sigma = np.array(exact["liu_random_walk"]["Sigma"])
    values = np.linalg.eigvalsh(sigma)
    whole = published_j(np.eye(4), values, clamp=False)
    for k in (1, 2, 3, 4):
        part = published_j(np.eye(k), values[:k], clamp=False)
        assert brownian_baseline(sigma)[k - 1] == pytest.approx(part - whole, abs=1e-12)


def test_matrices_that_are_none_are_refused():
    a, noise, spread = channel(3)
    for change, match in (
        ((a[0][:2], noise, spread), "Jacobians of shape"),
        ((a, noise[:2, :2], spread), "residual covariance of shape"),
        ((a, -noise, spread), "negative variance"),
        ((a, noise, spread + np.triu(np.ones((3, 3)), 1)), "latent covariance is not symmetric"),
        ((a * np.nan, noise, spread), "not finite"),
        ((a, np.diag([1.0, 1.0, 0.0]), spread), "infinite information"),
    ):
        with pytest.raises(ValueError, match=match):
            causal_power(*change)
    for bad in (-np.eye(2), np.ones((2, 3)), np.array([[1, 0.5], [0, 1]]), np.ones((2, 2))):
        with pytest.raises(ValueError, match="covariance"):
            brownian_baseline(bad)
    with pytest.raises(ValueError, match="residual variances"):
        published_j(np.eye(2), [1, 0])
    with pytest.raises(ValueError, match="Jacobians of shape"):
        published_j(np.eye(2), [1, 1, 1])
    with pytest.raises(ValueError, match="weights"):
        published_j(np.stack([np.eye(2)] * 2), [1, 1], weights=[-1, 2])
    with pytest.raises(ValueError, match="at least 2 samples"):
        information_bounds(np.zeros((1, 2)), np.eye(2))


def test_jacobians_of_a_learned_map():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4)).double()
    y = torch.randn(50, 4, dtype=torch.float64)
    found = jacobians(net, y, chunk=7)
    expected = torch.stack([torch.autograd.functional.jacobian(net, one) for one in y])
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(jacobians(net, y.numpy()), expected)
    assert not found.requires_grad
    assert jacobians(net, y, differentiable=True).requires_grad
    with pytest.raises(ValueError, match="points of shape"):
        jacobians(net, y[0])


def test_public_names_are_where_the_architecture_says():
    import pipeline.emergence as face

    assert face.gaussian is gaussian
    assert face.gaussian.published_j is published_j
    assert face.discrete.causal_power(np.eye(2)) == 1
