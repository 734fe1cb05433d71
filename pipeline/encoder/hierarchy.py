"""The hierarchy of invertible encoders: each scale is half of the one before, and what is dropped is kept aside.

x -> flow of all dimensions -> y_D -> flow -> (y_⌈D/2⌉, dropped) -> flow -> ... -> (y_1, dropped)

All latents of a scale with everything dropped on the way to it are x in other coordinates, so the density of x is
that of the latents times the volume (`Level.volume`) by which the flows stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from pipeline.encoder.dynamics import BoundedDynamics, Dynamics, ResidualDynamics
from pipeline.encoder.layers import CouplingFlow, generators
from pipeline.encoder.scales import scales_of

JITTER = 1e-6  # added to the variances of latents before they are whitened, relative to their mean


@dataclass(frozen=True)
class Architecture:
    """Sizes of a hierarchy.

    Attributes:
        n_units: observed dimensions D.
        couplings: affine couplings of each flow.
        hidden: hidden layers of the couplings' networks.
        width: of the dynamics' hidden layers.
        whitened: latents are whitened at every scale, flows start as linear maps and dynamics are bounded (mode
            `calibrated`); else as published.
        squashed: the published dynamics end in a tanh.
    """

    n_units: int
    couplings: int = 6
    hidden: tuple[int, ...] = (64, 64)
    width: int = 64
    whitened: bool = True
    squashed: bool = True

    @property
    def scales(self) -> tuple[int, ...]:
        """Dimensions of the scales, from all units to 1."""
        return scales_of(self.n_units)


@dataclass(frozen=True)
class Level:
    """One scale of encoded frames.

    Attributes:
        latents: (model, row, d).
        dropped: (model, row, D' - d) what the flow before this scale put aside.
        volume: (model, row) ln|det| of the map from x to these latents and all that was dropped on the way.
    """

    latents: Tensor
    dropped: Tensor
    volume: Tensor


class Hierarchy(torch.nn.Module):
    """Stacked hierarchies of coupling flows with the dynamics of every scale.

    Args:
        architecture: sizes.
        seeds: one per model; models with one seed start alike.

    >>> import torch
    >>> model = Hierarchy(Architecture(5), seeds=[0])
    >>> x = torch.randn(1, 7, 5)
    >>> levels = model.encode(x)
    >>> [level.latents.shape[-1] for level in levels]
    [5, 3, 2, 1]
    >>> back = model.decode(levels[-1].latents, 1, [level.dropped for level in levels])
    >>> bool(torch.allclose(back, x, atol=1e-5))
    True
    """

    unit_mean: Tensor
    unit_sd: Tensor

    def __init__(self, architecture: Architecture, seeds: Sequence[int]) -> None:
        super().__init__()
        a, rngs = architecture, generators(seeds)
        self.architecture, self.scales = architecture, architecture.scales
        inputs = (a.n_units, *a.scales[:-1])
        self.flows = torch.nn.ModuleList(
            CouplingFlow(n, a.couplings, a.hidden, rngs, linear=a.whitened) for n in inputs
        )
        self.dynamics = torch.nn.ModuleList(self._dynamics(d, rngs) for d in a.scales)
        self.inverse_dynamics = torch.nn.ModuleList([] if a.whitened else [self._dynamics(d, rngs) for d in a.scales])
        self.register_buffer("unit_mean", torch.zeros(len(seeds), 1, a.n_units))
        self.register_buffer("unit_sd", torch.ones(len(seeds), 1, a.n_units))
        for level, n in enumerate(inputs if a.whitened else ()):
            self.register_buffer(f"mean_{level}", torch.zeros(len(seeds), 1, n))
            self.register_buffer(f"root_{level}", torch.eye(n).repeat(len(seeds), 1, 1))

    def _dynamics(self, d: int, rngs: Sequence[torch.Generator]) -> BoundedDynamics | ResidualDynamics:
        a = self.architecture
        return (
            BoundedDynamics(d, a.width, rngs) if a.whitened else ResidualDynamics(d, a.width, rngs, squashed=a.squashed)
        )

    @property
    def n_models(self) -> int:
        """How many models are stacked."""
        return len(self.unit_mean)

    def of_scales(self) -> list[Dynamics]:
        """Return the dynamics of every scale, from all dimensions down."""
        return [cast("Dynamics", f) for f in self.dynamics]

    def level_of(self, scale: int) -> int:
        """Return the place of a scale in the hierarchy.

        Args:
            scale: its dimensions.

        Raises:
            ValueError: there is no such scale.
        """
        if scale not in self.scales:
            raise ValueError(f"scale {scale} is none of {', '.join(map(str, self.scales))}")
        return self.scales.index(scale)

    def encode(self, x: Tensor, down_to: int = 1, weight: Tensor | None = None) -> list[Level]:
        """Encode frames.

        Args:
            x: (model, row, unit), in the units of the recording.
            down_to: smallest scale wanted.
            weight: (model, row) what each frame counts in the whitening, summing to 1: the latents are then white
                over these frames. By default the whitening that was fitted is used.

        Returns:
            One level per scale, from all dimensions down.
        """
        y = (x - self.unit_mean) / self.unit_sd
        volume = -torch.log(self.unit_sd).sum(dim=-1).expand(y.shape[:-1])
        found: list[Level] = []
        for level, d in enumerate(self.scales[: self.level_of(down_to) + 1]):
            z, more = self.flows[level](y)
            volume = volume + more
            if self.architecture.whitened:
                mean, root = self._whitening(level) if weight is None else moments(z, weight)
                z = torch.linalg.solve_triangular(root, (z - mean).mT, upper=False).mT
                volume = volume - torch.log(torch.diagonal(root, dim1=-2, dim2=-1)).sum(dim=-1)[:, None]
            y, dropped = z[..., :d], z[..., d:]
            found.append(Level(y, dropped, volume))
        return found

    def decode(self, latents: Tensor, scale: int, dropped: Sequence[Tensor] | None = None) -> Tensor:
        """Decode the latents of one scale.

        Args:
            latents: (model, row, scale).
            scale: its dimensions.
            dropped: of every level from all dimensions to this scale, as `encode` gave them; zeros by default, which
                is their mean.

        Returns:
            (model, row, unit), in the units of the recording.
        """
        y = latents
        for level in range(self.level_of(scale), -1, -1):
            y = self.ascend(y, level, None if dropped is None else dropped[level])
        return y * self.unit_sd + self.unit_mean

    def ascend(self, y: Tensor, level: int, dropped: Tensor | None = None) -> Tensor:
        """Return the input of one level's flow from its output.

        Args:
            y: (model, row, d) latents of the level's scale.
            level: place of the scale in the hierarchy.
            dropped: what was dropped there; zeros by default.
        """
        missing = (self.scales[level - 1] if level else self.architecture.n_units) - y.shape[-1]
        if missing:
            y = torch.cat([y, y.new_zeros(*y.shape[:-1], missing) if dropped is None else dropped], dim=-1)
        if self.architecture.whitened:
            mean, root = self._whitening(level)
            y = y @ root.mT + mean
        flow = self.flows[level]
        assert isinstance(flow, CouplingFlow)
        return flow.inverse(y)

    @torch.no_grad()
    def fit_units(self, x: Tensor, weight: Tensor) -> None:
        """Take mean and standard deviation of every unit.

        Args:
            x: (model, row, unit).
            weight: (model, row) what each frame counts, summing to 1.
        """
        mean = (weight[..., None] * x).sum(dim=1, keepdim=True)
        variance = (weight[..., None] * (x - mean) ** 2).sum(dim=1, keepdim=True)
        self.unit_mean.copy_(mean)
        self.unit_sd.copy_(variance.sqrt().clamp_min(1e-12))

    @torch.no_grad()
    def fit_whitening(self, x: Tensor, weight: Tensor) -> None:
        """Fix the whitening of every scale.

        Args:
            x: (model, row, unit).
            weight: (model, row) what each frame counts, summing to 1.
        """
        if not self.architecture.whitened:
            return
        y = (x - self.unit_mean) / self.unit_sd
        for level, d in enumerate(self.scales):
            z, _ = self.flows[level](y)
            mean, root = moments(z, weight)
            getattr(self, f"mean_{level}").copy_(mean)
            getattr(self, f"root_{level}").copy_(root)
            y = torch.linalg.solve_triangular(root, (z - mean).mT, upper=False).mT[..., :d]

    def _whitening(self, level: int) -> tuple[Tensor, Tensor]:
        return getattr(self, f"mean_{level}"), getattr(self, f"root_{level}")


def moments(z: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean (model, 1, d) and the Cholesky factor (model, d, d) of the covariance of rows.

    Args:
        z: (model, row, d).
        weight: (model, row), summing to 1.
    """
    mean = (weight[..., None] * z).sum(dim=1, keepdim=True)
    centred = z - mean
    covariance = centred.mT @ (weight[..., None] * centred)
    size = torch.diagonal(covariance, dim1=-2, dim2=-1).mean(dim=-1)[:, None, None]
    eye = torch.eye(z.shape[-1], dtype=z.dtype, device=z.device)
    return mean, torch.linalg.cholesky(covariance + JITTER * size.clamp_min(1e-30) * eye)
