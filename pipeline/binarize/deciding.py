"""From activity to ON and OFF by a chosen method: what holds whatever the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.base.arrays import Array, Bools, Floats
from pipeline.base.errors import PhiscaleError, Problem, Problems
from pipeline.base.parameters import Section, filled
from pipeline.binarize import bins as binning
from pipeline.binarize.binarizer import Activity, Binarizer, Signal, Stretch
from pipeline.binarize.parameters import BinarizeCommon
from pipeline.binarize.registry import BINARIZERS


@dataclass(frozen=True)
class Rule:
    """A method and its parameters.

    Attributes:
        binarizer: the method.
        own: its parameters, an object of its `Parameters`.
    """

    binarizer: Binarizer
    own: Section


@dataclass(frozen=True)
class Decided:
    """What became of the activity.

    Attributes:
        states: (frame, unit) uint8, 1 for ON.
        signal: what was compared with the threshold.
        limits: (stretch, unit) thresholds, in units of the signal.
    """

    states: Array
    signal: Signal
    limits: Floats


def rule_of(where: str, method: str, given: Mapping[str, Any], bin_s: float, rate_hz: float) -> Rule:
    """Return the rule that a caller asks for.

    Args:
        where: what messages call the activity.
        method: name of the method.
        given: its parameters, as far as they are given.
        bin_s: length of a bin [s].
        rate_hz: frame rate [Hz].

    Raises:
        PhiscaleError: there is no such method, it has no such parameter, or a bin is shorter than a frame.
    """
    binarizer = BINARIZERS.choose(method, f"{where}, binarize.method")
    windowed = [name for name in given if name in BinarizeCommon.model_fields]
    if windowed:
        raise PhiscaleError(
            Problem(
                f"binarize.{windowed[0]}",
                "is about the windows of a recording, and there are none here",
                "It would change nothing",
                "leave it out, or use binarize_windows",
            )
        )
    own = filled(binarizer.Parameters, given, "binarize", f"the method {method!r}")
    problems = Problems()
    binning.check_length(where, bin_s, rate_hz, problems)
    problems.raise_if_any()
    return Rule(binarizer, own)


def decide(activity: Activity, together: Mapping[str, Bools], rule: Rule) -> Decided:
    """Return the states of all units.

    Args:
        activity: of a recording.
        together: stretches of frames that share a threshold, by name: masks (frame,).
        rule: how a unit's ON state is decided.

    Raises:
        PhiscaleError: units that are constant in a stretch, or never or always ON; all of them together.
    """
    bins = activity.bins
    signal = rule.binarizer.signal(activity, rule.own)
    states = np.zeros(signal.values.shape, np.uint8)
    limits = np.empty((len(together), len(activity.units)))
    problems = Problems()
    for i, (name, frames) in enumerate(together.items()):
        inside = np.isin(bins.of_frame, activity.kept[frames]) & bins.used
        for u, unit in enumerate(activity.units):
            trace = activity.values[:, u]
            if np.ptp(trace[inside]) == 0:
                problems.add(
                    f"{activity.where}, unit {unit}",
                    f"its activity is constant in {name}",
                    "It has no ON state there, and carries no information",
                    "leave it out, or check the recording for a lost neuron",
                )
                continue
            part, segment, decay_s = signal.values[frames, u], activity.segment[frames], float(signal.decay_s[u])
            stretch = Stretch(part, segment, trace, inside, bins.rate_hz, bins.frames, decay_s)
            limits[i, u], states[frames, u] = rule.binarizer.decide(stretch, rule.own)
    problems.raise_if_any()
    _check_states(activity, states, limits, rule.binarizer.fix)
    return Decided(states, signal, limits)


def _check_states(activity: Activity, states: Array, limits: Floats, fix: str) -> None:
    problems = Problems()
    for unit, on, limit in zip(activity.units, states.T.astype(bool), limits.T, strict=True):
        if on.all() or not on.any():
            problems.add(
                f"{activity.where}, unit {unit}",
                f"it is {'always' if on.all() else 'never'} ON (threshold {limit.max():.4g})",
                "No transition of it can be seen",
                fix,
            )
    problems.raise_if_any()
