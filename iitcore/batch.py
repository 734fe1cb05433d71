"""phi_s of many TPMs in many states at once: posterior draws, surrogates, visited states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from iitcore import _kernels, _layout
from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._layout import StateLike, SubstrateError
from iitcore._threads import in_threads
from iitcore.substrate import Substrate, UnitKey
from iitcore.system import analyse


def phi_batch(
    tpms: npt.ArrayLike | Sequence[Substrate],
    states: Iterable[StateLike],
    units: Iterable[UnitKey] | None = None,
    cause_tpms: npt.ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """phi_s of every TPM in every state; equal to `system_phi` bit for bit, with any threads.

    Args:
        tpms: (draws, 2**n, n) P(ON), one (2**n, n) TPM, or a sequence of substrates with equal
            units, which need not be binary.
        states: states of the universe, one value per unit each.
        units: the candidate system, by index (by name for substrates); all units by default.
        cause_tpms: like `tpms`, for systems with a cause TPM of their own (macro systems): `tpms`
            are then effect TPMs, and there is no background.
        threads: systems analysed at once; by default all cores this process may use.

    Returns:
        (draws, states) phi_s in ibits.

    Raises:
        SubstrateError: naming draw, row and unit of every fault.
    """
    effects, causes, alphabet, present, chosen = batch_inputs(tpms, states, units, cause_tpms)
    own_cause = cause_tpms is not None
    out = np.empty((len(effects), len(present)))
    offsets = _layout.offsets(alphabet)

    def work(start: int, stop: int) -> None:
        _chunk(effects, causes, own_cause, offsets, present, chosen, out, start, stop)

    in_threads(work, out.size, threads)
    return out


def batch_inputs(
    tpms: npt.ArrayLike | Sequence[Substrate],
    states: Iterable[StateLike],
    units: Iterable[UnitKey] | None,
    cause_tpms: npt.ArrayLike | None,
) -> tuple[Floats, Floats, tuple[int, ...], Ints, Ints]:
    """Check the arguments of a batch.

    Returns effect and cause TPMs (draws, n_states, sum of alphabet), the alphabet of the universe,
    its states (states, n), and the positions of the system's units.
    """
    effects, alphabet, labels = _stack(tpms, "tpms")
    causes = effects
    if cause_tpms is not None:
        causes, other, _ = _stack(cause_tpms, "cause_tpms")
        if causes.shape != effects.shape or other != alphabet:
            raise SubstrateError(
                f"tpms describe {len(effects)} systems of {alphabet} values per unit, cause_tpms "
                f"{len(causes)} of {other}: pass one cause TPM per effect TPM"
            )
        if units is not None:
            raise SubstrateError("cause_tpms are a whole system's: units cannot be chosen in it")
    checked = [_layout.check_state(s, alphabet, labels) for s in states]
    present = np.array(checked, dtype=np.int64).reshape(-1, len(alphabet))
    chosen = np.array(_layout.check_units(units, labels), dtype=np.int64)
    for array in (effects, causes):
        array.flags.writeable = False  # the compiled type of a substrate's probabilities
    return effects, causes, alphabet, present, chosen


@compiled
def _chunk(
    effects: Floats,
    causes: Floats,
    own_cause: bool,
    offsets: Ints,
    states: Ints,
    units: Ints,
    out: Floats,
    start: int,
    stop: int,
) -> None:
    n, m = len(units), 1
    inner = np.zeros(n + 1, np.int64)
    for i in range(n):
        k = offsets[units[i] + 1] - offsets[units[i]]
        inner[i + 1] = inner[i] + k
        m *= k
    cause, effect = np.empty((m, inner[n])), np.empty((m, inner[n]))
    parts, marks = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for item in range(start, stop):
        draw, s = item // len(states), item % len(states)
        state = states[s]
        if own_cause:
            cause[:] = causes[draw]
            effect[:] = effects[draw]
            reachable = True  # a state without predecessor has no likelihood, hence no cause
        else:
            reachable = _kernels.condition(effects[draw], offsets, state, units, cause, effect)
        out[draw, s] = analyse(cause, effect, inner, state[units], reachable, parts, marks)[0]


def _stack(tpms: npt.ArrayLike | Sequence[Substrate], name: str) -> tuple[Floats, tuple[int, ...], tuple[str, ...]]:
    """(draws, n_states, sum of alphabet) probabilities, alphabet and labels."""
    if isinstance(tpms, Substrate):
        tpms = [tpms]
    if isinstance(tpms, (list, tuple)) and tpms and isinstance(tpms[0], Substrate):
        first = tpms[0]
        for i, other in enumerate(tpms):
            if (other.units, other.alphabet) != (first.units, first.alphabet):
                raise SubstrateError(f"{name}: substrate {i} is {other}, the first is {first}")
        return np.stack([t.packed for t in tpms]), first.alphabet, first.units
    try:
        array = np.array(tpms, dtype=float)
    except (TypeError, ValueError) as error:
        raise SubstrateError(f"{name} is no array of numbers ({error}): give TPMs of equal shape (2**n, n)") from None
    array = array[None] if array.ndim == 2 else array
    draws, rows, n = array.shape if array.ndim == 3 else (0, 0, 0)
    if n == 0 or rows != 2**n:
        raise SubstrateError(
            f"{name} has shape {array.shape}: rows would be read as wrong states. It must be "
            "(draws, 2**n, n), entries P(ON)"
        )
    labels = _layout.check_labels(None, n)
    bad = ~np.isfinite(array) | (array < -_layout.ROUNDING) | (array > 1 + _layout.ROUNDING)
    if bad.any():
        faults = [
            f"draw {d}, row {r} (state {_layout.digits(int(r), (2,) * n)}), unit {u}: {array[d, r, u]:g}"
            for d, r, u in np.argwhere(bad)[: _layout.SHOWN]
        ]
        raise SubstrateError(
            f"{name} has {bad.sum()} entries that are not probabilities: {'; '.join(faults)}. "
            "Give finite values in [0, 1]"
        )
    array = np.clip(array, 0.0, 1.0)
    packed = np.stack([1.0 - array, array], axis=-1).reshape(draws, rows, 2 * n)
    return packed, (2,) * n, labels
