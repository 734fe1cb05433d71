"""Weights of learned hierarchies on disk: tensors and plain values only, so that a file from elsewhere runs no code."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import write_whole
from pipeline.encoder.hierarchy import Architecture, Hierarchy
from pipeline.encoder.training import Table, Trained

FORMAT = "phiscale hierarchies 1"


@dataclass(frozen=True)
class StoredHierarchies:
    """The hierarchies of one window (or of all windows together) as they were stored, one per seed.

    Attributes:
        architecture: sizes.
        mode: "calibrated" or "published".
        units: names of the observed dimensions, in order.
        states: parameters by scale; of mode `calibrated` one set, by 0, serves all scales.
    """

    architecture: Architecture
    mode: str
    units: tuple[str, ...]
    states: Mapping[int, Table]

    def at(self, scale: int) -> Hierarchy:
        """Return the hierarchies that a scale is read from, in double precision.

        Args:
            scale: its dimensions.

        Raises:
            ValueError: there is no such scale.
        """
        state = self.states.get(0, self.states.get(scale))
        n_models = 0 if state is None else len(state["unit_mean"])
        model = Hierarchy(self.architecture, [0] * max(1, n_models))
        model.level_of(scale)
        assert state is not None
        model.load_state_dict(state)
        return model.double()


def save_weights(found: Mapping[str, Trained], units: Sequence[str], path: str | Path) -> None:
    """Write the weights of the hierarchies of a recording.

    Args:
        found: trained hierarchies by the name of their window.
        units: names of the observed dimensions.
        path: of the file.
    """
    buffer = io.BytesIO()
    windows = {name: _plain(trained) | {"units": list(map(str, units))} for name, trained in found.items()}
    torch.save({"format": FORMAT, "windows": windows}, buffer)
    write_whole(path, lambda partial: _write(partial, buffer.getvalue()))


def load_weights(path: str | Path) -> dict[str, StoredHierarchies]:
    """Read the weights of the hierarchies of a recording; nothing that the file holds is run.

    Args:
        path: of a file that `save_weights` wrote.

    Returns:
        Hierarchies by the name of their window.

    Raises:
        PhiscaleError: the file cannot be read as such, or holds anything but tensors and plain values.
    """
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
        known = held.get("format") == FORMAT
    except FileNotFoundError:
        raise
    except Exception as error:
        raise _refused(path, f"cannot be read as weights ({type(error).__name__})") from error
    if not known:
        raise _refused(path, f"is not of the format {FORMAT!r}")
    return {name: _stored(one) for name, one in held["windows"].items()}


def _plain(trained: Trained) -> dict[str, Any]:
    """Everything that a hierarchy is made from again."""
    scales = trained.model.scales if trained.mode == "published" else (0,)
    states = {d: {name: value.cpu().clone() for name, value in _state(trained, d).items()} for d in scales}
    return {"architecture": asdict(trained.model.architecture), "mode": trained.mode, "states": states}


def _state(trained: Trained, scale: int) -> Mapping[str, torch.Tensor]:
    return trained.at(scale).state_dict() if scale else trained.model.state_dict()


def _stored(one: Mapping[str, Any]) -> StoredHierarchies:
    architecture = Architecture(**{**one["architecture"], "hidden": tuple(one["architecture"]["hidden"])})
    return StoredHierarchies(architecture, one["mode"], tuple(one["units"]), one["states"])


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _refused(path: str | Path, what: str) -> PhiscaleError:
    return PhiscaleError(
        Problem(str(path), what, "No hierarchy can be made of it", "run the stage that wrote it again")
    )
