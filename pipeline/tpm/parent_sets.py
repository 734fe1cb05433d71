"""Which units act on which, and how strongly: draws from a logistic model averaged over parent sets.

For each unit the model is logit P(ON) = b + Σ_f w_f x_f, where x_f is the product of the ±1 states of a set of its
parents. What is averaged over:

- the *parent set*, any subset of the units; the share of connections that exist is learned from all of them together,
  self-connections apart;
- the *family*: each parent by itself (logistic), products of two besides (pairwise), or products of any number of up
  to four parents, which is a free table;
- the *size* of each weight: a mixture of Gaussians from .06 to 4 logits, whose shares are learned from all weights of
  the same kind, so that weak true connections are not shrunk as chance ones are;
- whether a *common drive* from outside (`pipeline.tpm.drive`) is a parent as well. It adds to the logit and multiplies
  with nothing.

A Gibbs sampler with Pólya-Gamma variables, in which a parent enters or leaves with its weights integrated out
(`pipeline.tpm.evidence`).
"""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

import numba
import numpy as np

from pipeline.base.arrays import Array, Bools, Floats, Ints
from pipeline.tpm.evidence import Space, evidence, new_space, sum_up
from pipeline.tpm.features import LOGISTIC, Features, allowed, features, in_model
from pipeline.tpm.polya_gamma import polya_gamma

SCALES: Floats = np.array([0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 4.0])  # sd of a weight [logit]
INTERCEPT_PRECISION = 0.01
FAMILY_PRIOR: Floats = np.array([0.0, 1.0, 0.5, 0.5])  # Dirichlet weights of the families, by their number
SELF_PRIOR = (2.0, 0.5)  # Beta prior of the share of self-connections that exist


class Shares(NamedTuple):
    """What the units have in common, learned from all of them.

    Attributes:
        scale: (kind, scale) how often a weight of a kind has each scale; kind 0 is the self-connection, the last one
            the drive, else it is the number of parents whose product the weight multiplies.
        exists: (2 + window,) share that exists of the self-connections, of the other connections, and of the
            connections from the drive in each window.
        family: (4,) share of each family, by its number.
    """

    scale: Floats
    exists: Floats
    family: Floats


class Models(NamedTuple):
    """The present models of all units.

    Attributes:
        parents: (unit,) bit mask of the parents.
        family: (unit,) LOGISTIC, PAIRWISE or TABLE.
        scale: (unit, feature) index of each weight's scale.
        weight: (unit, feature) weights, 0 where not in the model.
        logit: (unit, row) logit of P(ON).
        varies: (unit,) False for a unit that is always or never ON next, which teaches nothing and is left as it is.
        window: number of the window that they are the models of.
    """

    parents: Ints
    family: Ints
    scale: Ints
    weight: Floats
    logit: Floats
    varies: Bools
    window: int


class Draws(NamedTuple):
    """Draws of the models of all units.

    Attributes:
        logits: (draw, state, unit) logit of P(ON).
        parents: (draw, unit) bit mask of the parents.
        family: (draw, unit) LOGISTIC, PAIRWISE or TABLE.
    """

    logits: Floats
    parents: Ints
    family: Ints


def sample(
    transitions: Array,
    on: Array,
    family: int,
    draws: int,
    thin: int,
    warm_up: int,
    rng: np.random.Generator,
    permitted: Ints | None = None,
) -> Draws:
    """Draw models of all units given their transitions.

    Args:
        transitions: (state, 1) or (state, unit) transitions that leave each state.
        on: (state, unit) those after which the unit is ON.
        family: the largest family to average over.
        draws: number of draws.
        thin: sweeps from one draw to the next.
        warm_up: sweeps before the first.
        rng: fixes the draws.
        permitted: (unit,) bit mask of the parents that each unit may have; by default all.
    """
    count: Ints = np.broadcast_to(transitions, on.shape).astype(np.int64)
    made = features(on.shape[1], family, permitted=permitted)
    return Draws(*_chain(rng, count, on.astype(np.int64), made, family, draws, thin, warm_up))


@numba.njit(cache=True)
def _chain(
    rng: np.random.Generator, count: Ints, on: Ints, made: Features, family: int, draws: int, thin: int, warm_up: int
) -> tuple[Floats, Ints, Ints]:
    models, shares, space = first_models(count, on, made, 0), even_shares(made, 1), new_space(made)
    n_states, n_units = on.shape
    logits = np.empty((draws, n_states, n_units))
    parents = np.empty((draws, n_units), np.int64)
    families = np.empty((draws, n_units), np.int64)
    for sweep in range(warm_up + draws * thin):
        for u in range(n_units):
            if models.varies[u]:
                update_unit(rng, u, count[:, u], on[:, u], made, family, shares, models, space)
        learn_shares(rng, made, family, [models], shares)
        done = sweep - warm_up + 1
        if done > 0 and done % thin == 0:
            d = done // thin - 1
            logits[d] = models.logit.T
            parents[d] = models.parents
            families[d] = models.family
    return logits, parents, families


@numba.njit(cache=True)
def first_models(count: Ints, on: Ints, made: Features, window: int) -> Models:
    """Return models in which each unit has the rate that it has, and depends on itself where it varies."""
    n_units, n_features = on.shape[1], len(made.size)
    logit = np.empty((n_units, len(on)))
    varies = np.empty(n_units, np.bool_)
    for u in range(n_units):
        ons, all_ = on[:, u].sum(), count[:, u].sum()
        varies[u] = 0 < ons < all_
        logit[u, :] = log((ons + 0.5) / (all_ - ons + 0.5))
    return Models(
        np.array([(1 << u) & made.permitted[u] if varies[u] else 0 for u in range(n_units)]),
        np.full(n_units, LOGISTIC),
        np.full((n_units, n_features), len(SCALES) // 2),
        np.zeros((n_units, n_features)),
        logit,
        varies,
        window,
    )


@numba.njit(cache=True)
def even_shares(made: Features, n_windows: int) -> Shares:
    """Return the shares from which a chain starts."""
    kinds = max(made.size.max(), 1) + 2
    exists = np.full(2 + n_windows, 0.5)
    exists[0], exists[1] = 0.8, 0.3
    return Shares(np.full((kinds, len(SCALES)), 1 / len(SCALES)), exists, FAMILY_PRIOR / FAMILY_PRIOR.sum())


@numba.njit(cache=True)
def update_unit(
    rng: np.random.Generator,
    u: int,
    count: Ints,
    on: Ints,
    made: Features,
    family: int,
    shares: Shares,
    models: Models,
    space: Space,
) -> None:
    """Draw one unit's parents, family, weights and their scales anew.

    Args:
        rng: what is drawn from.
        u: the unit.
        count: (row,) transitions that leave each state under each level of the drive.
        on: (row,) those after which the unit is ON.
        made: what may enter its logit.
        family: the largest family.
        shares: what the units have in common.
        models: of all units; the unit's own is changed in place.
        space: room to work in.
    """
    for s in range(len(count)):
        space.omega[s] = polya_gamma(rng, count[s], models.logit[u, s]) if count[s] > 0 else 0.0
        space.kappa[s] = on[s] - 0.5 * count[s]
    sum_up(made, space)
    draw_absent_scales(rng, u, made, shares, models)
    space.precision[0] = INTERCEPT_PRECISION
    for f in range(1, len(made.size)):
        space.precision[f] = 1 / SCALES[models.scale[u, f]] ** 2
    choose_parents(rng, u, made, shares, models, space)
    if family > LOGISTIC:
        choose_family(rng, u, made, family, shares, models, space)
    draw_weights(rng, u, made, models, space)
    draw_scales(rng, u, made, shares, models)


@numba.njit(cache=True)
def choose_parents(
    rng: np.random.Generator, u: int, made: Features, shares: Shares, models: Models, space: Space
) -> None:
    """Let each unit in turn, and the drive, enter or leave the parents, then try to exchange two."""
    n_units = len(models.parents)
    here = evidence(models.parents[u], models.family[u], made, space)
    for j in range(n_units + (1 if made.members[-1] >> n_units else 0)):
        new = models.parents[u] ^ (1 << j)
        exists = shares.exists[connection_kind(u, j, models)]
        odds = log(exists / (1 - exists))
        here = step(rng, u, new, models.family[u], odds if new >> j & 1 else -odds, here, made, models, space)
    a, b = rng.integers(0, n_units), rng.integers(0, n_units)
    if a != u and b != u and (models.parents[u] >> a & 1) != (models.parents[u] >> b & 1):
        step(rng, u, models.parents[u] ^ (1 << a) ^ (1 << b), models.family[u], 0.0, here, made, models, space)


@numba.njit(cache=True)
def connection_kind(u: int, j: int, models: Models) -> int:
    """Return where in `Shares.exists` the connection from j (from the drive, where j is no unit) to u stands."""
    if j == len(models.parents):
        return 2 + models.window
    return 0 if j == u else 1


@numba.njit(cache=True)
def choose_family(
    rng: np.random.Generator, u: int, made: Features, family: int, shares: Shares, models: Models, space: Space
) -> None:
    """Try another family with the same parents."""
    new = LOGISTIC + int(rng.integers(0, family))
    if new != models.family[u]:
        odds = log(shares.family[new] / shares.family[models.family[u]])
        here = evidence(models.parents[u], models.family[u], made, space)
        step(rng, u, models.parents[u], new, odds, here, made, models, space)


@numba.njit(cache=True)
def step(
    rng: np.random.Generator,
    u: int,
    parents: int,
    family: int,
    odds: float,
    here: float,
    made: Features,
    models: Models,
    space: Space,
) -> float:
    """Move to a model, or stay, by Metropolis' rule; returns the log-evidence of where the unit is then."""
    if not allowed(u, parents, family, made):
        return here
    there = evidence(parents, family, made, space)
    if log(rng.random()) < there - here + odds:
        models.parents[u], models.family[u] = parents, family
        return there
    return here


@numba.njit(cache=True)
def draw_weights(rng: np.random.Generator, u: int, made: Features, models: Models, space: Space) -> None:
    """Draw a unit's weights from their Gaussian, and set its logits."""
    evidence(models.parents[u], models.family[u], made, space)
    n = 0
    for f in range(len(made.size)):
        n += in_model(f, models.parents[u], models.family[u], made)
    models.weight[u, :] = 0.0
    models.logit[u, :] = 0.0
    for i in range(n - 1, -1, -1):
        value = space.right[i] + rng.standard_normal()
        for k in range(i + 1, n):
            value -= space.root[k, i] * models.weight[u, space.column[k]]
        models.weight[u, space.column[i]] = value / space.root[i, i]
    for i in range(n):
        f = space.column[i]
        for s in range(len(made.values)):
            models.logit[u, s] += models.weight[u, f] * made.values[s, f]


@numba.njit(cache=True)
def kind_of(u: int, f: int, made: Features, shares: Shares) -> int:
    """Return the kind of a weight: 0 for the self-connection, the last for the drive, else the number of parents."""
    if made.members[f] == 1 << len(made.permitted):
        return len(shares.scale) - 1
    return 0 if made.members[f] == 1 << u else made.size[f]


@numba.njit(cache=True)
def draw_scales(rng: np.random.Generator, u: int, made: Features, shares: Shares, models: Models) -> None:
    """Draw the scale of each weight in the model given the weight."""
    chance = np.empty(len(SCALES))
    for f in range(1, len(made.size)):
        if in_model(f, models.parents[u], models.family[u], made):
            own = shares.scale[kind_of(u, f, made, shares)]
            for i in range(len(SCALES)):
                chance[i] = own[i] / SCALES[i] * exp(-0.5 * (models.weight[u, f] / SCALES[i]) ** 2) + 1e-300
            models.scale[u, f] = pick(rng, chance)


@numba.njit(cache=True)
def draw_absent_scales(rng: np.random.Generator, u: int, made: Features, shares: Shares, models: Models) -> None:
    """Draw the scales that weights outside the model would enter with."""
    for f in range(1, len(made.size)):
        if not in_model(f, models.parents[u], models.family[u], made):
            models.scale[u, f] = pick(rng, shares.scale[kind_of(u, f, made, shares)])


@numba.njit(cache=True)
def pick(rng: np.random.Generator, chance: Floats) -> int:
    """Draw an index with probabilities in proportion to `chance`."""
    rest = rng.random() * chance.sum()
    for i in range(len(chance) - 1):
        if rest < chance[i]:
            return i
        rest -= chance[i]
    return len(chance) - 1


@numba.njit(cache=True)
def learn_shares(rng: np.random.Generator, made: Features, family: int, windows: list[Models], shares: Shares) -> None:
    """Draw what the units have in common given their models in all windows, in place."""
    scale = np.full(shares.scale.shape, 1 / len(SCALES))
    exists = np.ones((len(shares.exists), 2))  # Beta(1, 1) priors
    exists[0, 0], exists[0, 1] = SELF_PRIOR
    families = FAMILY_PRIOR.copy()
    for models in windows:
        for u in range(len(models.varies)):
            if models.varies[u]:
                families[models.family[u]] += 1
                for j in range(len(models.parents) + 1):
                    exists[connection_kind(u, j, models), 0 if models.parents[u] >> j & 1 else 1] += 1
                for f in range(1, len(made.size)):
                    if in_model(f, models.parents[u], models.family[u], made):
                        scale[kind_of(u, f, made, shares), models.scale[u, f]] += 1
    for i in range(len(exists)):
        shares.exists[i] = min(max(rng.beta(exists[i, 0], exists[i, 1]), 1e-9), 1 - 1e-9)
    for i in range(len(scale)):
        dirichlet(rng, scale[i], shares.scale[i])
    if family > LOGISTIC:
        dirichlet(rng, families[LOGISTIC : family + 1], shares.family[LOGISTIC : family + 1])


@numba.njit(cache=True)
def dirichlet(rng: np.random.Generator, weights: Floats, drawn: Floats) -> None:
    """Draw shares from a Dirichlet distribution, into `drawn`."""
    total = 0.0
    for i in range(len(weights)):
        drawn[i] = rng.gamma(weights[i], 1.0) + 1e-12
        total += drawn[i]
    for i in range(len(weights)):
        drawn[i] /= total
