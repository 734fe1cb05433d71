"""Hidden joint states: draws of what the units did, and of their TPM in every window, given what was seen of them.

A threshold makes errors, and a bin that is out of phase with the units shows a late event in the next bin. Both are
modelled instead of ignored:

- the joint state s_t of all units is hidden, and follows the TPM of its window (`pipeline.tpm.parent_sets`);
- what is seen of a unit in a bin is one of a few categories of its signal, with probabilities that depend on its own
  state in this bin and in the bin before, and are the same in all windows of a recording, so that conditions cannot
  differ by detection.

A Gibbs sampler: paths by forward filtering and backward sampling over all 2^n joint states, TPMs given the paths,
emissions given the paths. It starts from the states that the thresholds gave.
"""

from __future__ import annotations

from math import log
from typing import NamedTuple

import numba
import numpy as np

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.base.raster import encode
from pipeline.tpm.parent_sets import Features, even_shares, features, first_models, learn_shares, new_space, update_unit

MAX_UNITS = 6  # joint states are enumerated
OFF_CATEGORIES, ON_CATEGORIES = 7, 8  # of the signal below and above the threshold
EMISSION_PRIOR = 0.3  # Dirichlet weight of every category
LEAST_FILTERED = 1e-12  # joint states less probable than this are passed over
WARM_UP_TPM = 3  # sweeps over the TPM before the first path


class Seen(NamedTuple):
    """What was seen of all units, windows one after the other.

    Attributes:
        category: (frame, unit) category of the signal.
        first: (frame,) True where the frame before is not the one before in time.
        border: (window + 1,) first frame of each window, and the number of frames.
    """

    category: Ints
    first: Bools
    border: Ints


class HiddenDraws(NamedTuple):
    """Draws of everything that is hidden.

    Attributes:
        logits: (draw, window, state, unit) logit of P(ON).
        parents: (draw, window, unit) bit mask of each unit's parents.
        paths: (draw, frame) joint states.
        emission: (draw, unit, 4, category) probability of each category, by state + 2 · state before.
        log_likelihood: (draw,) of what was seen, paths integrated out.
    """

    logits: Floats
    parents: Ints
    paths: Ints
    emission: Floats
    log_likelihood: Floats


def categories(signal: Floats, states: Array) -> Ints:
    """Sort each unit's signal into categories of equal frequency below and above its threshold.

    Args:
        signal: (frame, unit) any unit.
        states: (frame, unit) 1 where the signal is above the unit's threshold.

    Returns:
        (frame, unit) category, increasing with the signal.
    """
    found = np.empty(signal.shape, np.int64)
    for u in range(signal.shape[1]):
        column, on = signal[:, u], np.asarray(states)[:, u] == 1
        edges = [
            np.quantile(column[part], np.arange(1, n) / n) if part.any() else np.empty(0)
            for part, n in ((~on, OFF_CATEGORIES), (on, ON_CATEGORIES))
        ]
        limit = column[on].min() if on.any() else np.inf
        edge = np.concatenate([edges[0], [limit], edges[1]])
        found[:, u] = np.searchsorted(np.maximum.accumulate(edge), column, side="right")
    return found


def sample_hidden(
    seen: Seen, states: Array, family: int, draws: int, thin: int, warm_up: int, rng: np.random.Generator
) -> HiddenDraws:
    """Draw paths, TPMs and emissions of one recording.

    Args:
        seen: what was seen.
        states: (frame, unit) where the chain starts: the states that thresholds gave.
        family: the largest family of `pipeline.tpm.parent_sets`.
        draws: number of draws.
        thin: sweeps from one draw to the next.
        warm_up: sweeps before the first.
        rng: fixes the draws.
    """
    made = features(states.shape[1], family)
    path = encode(np.asarray(states))
    return HiddenDraws(*_chain(rng, seen, path, made, family, draws, thin, warm_up))


@numba.njit(cache=True)
def _chain(
    rng: np.random.Generator, seen: Seen, path: Ints, made: Features, family: int, draws: int, thin: int, warm_up: int
) -> tuple[Floats, Ints, Ints, Floats, Floats]:
    n_states, n_units, n_windows = len(made.values), seen.category.shape[1], len(seen.border) - 1
    emission = np.empty((n_units, 4, seen.category.max() + 1))
    draw_emission(rng, seen, path, emission)
    shares, space = even_shares(made), new_space(made)
    models = [first_models(*count_path(seen, path, w, n_states), made) for w in range(n_windows)]
    logits = np.empty((draws, n_windows, n_states, n_units))
    parents = np.empty((draws, n_windows, n_units), np.int64)
    paths = np.empty((draws, len(path)), np.int64)
    emissions = np.empty((draws, *emission.shape))
    likelihood = np.empty(draws)
    for sweep in range(warm_up + draws * thin):
        total = 0.0
        for w in range(n_windows):
            count, on = count_path(seen, path, w, n_states)
            for u in range(n_units):
                varies = 0 < on[:, u].sum() < count[:, u].sum()
                models[w].varies[u] = varies
                for _ in range(1 if sweep else WARM_UP_TPM):
                    if varies:
                        update_unit(rng, u, count[:, u], on[:, u], made, family, shares, models[w], space)
            total += draw_path(rng, seen, w, models[w].logit, emission, path)
        draw_emission(rng, seen, path, emission)
        learn_shares(rng, made, family, models, shares)
        done = sweep - warm_up + 1
        if done > 0 and done % thin == 0:
            d = done // thin - 1
            for w in range(n_windows):
                logits[d, w] = models[w].logit.T
                parents[d, w] = models[w].parents
            paths[d], emissions[d], likelihood[d] = path, emission, total
    return logits, parents, paths, emissions, likelihood


@numba.njit(cache=True)
def count_path(seen: Seen, path: Ints, window: int, n_states: int) -> tuple[Ints, Ints]:
    """Count the transitions of a window: (state, unit) from each state, and those to ON."""
    n_units = seen.category.shape[1]
    count, on = np.zeros((n_states, n_units), np.int64), np.zeros((n_states, n_units), np.int64)
    for t in range(seen.border[window] + 1, seen.border[window + 1]):
        if not seen.first[t]:
            for u in range(n_units):
                count[path[t - 1], u] += 1
                on[path[t - 1], u] += path[t] >> u & 1
    return count, on


@numba.njit(cache=True)
def draw_emission(rng: np.random.Generator, seen: Seen, path: Ints, emission: Floats) -> None:
    """Draw (unit, 4, category) emissions given the path, in place."""
    weight = np.full(emission.shape, EMISSION_PRIOR)
    for t in range(1, len(path)):
        if not seen.first[t]:
            for u in range(len(emission)):
                weight[u, (path[t] >> u & 1) + 2 * (path[t - 1] >> u & 1), seen.category[t, u]] += 1
    for u in range(len(emission)):
        for c in range(4):
            for k in range(emission.shape[2]):
                emission[u, c, k] = rng.gamma(weight[u, c, k], 1.0) + 1e-12
            emission[u, c] /= emission[u, c].sum()


@numba.njit(cache=True)
def draw_path(rng: np.random.Generator, seen: Seen, window: int, logit: Floats, emission: Floats, path: Ints) -> float:
    """Draw the path of one window given its TPM and the emissions, in place.

    Args:
        rng: what is drawn from.
        seen: of the whole recording.
        window: its number.
        logit: (unit, state) logit of P(ON).
        emission: (unit, 4, category) probabilities.
        path: (frame,) of the whole recording.

    Returns:
        Log-likelihood of what was seen in the window.
    """
    start, end = seen.border[window], seen.border[window + 1]
    p_on = 1 / (1 + np.exp(-logit))
    filtered, likelihood = filter_forward(seen, start, end, p_on, emission)
    n_units, n_states = logit.shape
    back = np.empty(n_states)
    for t in range(end - 1, start - 1, -1):
        back[:] = filtered[t - start]
        if t < end - 1 and not seen.first[t + 1]:
            for b in range(n_states):
                if back[b] > LEAST_FILTERED:
                    for u in range(n_units):
                        on, before = path[t + 1] >> u & 1, b >> u & 1
                        back[b] *= p_on[u, b] if on else 1 - p_on[u, b]
                        back[b] *= emission[u, on + 2 * before, seen.category[t + 1, u]]
        rest = rng.random() * back.sum()
        state = 0
        while state < n_states - 1 and rest >= back[state]:
            rest -= back[state]
            state += 1
        path[t] = state
    return likelihood


@numba.njit(cache=True)
def filter_forward(seen: Seen, start: int, end: int, p_on: Floats, emission: Floats) -> tuple[Floats, float]:
    """Return (frame, state) P(state | all seen so far) of the frames start ... end - 1, and the log-likelihood.

    Before the first frame of a stretch every state is equally likely, and so is every state in it but for what is seen.
    """
    n_units, n_states = p_on.shape
    filtered = np.zeros((end - start, n_states))
    joint = np.empty(n_states)
    likelihood = 0.0
    for t in range(start, end):
        now = filtered[t - start]
        for b in range(n_states):
            before = 1.0 / n_states if seen.first[t] else filtered[t - start - 1, b]
            if before < LEAST_FILTERED:
                continue
            joint[0] = before
            size = 1
            for u in range(n_units):
                p = 0.5 if seen.first[t] else p_on[u, b]
                own = emission[u, :, seen.category[t, u]]
                was = 2 * (b >> u & 1)
                off, on = (1 - p) * own[was], p * own[1 + was]
                for a in range(size):
                    joint[a + size] = joint[a] * on
                    joint[a] *= off
                size *= 2
            now += joint
        total = now.sum()
        now /= total
        likelihood += log(total)
    return filtered, likelihood
