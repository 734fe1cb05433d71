"""Substrates in the form that PyPhi takes, the reference library of the theory, and back.

PyPhi's `Network` is a TPM, state-by-node and little-endian, and a connectivity matrix. So are substrates of binary
units here; only the names differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from iitcore import _kernels, _layout
from iitcore._arrays import Array
from iitcore._layout import SubstrateError
from iitcore._numbers import floats, of_kind
from iitcore.substrate import Substrate

_FIELDS = ("tpm", "cm", "node_labels")


def to_pyphi(substrate: Substrate) -> dict[str, Any]:
    """The arguments of PyPhi's `Network`: `pyphi.Network(**to_pyphi(substrate))`.

    Args:
        substrate: of binary units.

    Returns:
        tpm: (2**n, n) probability that each unit is ON next, rows little-endian; cm: (n, n) of 0 and 1, whether the
        row's unit changes what the column's unit does; node_labels: the units' names.

    Raises:
        SubstrateError: units have more than two values, which `Network` of PyPhi 1.2 does not know.

    Example:
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> to_pyphi(swap)["cm"].tolist()
        [[0, 1], [1, 0]]
    """
    of_kind(substrate, Substrate, "build one from a TPM with Substrate(tpm)")
    if set(substrate.alphabet) != {2}:
        raise SubstrateError(
            f"units have {substrate.alphabet} values: PyPhi's Network takes binary units only; "
            "leave the others out, or make them binary"
        )
    found = _kernels.connections(substrate.packed, _layout.offsets(substrate.alphabet))
    return {"tpm": substrate.tpm.copy(), "cm": found.astype(np.int64), "node_labels": substrate.units}


def from_pyphi(network: Any) -> Substrate:
    """A substrate from a network of PyPhi.

    Args:
        network: a `pyphi.Network`; its arguments as a mapping (`tpm`, and perhaps `cm`, `node_labels`); or the path
            of a JSON file that `pyphi.jsonify.dump(network, file)` wrote. The TPM may be state-by-node, flat or with
            one axis per unit, or state-by-state.

    Raises:
        SubstrateError: there is no TPM, it is none, or a unit acts on another although `cm` says that it does not:
            phi would not be that of the network.

    Example:
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        >>> from_pyphi(to_pyphi(swap))
        Substrate(A, B)
    """
    given = _fields(network)
    tpm = floats(given.get("tpm"), "TPM of the network")
    n = tpm.shape[-1] if tpm.ndim else 0
    labels = given.get("node_labels")
    units = None if labels is None else tuple(map(str, labels["labels"] if isinstance(labels, Mapping) else labels))
    if tpm.ndim == 2 and n == len(tpm) and n > 1:
        substrate = Substrate.from_state_by_state(tpm, units=units)
    elif tpm.ndim == n + 1:
        substrate = Substrate(tpm.reshape(2**n, n, order="F"), units)
    else:
        substrate = Substrate(tpm, units)
    if given.get("cm") is not None:
        _check_connections(substrate, np.asarray(given["cm"]))
    return substrate


def _fields(network: Any) -> dict[str, Any]:
    """What a network holds, by the names of its arguments."""
    if isinstance(network, str | Path):
        try:
            network = json.loads(Path(network).read_text())
        except (OSError, ValueError) as error:
            raise SubstrateError(f"{network} cannot be read as a network in JSON: {error}") from None
    known = network if isinstance(network, Mapping) else {name: getattr(network, name, None) for name in _FIELDS}
    if known.get("tpm") is None:
        raise SubstrateError(
            f"{type(network).__name__} has no TPM: give a pyphi.Network, a mapping with 'tpm', or a path"
        )
    return {name: known.get(name) for name in _FIELDS}


def _check_connections(substrate: Substrate, allowed: Array) -> None:
    if allowed.shape != (substrate.n, substrate.n):
        raise SubstrateError(
            f"cm has shape {allowed.shape}: one row and one column per unit ({substrate.n}) are needed"
        )
    found = _kernels.connections(substrate.packed, _layout.offsets(substrate.alphabet))
    extra = [f"{substrate.units[i]} → {substrate.units[j]}" for i, j in np.argwhere(found & (allowed == 0))]
    if extra:
        raise SubstrateError(
            f"cm has no connection {', '.join(extra)}, but the TPM does: correct the one that is wrong"
        )
