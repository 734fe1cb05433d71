"""Has the exact engine and the samplers compiled, in two halves that two processes can do at once.

Run as a module it does the second half; `preload` does the first meanwhile, which takes half as long on two cores as
on one. `make install` imports `preload` for that; where nobody did, the first run does. Later both halves are loaded
from the compiler's cache.
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


def sampler() -> None:
    """Have compiled what draws TPMs, with their drive, of states that are given or hidden."""
    from pipeline.tpm import parent_sets
    from pipeline.tpm.chain import sample_recording
    from pipeline.tpm.recorded import Model, Recorded, Sweeps
    from pipeline.tpm.sampled import SampledRecording

    rng = np.random.default_rng(0)
    counts = np.full((4, 2), 6)
    parent_sets.sample(counts[:, :1], counts // 2, 2, 2, 1, 1, rng)
    states = (rng.random((60, 2)) < 0.5).astype(np.int64)
    first = np.arange(60) == 0
    recorded = Recorded(
        states * 7, first, np.repeat(~first[:, None], 2, axis=1), np.array([0, 60]), 1, np.zeros(60, np.int64), 1
    )
    for hidden in (True, False):
        model = Model(2, drive=True, hidden=hidden)
        drawn = sample_recording(recorded, states, model, Sweeps(2, 1, 1), rng)
        SampledRecording([""], recorded, drawn, model).copy(1, rng)


def _small() -> tuple[Floats, Ints]:
    """Return a TPM of three units (1, state, unit), and its states."""
    return np.random.default_rng(0).uniform(0.1, 0.9, (1, 8, 3)), states_of(3)


if __name__ == "__main__":
    sampler()
