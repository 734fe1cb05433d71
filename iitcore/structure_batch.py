"""Φ of many TPMs in many states at once: posterior draws, surrogates, visited states."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from iitcore import _layout
from iitcore import _repertoire_kernels as repertoires
from iitcore import _structure_kernels as structure_kernels
from iitcore._arrays import Bools, Floats, Ints
from iitcore._distinction_kernels import maximal
from iitcore._jit import compiled
from iitcore._layout import StateLike
from iitcore._threads import in_threads
from iitcore.batch import Arguments, Batch, fill_system
from iitcore.distinctions import geometry
from iitcore.formalism import Formalism, code_of
from iitcore.relations import as_float
from iitcore.structure import PhiStructure, unfold
from iitcore.substrate import Substrate, System, UnitKey

_EXACT = 63  # distinctions up to which the number of relations fits 64 bits


class BigPhi(NamedTuple):
    """Result of `big_phi_batch`; every field but the last is a (draws, states) array.

    Attributes:
        phi: structure integrated information Φ, ibits.
        sum_phi_d, sum_phi_r: its two parts, ibits.
        n_distinctions, n_relations: counts, as doubles.
        log2_relations: log2 of the number of relations; -inf for none.
        formalism: version of the theory.
    """

    phi: Floats
    sum_phi_d: Floats
    sum_phi_r: Floats
    n_distinctions: Floats
    n_relations: Floats
    log2_relations: Floats
    formalism: str = "2023"


def big_phi_batch(
    tpms: npt.ArrayLike | Sequence[Substrate],
    states: Iterable[StateLike],
    units: Iterable[UnitKey] | None = None,
    cause_tpms: npt.ArrayLike | None = None,
    threads: int | None = None,
    formalism: Formalism = "2023",
) -> BigPhi:
    """Φ of every TPM in every state; equal to `unfold` bit for bit, with any threads.

    Each structure is congruent with its system's own cause-effect state and is unfolded whether or
    not the system is a complex (see `phi_batch` for phi_s). Where something ties, `unfold` resolves
    it. From 64 distinctions on the number of relations is a rounded double.

    Args:
        tpms: as in `phi_batch`, and so are all others.
        states: states of the universe.
        units: the candidate system.
        cause_tpms: cause TPMs of macro systems.
        threads: systems unfolded at once.
        formalism: as in `unfold`.

    Returns:
        Arrays (draws, states), one for each attribute of `BigPhi`.

    Raises:
        SubstrateError: naming draw, row and unit of every fault.

    Example:
        >>> swap = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> big_phi_batch(swap, states=["00", "10"]).phi.round(3).tolist()
        [[4.0, 4.0]]
    """
    code_of(formalism)
    batch = Batch.of(tpms, states, units, cause_tpms)
    shared = geometry(batch.alphabet)
    out = np.zeros((*batch.shape, len(BigPhi._fields) - 1))
    tied = np.zeros(batch.shape, dtype=np.bool_)

    def work(start: int, stop: int) -> None:
        _chunk(batch.arguments, shared, out, tied, start, stop)
        for item in range(start, stop):
            draw, s = divmod(item, len(batch.states))
            if tied[draw, s]:
                out[draw, s] = _row(unfold(_system(batch, draw, s), threads=1, formalism=formalism))

    in_threads(work, tied.size, threads)
    columns = dict(zip(BigPhi._fields[:-1], np.moveaxis(out, 2, 0).copy(), strict=True))
    return BigPhi(**columns, formalism=formalism)


def _row(found: PhiStructure) -> tuple[float, ...]:
    """One structure as a row of `BigPhi`."""
    count = found.relations.count
    sums = found.phi, found.sum_phi_d, found.sum_phi_r
    return *sums, len(found.distinctions), as_float(count), found.relations.log2_count


def _system(batch: Batch, draw: int, s: int) -> System:
    """One system of the batch as an object."""
    alphabet = batch.alphabet
    values = tuple(int(v) for v in batch.states[s][batch.units])
    shape = int(np.prod(alphabet)), sum(alphabet)
    cause, effect = np.empty(shape), np.empty(shape)
    reachable = fill_system(batch.arguments, draw, s, cause, effect)
    if batch.own_cause:
        reachable = _layout.reachable(cause, alphabet, values)
    names = _layout.check_labels(None, len(values))
    return System(cause, effect, values, names, tuple(range(len(values))), alphabet, bool(reachable))


@compiled
def _chunk(batch: Arguments, geometry: repertoires.Geometry, out: Floats, tied: Bools, start: int, stop: int) -> None:
    """Fill `out` for some items; those whose choices tie are only marked."""
    _, _, _, _, states, units = batch
    n_states = 1
    for k in geometry[0]:
        n_states *= k
    cause = np.empty((n_states, geometry[1][-1]))
    effect = np.empty((n_states, geometry[1][-1]))
    for item in range(start, stop):
        draw, s = item // len(states), item % len(states)
        if fill_system(batch, draw, s, cause, effect):
            state = states[s][units]
            tied[draw, s] = not _unfold(cause, effect, state, geometry, out[draw, s])
        else:
            out[draw, s, 5] = -np.inf


@compiled
def _unfold(cause: Floats, effect: Floats, state: Ints, geometry: repertoires.Geometry, out: Floats) -> bool:
    """Unfold one system into a row of `BigPhi`; False when something ties and must be resolved."""
    now = repertoires.present(state, geometry)
    table_c, logs_c, table_e, logs_e = repertoires.tables(cause, effect, state, geometry)
    n_sets = now.size
    whole = geometry[3][geometry[4][n_sets - 1] : geometry[4][n_sets]]  # states of all units
    tied, scratch = np.empty(whole.size, np.int64), np.empty(whole.size)
    first = geometry[4][n_sets - 1]
    p = repertoires.cause_profile(n_sets - 1, table_c)
    n_causes, _, _ = repertoires.specified_cause(p[first:], tied, scratch)
    cause_at = tied[0]  # of none where no cause leads to the present state
    p, r = repertoires.effect_profile(n_sets - 1, table_e, now, geometry)
    n_effects, _ = repertoires.specified_effect(p[first:], r[first:], 0, tied, scratch)
    if n_causes != 1 or n_effects != 1:
        return False
    system_cause, system_effect = whole[cause_at], whole[tied[0]]
    phi = np.empty(n_sets)
    union = np.empty(n_sets, np.int64)
    overlap = np.empty(n_sets, np.int64)
    count = 0
    on_effects, on_causes = n_sets < 0, n_sets > 0  # no literals: one compilation for both sides
    for mask in range(1, n_sets):
        found = maximal(mask, on_effects, table_e, logs_e, now, geometry)
        effects, phi_e, effect_elements = _agreeing(found[0], found[1], system_effect, geometry)
        if effects == 0:
            continue
        found = maximal(mask, on_causes, table_c, logs_c, now, geometry)
        causes, phi_c, cause_elements = _agreeing(found[0], found[1], system_cause, geometry)
        if causes == 0:
            continue
        if causes > 1 or effects > 1:
            return False
        phi[count] = min(phi_c, phi_e)
        union[count] = cause_elements | effect_elements
        overlap[count] = cause_elements & effect_elements
        count += 1
    _summarise(phi[:count], union[:count], overlap[:count], out)
    return True


@compiled
def _agreeing(index: Ints, phi: Floats, system_state: int, geometry: repertoires.Geometry) -> tuple[int, float, int]:
    """How many purviews agree with the system's state, phi, and the last one's elements."""
    alphabet, offsets, _, _, _, digits = geometry
    agreeing, elements, largest = 0, 0, 0.0
    for i in range(index.size):
        x = index[i]
        largest = max(largest, phi[i])
        fits, these = True, 0
        for j in range(alphabet.size):
            if digits[x, j] < alphabet[j]:
                fits = fits and digits[x, j] == digits[system_state, j]
                these |= 1 << (offsets[j] + digits[x, j])
        if fits:
            agreeing += 1
            elements = these
    return agreeing, largest, elements


@compiled
def _summarise(phi: Floats, union: Ints, overlap: Ints, out: Floats) -> None:
    """Sums and counts over the distinctions and relations of one structure."""
    n = phi.size
    sum_d = 0.0
    for d in range(n):
        sum_d += phi[d]
    value, exponent = structure_kernels.relation_phi(phi, union, overlap, np.ones(n, np.int64))
    sum_r = math.ldexp(value, exponent)
    packed = np.zeros(n, np.int64)  # elements that occur, without gaps
    n_elements = int(np.int64(0))  # a literal would be compiled for as well
    for o in range(63):
        present = 0
        for d in range(n):
            present |= union[d] >> o & 1
        if present:
            for d in range(n):
                packed[d] |= (union[d] >> o & 1) << n_elements
            n_elements += 1
    weights = structure_kernels.overlap_histogram(packed, n_elements)
    exact, rounded, one = 0, 0.0, np.int64(1)
    for d in range(n):
        if overlap[d]:
            exact += 1
            rounded += 1.0
    for c in range(2, n + 1):
        if weights[c]:
            exact += weights[c] * ((one << (c & 63)) - 1 - c)  # modulo 2**64; the total fits
            rounded += weights[c] * (math.ldexp(1.0, c) - 1 - c)
    relations = float(exact) if n <= _EXACT else rounded
    out[0] = sum_d + sum_r
    out[1], out[2] = sum_d, sum_r
    out[3], out[4] = n, relations
    out[5] = np.log2(relations) if relations > 0 else -np.inf
