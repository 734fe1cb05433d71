"""Reducible models of a raster: those in which one part of the units does not act on the other.

phi_s of a system is 0 exactly when, for some ordered cut A -> B of its units (both not empty, together all), no unit of
A acts on any of B. Which of the 2^n - 2 cuts lose least is found by the evidence of models of each unit: with parents
anywhere, or in B only for the units of B. Models are averaged over all sets of parents that a unit may have, exactly,
and over two families (logistic with Laplace's approximation, and a free table).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import bits, encode, states_of, transition_frames
from pipeline.tpm.transitions import count

if TYPE_CHECKING:
    from pipeline.tpm.transitions import Counts

FAMILY = {True: 3, False: 2}  # of the models that are drawn: the largest, by whether there are at most LARGE units
LARGE = 4
WEIGHT_SD, INTERCEPT_PRECISION, JEFFREYS = 1.0, 0.01, 0.5
NEWTON_STEPS, LARGEST_STEP = 25, 4.0
LEAST_WEIGHT = 0.02  # of a cut, relative to the best, to be drawn from
MOST_CUTS = 8
WARM_UP, THIN = 200, 5


class Cuts(NamedTuple):
    """All ordered cuts, and what they lose.

    Attributes:
        source: (cut,) bit mask of A, which does not act on the rest.
        loss: (cut,) log-evidence that forbidding A -> B loses [nat].
    """

    source: Ints
    loss: Floats

    def weights(self) -> Floats:
        """Return (cut,) the probability of each if one of them is true; those that hardly count have 0."""
        chance = np.exp(self.loss.min() - self.loss)
        chance[chance < max(LEAST_WEIGHT, float(np.sort(chance)[-min(MOST_CUTS, len(chance))]))] = 0.0
        share: Floats = chance / chance.sum()
        return share


ALONE = Cuts(np.array([1]), np.zeros(1))  # a unit by itself is cut from itself


def draw_reducible(states: Array, runs: Ints, lag: int, n: int, rng: np.random.Generator) -> Array:
    """Draw recordings of reducible models of a raster, as long as it is and with its borders.

    Cuts are drawn with their probability given the raster, then models of that cut given the raster, then states.

    Args:
        states: (frame, unit) of 0 and 1.
        runs: (frame,) run of consecutive frames.
        lag: of a transition [frames].
        n: how many.
        rng: source of all chance.

    Returns:
        (n, frame, unit), of the type of `states`.
    """
    from pipeline.tpm.simulated import simulate  # numba takes a while to import

    if n == 0:
        return np.empty((0, *states.shape), states.dtype)
    code, n_units = encode(states), states.shape[1]
    occupancy = np.bincount(code, minlength=2**n_units) / len(code)
    of_states, of_models = rng.spawn(2)
    p_on, switching = models(states, runs, lag, n, of_models)
    paths = simulate(p_on, runs, occupancy, of_states, lag, switching)
    return bits(paths.ravel(), n_units).reshape(n, len(code), n_units).astype(states.dtype)


def models(states: Array, runs: Ints, lag: int, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw reducible models given states.

    A slow common drive may act on all units, or be absent: units that share an input are not integrated by it.

    Args:
        states: (frame, unit) of 0 and 1.
        runs: (frame,) run of consecutive frames.
        lag: of a transition [frames].
        n: how many.
        rng: source of all chance.

    Returns:
        (n, level, state, unit) P(ON) under each level of the drive, and (n, level, level) how it switches.
    """
    from pipeline.tpm.chain import sample_recording
    from pipeline.tpm.drive import LEVELS
    from pipeline.tpm.recorded import Model, Recorded, Sweeps
    from pipeline.tpm.sampled import p_on_of

    n_units, levels = states.shape[1], len(LEVELS)
    code, given = encode(states), np.asarray(states, np.int64)
    source, target = transition_frames(runs, lag)
    cuts = find_cuts(count(code[source], states[target])) if n_units > 1 else ALONE
    seed = int(rng.integers(2**32))  # of the chains of each cut: what a surrogate is does not depend on their number
    chosen = rng.choice(len(cuts.source), size=n, p=cuts.weights())
    joined = np.zeros(states.shape, bool)
    joined[target] = True
    border, one_kind = np.array([0, len(states)]), np.zeros(len(states), np.int64)
    recorded = Recorded(np.zeros_like(given), ~joined[:, 0], joined, border, lag, one_kind, 1)
    model = Model(FAMILY[n_units <= LARGE], drive=True, hidden=False)
    p_on, switching = np.empty((n, levels, 2**n_units, n_units)), np.empty((n, levels, levels))
    for cut in np.unique(chosen):
        rows, own = np.flatnonzero(chosen == cut), np.random.default_rng([seed, int(cut)])
        permitted = permitted_parents(int(cuts.source[cut]), n_units)
        drawn = sample_recording(recorded, given, model, Sweeps(len(rows), THIN, WARM_UP), own, permitted)
        p_on[rows] = p_on_of(drawn.logits[:, 0]).reshape(-1, *p_on.shape[1:])
        switching[rows] = drawn.switching[:, 0]
    return p_on, switching


def permitted_parents(source: int, n_units: int) -> Ints:
    """Return (unit,) bit masks of the parents that units may have where `source` does not act on the rest.

    A common drive (bit n) may act on all.

    >>> [f"{mask:04b}" for mask in permitted_parents(0b001, 3)]
    ['1111', '1110', '1110']
    """
    every = (2 << n_units) - 1
    if n_units == 1:
        return np.array([every & ~1])
    return np.array([every if source >> u & 1 else every & ~source for u in range(n_units)])


def find_cuts(counts: Counts) -> Cuts:
    """Return all ordered cuts with what they lose.

    Args:
        counts: transitions of one raster.
    """
    from scipy.special import logsumexp

    n_units = counts.on.shape[-1]
    of_set = evidence(np.broadcast_to(counts.per_unit, counts.on.shape), counts.on)
    subset = (np.arange(2**n_units)[:, None] & ~np.arange(2**n_units)[None]) == 0  # of the sets permitted (column)
    within = logsumexp(np.where(subset, of_set[..., None], -np.inf), axis=1) - np.log(subset.sum(axis=0))
    source = np.arange(1, 2**n_units - 1)
    unit = np.arange(n_units)
    lost = within[:, -1] - within[:, 2**n_units - 1 - source].T  # (cut, unit)
    return Cuts(source, np.where(source[:, None] >> unit & 1, 0.0, lost).sum(axis=1))


def evidence(transitions: Array, on: Array) -> Floats:
    """Return the log-evidence of every set of parents of every unit, (unit, set): bit i of a set is unit i.

    Args:
        transitions: (state, unit) transitions that leave each state.
        on: (state, unit) those after which the unit is ON.
    """
    units = zip(transitions.T, on.T, strict=True)
    return np.stack([np.logaddexp(_logistic(total, ons), _tables(total, ons)) for total, ons in units])


def _tables(total: Array, on: Array) -> Floats:
    """Log-evidence (set,) of free tables: Beta(½, ½) of each joint state of the parents."""
    from scipy.special import betaln

    states = np.arange(len(total))
    found = np.empty(len(total))
    for parents in states:
        n, k = (np.bincount(states & parents, weights=w, minlength=len(total)) for w in (total, on))
        found[parents] = (betaln(k + JEFFREYS, n - k + JEFFREYS) - betaln(JEFFREYS, JEFFREYS)).sum()
    return found


def _logistic(total: Array, on: Array) -> Floats:
    """Log-evidence (set,) of logistic models by Laplace's approximation."""
    signs = states_of(len(total).bit_length() - 1)
    x = np.column_stack([np.ones(len(total)), 2.0 * signs - 1.0])
    used = np.column_stack([np.ones(len(total)), signs])  # (set, feature): a set is a state that is ON
    design = x[None] * used[:, None]
    prior = np.r_[INTERCEPT_PRECISION, np.full(x.shape[1] - 1, WEIGHT_SD**-2)]
    weight = np.zeros(used.shape)
    weight[:, 0] = np.log((on.sum() + 0.5) / ((total - on).sum() + 0.5))
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.einsum("srf,sf->sr", design, weight)))
        slope = np.einsum("srf,sr->sf", design, on - total * p) - prior * weight
        curvature = np.swapaxes(design * (total * p * (1 - p))[..., None], 1, 2) @ design + np.diag(prior)
        weight += np.clip(np.linalg.solve(curvature, slope[..., None])[..., 0], -LARGEST_STEP, LARGEST_STEP)
    logit = np.einsum("srf,sf->sr", design, weight)
    likelihood = (on * logit - total * np.logaddexp(0, logit)).sum(axis=1) - (prior * weight**2).sum(axis=1) / 2
    found: Floats = likelihood + (np.log(prior).sum() - np.linalg.slogdet(curvature)[1]) / 2
    return found
