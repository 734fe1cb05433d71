import numpy as np
import pytest

from pipeline.emergence.discrete import effective_information
from pipeline.emergence.gaussian import causal_power, reversibility_spectrum
from pipeline.emergence.published import published_j
from pipeline.emergence.quadrature import information_of_densities, scalar_information, uniform_inputs
from pipeline.emergence.spectrum import carried, discrete_spectrum, effective_dimension, emergent_gain


def split_state(tpm: np.ndarray, copies: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """States replaced by copies that behave alike, and the share of each in a uniform intervention on the originals."""
    source = np.repeat(np.arange(len(tpm)), copies)
    share = 1 / np.repeat(copies, copies)
    return tpm[source][:, source] * share, share / len(tpm)


def test_cloned_states_create_no_emergence():
    tpm = np.random.default_rng(0).dirichlet(np.full(4, 0.5), 4)
    cloned, share = split_state(tpm, [3, 1, 2, 1])
    before, after = discrete_spectrum(tpm), discrete_spectrum(cloned, share)
    np.testing.assert_allclose(after[:3], before, atol=1e-9)
    np.testing.assert_allclose(after[3:], 0, atol=1e-7)
    assert effective_information(cloned) / np.log2(7) != pytest.approx(effective_information(tpm) / 2)  # as these do


def test_cloned_latents_create_no_emergence():
    rng = np.random.default_rng(1)
    a, noise, spread = rng.normal(size=(5, 3, 3)), np.diag([0.5, 1.0, 2.0]), np.diag([1.0, 3.0, 0.7])
    copy = np.eye(3)[[0, 1, 2, 0, 0]]
    back = np.linalg.pinv(copy)
    cloned = (copy @ a @ back, copy @ noise @ copy.T, copy @ spread @ copy.T)
    assert causal_power(*cloned).total == pytest.approx(causal_power(a, noise, spread).total, abs=1e-9)
    assert causal_power(*cloned).per_dimension < causal_power(a, noise, spread).per_dimension  # the trap
    small, large = reversibility_spectrum(a, noise, spread), reversibility_spectrum(*cloned)
    np.testing.assert_allclose(large[:, :3], small, atol=1e-9)
    np.testing.assert_allclose(large[:, 3:], 0, atol=1e-7)
    np.testing.assert_allclose(effective_dimension(large), effective_dimension(small))
    assert emergent_gain(large, small) == pytest.approx(0, abs=1e-9)


def test_gain_where_the_macro_scale_leaves_noise_behind():
    micro = reversibility_spectrum(np.diag([0.9, 0.3]), np.diag([0.19, 0.91]), np.eye(2))
    macro = micro[:, :1]
    assert emergent_gain(micro, macro) > 0.05
    assert emergent_gain(macro, micro) == 0


def test_spectrum_of_a_binary_channel_and_of_nothing():
    np.testing.assert_allclose(discrete_spectrum(np.full((4, 4), 0.25)), 0, atol=1e-7)
    np.testing.assert_allclose(discrete_spectrum(np.eye(4)), 1)
    np.testing.assert_allclose(carried([0.6, 0.0]), [-np.log2(0.8), 0])
    assert effective_dimension(np.zeros(3)) == 0
    with pytest.raises(ValueError, match="2 numbers that sum to 1"):
        discrete_spectrum(np.eye(2), [0.5, 0.6])


def test_box_channel(exact):
    x, p = uniform_inputs(-1, 1)
    for row in exact["uniform_box_channel"]["rows"]:
        nats = scalar_information(0.95 * x, p, row["sigma"]) * np.log(2)
        assert nats == pytest.approx(row["exact"], abs=5.1e-4)
        box = published_j(np.array([[0.95]]), [row["sigma"] ** 2], box_half_width=1, clamp=False)
        assert box == pytest.approx(row["box"], abs=5.1e-4)


def test_gaussian_inputs_give_the_gaussian_formula():
    x, w = np.polynomial.hermite_e.hermegauss(120)
    bits = scalar_information(0.8 * x, w / w.sum(), 0.6)
    assert bits == pytest.approx(causal_power([[0.8]], [[0.36]], [[1.0]]).total, abs=1e-9)


def test_asinh_system_under_three_interventions(exact):
    """An invertible encoder keeps the information under one intervention; to make it uniform anew does not."""
    case = exact["koopman_asinh"]
    assert causal_power([[0.8]], [[0.0625]], [[1.0]]).total * np.log(2) == pytest.approx(
        case["MI_nats_Z_standard_normal"], abs=1e-6
    )
    x, p = uniform_inputs(-1, 1)
    z, _ = uniform_inputs(-np.sinh(1), np.sinh(1))
    in_z = scalar_information(0.8 * np.sinh(x), p, 0.25) * np.log(2)
    assert in_z == pytest.approx(case["MI_nats_X_uniform_pm1"], abs=1e-6)
    assert scalar_information(0.8 * z, p, 0.25) * np.log(2) == pytest.approx(
        case["MI_nats_Z_uniform_pm_sinh1"], abs=1e-6
    )
    later, step = np.linspace(-3, 3, 4001, retstep=True)
    e = (np.sinh(later) - 0.8 * np.sinh(x)[:, None]) / 0.25
    density = np.exp(-0.5 * e**2) / (0.25 * np.sqrt(2 * np.pi)) * np.cosh(later)
    in_x = information_of_densities(density, p, np.full(4001, step)) * np.log(2)
    assert in_x == pytest.approx(in_z, abs=1e-9)


def test_a_channel_needs_noise():
    with pytest.raises(ValueError, match="positive number"):
        scalar_information([0.0, 1.0], [0.5, 0.5], 0.0)
