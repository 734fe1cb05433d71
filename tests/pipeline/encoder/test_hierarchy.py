"""Encoding and decoding are inverses, log-determinants those of autograd, at any dimension and in both forms."""

import pytest
import torch

from pipeline.encoder.dynamics import BoundedDynamics, ResidualDynamics
from pipeline.encoder.hierarchy import Architecture, Hierarchy, scales_of
from pipeline.encoder.layers import generators

FORMS = {"published": False, "calibrated": True}


@pytest.fixture(autouse=True)
def _double() -> None:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def shaken(n_units: int, whitened: bool, models: int = 2) -> tuple[Hierarchy, torch.Tensor]:
    """A hierarchy whose parameters are far from their start, and frames to encode."""
    rng = torch.Generator().manual_seed(1)
    model = Hierarchy(Architecture(n_units, couplings=4, hidden=(16,), width=8, whitened=whitened), range(models))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5 * n_units**-0.5 * torch.randn(parameter.shape, generator=rng))
    x = 2 + 3 * torch.randn(models, 40, n_units, generator=rng)
    weight = torch.full(x.shape[:2], 1 / 40)
    model.fit_units(x, weight)
    model.fit_whitening(x, weight)
    return model, x


def test_scales_halve_to_one() -> None:
    assert [scales_of(n) for n in (1, 2, 3, 7, 32)] == [(1,), (2, 1), (3, 2, 1), (7, 4, 2, 1), (32, 16, 8, 4, 2, 1)]


@pytest.mark.parametrize("whitened", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("n_units", [1, 2, 3, 5, 8, 32])
def test_decoding_undoes_encoding_at_every_scale(n_units: int, whitened: bool) -> None:
    model, x = shaken(n_units, whitened)
    levels = model.encode(x)
    assert [level.latents.shape[-1] for level in levels] == list(scales_of(n_units))
    for i, (scale, level) in enumerate(zip(model.scales, levels, strict=True)):
        back = model.decode(level.latents, scale, [one.dropped for one in levels[: i + 1]])
        torch.testing.assert_close(back, x, atol=1e-8, rtol=1e-8)


@pytest.mark.parametrize("whitened", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("n_units", [3, 6])
def test_the_volume_is_the_determinant_that_autograd_finds(n_units: int, whitened: bool) -> None:
    model, x = shaken(n_units, whitened, models=1)
    levels = model.encode(x)
    for i in range(len(levels)):

        def flat(row: torch.Tensor, i: int = i) -> torch.Tensor:
            found = model.encode(row[None, None])
            return torch.cat([found[i].latents[0, 0], *(level.dropped[0, 0] for level in found[: i + 1])])

        for row in (0, 7):
            determinant = torch.linalg.slogdet(torch.autograd.functional.jacobian(flat, x[0, row]))[1]
            torch.testing.assert_close(levels[i].volume[0, row], determinant, atol=1e-9, rtol=1e-9)


def test_latents_are_white_over_the_frames_that_count() -> None:
    model, x = shaken(6, whitened=True)
    weight = torch.zeros(2, 40)
    weight[:, :30] = 1 / 30
    model.fit_whitening(x, weight)
    for ours, theirs in zip(model.encode(x), model.encode(x, weight=weight), strict=True):
        torch.testing.assert_close(ours.latents, theirs.latents)
        y = ours.latents[0, :30]
        torch.testing.assert_close(y.T @ y / 30, torch.eye(y.shape[1]), atol=1e-4, rtol=0)
        assert abs(y.mean(dim=0)).max() < 1e-9


def test_stacked_models_do_not_mix() -> None:
    model, x = shaken(5, whitened=True)
    changed = x.clone()
    changed[1] += 1
    ours, theirs = model.encode(x)[-1].latents, model.encode(changed)[-1].latents
    torch.testing.assert_close(ours[0], theirs[0], atol=0, rtol=0)
    assert not torch.allclose(ours[1], theirs[1])


@pytest.mark.parametrize("kind", [ResidualDynamics, BoundedDynamics])
def test_jacobians_are_those_of_autograd(kind: type) -> None:
    made = kind(3, 8, generators([0, 1]))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.5)
    y = torch.randn(2, 4, 3)
    f = made if kind is BoundedDynamics else lambda y: y + made.net(y)
    for model, row in ((0, 0), (1, 3)):
        full = torch.autograd.functional.jacobian(lambda v, m=model: f(v.expand(2, 1, 3))[m, 0], y[model, row])
        torch.testing.assert_close(made.jacobians(y)[model, row], full)


def test_bounded_dynamics_stretch_by_two_at_most() -> None:
    made = BoundedDynamics(4, 16, generators([0]))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(3)))
    made.iterate(100)
    stretch = torch.linalg.matrix_norm(made.jacobians(torch.randn(1, 200, 4)), ord=2)
    assert 1 < stretch.max() <= 2 + 1e-6
    norms = [torch.linalg.matrix_norm(m, ord=2).item() for m in made.bounded()]
    assert norms == pytest.approx([1, 1, 1], abs=1e-6)
