"""Learned hierarchies: a training step beside the form of the published code, and a whole window."""

import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from iitcore._arrays import Floats

if TYPE_CHECKING:
    from pipeline.encoder.training import Trained

SCALES, INPUTS, HIDDEN, BATCH = (32, 16, 8, 4, 2, 1), (32, 32, 16, 8, 4, 2), 64, 512


def recording(units: int, frames: int = 1000, seed: int = 0) -> Floats:
    """A bistable variable, an oscillation and a slow one, seen by all units through a saturation and noise."""
    rng = np.random.default_rng(seed)
    z = np.zeros((frames, 4))
    turn = np.array([[0.95, -0.2], [0.2, 0.95]])
    for t in range(1, frames):
        z[t, 0] = z[t - 1, 0] + 0.1 * (z[t - 1, 0] - z[t - 1, 0] ** 3)
        z[t, 1:3] = turn @ z[t - 1, 1:3]
        z[t, 3] = 0.8 * z[t - 1, 3]
        z[t] += rng.normal(0, (0.2, 0.2, 0.2, 0.3))
    seen = np.tanh(0.5 * z @ rng.normal(size=(4, units)))
    return seen + 0.3 * rng.normal(size=seen.shape)


class Masked(nn.Module):
    """The hierarchy as it is usually written: masks over all dimensions, two networks a coupling, scale by scale."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scales = nn.ModuleList(nn.ModuleList(self._net(n, True) for _ in range(6)) for n in INPUTS)
        self.shifts = nn.ModuleList(nn.ModuleList(self._net(n, False) for _ in range(6)) for n in INPUTS)
        self.dynamics = nn.ModuleList(self._net(n, False) for n in SCALES)
        self.masks = [[self._mask(n, i % 2) for i in range(6)] for n in INPUTS]

    @staticmethod
    def _net(n: int, bounded: bool) -> nn.Module:
        layers = [nn.Linear(n, HIDDEN), nn.LeakyReLU(), nn.Linear(HIDDEN, HIDDEN), nn.LeakyReLU(), nn.Linear(HIDDEN, n)]
        return nn.Sequential(*layers, *([nn.Tanh()] if bounded else []))

    @staticmethod
    def _mask(n: int, first: int) -> Tensor:
        mask = torch.zeros(n)
        mask[(n // 2 if first else 0) : (n if first else n // 2)] = 1
        return mask

    def flow(self, level: int, x: Tensor, *, backward: bool) -> Tensor:
        for i in range(5, -1, -1) if backward else range(6):
            mask = self.masks[level][i]
            kept = x * mask
            log_scale = self.log_scales[level][i](kept) * (1 - mask)
            shift = self.shifts[level][i](kept) * (1 - mask)
            moved = (x - shift) * torch.exp(-log_scale) if backward else x * torch.exp(log_scale) + shift
            x = kept + (1 - mask) * moved
        return x

    def loss(self, now: Tensor, later: Tensor) -> Tensor:
        total = torch.zeros(())
        for k in range(len(SCALES)):
            y = now
            for level in range(k + 1):
                y = self.flow(level, y, backward=False)[:, : SCALES[level]]
            y = torch.tanh(y + self.dynamics[k](y))
            for level in range(k, -1, -1):
                missing = INPUTS[level] - y.shape[1]
                y = torch.cat([y, torch.randn(len(y), missing) / 3], dim=1) if missing else y
                y = self.flow(level, y, backward=True)
            total = total + (y - later).abs().mean()
        return total / len(SCALES)


def published_step(n: int) -> dict[str, float]:
    """Stage 1 of mode `published`, 32 units, all six scales, batch 512: seconds of CPU time per step, in turns."""
    from pipeline.encoder.folds import folds_of
    from pipeline.encoder.hierarchy import Architecture, Hierarchy
    from pipeline.encoder.published import Published

    folds = folds_of([recording(n)], None, lag=1, held_out=0.25, blocks=4, gap=None)
    ours, theirs = Hierarchy(Architecture(n, whitened=False), [0]), Masked()
    objective, rng = Published(folds, ours.scales, BATCH), torch.Generator().manual_seed(0)
    objective.prepare(ours, [])
    x = folds.values[0]
    rows = torch.nonzero(folds.train[0])[:, 0].repeat(2)[:BATCH]
    steps = (
        (ours, lambda: objective.loss(ours, "predict", rng).sum()),
        (theirs, lambda: theirs.loss(x[rows], x[rows + 1])),
    )
    best = [np.inf, np.inf]
    optimizers = [torch.optim.Adam(model.parameters(), lr=1e-4, fused=True) for model, _ in steps]
    for _ in range(8):
        for i, ((_, loss), optimizer) in enumerate(zip(steps, optimizers, strict=True)):
            start = time.process_time()
            optimizer.zero_grad()
            torch.autograd.backward(loss())
            optimizer.step()
            best[i] = min(best[i], time.process_time() - start)
    return {"seconds": best[0], "masked_seconds": best[1], "ratio": best[1] / best[0]}


def hierarchy_window(n: int) -> dict[str, float]:
    """Training of one window of 1,000 frames (calibrated, both stages, all scales) and its causal power.

    Beside it: the held-out error that it reaches, and that of 2,000 steps of mode `published`.
    """
    from pipeline.encoder.power import powers
    from pipeline.encoder.training import train

    x = recording(n)
    start = time.process_time()
    trained = train(x)
    bits = powers(trained)[0]
    seconds = time.process_time() - start
    published = train(x, mode="published", steps=2000, power_steps=0, evaluate_every=2000)
    theirs = next(row for row in published.history if row["stage"] == "predict" and row["step"] == 2000)
    return {
        "seconds": seconds,
        "value": float(bits[-1]),
        "error": decoded_error(trained),
        "published_error": float(theirs["held_out_loss"].mean()),
    }


@torch.no_grad()
def decoded_error(trained: "Trained") -> float:
    """Mean over scales of the held-out L1 error of the decoded prediction, what was dropped at its mean."""
    from pipeline.encoder.published import forward_errors

    folds, model = trained.folds, trained.model
    levels = model.encode(folds.now(folds.values))
    rng = torch.Generator()
    return float(forward_errors(model, levels, folds.later(folds.values), 0.0, rng, folds.held_weight).mean())
