"""The course of a recording: what the ensembles do, step by step, and how each step and frame is seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.base.arrays import Array, Ints, Strings
from pipeline.base.seeds import generator
from pipeline.simulation.drives import DRIVES
from pipeline.simulation.imaging import Clarity, Detected, View
from pipeline.simulation.parameters import CONDITIONS, Simulate
from pipeline.simulation.regimes import Regime
from pipeline.simulation.registry import SUBSTRATES
from pipeline.simulation.substrate import Circumstances, spread_out


@dataclass(frozen=True)
class Course:
    """What happens in a recording.

    Attributes:
        states: (step, unit) uint8 states of the recorded ensembles.
        condition: (step,) condition.
        regimes: the substrate in each condition.
        phase_s: time from the start of the first step to the first frame [s].
        settings: the section `simulate`.
    """

    states: Array
    condition: Strings
    regimes: Mapping[str, Regime]
    phase_s: float
    settings: Simulate

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return round(len(self.regimes) * self.settings.duration_s * self.settings.rate_hz)

    @property
    def view(self) -> View:
        """When frames are taken, and how light follows a spike."""
        s = self.settings
        return View(s.step_s, s.rate_hz, self.phase_s, s.onset_share, s.transient)

    @property
    def step_of_frame(self) -> Ints:
        """(frame,) the step in which each frame is taken."""
        time = np.arange(self.n_frames) / self.settings.rate_hz + self.phase_s
        step: Ints = np.floor(time / self.settings.step_s + 1e-9).astype(int)
        return np.minimum(step, len(self.states) - 1)

    @property
    def detected(self) -> Detected:
        """How likely a neuron fires in each step."""
        seen = self._seen(self.condition)
        return Detected(seen["participation"], seen["participation"] * seen["spontaneous"])

    @property
    def clarity(self) -> Clarity:
        """How well each frame can be read."""
        seen = self._seen(self.condition[self.step_of_frame])
        return Clarity(seen["brightness"], seen["noise"])

    def _seen(self, condition: Strings) -> dict[str, Array]:
        by_condition = {name: self.settings.seen(name) for name in self.regimes}
        fields = next(iter(by_condition.values()))
        found = {field: np.zeros(len(condition)) for field in fields}
        for name, values in by_condition.items():
            for field, value in values.items():
                found[field][condition == name] = value
        return found


def run_course(subject_index: int, recording: str, windows: pd.DataFrame, seed: int, settings: Simulate) -> Course:
    """Draw what the ensembles of a recording do.

    Each window is a run of its condition's substrate that starts from where the one before ended, the first one from
    the stationary law. A window begins with the first step that lies wholly in it.

    Args:
        subject_index: which animal: its substrate is drawn with this number.
        recording: identifier of the recording.
        windows: rows condition, start_s of this recording.
        seed: of the study.
        settings: the section `simulate`.
    """
    ordered = windows.sort_values("start_s")
    shown = list(dict.fromkeys(ordered["condition"]))
    regimes = regimes_of(subject_index, [c for c in CONDITIONS if c in shown], seed, settings)
    phase = _phase_s(recording, seed, settings)
    steps = int(np.ceil((len(shown) * settings.duration_s + phase) / settings.step_s - 1e-9))
    borders = np.ceil((ordered["start_s"].to_numpy(float) + phase) / settings.step_s - 1e-9).astype(int)
    borders = np.append(np.clip(borders, 0, steps), steps)
    borders[0] = 0
    rng = generator(seed, "states", recording)
    state, pieces = None, []
    for condition, (first, last) in zip(ordered["condition"], pairwise(borders), strict=True):
        pieces.append(regimes[condition].run_all(last - first, rng, state))
        state = pieces[-1][-1] if len(pieces[-1]) else state
    recorded = next(iter(regimes.values())).recorded
    conditions = np.repeat(ordered["condition"].to_numpy(str), np.diff(borders))
    return Course(np.concatenate(pieces)[:, recorded], conditions, regimes, phase, settings)


def regimes_of(subject_index: int, conditions: list[str], seed: int, settings: Simulate) -> dict[str, Regime]:
    """Return the substrate of an animal in each condition.

    Args:
        subject_index: which animal: its substrate is drawn with this number.
        conditions: that are wanted.
        seed: of the study.
        settings: the section `simulate`.
    """
    substrate, n = SUBSTRATES[settings.substrate], settings.all_units
    drawn = substrate.draw(n, settings.jitter, generator(seed, "couplings", subject_index))
    steps = settings.drive_s / settings.step_s
    return {
        condition: substrate.regime(
            drawn,
            Circumstances(
                condition=condition,
                coupling=settings.coupling(condition),
                drive=DRIVES[settings.drive](settings.amplitude(condition), steps),
                drift=settings.drift_logit.get(condition, 0.0),
                hidden=spread_out(n, settings.hidden),
                step_s=settings.step_s,
            ),
        )
        for condition in conditions
    }


def _phase_s(recording: str, seed: int, settings: Simulate) -> float:
    share = settings.phase
    if share == "random":
        share = float(generator(seed, "phase", recording).random())
    return float(share) * settings.step_s
