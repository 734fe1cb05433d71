"""Macro units learned on one half of a window and evaluated on the other, both ways.

A grouping is chosen because the effective information of its TPM is the largest, and that of the largest of many noisy
numbers is too large: units that do nothing to each other have a best grouping too. On the half that it was not learned
from, a grouping has no such advantage.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import autocorrelation_time, encode, raster, transition_frames
from pipeline.base.seeds import generator
from pipeline.emergence.discrete import causal_power, state_by_state
from pipeline.macro.ascent import Ascent, Candidate, Descent, Micro
from pipeline.macro.groupings import Grouping, check, exhaustive_common
from pipeline.macro.objectives import EI, Objective
from pipeline.macro.parameters import EXHAUSTIVE_UNITS
from pipeline.tpm.estimation import estimated_with, joined_of, point_estimates
from pipeline.tpm.registry import ESTIMATORS, RasterEstimator
from pipeline.tpm.transitions import count

Variable = tuple[tuple[str, ...], Array, str]  # dims, values, long name
MOST_GAP = 10  # the gap between the halves is at most this part of a window


class Halves(NamedTuple):
    """The micro TPMs of both halves of a window.

    Attributes:
        p_on: (half, state, unit) P(unit ON next | state).
        visits: (half, state) frames in each state.
        p_on_draws: (half, draw, state, unit) posterior draws.
    """

    p_on: Floats
    visits: Ints
    p_on_draws: Floats


def half_frames(values: Array, runs: Ints) -> tuple[slice, slice]:
    """Return the frames of both halves of a raster, apart by its longest autocorrelation time.

    Args:
        values: (frame, unit) states.
        runs: (frame,) run of consecutive frames.
    """
    n = len(values)
    gap = min(int(np.ceil(autocorrelation_time(values, runs).max())), n // MOST_GAP)
    return slice(0, (n - gap) // 2), slice((n + gap) // 2, n)


def halves_of(states: xr.Dataset, tpm: xr.Dataset, seed: int = 0) -> Halves | None:
    """Estimate both halves of a window as the window was.

    Args:
        states: the states dataset of the window alone. Where they were hidden, the last path drawn with the TPM is
            taken for them.
        tpm: micro TPM of the window; estimator, lag, parameters and the number of draws are taken from it.
        seed: fixes the draws.

    Returns:
        None where the halves have too few transitions for their units.
    """
    values, runs, _, _ = raster(states, None)
    if "paths" in tpm:
        values = tpm["paths"].values[-1].astype(np.int64)
    how = estimated_with(tpm)
    estimator, lag = ESTIMATORS[how["method"]], int(how["lag"])
    own = {name: value for name, value in how.items() if name not in ("method", "lag")}
    rng, draws = generator(seed, "halves"), tpm.sizes.get("draw", 0)
    parts = []
    for half in half_frames(values, runs):
        source, target = transition_frames(runs[half], lag)
        if len(source) < estimator.needed(values.shape[1]):
            return None
        seen = values[half]
        if isinstance(estimator, RasterEstimator):
            joined = joined_of(runs[half], lag, seen.shape[1])
            drawn = estimator.fit_raster(seen, joined, lag, draws, rng, **own).posterior("").draw(draws, rng)
        else:
            drawn = estimator.fit(count(encode(seen)[source], seen[target]), **own).draw(draws, rng)
        visits = np.bincount(encode(seen), minlength=2 ** seen.shape[1])
        parts.append((point_estimates(seen, segments=runs[half], **how), visits, drawn))
    return Halves(*(np.stack(part) for part in zip(*parts, strict=True)))


def search(
    p_on: Floats, n_macro: int, mappings: Sequence[str], objective: Objective = EI, visits: Array | None = None
) -> Grouping:
    """Find the grouping with the largest mean objective over TPMs: exhaustively up to 6 units, else by descent.

    Args:
        p_on: (window, state, unit) micro TPMs.
        n_macro: number of macro units.
        mappings: state mappings that a macro unit may take.
        objective: what is maximised.
        visits: (window, state) frames in each state, for objectives that weigh states; every state alike by default.
    """
    n_units = p_on.shape[-1]
    check(n_units, n_macro, mappings)
    if n_units <= EXHAUSTIVE_UNITS:
        return exhaustive_common(p_on, n_macro, mappings, objective, visits)
    micro = Micro.of(p_on, visits)
    known = _KNOWN.of(micro, mappings, objective)
    if n_macro not in known:
        Descent(Ascent(micro, mappings, objective), known).at(n_macro)
    best = known[n_macro][0]
    return best.grouping(mappings, float(Ascent(micro, mappings, objective).values([best])[0]))


class _Descents:
    """What was found of the last TPMs that were searched, by scale: surrogates come again at every scale."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held: OrderedDict[Hashable, dict[int, list[Candidate]]] = OrderedDict()

    def of(self, micro: Micro, mappings: Sequence[str], objective: Objective) -> dict[int, list[Candidate]]:
        """Return the groupings of these TPMs that are known, by scale; empty at first."""
        seen = hashlib.blake2b(np.ascontiguousarray(micro.p_on).tobytes() + np.asarray(micro.visits, float).tobytes())
        key = (micro.p_on.shape, seen.digest(), tuple(mappings), objective)
        known = self.held.setdefault(key, {})
        self.held.move_to_end(key)
        if len(self.held) > self.most:
            self.held.popitem(last=False)
        return known


_KNOWN = _Descents(2000)


def learn_crossed(
    windows: Sequence[Halves], n_macro: int, mappings: Sequence[str], objective: Objective = EI
) -> list[Grouping]:
    """Return, for each half, the grouping that it is evaluated with: that of the other halves of all windows.

    Args:
        windows: those that share a grouping.
        n_macro: number of macro units.
        mappings: state mappings that a macro unit may take.
        objective: what is maximised.
    """
    p_on, visits = np.stack([w.p_on for w in windows]), np.stack([w.visits for w in windows])
    return [search(p_on[:, 1 - half], n_macro, mappings, objective, visits[:, 1 - half]) for half in (0, 1)]


def cross_fitted(macro: xr.Dataset, halves: Halves | None, groupings: Sequence[Grouping]) -> xr.Dataset:
    """Return a macro TPM with what is needed to evaluate macro units where they were not learned.

    Args:
        macro: macro TPM of a window (`pipeline.macro.derive`).
        halves: micro TPMs of its halves; None adds the flag not_cross_fitted.
        groupings: for each half the one that was learned on the other.

    Returns:
        With `half_p_on` (half, micro_state, micro_unit), `half_visits` (half, micro_state), `cross_group` (half,
        micro_unit), `cross_mapping` (half, unit), and of draws `cross_p_on_draws` (half, draw, state, unit) and
        `half_power_draws` (half, draw), the causal power of the micro TPMs.
    """
    if halves is None:
        words = [word for word in str(macro.attrs["flag"]).split(";") if word]
        return macro.assign_attrs(flag=";".join([*words, "not_cross_fitted"]))
    variables = _variables(halves, groupings)
    return macro.assign(
        {name: (dims, values, {"units": "1", "long_name": about}) for name, (dims, values, about) in variables.items()}
    )


def _variables(halves: Halves, groupings: Sequence[Grouping]) -> dict[str, Variable]:
    variables: dict[str, Variable] = {
        "half_p_on": (
            ("half", "micro_state", "micro_unit"),
            halves.p_on,
            "P(unit ON next | state), half window",
        ),
        "half_visits": (("half", "micro_state"), halves.visits, "frames in this state, half of the window"),
        "cross_group": (
            ("half", "micro_unit"),
            np.array([g.group for g in groupings]),
            "macro unit, other half",
        ),
        "cross_mapping": (("half", "unit"), np.array([g.mapping for g in groupings]), "mapping, of the other half"),
    }
    if halves.p_on_draws.shape[1]:
        drawn = np.stack([g.macro_p_on(p) for g, p in zip(groupings, halves.p_on_draws, strict=True)])
        power = np.stack([np.asarray(causal_power(state_by_state(p))) for p in halves.p_on_draws])
        about = "posterior draws of P(macro unit ON next | macro state), macro units of the other half"
        variables["cross_p_on_draws"] = (("half", "draw", "state", "unit"), drawn, about)
        variables["half_power_draws"] = (("half", "draw"), power, "causal power of posterior draws, micro units")
    return variables


def groupings_of(tpm: xr.Dataset) -> list[Grouping]:
    """Return the groupings with which the halves of a window are evaluated (`cross_fitted`).

    Args:
        tpm: macro TPM.
    """
    rows = zip(tpm["cross_group"].values, tpm["cross_mapping"].values, strict=True)
    return [Grouping(tuple(map(int, group)), tuple(map(str, mapping))) for group, mapping in rows]
