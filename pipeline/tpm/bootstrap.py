"""Moving-block bootstrap of a TPM: the model-free alternative to posterior draws.

Blocks of consecutive transitions are drawn with replacement, as many as there were, and the TPM is estimated anew from
each resample. Blocks at least as long as the units stay correlated keep the dependence between neighbouring
transitions, which a posterior of independent transitions does not know (Künsch 1989, Annals of Statistics
17:1217-1241). They wrap around the end, so that every transition is as likely as any other (Politis & Romano 1992).
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.history import record
from pipeline.base.raster import autocorrelation_time, encode, raster, transition_frames
from pipeline.base.seeds import generator
from pipeline.tpm.registry import ESTIMATORS, own_parameters
from pipeline.tpm.transitions import Counts, count


def block_length(states: Array, runs: Ints) -> int:
    """Return the transitions of a block: the longest autocorrelation time of a unit, at least the cube root of all.

    Args:
        states: (frame, unit) of 0 and 1.
        runs: (frame,) numbers of runs of consecutive frames.
    """
    return int(max(np.ceil(autocorrelation_time(states, runs).max()), math.ceil(len(states) ** (1 / 3))))


def resampled(n: int, block: int, rng: np.random.Generator) -> Ints:
    """Return numbers of transitions, (n,), in blocks of consecutive ones drawn with replacement.

    Args:
        n: number of transitions.
        block: length of a block.
        rng: draws where each starts.

    >>> resampled(5, 2, np.random.default_rng(0)).tolist()
    [4, 0, 3, 4, 2]
    """
    first = rng.integers(n, size=math.ceil(n / block))
    found: Ints = ((first[:, None] + np.arange(block)) % n).ravel()[:n]
    return found


def bootstrapped(tpm: xr.Dataset, states: xr.Dataset, seed: int = 0) -> xr.Dataset:
    """Replace the posterior draws of a TPM by as many estimates from resampled transitions.

    Args:
        tpm: result of `tpm.estimate_window`; method, lag and the method's parameters are taken from it. Where its
            states were hidden, each resample is of another of the paths that were drawn.
        states: the states dataset of its recording, or of the window alone.
        seed: fixes the resamples.

    Returns:
        The same with other `p_on_draws`; without any where it had none.
    """
    if "p_on_draws" not in tpm:
        return tpm
    inside = states["window"].values.astype(str) == str(tpm.attrs["window"])
    values, runs, _, _ = raster(states.isel(frame=np.flatnonzero(inside)), None)
    paths = tpm["paths"].values if "paths" in tpm else values[None]
    lag, rng = int(tpm.attrs["lag"]), generator(seed, "bootstrap")
    source, target = transition_frames(runs, lag)
    block = block_length(values, runs)
    drawn = []
    for i in range(tpm.sizes["draw"]):
        path, chosen = paths[i % len(paths)], resampled(len(source), block, rng)
        drawn.append(count(encode(path)[source[chosen]], path[target[chosen]]))
    counts = Counts(np.stack([c.transitions for c in drawn]), np.stack([c.on for c in drawn]))
    found = tpm.assign(p_on_draws=tpm["p_on_draws"].copy(data=_fitted(counts, tpm)))
    return record(found.assign_attrs(block_transitions=block), "tpm.bootstrap", block=block, seed=seed)


def _fitted(counts: Counts, tpm: xr.Dataset) -> Floats:
    estimator = ESTIMATORS.choose(str(tpm.attrs["estimator"]))
    own = {name: tpm.attrs[name] for name in estimator.Parameters.model_fields}
    return estimator.fit(counts, **own_parameters(estimator, own)).p_on
