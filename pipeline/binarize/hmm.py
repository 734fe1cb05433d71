"""The binarizer `hmm`."""

from __future__ import annotations

from pipeline.base.arrays import Bools
from pipeline.base.parameters import Section
from pipeline.binarize.binarizer import Binarizer, Stretch


class Hmm(Binarizer):
    """ON where the upper of two hidden states is the more probable one, given all frames around."""

    name = "hmm"
    summary = "upper state of a two-state Gaussian hidden Markov model of the mean over the bin"
    methods = (
        "ON where the upper state of a two-state Gaussian hidden Markov model was the more probable one "
        "given all frames"
    )

    def decide(self, stretch: Stretch, parameters: Section) -> tuple[float, Bools]:
        """Return where both states are equally likely without regard to time, and the more probable state.

        See `Binarizer.decide`.
        """
        from pipeline.binarize.markov import hidden_markov  # compiles

        return hidden_markov(stretch.signal, stretch.segment)
