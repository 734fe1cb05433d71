"""Independent random streams from one study seed, the same in whatever order the jobs run."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *names: str | int) -> int:
    """Return a seed of 63 bits that no other job of the study has.

    Args:
        seed: of the study.
        names: what tells the job from all others, e.g. ("tpm", recording, window).

    >>> derive(1, "tpm", "m1", "awake") == derive(1, "tpm", "m1", "awake")
    True
    >>> derive(1, "tpm", "m1", "awake") == derive(1, "tpm", "m1", "asleep")
    False
    """
    text = "\x1f".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a numpy generator that starts from `derive(seed, *names)`.

    Args:
        seed: of the study.
        names: what tells the job from all others.
    """
    return np.random.default_rng(derive(seed, *names))
