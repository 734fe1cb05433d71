"""The binarizer `events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.base.arrays import Bools
from pipeline.base.parameters import Deviations, Seconds, Section
from pipeline.binarize.binarizer import Activity, Binarizer, Signal, Stretch, above


class Events(Binarizer):
    """ON where calcium rises within the bin by more than noise alone would let it."""

    name = "events"
    summary = "rise of calcium within the bin above z standard deviations that noise gives it (deconvolution)"
    methods = (
        "ON where its calcium rose, over the bin, by more than {z:g} times the standard deviation that noise alone "
        "gives such a rise; rises were found by non-negative deconvolution with {decay}"
    )
    references = (
        "Friedrich J, Zhou P, Paninski L (2017). Fast online deconvolution of calcium imaging data. "
        "PLoS Computational Biology 13(3): e1005423.",
    )
    signal_name = "rise of calcium in the bin"
    fix = "lower binarize.z, correct binarize.tau_s, or leave the unit out"

    class Parameters(Section):
        """Fields of the method `events`."""

        z: Deviations = Field(3.0, description="Threshold of a rise [standard deviations that noise gives it]")
        tau_s: Seconds | None = Field(
            0.7,
            description="Decay time of the indicator [s]; empty estimates it for each unit "
            "(needs the extra 'deconvolution')",
        )

    def signal(self, activity: Activity, parameters: Parameters) -> Signal:
        """Return the rise of calcium within each bin, of transients found in the whole recording.

        See `Binarizer.signal`.
        """
        from pipeline.binarize.decay import decay_times
        from pipeline.binarize.deconvolve import find_rises  # compiles

        bins, values = activity.bins, activity.values
        decay_s = decay_times(values, bins.used, bins.rate_hz, parameters.tau_s, activity.units, where=activity.where)
        rises = [find_rises(trace, bins, tau) for trace, tau in zip(values.T, decay_s, strict=True)]
        return Signal(bins.total(np.column_stack(rises))[activity.kept], decay_s)

    def decide(self, stretch: Stretch, parameters: Parameters) -> tuple[float, Bools]:
        """Return z times the standard deviation of a rise by noise alone, and where the rise exceeds it.

        See `Binarizer.decide`.
        """
        from pipeline.binarize.deconvolve import rise_noise

        noise = rise_noise(stretch.trace, stretch.inside, stretch.rate_hz, stretch.decay_s, stretch.bin_frames)
        return above(stretch.signal, parameters.z * noise)

    def sentence(self, section: Mapping[str, Any]) -> str:
        """Return `methods` filled in, with what is said of the decay time."""
        tau_s = section["tau_s"]
        decay = "a decay time estimated for each unit" if tau_s is None else f"a decay time of {tau_s:g} s"
        return self.methods.format(**section, decay=decay)
