"""Results as plain values for JSON, and back: a dataclass's fields and their type hints say how.

Tuples and arrays are lists, an enum is the name of its member. What JSON cannot hold has a form of
its own: a float that is not finite is null, an integer of over a thousand digits, which JSON
readers refuse, is hexadecimal text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Self, Union, get_args, get_origin, get_type_hints

import numpy as np

from iitcore._numbers import SubstrateError

_DIGITS = 4096  # bits of an integer that is still written in digits


class Plain:
    """A dataclass that can be written as plain values and read back."""

    _written: ClassVar[tuple[str, ...]] = ()  # attributes written, where these are not the fields

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: _plain(getattr(self, name)) for name in self._written or self._hints()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str) -> Self:
        """Inverse of `to_dict`; also takes its JSON text.

        Raises:
            SubstrateError: not what `to_dict` gives.
        """
        return cls._made(data, lambda read: cls(**read))

    @classmethod
    def _made(cls, data: Mapping[str, Any] | str, make: Callable[[dict[str, Any]], Self]) -> Self:
        """An object of the fields that the data hold; what else can happen with data of something else is said."""
        try:
            return make(cls._read(data))
        except (TypeError, LookupError, AttributeError, ValueError, RecursionError) as error:
            if isinstance(error, SubstrateError):
                raise
            raise SubstrateError(f"this is no {cls.__name__} as to_dict gives one ({error})") from None

    @classmethod
    def _read(cls, data: Mapping[str, Any] | str) -> dict[str, Any]:
        """The fields that the data hold; what else was written for readers is left out."""
        content = parsed(data)
        return {name: _restored(content[name], hint) for name, hint in cls._hints().items() if name in content}

    @classmethod
    def _hints(cls) -> dict[str, Any]:
        """Type of each field, by name."""
        return _hints_of(cls)  # type: ignore[arg-type]  # mypy takes a class's hash for that of its objects


def parsed(data: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """The content of JSON text; what is parsed already stays as it is.

    Args:
        data: the text, or what it holds.

    Raises:
        SubstrateError: no JSON text, or no fields.
    """
    try:
        content: Mapping[str, Any] = json.loads(data) if isinstance(data, str) else data
    except (ValueError, RecursionError) as error:
        raise SubstrateError(f"this is no JSON text ({error})") from None
    if not isinstance(content, Mapping):
        raise SubstrateError(
            f"{type(content).__name__} where the fields of a result are needed: give what to_dict gives"
        )
    return content


@cache
def _hints_of(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {f.name: hints[f.name] for f in fields(cls)}


def _plain(value: Any) -> Any:
    if isinstance(value, Plain):
        return value.to_dict()
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and value.bit_length() > _DIGITS:
        return hex(value)
    return value


def _restored(value: Any, hint: Any) -> Any:
    kind, inside = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        options = [i for i in inside if i is not NoneType]
        return value if value is None or len(options) > 1 else _restored(value, options[0])
    if kind is tuple:
        return _restored_tuple(value, inside)
    if kind is np.ndarray:
        return np.array(value, dtype=float)
    if hint is float:
        return math.inf if value is None else value
    if hint is int:
        return int(value, 16) if isinstance(value, str) else value
    if isinstance(hint, type) and issubclass(hint, Plain):
        return hint.from_dict(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint[value]
    return value


def _restored_tuple(values: Sequence[Any], hints: tuple[Any, ...]) -> tuple[Any, ...]:
    each = (hints[0],) * len(values) if hints[-1] is Ellipsis else hints
    return tuple(_restored(v, h) for v, h in zip(values, each, strict=True))
