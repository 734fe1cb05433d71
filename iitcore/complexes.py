"""Exclusion: the complexes of a substrate, disjoint maxima of phi_s (Eqs. 24-26)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iitcore import _kernels, _layout, search
from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._kernels import TOLERANCE
from iitcore._layout import StateLike
from iitcore._numbers import callback, limit, of_kind
from iitcore._plain import Plain
from iitcore._threads import available_threads, in_threads
from iitcore.formalism import Formalism, code_of
from iitcore.substrate import Substrate
from iitcore.system import SystemPhi, analyse, cap, fill_cause, fill_effect, system_phi

Progress = Callable[[int, int], None]
_BY_EFFECT, _BY_BOTH, _EXACT = 0, 1, 2  # what is done with a candidate
_MANY = 64  # candidates per thread that are bounded at once


@dataclass(frozen=True)
class Complex(Plain):
    """A maximum of phi_s over all systems that overlap it.

    Attributes:
        units: names.
        indices: positions in the substrate.
        phi: phi_s, ibits.
        analysis: the full result for this system.
    """

    units: tuple[str, ...]
    indices: tuple[int, ...]
    phi: float
    analysis: SystemPhi

    def __repr__(self) -> str:
        return f"Complex({', '.join(self.units)}: phi_s={self.phi:.6g})"


def complexes(
    substrate: Substrate,
    state: StateLike,
    threads: int | None = None,
    progress: Progress | None = None,
    formalism: Formalism = "2023",
) -> tuple[Complex, ...]:
    """All complexes of a substrate in a state, in order of decreasing phi_s (Eqs. 24-26).

    The first complex is the candidate with the largest phi_s; its units leave (they stay in the
    background) and the search repeats. Overlapping candidates that tie in phi_s are told apart by
    their Φ; where Φ ties too none of them is a complex and the next best candidate is taken.

    An upper bound of phi_s, cheap for every candidate, spares the analysis of most: memory is
    that of one candidate per thread and one number per candidate.

    Args:
        substrate: the universe of candidates.
        state: one value per unit of the substrate.
        threads: candidates analysed at once; by default all cores this process may use.
        progress: called with (steps done, steps in all) from time to time.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        Complexes that share no unit; none where nothing is integrated.

    Raises:
        SubstrateError: when the state is none of the substrate's.

    Example:
        >>> substrate = Substrate.logistic([[0, 0.9, 0], [0.9, 0, 0], [0.1, 0.1, 0.2]])
        >>> [(c.units, round(c.phi, 3)) for c in complexes(substrate, "110")]
        [(('A', 'B'), 1.797), (('C',), 0.321)]
    """
    of_kind(substrate, Substrate, "build one from a TPM with Substrate(tpm)")
    callback(progress, "progress")
    field = _Candidates(substrate, substrate.check_state(state), threads, progress, formalism)
    found: list[int] = []
    while True:
        winners = _resolve(field, field.best())
        if not winners:
            break
        for mask in winners:
            found.append(mask)
            field.remove(mask)
    if progress is not None:
        progress(field.steps, field.steps)
    return tuple(
        Complex(tuple(substrate.units[i] for i in units), units, analysis.phi, analysis)
        for units in map(field.units, found)
        for analysis in [system_phi(substrate.system(field.state, units), formalism)]
    )


def _resolve(field: _Candidates, best: list[int]) -> list[int]:
    """The complexes among the candidates with the largest phi_s; strikes out irresolvable ties."""
    while best:
        rivals = [m for m in best if any(m & o for o in best if o != m)]
        if len(rivals) < len(best):
            return [m for m in best if m not in rivals]
        big = {m: field.log2_big_phi(m) for m in rivals}
        leading = [m for m in rivals if all(big[m] >= big[o] - 1.5e-9 for o in rivals if m & o and o != m)]
        clashing = {m for m in leading if any(m & o for o in leading if o != m)}
        winners = [m for m in leading if m not in clashing]
        for m in clashing:
            field.strike(m)
        if winners:
            return winners
        best = field.best()
    return []


class _Candidates:
    """Every non-empty subset of units with what is known of its phi_s so far."""

    def __init__(
        self,
        substrate: Substrate,
        state: tuple[int, ...],
        threads: int | None,
        progress: Progress | None,
        formalism: Formalism,
    ) -> None:
        self.formalism, self.code = formalism, code_of(formalism)
        self.substrate, self.state = substrate, state
        self.threads = limit(threads, "threads") or available_threads()
        self.progress = progress
        self.steps = 2 * (2**substrate.n - 1)
        self.done = 0
        self.offsets = _layout.offsets(substrate.alphabet)
        self.phi = np.full(2**substrate.n, np.nan)
        self.bound = np.zeros(2**substrate.n)
        self.bounded = np.zeros(2**substrate.n, dtype=np.bool_)  # by both sides
        if _layout.reachable(substrate.packed, substrate.alphabet, state):
            self._run(np.arange(1, 2**substrate.n), self.bound, _BY_EFFECT)
        self.open = np.flatnonzero(self.bound > TOLERANCE)

    def units(self, mask: int) -> tuple[int, ...]:
        return tuple(i for i in range(self.substrate.n) if mask >> i & 1)

    def strike(self, mask: int) -> None:
        self.open = self.open[self.open != mask]

    def remove(self, mask: int) -> None:
        self.open = self.open[self.open & mask == 0]

    def log2_big_phi(self, mask: int) -> float:
        """Log2 of Φ: Φ itself passes the largest double from some eleven units on."""
        from iitcore.structure import unfold  # the only upward import: ties need Φ

        return unfold(self.substrate.system(self.state, self.units(mask)), formalism=self.formalism).log2_phi

    def best(self) -> list[int]:
        """The open candidates with the largest phi_s, analysing only those that might be."""
        few, top = 8 * self.threads, float(np.nanmax(self.phi[self.open], initial=TOLERANCE))
        while True:
            rivals = self.open[self.bound[self.open] >= top - TOLERANCE]
            rivals = rivals[np.isnan(self.phi[rivals])]
            loose, tight = rivals[~self.bounded[rivals]], rivals[self.bounded[rivals]]
            if len(loose):  # those whose bound is the largest tell most; the rest may fall short of what is found
                loose = loose[np.argsort(-self.bound[loose], kind="stable")][
                    : max(_MANY * self.threads, len(loose) // 4)
                ]
                self._run(loose, self.bound, _BY_BOTH)
                self.bounded[loose] = True
                tight = np.concatenate([tight, loose])
                tight = tight[self.bound[tight] >= top - TOLERANCE]
            elif not len(tight):
                break
            new = tight[np.argsort(-self.bound[tight], kind="stable")][:few]
            self._run(new, self.phi, _EXACT)
            self.bound[new] = self.phi[new]
            top = max([top, *self.phi[new].tolist()])
        self.open = self.open[self.bound[self.open] > TOLERANCE]
        known = self.open[~np.isnan(self.phi[self.open])]
        return [int(m) for m in known[self.phi[known] >= top - TOLERANCE]] if top > 0 else []

    def _run(self, masks: Ints, out: Floats, step: int) -> None:
        packed, state = self.substrate.packed, np.array(self.state)
        size = 1024 if self.progress is not None else max(len(masks), 1)
        for first in range(0, len(masks), size):
            piece = masks[first : first + size]

            def work(start: int, stop: int, piece: Ints = piece) -> None:
                _chunk(packed, self.offsets, state, piece[start:stop], self.code, step, out)

            in_threads(work, len(piece), self.threads)
            self.done += len(piece) if step != _BY_BOTH else 0
            if self.progress is not None:
                self.progress(self.done, self.steps)


@compiled
def _chunk(packed: Floats, offsets: Ints, state: Ints, masks: Ints, formalism: int, step: int, out: Floats) -> None:
    """phi_s of candidates, or an upper bound of it: by their effect side, then by their cause side."""
    likelihood, scratch = np.ones(len(packed)), np.empty((2, len(packed)))
    now = np.empty((len(state), len(packed)))
    for x in range(len(packed) if step == _BY_BOTH else 0):
        for i in range(len(state)):
            now[i, x] = packed[x, offsets[i] + state[i]]
            likelihood[x] *= now[i, x]
    for mask in masks:
        units = np.flatnonzero(mask >> np.arange(len(state)) & 1)
        inner, cause, effect = _kernels.room_for(units, offsets)
        own = state[units]
        if step == _EXACT:
            reachable = _kernels.condition(packed, offsets, state, units, cause, effect)
            parts, marks = np.zeros(len(units), np.int64), np.zeros(len(units), np.int64)
            out[mask] = analyse(cause, effect, inner, own, reachable, formalism, parts, marks)[0]
        else:
            tpm = cause if step == _BY_BOTH else effect
            if step == _BY_EFFECT:
                _kernels.condition_effect(packed, offsets, state, units, effect)
            elif not _kernels.condition_cause(now, likelihood, offsets, state, units, scratch, cause):
                _kernels.condition(packed, offsets, state, units, cause, effect)
            out[mask] = min(out[mask] if step == _BY_BOTH else np.inf, _upper_bound(tpm, inner, own, formalism, step))


@compiled
def _upper_bound(packed: Floats, offsets: Ints, state: Ints, formalism: int, step: int) -> float:
    """No partition cuts more than all n (n - 1) connections, none costs less than the cheapest.

    phi_s is the minimum over partitions of loss per connection, times the connections of one.
    """
    n = len(state)
    if step == _BY_BOTH:
        info, select = _kernels.cause_information(packed, offsets, state)
    else:
        info, select = _kernels.effect_information(packed, offsets, _kernels.row_of(state, offsets))
    ties = _kernels.tied(info)
    if info[ties[0]] <= TOLERANCE:
        return 0.0
    gain = _kernels.room_for_gain(n)
    parts, marks = np.zeros(n, np.int64), np.zeros(n, np.int64)
    best, limit = 0.0, 0.0
    for index in ties:
        limit = max(limit, cap(packed, offsets, state, formalism, info[index], select[index]))
        if step == _BY_BOTH:
            fill_cause(gain, packed, offsets, state, index, select[index])
        else:
            fill_effect(gain, packed, offsets, state, index, select[index])
        search.first_guess(gain, parts, marks)
        loss, norm = search.evaluate(gain, parts, marks)
        best = max(best, loss / norm)
    return min(best * max(n * (n - 1), 1), limit) + TOLERANCE if best > 0 else 0.0
