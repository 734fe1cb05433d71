"""Couplings as one operation: values and derivatives of the plain form, in portions and for stacked models."""

import pytest
import torch

from pipeline.encoder import affine
from pipeline.encoder.layers import CouplingFlow, generators


@pytest.fixture(autouse=True)
def _double() -> None:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def flow_of(size: int, models: int) -> CouplingFlow:
    return CouplingFlow(size, 3, (7, 5), generators(range(models)), linear=False)


def plain(flow: CouplingFlow, x: torch.Tensor, *, backward: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Coupling by coupling, as autograd sees it."""
    a, b = x[..., : (x.shape[-1] + 1) // 2], x[..., (x.shape[-1] + 1) // 2 :]
    volume = torch.zeros(x.shape[:-1])
    for one in reversed(flow.couplings) if backward else flow.couplings:
        a, b, log_scale = one(a, b, backward=backward)
        volume = volume + log_scale.sum(dim=-1)
    return torch.cat([a, b], dim=-1), volume


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("size", "models"), [(2, 1), (5, 2), (8, 3)])
def test_values_and_gradients_are_those_of_the_plain_form(
    size: int, models: int, backward: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(affine, "PORTION", 4 * models)  # several portions, the last one shorter
    flow = flow_of(size, models)
    x = torch.randn(models, 10, size, requires_grad=True)
    weight = torch.randn(models, 10, size)
    found = []
    for form in (lambda: plain(flow, x, backward=backward), lambda: (flow.inverse(x), None) if backward else flow(x)):
        image, volume = form()
        loss = (weight * image).sum() + (0 if backward else (volume**2).sum())
        found.append((image, *torch.autograd.grad(loss, [x, *flow.parameters()])))
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_a_volume_alone_and_an_image_alone_have_gradients() -> None:
    flow, x = flow_of(4, 1), torch.randn(1, 6, 4)
    for index in (0, 1):
        ours, theirs = flow(x)[index].sum(), plain(flow, x, backward=False)[index].sum()
        for a, b in zip(*(torch.autograd.grad(v, list(flow.parameters())) for v in (ours, theirs)), strict=True):
            torch.testing.assert_close(a, b)
