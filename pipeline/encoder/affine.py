"""A stack of affine couplings with two networks each as one operation, whose derivative is written out.

What autograd does layer by layer costs more on a processor than the matrix products of networks this small: it copies
inputs, keeps every intermediate, and joins and cuts the halves. Here rows go through all couplings in portions that fit
into the caches, and what can be overwritten is. Values and gradients are those of the plain form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SLOPE = 0.01  # of the leaky ReLU below 0
PORTION = 1024  # rows of all models together that go through at once


class Networks(NamedTuple):
    """The two networks of a coupling.

    Attributes:
        weights: of each layer (model, 2, inputs, outputs).
        biases: of each layer (model, 2, 1, outputs).
        first: whether the first half of the dimensions, ceil(size / 2), is what they read.
    """

    weights: Sequence[Tensor]
    biases: Sequence[Tensor]
    first: bool


def affine_couplings(x: Tensor, couplings: Sequence[Networks], *, backward: bool) -> tuple[Tensor, Tensor]:
    """Scale and shift one half after the other by functions of the other half.

    A coupling makes e^s y + t of the half y that it changes, or backward (y - t) e^-s; the log-scale s is the tanh of
    the first network of the half that stays, the shift t is the second one.

    Args:
        x: (model, row, size).
        couplings: in the order in which they act forward.
        backward: the inverse.

    Returns:
        The image (model, row, size), and the sum of all log-scales (model, row), which backward is left at 0.
    """
    order = list(reversed(couplings)) if backward else list(couplings)
    parameters = [p for one in order for p in (*one.weights, *one.biases)]
    plan = _Plan(backward, tuple(one.first for one in order), len(order[0].weights))
    found: tuple[Tensor, Tensor] = _Couplings.apply(plan, x, *parameters)  # type: ignore[no-untyped-call]  # torch's own
    return found


class _Plan(NamedTuple):
    backward: bool
    firsts: tuple[bool, ...]
    layers: int

    def layers_of(self, parameters: Sequence[Tensor]) -> list[tuple[list[Tensor], list[Tensor]]]:
        """Weights and biases of every coupling, models and networks on one axis."""
        flat, n = [p.flatten(0, 1) for p in parameters], self.layers
        return [(list(flat[i : i + n]), list(flat[i + n : i + 2 * n])) for i in range(0, len(flat), 2 * n)]


class _Kept(NamedTuple):
    """What the derivative of one coupling needs.

    Attributes:
        moved: (model, row, m) the half that it changed, backward what that became.
        log_scale: (model, row, m) s.
        factor: (model, row, m) e^s, backward e^-s.
        inputs: of each layer (model and network, row, inputs).
    """

    moved: Tensor
    log_scale: Tensor
    factor: Tensor
    inputs: list[Tensor]


def _act(
    given: Tensor, changed: Tensor, weights: list[Tensor], biases: list[Tensor], plan: _Plan
) -> tuple[Tensor, _Kept]:
    """Return what one coupling makes of the half that it changes, and what its derivative needs."""
    x = given[:, None].expand(-1, 2, -1, -1).flatten(0, 1)
    inputs = [x]
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = torch.baddbmm(bias, x, weight)
        if i < plan.layers - 1:
            inputs.append(torch.nn.functional.leaky_relu_(x, SLOPE))
    log_scale, shift = x.view(len(given), 2, *x.shape[1:]).unbind(1)
    log_scale = torch.tanh(log_scale)
    if plan.backward:
        factor = torch.exp(-log_scale)
        image = torch.sub(changed, shift).mul_(factor)
        return image, _Kept(image, log_scale, factor, inputs)
    factor = torch.exp(log_scale)
    return torch.addcmul(shift, changed, factor), _Kept(changed, log_scale, factor, inputs)


def _through_image(of_image: Tensor, of_volume: Tensor | None, kept: _Kept, plan: _Plan) -> tuple[Tensor, Tensor]:
    """Return the derivatives with respect to what the networks return, and to the half that was changed."""
    models, rows, m = kept.factor.shape
    up = kept.factor.new_empty(models, 2, rows, m)
    of_scale, of_shift = up.unbind(1)
    of_changed = of_image * kept.factor
    if plan.backward:
        torch.mul(of_image, kept.moved, out=of_scale).neg_()
        torch.neg(of_changed, out=of_shift)
    else:
        torch.mul(of_changed, kept.moved, out=of_scale)
        of_shift.copy_(of_image)
    if of_volume is not None:
        of_scale.add_(of_volume[..., None])
    torch.ops.aten.tanh_backward.grad_input(of_scale, kept.log_scale, grad_input=of_scale)
    return up.flatten(0, 1), of_changed


class _Couplings(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, plan: _Plan, x: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        ctx.plan, ctx.layers, ctx.shape = plan, plan.layers_of(parameters), x.shape
        ctx.kept, border, images, volumes = [], (x.shape[-1] + 1) // 2, [], []
        for rows in torch.split(x, max(1, PORTION // len(x)), dim=1):
            a, b = rows[..., :border], rows[..., border:]
            volume, kept = rows.new_zeros(rows.shape[:-1]), []
            for first, (weights, biases) in zip(plan.firsts, ctx.layers, strict=True):
                if first:
                    b, one = _act(a, b, weights, biases, plan)
                else:
                    a, one = _act(b, a, weights, biases, plan)
                if not plan.backward:
                    volume += one.log_scale.sum(dim=-1)
                kept.append(one)
            ctx.kept.append(kept)
            images.append(torch.cat([a, b], dim=-1))
            volumes.append(volume)
        return torch.cat(images, dim=1), torch.cat(volumes, dim=1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_image: Tensor | None, of_volume: Tensor | None) -> tuple[Tensor | None, ...]:
        plan, gradients = ctx.plan, [[torch.zeros_like(p) for p in (*w, *b)] for w, b in ctx.layers]
        of_volume = None if plan.backward else of_volume
        if of_image is None:
            of_image = ctx.kept[0][0].factor.new_zeros(ctx.shape)
        border, found, at = (of_image.shape[-1] + 1) // 2, [], 0
        for kept in ctx.kept:
            n = kept[0].factor.shape[1]
            own = of_image[:, at : at + n]
            volume = None if of_volume is None else of_volume[:, at : at + n]
            a, b, at = own[..., :border], own[..., border:], at + n
            for i in range(len(kept) - 1, -1, -1):
                first, (weights, _) = plan.firsts[i], ctx.layers[i]
                up, of_changed = _through_image(b if first else a, volume, kept[i], plan)
                wanted = i > 0 or ctx.needs_input_grad[1]
                of_given = _through_networks(up, kept[i].inputs, weights, gradients[i], wanted)
                if of_given is not None:
                    a, b = (a + of_given, of_changed) if first else (of_changed, b + of_given)
            found.append(torch.cat([a, b], dim=-1))
        of_x = torch.cat(found, dim=1) if ctx.needs_input_grad[1] else None
        shaped = [g.view(len(of_image), 2, *g.shape[1:]) for one in gradients for g in one]
        return None, of_x, *shaped


def _through_networks(
    up: Tensor, inputs: list[Tensor], weights: list[Tensor], gradients: list[Tensor], wanted: bool
) -> Tensor | None:
    """Add up the derivatives of weights and biases; return that of the half that was read, if it is wanted."""
    layers = len(weights)
    for i in range(layers - 1, -1, -1):
        torch.baddbmm(gradients[i], inputs[i].mT, up, out=gradients[i])
        gradients[layers + i] += up.sum(dim=1, keepdim=True)
        if i or wanted:
            up = torch.bmm(up, weights[i].mT)
        if i:
            torch.ops.aten.leaky_relu_backward.grad_input(up, inputs[i], SLOPE, True, grad_input=up)
    return up.view(-1, 2, *up.shape[1:]).sum(dim=1) if wanted else None
