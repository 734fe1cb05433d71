"""Numbers as people pass them: nothing is cut off, and what is masked stays unknown."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from iitcore._arrays import Floats, Ints


class SubstrateError(ValueError):
    """A TPM, state or choice of units that cannot be what was meant."""


_SHOWN = 80  # characters of a wrong argument in a message


def shown(value: Any) -> str:
    """What was passed, as messages show it: cut where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def floats(value: Any, what: str) -> Floats:
    """A new array of doubles; masked entries are NaN, which whoever asks for probabilities refuses.

    Args:
        value: numbers in any nesting.
        what: what messages call them.

    Raises:
        SubstrateError: no array of real numbers.
    """
    try:
        plain = _unmasked(value)
        kind = np.asarray(plain).dtype
        if kind.kind not in "biufO":
            raise TypeError(f"{shown(plain)} holds {'text' if kind.kind in 'US' else kind.name}")
        return np.array(plain, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise SubstrateError(f"{what} is not an array of numbers: {error}") from None


def _unmasked(value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        return np.ma.filled(value.astype(float), np.nan)
    if isinstance(value, list | tuple) and any(isinstance(v, np.ma.MaskedArray) for v in value):
        return [_unmasked(v) for v in value]
    return value


def wholes(value: Any, what: str) -> Ints:
    """Whole numbers, flat; truth values are 0 and 1.

    Args:
        value: numbers in any nesting.
        what: what messages call them.

    Raises:
        SubstrateError: some are no whole numbers: cut to one they would be another choice than was made.
    """
    array = floats(value, what).ravel()
    wrong = array[~np.isfinite(array) | (array != np.floor(array)) | (np.abs(array) > 2**53)]
    if len(wrong):
        listed = ", ".join(f"{v!r}" for v in wrong[:8].tolist())
        raise SubstrateError(
            f"{what}: {listed} {'is' if len(wrong) == 1 else 'are'} not whole; cut to a whole number it would be "
            "another choice than was made; give integers"
        )
    return array.astype(np.int64)


def whole(value: Any, what: str) -> int:
    """One whole number.

    Args:
        value: the number.
        what: what messages call it.

    Raises:
        SubstrateError: not one whole number.
    """
    found = wholes(value, what)
    if len(found) != 1 or np.ndim(value) != 0:
        raise SubstrateError(f"{what}: {value!r} is not one number; give one integer")
    return int(found[0])


def keys(units: Any) -> list[str | int]:
    """Names or indices of units, as they were given.

    Args:
        units: one name or index, or several.

    Raises:
        SubstrateError: truth values, or what is neither name nor index.
    """
    if isinstance(units, np.ndarray) and not units.ndim:
        units = units.item()
    one = isinstance(units, str | int | np.integer) and not isinstance(units, bool)
    given = [units] if one else items(units, "a list of names or indices of units")
    if any(isinstance(u, bool | np.bool_) for u in given):
        raise SubstrateError(
            f"units {given!r}: truth values would be read as the indices 0 and 1; give names or indices, "
            "of a mask numpy.flatnonzero(mask)"
        )
    wrong = [repr(u) for u in given if not isinstance(u, str | int | np.integer)]
    if wrong or isinstance(units, np.ma.MaskedArray):
        raise SubstrateError(
            f"units {', '.join(wrong) or 'of a masked array'}: neither name nor index, which could be cut to a unit "
            "that was not meant; give names or whole numbers"
        )
    return [u if isinstance(u, str) else operator.index(u) for u in given]


def items(value: Any, what: str) -> list[Any]:
    """The items of something that holds several.

    Args:
        value: what was passed.
        what: what it has to be, for messages.

    Raises:
        SubstrateError: it holds nothing to go through.
    """
    none = isinstance(value, bytes | Mapping) or (isinstance(value, np.ndarray) and not value.ndim)
    if none or not isinstance(value, Iterable):
        raise SubstrateError(f"{shown(value)} is not {what}; give a list")
    return list(value)


def in_order(value: Any, what: str) -> list[Any]:
    """The items of something that holds several in an order.

    Args:
        value: what was passed.
        what: what it has to be, for messages.

    Raises:
        SubstrateError: no list; or a set, whose order differs from run to run.
    """
    if isinstance(value, set | frozenset):
        raise SubstrateError(f"a set has no order, and {what} needs one; give a list")
    return items(value, what)


def truth(value: Any, what: str) -> bool:
    """True or false.

    Args:
        value: what was passed.
        what: what messages call it.

    Raises:
        SubstrateError: something else, which would be taken for true or false.
    """
    if not isinstance(value, bool | np.bool_):
        raise SubstrateError(f"{what}: {value!r} is neither True nor False")
    return bool(value)


def callback(value: Any, what: str) -> None:
    """Refuse what cannot be called; None is no callback.

    Args:
        value: what was passed.
        what: what messages call it.

    Raises:
        SubstrateError: neither a function nor None.
    """
    if value is not None and not callable(value):
        raise SubstrateError(f"{what}: {value!r} is no function; give one, or None")


def is_list(value: Any) -> bool:
    """Whether it is a list, a tuple or an array of at least one axis."""
    return isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim > 0)


def names(value: Any, what: str) -> list[str]:
    """Names, of units or of whatever has names.

    Args:
        value: what was passed.
        what: what it has to be, for messages.

    Raises:
        SubstrateError: not a list of names.
    """
    found = items(value, what)
    wrong = [repr(v) for v in found if not isinstance(v, str)]
    if wrong:
        raise SubstrateError(f"{', '.join(wrong)} among {what}: give names")
    return found


def of_kind(value: Any, kind: type, what: str) -> None:
    """Refuse an argument of another type.

    Args:
        value: what was passed.
        kind: what it has to be.
        what: how to come by one.

    Raises:
        SubstrateError: it is something else.
    """
    if not isinstance(value, kind):
        raise SubstrateError(f"{type(value).__name__} where a {kind.__name__} is needed: {what}")


def limit(value: Any, what: str) -> int | None:
    """A whole number from 1 on, or None.

    Args:
        value: what was passed.
        what: what messages call it.

    Raises:
        SubstrateError: something else, 0 included: it would be taken for no limit.
    """
    if value is None:
        return None
    number = whole(value, what)
    if number < 1:
        raise SubstrateError(f"{what}: {number} leaves nothing; give 1 or more, or None for all")
    return number
