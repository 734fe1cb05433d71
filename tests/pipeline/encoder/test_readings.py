"""What is read of a hierarchy: attribution that is complete, coverage, stability beside its controls, macro models."""

import numpy as np
import pytest
import torch
from encoder_series import autoregression

from pipeline.base.errors import PhiscaleError
from pipeline.encoder.attribution import attribution, coverage, local_groups, of_neurons
from pipeline.encoder.gradients import gradients, integrated_gradients
from pipeline.encoder.macro_model import factorisation, macro_model, macro_tpm, varimax
from pipeline.encoder.stability import consistency, in_random_order, random_cosine, subspace_cosines
from pipeline.encoder.training import train

SMALL = {"hidden": 8, "couplings": 2, "steps": 20, "power_steps": 5}


def slow_pair(seed: int, n: int = 1500, d: int = 8, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Two slow variables, the first seen by the first half of the units, the second by the second."""
    rng = np.random.default_rng(seed)
    hidden = autoregression(seed, n, 2, memory=0.97)
    seen = np.repeat(hidden, d // 2, axis=1) + noise * rng.normal(size=(n, d))
    return seen, hidden


@pytest.fixture(scope="module")
def trained():
    return train(slow_pair(1)[0], seed=1, **SMALL)


def test_attributions_sum_to_what_the_latent_changed(trained) -> None:
    model = trained.doubled(2)
    with torch.no_grad():
        for parameter in model.parameters():  # far from linear
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    x, baseline = trained.folds.values[:, :20].double(), model.unit_mean
    for scale in model.scales:
        found = integrated_gradients(model, x, baseline, scale, steps=64)
        moved = model.encode(x, scale)[-1].latents - model.encode(baseline, scale)[-1].latents
        torch.testing.assert_close(found.sum(dim=-1), moved, atol=0.02, rtol=0.01)  # kinks
    assert not torch.allclose(gradients(model, x, 2)[:, 0], gradients(model, x, 2)[:, 1], rtol=0.05)


def test_attributions_are_the_same_however_many_points_are_taken_at_once(trained, monkeypatch) -> None:
    model, x = trained.doubled(2), trained.folds.values[:, :20].double()
    whole = integrated_gradients(model, x, model.unit_mean, 2, steps=7)
    monkeypatch.setattr("pipeline.encoder.gradients.ROWS", 60)
    torch.testing.assert_close(integrated_gradients(model, x, model.unit_mean, 2, steps=7), whole)


def test_latents_are_attributed_to_the_units_that_carry_them(trained) -> None:
    _, hidden = slow_pair(1)
    weights = attribution(trained, 2)
    assert weights.shape == (2, 8)
    y = trained.model.encode(trained.folds.values)[-2].latents[0].detach().numpy()
    for latent, row in zip(y.T, weights, strict=True):
        carried = np.corrcoef(latent, hidden.T)[0, 1:]
        of_halves = row.reshape(2, 4).sum(axis=1)
        np.testing.assert_allclose(of_halves / of_halves.sum(), np.abs(carried) / np.abs(carried).sum(), atol=0.15)


def test_neurons_share_what_their_unit_has() -> None:
    handed = of_neurons(np.array([[1.0, 4.0], [2.0, 0.0]]), np.array([0, 1, 1, -1, 0]))
    np.testing.assert_allclose(handed, [[0.5, 2, 2, 0, 0.5], [1, 0, 0, 0, 1]])


def test_coverage_is_the_spread_of_attribution_in_mm() -> None:
    positions = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [3.0, 4.0]])
    even = coverage(np.ones((1, 4)), positions)
    assert even.learned == pytest.approx(2.5)  # √(1.5² + 2²)
    assert even.local == pytest.approx(2.5)
    single = coverage(np.eye(4)[:2], positions)
    assert single.learned == pytest.approx(0)
    assert single.local == pytest.approx(1.5)  # pairs of neighbours along y, 3 mm apart
    neurons = np.repeat(positions, 2, axis=0) + [[0.1, 0]] * 8
    fine = coverage(np.ones((1, 8)), neurons, positions, np.repeat(np.arange(4), 2))
    assert fine == pytest.approx((2.5, 2.5))


def test_groups_of_neighbours_are_even() -> None:
    points = np.random.default_rng(0).normal(size=(32, 2))
    for n in (1, 2, 4, 8, 16, 32):
        assert np.bincount(local_groups(points, n)).tolist() == [32 // n] * n
    assert sorted(np.bincount(local_groups(points[:7], 3))) == [2, 2, 3]


def test_halves_agree_where_there_is_something_to_find_and_not_in_random_order() -> None:
    x, _ = slow_pair(2, n=1200)
    halves = [x[:600], x[600:]]
    series = [*halves, *(in_random_order(half, seed) for seed, half in enumerate(halves))]
    found = train(series, seeds=[1, 2, 1, 2], **SMALL)
    same, random = subspace_cosines(found.model, x[:100], 2, [(0, 1), (2, 3)])
    assert same.min() > 0.9
    assert random.min() < 0.7
    assert random_cosine(8, 2) == 0.5


def test_consistency_is_of_frames_or_of_labels() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(400, 2))
    turned = y @ rng.normal(size=(2, 2)) + 5
    assert consistency(y, turned) == pytest.approx((1, 1))
    assert max(consistency(y, rng.normal(size=(400, 2)))) < 0.05
    label = np.arange(400) // 20
    by_label = np.repeat(rng.normal(size=(20, 2)), 20, axis=0)
    order = rng.permutation(400)
    seen = by_label + 0.1 * y
    found = consistency(seen, seen[order] @ [[1.0, 1.0], [0.0, 1.0]], label, label[order])
    assert found == pytest.approx((1, 1))
    assert max(consistency(seen, seen, label, rng.permutation(20)[label])) < 0.6
    with pytest.raises(ValueError, match="linear map"):
        consistency(y, y, np.zeros(400, int), np.zeros(400, int))


def test_varimax_undoes_a_rotation() -> None:
    simple = np.kron(np.eye(3), np.ones((4, 1))) * [3.0, 2.0, 1.0]
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    np.testing.assert_allclose(simple @ q @ varimax(simple @ q), simple, atol=1e-6)


def test_a_macro_model_has_the_planted_variables_for_units(trained) -> None:
    x, hidden = slow_pair(1)
    found = macro_model(trained, 2)
    y = found.latents(x)
    match = np.abs(np.corrcoef(y.T, hidden.T)[:2, 2:])
    assert sorted(match.argmax(axis=1)) == [0, 1]
    assert match.max(axis=1).min() > 0.85
    states = found.states(x, np.arange(len(x)) // 750)
    assert abs(states["states"].values.mean(axis=0) - 0.5).max() < 0.1
    assert states["segment"].values[[0, -1]].tolist() == [0, 1]
    tpm = macro_tpm(states)
    assert (tpm.attrs["route"], tpm.attrs["label"]) == ("macro_model", "phi of the macro model")
    assert tpm.attrs["factorisation_p"] > 0.01
    keeps = tpm["p_on"].values[:, 0]
    assert keeps[[1, 3]].min() > 0.7 > 0.3 > keeps[[0, 2]].max()


def test_units_that_change_together_do_not_factorise() -> None:
    rng = np.random.default_rng(0)
    common = rng.random((2000, 1)) < 0.5
    states = np.where(rng.random((2000, 2)) < 0.6, common, rng.random((2000, 2)) < 0.5).astype(np.uint8)
    import xarray as xr

    tpm = macro_tpm(xr.Dataset({"states": (("frame", "unit"), states)}, coords={"unit": ["a", "b"]}))
    assert tpm.attrs["factorisation_p"] < 1e-6
    assert factorisation(tpm)[0] == pytest.approx(0.36, abs=0.06)


def test_macro_models_of_many_units_are_refused(trained) -> None:
    wide = train(autoregression(1, n=400, d=10), **{**SMALL, "steps": 1})
    with pytest.raises(PhiscaleError, match="2\\^10 states"):
        macro_model(wide, 10)
