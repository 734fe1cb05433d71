"""What a scale does in one step: y(t+lag) = f(y(t)) + e, as published and as bounded maps of whitened latents."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from pipeline.encoder.layers import Generators, Perceptron, uniform


class Dynamics(Protocol):
    """A map of the latents of one scale, of many models at once."""

    def __call__(self, y: Tensor) -> Tensor:
        """Return the expected latents (model, row, d) one step later."""
        ...

    def jacobians(self, y: Tensor) -> Tensor:
        """Return ∂f_i/∂y_j, (model, row, d, d), of the map whose causal power is computed.

        Args:
            y: (model, row, d).
        """
        ...


class ResidualDynamics(torch.nn.Module):
    """f(y) = tanh(y + n(y)) with a network n, as published (Wang et al. 2025, arXiv:2509.10891).

    Args:
        size: dimensions d.
        hidden: width of the two hidden layers.
        rngs: one per model.
        squashed: the tanh; without it f(y) = y + n(y).
    """

    def __init__(self, size: int, hidden: int, rngs: Generators, *, squashed: bool = True) -> None:
        super().__init__()
        self.net = Perceptron((size, hidden, hidden, size), rngs)
        self.squashed = squashed

    def forward(self, y: Tensor) -> Tensor:
        """Return f(y)."""
        moved = y + self.net(y)
        return torch.tanh(moved) if self.squashed else moved

    def jacobians(self, y: Tensor) -> Tensor:
        """Return 1 + ∂n, the slope of the tanh left out, as the published J has it; see `Dynamics.jacobians`."""
        with torch.enable_grad():
            x = y.detach().requires_grad_(True)
            out = x + self.net(x)
            rows = [
                torch.autograd.grad(out[..., i].sum(), x, retain_graph=i + 1 < y.shape[-1])[0]
                for i in range(y.shape[-1])
            ]
        return torch.stack(rows, dim=-2)


class BoundedDynamics(torch.nn.Module):
    """f(y) = A y + V tanh(U y + b) + c with spectral norms of A, U and V of at most 1.

    The latents are white, so that a stationary linear map contracts (its singular values are the correlations of
    past and future); the second term lets slopes reach 2 where the dynamics are not linear, as between two wells.
    Spectral norms follow by one power iteration per training step (Miyato et al. 2018).

    Args:
        size: dimensions d.
        hidden: width of the hidden layer.
        rngs: one per model.
    """

    def __init__(self, size: int, hidden: int, rngs: Generators) -> None:
        super().__init__()
        models = len(rngs)
        self.linear = torch.nn.Parameter(torch.zeros(models, size, size))
        self.inward = uniform((hidden, size), max(1, size) ** -0.5, rngs)
        self.bias = uniform((1, hidden), 1.0, rngs)
        self.outward = torch.nn.Parameter(torch.zeros(models, size, hidden))
        self.offset = torch.nn.Parameter(torch.zeros(models, 1, size))
        for name, width in (("linear", size), ("inward", size), ("outward", hidden)):
            self.register_buffer(f"{name}_vector", torch.ones(models, width, 1) / width**0.5)

    def forward(self, y: Tensor) -> Tensor:
        """Return f(y)."""
        a, u, v = self.bounded()
        hidden = torch.tanh(torch.baddbmm(self.bias, y, u.mT))
        return torch.baddbmm(torch.baddbmm(self.offset, y, a.mT), hidden, v.mT)

    def jacobians(self, y: Tensor) -> Tensor:
        """Return A + V diag(1 - tanh²) U; see `Dynamics.jacobians`."""
        a, u, v = self.bounded()
        slopes = 1 - torch.tanh(torch.baddbmm(self.bias, y, u.mT)) ** 2
        return a[:, None] + (v[:, None] * slopes[:, :, None, :]) @ u[:, None]

    def bounded(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return A, U, V as they act, divided by their spectral norms where these exceed 1."""
        a, u, v = (self._limited(name) for name in ("linear", "inward", "outward"))
        return a, u, v

    @torch.no_grad()
    def iterate(self, times: int = 1) -> None:
        """Let the estimates of the spectral norms follow the parameters.

        Args:
            times: power iterations.
        """
        for name in ("linear", "inward", "outward"):
            matrix, vector = getattr(self, name), getattr(self, f"{name}_vector")
            for _ in range(times):
                vector.copy_(torch.nn.functional.normalize(matrix.mT @ (matrix @ vector) + 1e-12, dim=1))

    def _limited(self, name: str) -> Tensor:
        matrix: Tensor = getattr(self, name)
        norm = torch.linalg.vector_norm(matrix @ getattr(self, f"{name}_vector"), dim=1, keepdim=True)
        limited: Tensor = matrix / norm.clamp_min(1.0)
        return limited
