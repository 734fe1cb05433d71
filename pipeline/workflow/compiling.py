"""Has the exact engine compiled, in two halves that two processes can do at once.

Run as a module it does the second half; `preload` does the first meanwhile. After installation that takes 20 s on two
cores in place of 33; later both halves are loaded from the compiler's cache.
"""

from __future__ import annotations

import numpy as np

import iitcore as iit
from pipeline.base.arrays import Floats, Ints
from pipeline.base.raster import states_of


def systems() -> None:
    """Have what phi_s needs compiled."""
    iit.phi_batch(*_small(), threads=1)


def structures() -> None:
    """Have what Φ needs compiled."""
    iit.big_phi_batch(*_small(), threads=1)


def _small() -> tuple[Floats, Ints]:
    """Return a TPM of three units (1, state, unit), and its states."""
    return np.random.default_rng(0).uniform(0.1, 0.9, (1, 8, 3)), states_of(3)


if __name__ == "__main__":
    structures()
