"""phi_s of many TPMs in many states at once: posterior draws, surrogates, visited states."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from iitcore import _kernels, _layout
from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore._layout import StateLike, SubstrateError
from iitcore._numbers import floats, items
from iitcore._threads import in_threads
from iitcore.formalism import Formalism, code_of
from iitcore.substrate import Substrate, UnitKey
from iitcore.system import analyse

# As in `Batch`. A plain tuple: of a named one numba's cache on disk would look for the class, and fail
# where a later version has none of that name, before it asks whether the cache is still valid.
Arguments: TypeAlias = tuple[Floats, Floats, bool, Ints, Ints, Ints]


def phi_batch(
    tpms: npt.ArrayLike | Sequence[Substrate],
    states: Iterable[StateLike],
    units: Iterable[UnitKey] | None = None,
    cause_tpms: npt.ArrayLike | None = None,
    threads: int | None = None,
    formalism: Formalism = "2023",
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
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        (draws, states) phi_s in ibits.

    Raises:
        SubstrateError: naming draw, row and unit of every fault.

    Example:
        >>> swap = [[0, 0], [0, 1], [1, 0], [1, 1]]
        >>> noise = [[0.5, 0.5]] * 4
        >>> phi_batch([swap, noise], states=["00", "10"]).round(3).tolist()
        [[2.0, 2.0], [0.0, 0.0]]
    """
    code = code_of(formalism)
    batch = Batch.of(tpms, states, units, cause_tpms)
    out = np.empty(batch.shape)

    def work(start: int, stop: int) -> None:
        _chunk(batch.arguments, code, out, start, stop)

    in_threads(work, out.size, threads)
    return out


@dataclass(frozen=True, eq=False)
class Batch:
    """Checked arguments of a batch.

    Attributes:
        effects: (draws, n_states, sum of alphabet) effect TPMs, or TPMs of the universe.
        causes: cause TPMs of the same shape; `effects` itself where systems have none of their own.
        own_cause: whether they have.
        offsets: (n + 1,) column at which each unit's values start.
        states: (states, n) states of the universe.
        units: (m,) positions of the system's units, ascending.
    """

    effects: Floats
    causes: Floats
    own_cause: bool
    offsets: Ints
    states: Ints
    units: Ints

    @classmethod
    def of(
        cls,
        tpms: npt.ArrayLike | Sequence[Substrate],
        states: Iterable[StateLike],
        units: Iterable[UnitKey] | None,
        cause_tpms: npt.ArrayLike | None,
    ) -> Batch:
        """Check the arguments of `phi_batch`.

        Args:
            tpms: as `phi_batch` takes them.
            states: as `phi_batch` takes them.
            units: as `phi_batch` takes them.
            cause_tpms: as `phi_batch` takes them.

        Raises:
            SubstrateError: naming draw, row and unit of every fault.
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
        checked = [_layout.check_state(s, alphabet, labels) for s in items(states, "states, one value per unit each")]
        present = np.array(checked, dtype=np.int64).reshape(-1, len(alphabet))
        chosen = np.array(_layout.check_units(units, labels), dtype=np.int64)
        for array in (effects, causes):
            array.flags.writeable = False  # the compiled type of a substrate's probabilities
        return cls(effects, causes, cause_tpms is not None, _layout.offsets(alphabet), present, chosen)

    @property
    def arguments(self) -> Arguments:
        """All of it for compiled code."""
        return self.effects, self.causes, self.own_cause, self.offsets, self.states, self.units

    @property
    def shape(self) -> tuple[int, int]:
        """Draws and states."""
        return len(self.effects), len(self.states)

    @property
    def alphabet(self) -> tuple[int, ...]:
        """Number of values of each unit of the system."""
        return tuple(int(k) for k in np.diff(self.offsets)[self.units])


@compiled
def fill_system(batch: Arguments, draw: int, s: int, cause: Floats, effect: Floats) -> bool:
    """Fill the TPMs of one system of a batch; False when its state has no predecessor.

    Args:
        batch: arguments of the batch.
        draw: position of the TPM.
        s: position of the state.
        cause: receives the packed cause TPM.
        effect: receives the packed effect TPM.
    """
    effects, causes, own_cause, offsets, states, units = batch
    if own_cause:
        cause[:] = causes[draw]
        effect[:] = effects[draw]
        return True  # a state without predecessor has no likelihood, hence no cause
    return _kernels.condition(effects[draw], offsets, states[s], units, cause, effect)


@compiled
def _chunk(batch: Arguments, formalism: int, out: Floats, start: int, stop: int) -> None:
    """Fill `out`, (draws, states), for some items."""
    _, _, _, offsets, states, units = batch
    inner, cause, effect = _kernels.room_for(units, offsets)
    parts, marks = np.zeros(len(units), np.int64), np.zeros(len(units), np.int64)
    for item in range(start, stop):
        draw, s = item // len(states), item % len(states)
        reachable = fill_system(batch, draw, s, cause, effect)
        out[draw, s] = analyse(cause, effect, inner, states[s][units], reachable, formalism, parts, marks)[0]


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
    array = floats(tpms, f"{name}, TPMs of equal shape (2**n, n),")
    array = array[None] if array.ndim == 2 else array
    draws, rows, n = array.shape if array.ndim == 3 else (0, 0, 0)
    if n == 0 or rows != 2**n:
        raise SubstrateError(
            f"{name} has shape {array.shape}: rows would be read as wrong states. It must be "
            "(draws, 2**n, n), entries P(ON)"
        )
    labels = _layout.check_labels(None, n)
    array = _layout.check_on(array, name)
    packed = np.stack([1.0 - array, array], axis=-1).reshape(draws, rows, 2 * n)
    return packed, (2,) * n, labels
