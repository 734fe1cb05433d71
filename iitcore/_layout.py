"""Layout and validation of transition probabilities, states and names.

Probabilities are *packed*: (n_states, sum of alphabet), one column per value of each unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Array, Floats, Ints
from iitcore._numbers import SubstrateError as SubstrateError
from iitcore._numbers import floats, in_order, keys, shown, wholes

TpmLike = npt.ArrayLike | Sequence[npt.ArrayLike]
StateLike = Sequence[int] | str | Array

ROUNDING = 1e-9  # probabilities this far outside [0, 1], or sums this far from 1, are rounding
SHOWN = 8  # faults spelled out in one message


def offsets(alphabet: Sequence[int]) -> Ints:
    """(n + 1,) column at which each unit's values start."""
    return np.concatenate([[0], np.cumsum(alphabet)]).astype(np.int64)


def split(packed: Floats, offsets: Ints) -> tuple[Floats, ...]:
    """Per unit, the (n_states, k) columns of its values.

    Args:
        packed: (n_states, sum of alphabet).
        offsets: (n + 1,) column at which each unit's values start.
    """
    return tuple(packed[:, a:b] for a, b in pairwise(offsets))


def columns(packed: Floats, alphabet: Sequence[int], units: Sequence[int]) -> Floats:
    """The columns of some units, in the order given.

    Args:
        packed: (n_states, sum of alphabet).
        alphabet: values per unit.
        units: positions of the units.
    """
    per_unit = split(packed, offsets(alphabet))
    return np.ascontiguousarray(np.concatenate([per_unit[i] for i in units], axis=1))


def state_index(values: Sequence[int], alphabet: Sequence[int]) -> int:
    """Index of a state, first unit fastest.

    Args:
        values: one per unit.
        alphabet: values per unit.
    """
    index, stride = 0, 1
    for v, k in zip(values, alphabet, strict=True):
        index += v * stride
        stride *= k
    return index


def likelihood(packed: Floats, alphabet: Sequence[int], state: Sequence[int]) -> Floats:
    """(n_states,) probability that a state follows each state.

    Args:
        packed: (n_states, sum of alphabet).
        alphabet: values per unit.
        state: the state that follows, one value per unit.
    """
    columns = offsets(alphabet)[:-1] + np.asarray(state)
    return np.asarray(packed[:, columns].prod(axis=1))


def reachable(packed: Floats, alphabet: Sequence[int], state: Sequence[int]) -> bool:
    """Whether some state leads to a state, however improbably.

    Args:
        packed: (n_states, sum of alphabet).
        alphabet: values per unit.
        state: the state that follows, one value per unit.
    """
    columns = offsets(alphabet)[:-1] + np.asarray(state)
    return bool((packed[:, columns] > 0).all(axis=1).any())


def check_labels(units: Sequence[str] | None, n: int) -> tuple[str, ...]:
    """Unit names, checked; letters by default.

    Args:
        units: names, or None.
        n: number of units.

    Raises:
        SubstrateError: not one distinct name per unit.
    """
    if units is None:
        return tuple(chr(65 + i) if n <= 26 else f"u{i}" for i in range(n))
    given = in_order(units, f"a list of {n} distinct names of units")
    wrong = [repr(u) for u in given if isinstance(u, bool) or not isinstance(u, str | int | np.integer)]
    if wrong or isinstance(units, np.ma.MaskedArray):
        raise SubstrateError(f"unit names {', '.join(wrong) or 'of a masked array'}: names are text, or whole numbers")
    names = tuple(str(u) for u in given)
    if len(names) != n or len(set(names)) != n or not all(name.strip() for name in names):
        raise SubstrateError(f"unit names {names}: {n} distinct names are needed, one per unit of the TPM")
    return names


def check_units(units: Iterable[str | int] | None, labels: tuple[str, ...]) -> tuple[int, ...]:
    """Positions of units given by name or index, ascending; all of them for None.

    Args:
        units: names or indices, or None.
        labels: names of all units.

    Raises:
        SubstrateError: no such unit, a unit twice, or none.
    """
    n = len(labels)
    if units is None:
        return tuple(range(n))
    given = [*units] if isinstance(units, str) and units not in labels else keys(units)
    wrong = [repr(u) for u in given if not (u in labels if isinstance(u, str) else 0 <= u < n)]
    if wrong:
        raise SubstrateError(f"no unit {', '.join(wrong)}: the substrate has {', '.join(labels)} (indices 0..{n - 1})")
    found = sorted(labels.index(u) if isinstance(u, str) else u for u in given)
    if len(set(found)) < len(found) or not found:
        raise SubstrateError(
            f"units {given!r}: each unit can be in a system once, and a system needs at least one; list distinct units"
        )
    return tuple(found)


def check_state(state: StateLike, alphabet: tuple[int, ...], labels: tuple[str, ...]) -> tuple[int, ...]:
    """One value per unit, checked.

    Args:
        state: one value per unit, as numbers, as a text of digits (011), or of numbers with commas (0,12,1).
        alphabet: values per unit.
        labels: names of the units, for messages.

    Raises:
        SubstrateError: not one value of each unit.
    """
    try:
        given = _cells(state) if isinstance(state, str) else floats(state, "state").tolist()
        if not isinstance(given, list) or any(isinstance(v, list) for v in given):
            raise SubstrateError("not a list of numbers")
    except SubstrateError:
        how = "one digit per unit, such as 011, or 0,1,1" if isinstance(state, str) else "it as (0, 1, 1) or 011"
        raise SubstrateError(f"state {shown(state)} is not one number per unit: write {how}") from None
    if len(given) != len(alphabet):
        raise SubstrateError(
            f"state has {len(given)} values for {len(alphabet)} units ({', '.join(labels)}): give "
            "one value per unit of the substrate, background units included"
        )
    wrong = [
        f"{u}={v:g} (values 0..{k - 1})" for u, v, k in zip(labels, given, alphabet, strict=True) if v not in range(k)
    ]
    if wrong:
        raise SubstrateError(f"state outside the units' values: {', '.join(wrong)}")
    return tuple(int(v) for v in given)


def _cells(state: str) -> list[float]:
    """Values of a state that was written: a digit per unit, or numbers with commas (a last one may end the list)."""
    cells = [cell.strip() for cell in state.removesuffix(",").split(",")] if "," in state else list(state)
    if not all(cell.isascii() and cell.isdigit() for cell in cells):
        raise SubstrateError("not digits")
    return [float(cell) for cell in cells]


def pack(tpm: TpmLike, name: str, labels: Sequence[str] | None) -> tuple[Floats, tuple[int, ...]]:
    """Check either form of a TPM and lay it out as (n_states, sum of alphabet).

    Args:
        tpm: (2**n, n) P(ON), or per unit the (n_states, k) probabilities of its values.
        name: what messages call the TPM.
        labels: names of the units, for messages; letters for None.

    Returns:
        The packed probabilities, and the number of values of each unit.

    Raises:
        SubstrateError: the wrong shape, or entries that are not probabilities, each with row and unit.
    """
    if isinstance(tpm, (list, tuple)) and len(tpm) and _is_table(tpm[0]):
        factors = [floats(f, f"{name}, unit {j}") for j, f in enumerate(tpm)]
    else:
        on = _binary_array(tpm, name)
        factors = [np.stack([1.0 - p, p], axis=1) for p in on.T]
    alphabet = tuple(int(f.shape[1]) for f in factors)
    states = int(np.prod(alphabet, dtype=np.int64))
    if any(len(f) != states for f in factors) or min(alphabet) < 2:
        raise SubstrateError(
            f"{name}: factors of shape {[f.shape for f in factors]}; each needs {states} rows "
            "(one per state) and at least two columns (the unit's values)"
        )
    _check_probabilities(factors, name, check_labels(labels, len(alphabet)))
    clean = [np.clip(f, 0.0, 1.0) for f in factors]
    return np.ascontiguousarray(np.concatenate(clean, axis=1)), alphabet


def _is_table(value: object) -> bool:
    try:
        return np.ndim(value) == 2  # type: ignore[arg-type]  # whatever was passed: what is no array has no axes
    except ValueError:  # rows of several lengths, or a list of itself
        return False


def _binary_array(tpm: TpmLike, name: str) -> Floats:
    on = floats(tpm, name)
    n = on.shape[1] if on.ndim == 2 else 0
    if n and on.shape[0] == 2**n:
        return on
    hint = "give one row per state (2**n) and one column per unit (n), entries P(ON)"
    if on.ndim == 2 and on.shape[0] == on.shape[1]:
        hint = "a square matrix is state-by-state: use Substrate.from_state_by_state"
    elif on.ndim == 2 and on.shape[1] == 2 ** on.shape[0]:
        hint = "it looks transposed: pass tpm.T"
    raise SubstrateError(
        f"{name} has shape {on.shape}: rows would be read as wrong states. It must be (2**n, n); " + hint
    )


def _check_probabilities(factors: list[Floats], name: str, labels: tuple[str, ...]) -> None:
    alphabet = [f.shape[1] for f in factors]
    faults: list[str] = []
    count = 0
    for f, label in zip(factors, labels, strict=True):
        bad = ~np.isfinite(f) | (f < -ROUNDING) | (f > 1 + ROUNDING)
        sums = np.abs(np.where(bad, 0.0, f).sum(axis=1) - 1) > ROUNDING
        rows = np.flatnonzero(bad.any(axis=1) | sums)
        count += len(rows)
        for row in rows[: SHOWN - len(faults)]:
            value = f"P(ON) = {float(f[row, 1])!r}" if len(f[row]) == 2 else f"P = {f[row].tolist()}"
            faults.append(f"row {row} (state {digits(int(row), alphabet)}), unit {label}: {value}")
    if count:
        more = f"; and {count - len(faults)} more" if count > len(faults) else ""
        raise SubstrateError(
            f"{name} has {count} entries that are not probabilities: {'; '.join(faults)}{more}. "
            "Information would be computed from logarithms of these; give finite values in [0, 1] "
            "that sum to 1 over each unit's values (a gap is an unvisited state: estimate it)"
        )


def check_on(array: Floats, name: str) -> Floats:
    """P(ON) of many TPMs, rounding cut off.

    Args:
        array: (draws, 2**n, n).
        name: what messages call it.

    Raises:
        SubstrateError: entries that are not probabilities, each with draw, row and unit.
    """
    n = array.shape[2]
    bad = ~np.isfinite(array) | (array < -ROUNDING) | (array > 1 + ROUNDING)
    if bad.any():
        faults = [
            f"draw {d}, row {r} (state {digits(int(r), (2,) * n)}), unit {u}: {float(array[d, r, u])!r}"
            for d, r, u in np.argwhere(bad)[:SHOWN]
        ]
        raise SubstrateError(
            f"{name} has {bad.sum()} entries that are not probabilities: {'; '.join(faults)}. "
            "Information would be computed from logarithms of these; give finite values in [0, 1]"
        )
    return np.clip(array, 0.0, 1.0)


def digits(row: int, alphabet: Sequence[int]) -> str:
    """The state of a row in digits, first unit first.

    Args:
        row: index of the state.
        alphabet: values per unit.
    """
    found = []
    for k in alphabet:
        found.append(str(row % k))
        row //= k
    return "".join(found)


def square_alphabet(matrix: Floats, alphabet: Sequence[int] | None) -> tuple[int, ...]:
    """Values per unit of a state-by-state TPM; two by default.

    Args:
        matrix: (n_states, n_states) TPM.
        alphabet: values per unit, or None.

    Raises:
        SubstrateError: not square, or not as many states as the units would have.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise SubstrateError(
            f"state-by-state TPM has shape {matrix.shape}: it must be square, one row and one "
            "column per state; for (2**n, n) use Substrate(tpm)"
        )
    given = () if alphabet is None else tuple(wholes(alphabet, "alphabet").tolist())
    sizes = given or (2,) * (len(matrix).bit_length() - 1)
    if math.prod(sizes) != len(matrix) or min(sizes) < 2:
        raise SubstrateError(
            f"{len(matrix)} states cannot be the states of units with {sizes} values; pass "
            "alphabet=(values of unit 0, values of unit 1, ...)"
        )
    return sizes


def check_rows(matrix: Floats) -> None:
    """Refuse a state-by-state TPM whose rows are not distributions.

    Args:
        matrix: (n_states, n_states) TPM.

    Raises:
        SubstrateError: naming the rows, each with its sum.
    """
    bad = ~np.isfinite(matrix) | (matrix < -ROUNDING)
    sums = np.where(bad, 0.0, matrix).sum(axis=1)
    rows = np.flatnonzero(bad.any(axis=1) | (np.abs(sums - 1) > 1e-8))
    if len(rows):
        listed = ", ".join(f"row {r} (sums to {sums[r]:.6g})" for r in rows[:SHOWN])
        more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
        raise SubstrateError(
            f"state-by-state TPM rows are not distributions: {listed}{more}. Transitions out of "
            "these states are undefined; rows must be non-negative and sum to 1"
        )
