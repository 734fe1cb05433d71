"""One hierarchy of all windows of a recording together: latents, and thresholds, that conditions have in common.

Hierarchies of single windows (`multiscale`) have coordinates of their own. What is compared state by state, or between
recordings, is read from this one: macro models (route `macro_model`), and the latents that recordings are compared by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.seeds import derive
from pipeline.encoder.folds import joint_runs
from pipeline.encoder.macro_model import MacroModel, macro_model
from pipeline.encoder.multiscale import WindowActivity, gap_of, model_parts
from pipeline.encoder.parameters import Encoder, Training
from pipeline.encoder.power import Stack, readings, stack, train_stack
from pipeline.encoder.scales import LARGEST
from pipeline.encoder.training import Trained


@dataclass(frozen=True)
class Joint:
    """A joint hierarchy, and those of the surrogates, which were trained like it.

    Attributes:
        parts: windows by name, in their order in time.
        made: series of the data and its surrogates, all windows one after the other; the data first.
        trained: hierarchies, stack by stack in the order of `made`; the data is the first model of the first.
        parameters: the section `encoder`.
    """

    parts: Mapping[str, WindowActivity]
    made: Stack
    trained: list[Trained]
    parameters: Encoder

    @property
    def data(self) -> Trained:
        """The stack whose first model is that of the data."""
        return self.trained[0]

    def models(self, scale: int) -> list[MacroModel]:
        """Return the macro model of the data and of every surrogate, each with thresholds of its own training fold.

        Args:
            scale: number of latents.

        Raises:
            PhiscaleError: too many latents.
        """
        return [macro_model(part, scale, i) for part in self.trained for i in range(part.model.n_models)]

    def states(self, scale: int) -> xr.Dataset:
        """Return the states of the macro model in all windows, and those of its surrogates.

        Args:
            scale: number of latents.

        Returns:
            As `MacroModel.states`, with coords window, condition and time; surrogate_states (null, surrogate, frame,
            unit) and surrogate_segment (null, surrogate, frame).

        Raises:
            PhiscaleError: too many latents.
        """
        p, models = self.parameters, self.models(scale)
        found = models[0].states(self.made.series[0], self.made.runs[0])
        shape = (len(p.nulls), p.surrogates, found.sizes["frame"])
        states, segments = np.zeros((*shape, scale), np.uint8), np.zeros(shape, np.int64)
        for model, values, runs, (_, _, kind, i) in zip(
            models[1:], self.made.series[1:], self.made.runs[1:], self.made.keys[1:], strict=True
        ):
            own = model.states(values, joint_runs(runs))
            at = p.nulls.index(kind), i
            states[at], segments[at] = own["states"].values, own["segment"].values
        found = found.assign(
            surrogate_states=(("null", "surrogate", "frame", "unit"), states),
            surrogate_segment=(("null", "surrogate", "frame"), segments),
        )
        return found.assign_coords({"null": list(p.nulls), **_of_frames(self.parts)})

    def latents(self) -> xr.Dataset:
        """Return the latents of every scale up to 8, `latents_D` (frame, axis_D); coords window, condition, time."""
        found = {}
        for read in readings(self.data):
            y = read.latents[0, : len(self.made.series[0])].cpu().numpy()
            if y.shape[1] <= LARGEST:
                found[f"latents_{y.shape[1]}"] = (("frame", f"axis_{y.shape[1]}"), y)
        return xr.Dataset(found, coords=_of_frames(self.parts))


def learn_jointly(
    parts: Mapping[str, WindowActivity], *, seed: int = 0, device: str = "cpu", **parameters: Any
) -> Joint:
    """Learn one hierarchy of all windows of a recording, and likewise of its surrogates.

    Surrogates are drawn window by window. No transition leads from one window into another, and blocks of every window
    are held out.

    Args:
        parts: windows by name.
        seed: fixes surrogates, starts and training.
        device: "cpu" or "cuda".
        **parameters: fields of the section `encoder`; one seed is used.

    Raises:
        PhiscaleError: there is no window, or units that are constant.
    """
    p = Encoder(**parameters)
    if not parts:
        raise PhiscaleError(Problem("encoder", "no window has two frames", "No hierarchy can be learned"))
    whole = WindowActivity(*_joined([(part.values, part.runs) for part in parts.values()]), np.empty(0), "")
    if (whole.values.std(axis=0) == 0).any():
        raise PhiscaleError(Problem("encoder", "units are constant in all windows", fix="leave them out"))
    windows = {name: (part.values, part.runs) for name, part in parts.items()}
    drawn = stack(windows, kinds=p.nulls, surrogates=p.surrogates, seeds=1, seed=derive(seed, "joint"))
    made = _one_series(drawn, derive(seed, "start"))
    blocks = p.blocks * len(parts)
    settings = {name: getattr(p, name) for name in Training.model_fields} | {"blocks": blocks}
    settings["gap"] = gap_of(whole, blocks) if p.gap is None else p.gap
    train = {"seed": derive(seed, "train"), "device": device}
    return Joint(parts, made, [train_stack(part, **settings, **train) for part in model_parts(made)], p)


def _one_series(drawn: Stack, start: int) -> Stack:
    """Put the windows of the data, and of every surrogate, one after the other."""
    together: dict[tuple[str, int], list[int]] = {}
    for at, (_, _, kind, i) in enumerate(drawn.keys):
        together.setdefault((kind, i), []).append(at)
    made = Stack([], [], [], [])
    for (kind, i), places in together.items():
        values, runs = _joined([(drawn.series[at], drawn.runs[at]) for at in places])
        made.series.append(values)
        made.runs.append(runs)
        made.seeds.append(start)
        made.keys.append(("", 0, kind, i))
    return made


def _joined(windows: list[tuple[Array, Ints]]) -> tuple[Floats, Ints]:
    """Frames of windows one after the other, and their runs, none of which goes on in the next window."""
    wide = any(runs.ndim > 1 for _, runs in windows)
    shifted, first = [], 0
    for values, runs in windows:
        own = np.broadcast_to(runs[:, None], values.shape) if wide and runs.ndim == 1 else runs
        shifted.append(own - own.min(initial=0) + first)
        first = int(shifted[-1].max(initial=0)) + 1
    return np.concatenate([values for values, _ in windows]), np.concatenate(shifted)


def _of_frames(parts: Mapping[str, WindowActivity]) -> dict[str, tuple[str, Array]]:
    """Window, condition and start [s] of every frame."""
    return {
        "window": ("frame", np.repeat(list(parts), [len(part.values) for part in parts.values()]).astype(str)),
        "condition": ("frame", np.concatenate([np.full(len(p.values), p.condition) for p in parts.values()])),
        "time": ("frame", np.concatenate([part.time for part in parts.values()])),
    }
