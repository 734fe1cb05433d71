"""Layers of many models at once: every parameter has a leading axis of models, every layer is one batched product.

Data and its surrogates, several windows and several seeds are trained in the same way, so they are one stack: on a
processor the cost of a small model is that of calling operations, and a stack calls them once. Models do not mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor

from pipeline.encoder.affine import Networks, affine_couplings

Generators = Sequence[torch.Generator]


def generators(seeds: Sequence[int]) -> list[torch.Generator]:
    """Return one source of chance per model; models with one seed start alike.

    Args:
        seeds: of the models.
    """
    return [torch.Generator().manual_seed(seed % 2**63) for seed in seeds]


def uniform(shape: tuple[int, ...], bound: float, rngs: Generators) -> torch.nn.Parameter:
    """Return a parameter (model, *shape) drawn from U(-bound, bound), each model by its own generator.

    Args:
        shape: of one model.
        bound: half the width.
        rngs: one per model.
    """
    drawn = torch.stack([torch.rand(shape, generator=rng, dtype=torch.float64) for rng in rngs])
    return torch.nn.Parameter(((2 * drawn - 1) * bound).to(torch.get_default_dtype()))


class Perceptron(torch.nn.Module):
    """Stacked multilayer perceptrons, leaky ReLU between layers, started as torch.nn.Linear starts.

    Args:
        sizes: inputs, hidden layers, outputs.
        rngs: one per model.
        silent: the last layer starts at 0, so that the function does.
        fan_in: number of inputs that the bounds of the first layer count, where masked inputs are left out.
        copies: networks of each model, which get the same inputs.
    """

    def __init__(
        self, sizes: Sequence[int], rngs: Generators, *, silent: bool = False, fan_in: int = 0, copies: int = 1
    ) -> None:
        super().__init__()
        self.copies = copies
        self.weights, self.biases = torch.nn.ParameterList(), torch.nn.ParameterList()
        for i, (n_in, n_out) in enumerate(pairwise(sizes)):
            bound = 0.0 if silent and i == len(sizes) - 2 else max(1, n_in if i else fan_in or n_in) ** -0.5
            self.weights.append(uniform((copies, n_in, n_out), bound, rngs))
            self.biases.append(uniform((copies, 1, n_out), bound, rngs))

    def forward(self, x: Tensor) -> Tensor:
        """Return (model, row, outputs) for (model, row, inputs); of copies (copy, model, row, outputs)."""
        models, last = len(x), len(self.weights) - 1
        if self.copies > 1:
            x = x[:, None].expand(-1, self.copies, -1, -1).flatten(0, 1)
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias.flatten(0, 1), x, weight.flatten(0, 1))
            if i < last:
                x = torch.nn.functional.leaky_relu_(x)
        return x if self.copies == 1 else x.view(models, self.copies, *x.shape[1:]).movedim(1, 0)


class Coupling(torch.nn.Module):
    """Affine coupling (Dinh, Sohl-Dickstein & Bengio 2017): one part is scaled and moved by functions of the other.

    A network of the unmasked half is the same function as one of all dimensions with the others masked.

    Args:
        size: dimensions.
        first: whether the first half, ceil(size / 2), is what stays.
        hidden: hidden layers of the networks.
        rngs: one per model.
        identity: start as the identity, with one network for scale and shift instead of two.
    """

    def __init__(self, size: int, first: bool, hidden: Sequence[int], rngs: Generators, *, identity: bool) -> None:
        super().__init__()
        half = (size + 1) // 2
        self.first, self.identity = first, identity
        given, changed = (half, size - half) if first else (size - half, half)
        if identity:
            self.both = Perceptron((given, *hidden, 2 * changed), rngs, silent=True)
        else:
            self.both = Perceptron((given, *hidden, changed), rngs, fan_in=size, copies=2)

    @property
    def networks(self) -> Networks:
        """The parameters of the two networks."""
        return Networks(list(self.both.weights), list(self.both.biases), self.first)

    def forward(self, a: Tensor, b: Tensor, *, backward: bool = False) -> tuple[Tensor, Tensor, Tensor]:
        """Return the images of both halves, and ln of what the changed dimensions are stretched by forward.

        Args:
            a: (model, row, ceil(size / 2)) first half.
            b: (model, row, floor(size / 2)) second half.
            backward: the inverse.
        """
        given, changed = (a, b) if self.first else (b, a)
        out = self.both(given)
        log_scale, shift = out.chunk(2, dim=-1) if self.identity else out
        log_scale = torch.tanh(log_scale)
        if backward:
            changed = (changed - shift) * torch.exp(-log_scale)
        else:
            changed = torch.addcmul(shift, changed, torch.exp(log_scale))
        return (given, changed, log_scale) if self.first else (changed, given, log_scale)


class CouplingFlow(torch.nn.Module):
    """Couplings in alternation, after an invertible linear map where there is one.

    Args:
        size: dimensions.
        couplings: how many.
        hidden: hidden layers of their networks.
        rngs: one per model.
        linear: start as a linear map, by default the identity, that is learned too; else there is none, and the
            couplings start at random.
    """

    linear: Tensor | None

    def __init__(self, size: int, couplings: int, hidden: Sequence[int], rngs: Generators, *, linear: bool) -> None:
        super().__init__()
        eye = torch.eye(size).repeat(len(rngs), 1, 1)
        self.linear = torch.nn.Parameter(eye) if linear else None
        self.couplings = torch.nn.ModuleList(
            Coupling(size, i % 2 == 0, hidden, rngs, identity=linear) for i in range(couplings if size > 1 else 0)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image (model, row, size) and ln|det| (model, row)."""
        if not self.couplings:
            return self._turned(x)
        if self.linear is None:
            return affine_couplings(x, self._networks, backward=False)
        x, volume = self._turned(x)
        a, b = self._halves(x)
        for coupling in self.couplings:
            a, b, log_scale = coupling(a, b)
            volume = volume + log_scale.sum(dim=-1)
        return torch.cat([a, b], dim=-1), volume

    def inverse(self, z: Tensor) -> Tensor:
        """Return what has the image (model, row, size).

        Args:
            z: the image.
        """
        if self.linear is None and self.couplings:
            return affine_couplings(z, self._networks, backward=True)[0]
        a, b = self._halves(z)
        for coupling in reversed(self.couplings):
            a, b, _ = coupling(a, b, backward=True)
        x = torch.cat([a, b], dim=-1)
        return x if self.linear is None else torch.linalg.solve(self.linear, x.mT).mT

    @property
    def _networks(self) -> list[Networks]:
        return [cast("Coupling", one).networks for one in self.couplings]

    def _turned(self, x: Tensor) -> tuple[Tensor, Tensor]:
        volume = x.new_zeros(x.shape[:-1])
        if self.linear is None:
            return x, volume
        return x @ self.linear.mT, volume + torch.linalg.slogdet(self.linear)[1][:, None]

    @staticmethod
    def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
        border = (x.shape[-1] + 1) // 2
        return x[..., :border], x[..., border:]
