"""Surrogates of states that are hidden: simulated, seen and fitted again like the recording.

Paths that are drawn with a TPM are not what was seen. A null whose recordings were estimated from paths that are known
would lack the errors that hidden states bring, and be too low.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import bits, encode
from pipeline.base.seeds import generator
from pipeline.nulls.parameters import HIDDEN

if TYPE_CHECKING:
    from pipeline.tpm.recorded import ChainDraws, Recorded
    from pipeline.tpm.sampled import SampledRecording


class Refitted(NamedTuple):
    """Surrogates of one window.

    Attributes:
        paths: (surrogate, frame, unit) the last path drawn of each.
        p_on: (surrogate, state, unit) their TPMs.
        visits: (surrogate, state) frames in each state, the mean over the paths drawn.
    """

    paths: Array
    p_on: Floats
    visits: Floats


@dataclass(frozen=True)
class Measured:
    """Reducible models of a recording whose states are hidden.

    One of these serves all windows and scales of a recording: a surrogate is a recording of all windows.

    Attributes:
        states: the states dataset of the recording, with `signal`.
        tpms: micro TPM of each window, with `paths`.
        seed: fixes all surrogates.
        most: surrogates at most; each costs a fit of the recording.
    """

    states: xr.Dataset
    tpms: Mapping[str, xr.Dataset]
    seed: int = 0
    most: int = HIDDEN
    _kept: dict[int, dict[str, Refitted]] = field(default_factory=dict, repr=False)

    def surrogates(self, n: int, window: str) -> Refitted:
        """Return the surrogates of one window.

        Args:
            n: how many.
            window: name of the window.
        """
        n = min(n, self.most)
        if n not in self._kept:
            self._kept[n] = self._made(n)
        return self._kept[n][window]

    def _made(self, n: int) -> dict[str, Refitted]:
        if not n:
            return dict.fromkeys(self.tpms, Refitted(np.empty((0, 0, 0), bool), np.empty((0, 0, 0)), np.empty((0, 0))))
        recording, rng = self._recording(), generator(self.seed, "measured")
        names = [name for name in recording.names if name in self.tpms]
        paths = {name: self.tpms[name]["paths"].values.astype(np.int64) for name in names}
        n_paths = min(len(p) for p in paths.values())
        models = self._models(recording, paths, n, n_paths, rng)
        found: dict[str, list[tuple[Array, Floats, Floats]]] = {name: [] for name in names}
        for i in range(n):
            path = np.concatenate([paths[name][i % n_paths] for name in recording.names])
            occupancy = [_shares(paths[name][i % n_paths]) for name in recording.names]
            emission = emission_of(path, recording.recorded)
            refit = recording.refit([models[name][i] for name in recording.names], occupancy, emission, rng)
            for w, name in enumerate(recording.names):
                posterior, last = refit.posterior(name), refit.path(-1, w)
                visits = posterior.occupancy * len(last)
                found[name].append((bits(last, path.shape[1]), posterior.p_on, visits))
        return {name: Refitted(*(np.stack(part) for part in zip(*rows, strict=True))) for name, rows in found.items()}

    def _models(
        self, recording: SampledRecording, paths: Mapping[str, Array], n: int, n_paths: int, rng: np.random.Generator
    ) -> dict[str, list[tuple[Floats, Floats]]]:
        """For each window and surrogate, P(ON) under each level of the drive and how it switches."""
        from pipeline.nulls.reducible import models

        found: dict[str, list[tuple[Floats, Floats]]] = {}
        for w, name in enumerate(recording.names):
            runs: Ints = np.cumsum(recording.recorded.first[recording.frames(w)].astype(np.int64))
            each = -(-n // n_paths)
            drawn = [models(path, runs, 1, each, rng) for path in paths[name][:n_paths]]
            found[name] = [(drawn[i % n_paths][0][i // n_paths], drawn[i % n_paths][1][i // n_paths]) for i in range(n)]
        return found

    def _recording(self) -> SampledRecording:
        """What was seen of the recording, and how it was fitted."""
        from pipeline.tpm.latent import seen_of
        from pipeline.tpm.recorded import Model
        from pipeline.tpm.sampled import SampledRecording

        seen = seen_of(self.states, self.tpms)
        attrs = next(iter(self.tpms.values())).attrs
        model = Model(int(attrs["family"]), bool(attrs["drive"]), hidden=True)
        return SampledRecording(seen.windows, seen.recorded, cast("ChainDraws", None), model)


def emission_of(path: Array, recorded: Recorded) -> Floats:
    """Return what is seen of states along a path, (unit, 4 · kind, category): by state + 2 · state before + 4 · kind.

    Args:
        path: (frame, unit) states.
        recorded: what was seen.
    """
    from pipeline.tpm.hidden import EMISSION_PRIOR

    category, inside = recorded.category, ~recorded.first[1:]
    which = path[1:] + 2 * path[:-1] + 4 * recorded.kind[1:, None]
    found = np.full((path.shape[1], 4 * recorded.n_kinds, int(category.max()) + 1), EMISSION_PRIOR)
    for u in range(path.shape[1]):
        np.add.at(found[u], (which[inside, u], category[1:][inside, u]), 1)
    share: Floats = found / found.sum(axis=2, keepdims=True)
    return share


def _shares(path: Array) -> Floats:
    return np.bincount(encode(path), minlength=2 ** path.shape[1]) / len(path)
