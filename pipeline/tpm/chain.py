"""The Gibbs sampler of a recording: TPMs of its windows, their drive, and where they are hidden, the states.

One sweep draws, each given all others: the models of every unit in every window (`pipeline.tpm.parent_sets`), the
levels of the drive and how they switch (`pipeline.tpm.drive`), the path of the joint states and what is seen of a unit
that is ON or OFF (`pipeline.tpm.hidden`), and what the models have in common.
"""

from __future__ import annotations

import numba
import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import encode
from pipeline.tpm.drive import LEVELS, draw_levels, draw_switching, first_levels
from pipeline.tpm.evidence import new_space
from pipeline.tpm.features import NO_DRIVE, Features, features
from pipeline.tpm.hidden import draw_emission, draw_path, draw_path_by_units
from pipeline.tpm.parent_sets import even_shares, first_models, learn_shares, update_unit
from pipeline.tpm.recorded import ChainDraws, Model, Recorded, Sweeps

MAX_JOINT = 6  # units up to which paths of joint states are drawn at once; beyond, one unit's after the other's
WARM_UP_TPM = 3  # sweeps over the TPM before the first path


def sample_recording(
    recorded: Recorded,
    states: Array,
    model: Model,
    sweeps: Sweeps,
    rng: np.random.Generator,
    permitted: Ints | None = None,
) -> ChainDraws:
    """Draw all that is not known of a recording.

    Args:
        recorded: what was seen.
        states: (frame, unit) the states; where they are hidden, those from which the chain starts.
        model: what is sampled.
        sweeps: how long.
        rng: fixes the draws.
        permitted: (unit,) bit mask of the parents that each unit may have; by default all.
    """
    levels = LEVELS if model.drive else NO_DRIVE
    made = features(states.shape[1], model.family, levels, permitted)
    path = encode(np.asarray(states))
    level = first_levels(states, recorded.border) if model.drive else np.zeros(len(path), np.int64)
    return ChainDraws(*_chain(rng, recorded, path, level, made, len(levels), model.hidden, model.family, sweeps))


@numba.njit(cache=True)
def _chain(
    rng: np.random.Generator,
    recorded: Recorded,
    path: Ints,
    level: Ints,
    made: Features,
    n_levels: int,
    hidden: bool,
    family: int,
    sweeps: Sweeps,
) -> tuple[Floats, Ints, Floats, Floats, Ints, Floats]:
    border, n_units, n_windows = recorded.border, recorded.category.shape[1], len(recorded.border) - 1
    emission = np.zeros((n_units, 4 * recorded.n_kinds, recorded.category.max() + 1))
    if hidden:
        draw_emission(rng, recorded, path, emission)
    shares, space = even_shares(made, n_windows), new_space(made)
    models = [first_models(*count_path(recorded, path, level, w, len(made.values)), made, w) for w in range(n_windows)]
    switching = np.full((n_windows, n_levels, n_levels), 1.0)
    for w in range(n_windows):
        if n_levels > 1:
            draw_switching(rng, level, border[w], border[w + 1], switching[w])
    kept = sweeps.draws if hidden else 1
    logits = np.empty((sweeps.draws, n_windows, len(made.values), n_units))
    parents = np.empty((sweeps.draws, n_windows, n_units), np.int64)
    switchings = np.empty((sweeps.draws, n_windows, n_levels, n_levels))
    amplitude = np.zeros((sweeps.draws, n_windows, n_units))
    paths = np.empty((kept, len(path)), np.int64)
    emissions = np.empty((kept, *emission.shape))
    paths[0], emissions[0] = path, emission
    for sweep in range(sweeps.warm_up + sweeps.draws * sweeps.thin):
        for w in range(n_windows):
            start, end = border[w], border[w + 1]
            count, on = count_path(recorded, path, level, w, len(made.values))
            for u in range(n_units):
                varies = 0 < on[:, u].sum() < count[:, u].sum()
                models[w].varies[u] = varies
                for _ in range(1 if sweep else WARM_UP_TPM):
                    if varies:
                        update_unit(rng, u, count[:, u], on[:, u], made, family, shares, models[w], space)
            if n_levels > 1:
                draw_levels(rng, path, recorded.joined, recorded.lag, models[w].logit, switching[w], start, end, level)
                draw_switching(rng, level, start, end, switching[w])
            if hidden and n_units <= MAX_JOINT:
                draw_path(rng, recorded, w, models[w].logit, level, emission, path)
            elif hidden:
                draw_path_by_units(rng, recorded, w, models[w].logit, level, emission, path)
        if hidden:
            draw_emission(rng, recorded, path, emission)
        learn_shares(rng, made, family, models, shares)
        done = sweep - sweeps.warm_up + 1
        if done > 0 and done % sweeps.thin == 0:
            d = done // sweeps.thin - 1
            for w in range(n_windows):
                logits[d, w] = models[w].logit.T
                parents[d, w] = models[w].parents
                if n_levels > 1:
                    amplitude[d, w] = models[w].weight[:, -1]
            switchings[d] = switching
            if hidden:
                paths[d], emissions[d] = path, emission
    return logits, parents, switchings, amplitude, paths, emissions


@numba.njit(cache=True)
def count_path(recorded: Recorded, path: Ints, level: Ints, window: int, n_rows: int) -> tuple[Ints, Ints]:
    """Count the transitions of a window: (row, unit) from each state under each level, and those to ON."""
    n_units = recorded.joined.shape[1]
    count, on = np.zeros((n_rows, n_units), np.int64), np.zeros((n_rows, n_units), np.int64)
    for t in range(recorded.border[window], recorded.border[window + 1]):
        for u in range(n_units):
            if recorded.joined[t, u]:
                row = path[t - recorded.lag] + (level[t] << n_units)
                count[row, u] += 1
                on[row, u] += path[t] >> u & 1
    return count, on
