"""The planted pairs: a substrate whose best macro units are known, and recordings of substrates."""

import numpy as np
import xarray as xr

from pipeline.base.raster import encode


def planted() -> np.ndarray:
    """P(ON) of two pairs of units, each driven by the other pair."""
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    drive = np.stack([bits[:, 2] + bits[:, 3]] * 2 + [bits[:, 0] + bits[:, 1]] * 2, axis=1)
    return 1 / (1 + np.exp(4 - 3.5 * drive))


def simulate(p_on: np.ndarray, frames: int, seed: int, runs: int = 1) -> np.ndarray:
    """States (runs, frames, unit) of a substrate, all runs at once."""
    rng = np.random.default_rng(seed)
    n = p_on.shape[1]
    states = np.zeros((runs, frames, n), dtype=np.uint8)
    now = rng.integers(0, 2**n, runs)
    for t in range(frames):
        states[:, t] = rng.random((runs, n)) < p_on[now]
        now = encode(states[:, t])
    return states


def states_dataset(states: np.ndarray, **coords) -> xr.Dataset:
    coords = {k: ("frame", np.asarray(v)) for k, v in coords.items()}
    return xr.Dataset(
        {"states": (("frame", "unit"), states)},
        coords={"unit": [f"e{i}" for i in range(states.shape[1])], **coords},
        attrs={"recording": "m1", "subject": "m", "method": "events", "bin_s": 0.5},
    )
