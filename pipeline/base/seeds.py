"""Independent random streams from one study seed, the same in whatever order the jobs run."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """Return a 63-bit seed for the job that `names` identify, e.g. ("tpm", recording, window)."""
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a numpy generator for the job that `names` identify."""
    return np.random.default_rng(derive(seed, *names))
