"""phi_s of windows made comparable: of the same length, and with the same event rate, through the same estimation.

Short windows and low rates change an estimate by themselves. A contrast that rests on them vanishes when windows are
cut to the same number of bins and when, in the condition with the higher rate, ON events are deleted at random until
the rates agree. Deleting events also weakens what interaction there is, as missed events would: a difference that
survives is not one of rate, one that vanishes may still be real.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import encode, raster
from pipeline.base.seeds import generator
from pipeline.integration import batch
from pipeline.integration.occupancy import weighted_mean
from pipeline.integration.parameters import Iit
from pipeline.macro.groupings import Grouping
from pipeline.tpm.estimation import estimated_with, point_estimates

Row = dict[str, Any]


@dataclass(frozen=True)
class WindowStates:
    """The states of one window.

    Attributes:
        paths: (path, frame, unit) states; one path where they are given, draws where they were hidden.
        runs: (frame,) run of consecutive frames.
        attrs: recording, subject, condition, window.
    """

    paths: Array
    runs: Ints
    attrs: Mapping[str, Any]

    @classmethod
    def of(cls, states: xr.Dataset, tpm: xr.Dataset) -> WindowStates:
        """Return the states that a TPM was estimated from.

        Args:
            states: the states dataset of its recording.
            tpm: micro TPM of the window.
        """
        inside = states["window"].values.astype(str) == str(tpm.attrs["window"])
        values, runs, _, _ = raster(states.isel(frame=np.flatnonzero(inside)), None)
        paths = tpm["paths"].values if "paths" in tpm else values[None]
        return cls(paths, runs, tpm.attrs)

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.runs)

    @property
    def rate(self) -> Floats:
        """(unit,) ON events per frame, mean over paths."""
        rate: Floats = np.mean([starts(path, self.runs).sum(axis=0) for path in self.paths], axis=0) / self.length
        return rate

    def cut(self, length: int) -> WindowStates:
        """Return the first frames."""
        return WindowStates(self.paths[:, :length], self.runs[:length], self.attrs)

    def path(self, i: int) -> Array:
        """Return a path, the first again after the last."""
        path: Array = self.paths[i % len(self.paths)]
        return path


def starts(states: Array, runs: Ints) -> Array:
    """Return where ON events start, (frame, unit): ON, and OFF before or at the border of a run.

    >>> starts(np.array([[1], [1], [0], [1], [1]]), np.array([0, 0, 0, 0, 1])).ravel().tolist()
    [True, False, False, True, True]
    """
    on = states.astype(bool)
    new = np.ones(len(on), bool)
    new[1:] = runs[1:] != runs[:-1]
    before = np.concatenate([np.zeros((1, on.shape[1]), bool), on[:-1]]) & ~new[:, None]
    return on & ~before


def thinned(states: Array, runs: Ints, rate: Floats, rng: np.random.Generator) -> Array:
    """Delete ON events at random until each unit has no more than a rate.

    Args:
        states: (frame, unit) of 0 and 1.
        runs: (frame,) numbers of runs of consecutive frames; an event ends with its run.
        rate: (unit,) events per frame; a unit with fewer keeps all.
        rng: chooses the events, each whole.

    Returns:
        (frame, unit) states.
    """
    found = states.copy()
    begin = starts(states, runs)
    event = np.cumsum(begin, axis=0)  # number of the event that an ON frame belongs to, from 1 on
    for unit in range(states.shape[1]):
        n = int(begin[:, unit].sum())
        kept = min(n, round(float(rate[unit]) * len(states)))
        gone = 1 + rng.permutation(n)[: n - kept]
        found[np.isin(event[:, unit], gone), unit] = 0
    return found


def matched_values(
    own: WindowStates,
    tpms: Sequence[xr.Dataset],
    others: Iterable[WindowStates],
    *,
    contrasts: Sequence[tuple[str, str]],
    repeats: int,
    min_frames: int = 0,
    min_visits: int = Iit().min_visits,
    seed: int = 0,
) -> list[Row]:
    """Estimate phi_s of one window anew, matched with each condition that its own is contrasted with.

    Args:
        own: the window.
        tpms: its systems: the unit TPM first, then those of macro units, whose grouping is kept.
        others: the other windows of the subject, of all its recordings.
        contrasts: pairs of conditions.
        repeats: times that events are deleted; the mean counts.
        min_frames: shorter windows are not matched to.
        min_visits: frames from which on a state counts.
        seed: fixes which events are deleted.

    Returns:
        Rows of the table matched/R.csv: adjusted is matched_length or matched_rate.
    """
    others = list(others)
    rows: list[Row] = []
    for against in _opposite(str(own.attrs["condition"]), contrasts):
        partners = [other for other in others if other.attrs["condition"] == against]
        if not partners:
            continue
        length = _length(own, partners, min_frames)
        short, target = own.cut(length), _rate(own, partners)
        rng = generator(seed, "matched", against)
        same = short.paths[:repeats]
        changed = np.stack([thinned(short.path(i), short.runs, target, rng) for i in range(repeats)])
        for how, rasters in (("matched_length", same), ("matched_rate", changed)):
            about = {"adjusted": how, "against": against, "n_frames": length}
            rows += [about | found for found in _phi_s(np.unique(rasters, axis=0), short.runs, tpms, min_visits)]
    return rows


def _opposite(condition: str, contrasts: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The conditions that one is contrasted with, each once."""
    paired = [b if a == condition else a for a, b in contrasts if condition in (a, b)]
    yield from dict.fromkeys(paired)


def _length(own: WindowStates, partners: Sequence[WindowStates], min_frames: int) -> int:
    """Frames of the shortest of the windows, of those that are not too short to be matched to."""
    return min([own.length, *(p.length for p in partners if p.length >= min_frames)])


def _rate(own: WindowStates, partners: Sequence[WindowStates]) -> Floats:
    """(unit,) events per frame that a window may keep.

    Where the other condition is in the same recording its units are the same ones, and each unit is matched with
    itself; otherwise all units keep the same share of their events, so that the mean rate agrees.
    """
    beside = [p for p in partners if p.attrs["recording"] == own.attrs["recording"]]
    weights = [p.length for p in beside or partners]
    if beside:
        theirs = np.average([p.rate for p in beside], axis=0, weights=weights)
        least: Floats = np.minimum(own.rate, theirs)
        return least
    mean = float(np.average([p.rate.mean() for p in partners], weights=weights))
    return own.rate * min(1.0, mean / max(float(own.rate.mean()), 1e-12))


def _phi_s(rasters: Array, runs: Ints, tpms: Sequence[xr.Dataset], min_visits: int) -> Iterator[Row]:
    """The mean phi_s of rasters at the scale of each TPM, weighted with their own occupancy."""
    p_on = point_estimates(rasters, segments=runs, **estimated_with(tpms[0]))
    n_states = p_on.shape[-2]
    visits = np.stack([np.bincount(code, minlength=n_states) for code in encode(rasters)])
    for tpm in tpms:
        grouping = None if "group" not in tpm else _grouping(tpm)
        values = [_window(p, v, grouping, min_visits) for p, v in zip(p_on, visits, strict=True)]
        yield {"route": str(tpm.attrs["route"]), "scale": int(tpm.attrs["scale"]), "value": float(np.mean(values))}


def _grouping(tpm: xr.Dataset) -> Grouping:
    return Grouping(tuple(map(int, tpm["group"].values)), tuple(map(str, tpm["mapping"].values)))


def _window(p_on: Floats, visits: Ints, grouping: Grouping | None, min_visits: int) -> float:
    counts: Array = visits
    if grouping is not None:
        p_on = grouping.macro_p_on(p_on)
        counts = np.bincount(grouping.macro_state(), weights=visits, minlength=len(p_on))
    weights = np.where(counts >= min_visits, counts, 0.0)
    chosen = np.flatnonzero(weights)
    return float(weighted_mean(batch.system_phi(p_on[None], chosen), weights[chosen])[0])
