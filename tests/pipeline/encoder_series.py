"""Series of known causal structure for the tests of the encoders."""

import numpy as np

from pipeline.base.arrays import Floats, Ints


def spring(seed: int, n: int = 1500) -> tuple[Floats, Ints]:
    """Noisy spring (Zhang & Liu 2022): a rotation hidden in four dimensions by large noise, in pairs of frames."""
    rng = np.random.default_rng(seed)
    s = rng.uniform(-10, 10, (n, 2))
    after = s + 0.1 * s[:, ::-1] * [1, -1]
    noise = rng.normal(size=(2, n, 2))
    seen = [np.concatenate([at - xi, at + xi], axis=1) for at, xi in zip((s, after), noise, strict=True)]
    return np.stack(seen, axis=1).reshape(2 * n, 4), np.repeat(np.arange(n), 2)


def autoregression(seed: int, n: int = 1000, d: int = 8, memory: float = 0.8) -> Floats:
    """Independent AR(1) units."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    for t in range(1, n):
        x[t] = memory * x[t - 1] + (1 - memory**2) ** 0.5 * x[t]
    return x


def walk(seed: int, n: int = 1000, d: int = 8) -> Floats:
    """Random walk."""
    return np.cumsum(np.random.default_rng(seed).normal(size=(n, d)), axis=0)
