"""What goes into the chain of a recording (`pipeline.tpm.chain`), and what comes out of it."""

from __future__ import annotations

from typing import NamedTuple

from pipeline.base.arrays import Bools, Floats, Ints


class Recorded(NamedTuple):
    """A recording, windows one after the other.

    Attributes:
        category: (frame, unit) category of the signal; not used where the states are given.
        first: (frame,) True where the frame before is not the one before in time.
        joined: (frame, unit) True where the unit's transition into the frame counts.
        border: (window + 1,) first frame of each window, and the number of frames.
        lag: of a transition [frames]; 1 where states are hidden.
        kind: (frame,) how the bin lies to the frames of the recording: what is seen of a state may depend on it. All 0
            where that is always the same, and where the states are given.
        n_kinds: how many kinds there are.
    """

    category: Ints
    first: Bools
    joined: Bools
    border: Ints
    lag: int
    kind: Ints
    n_kinds: int


class Sweeps(NamedTuple):
    """How long a chain is.

    Attributes:
        draws: number of draws.
        thin: sweeps from one draw to the next.
        warm_up: sweeps before the first.
    """

    draws: int
    thin: int
    warm_up: int


class Model(NamedTuple):
    """What is sampled.

    Attributes:
        family: the largest family of `pipeline.tpm.parent_sets`.
        drive: whether there may be a common drive.
        hidden: whether the states are hidden, or given.
    """

    family: int
    drive: bool
    hidden: bool


class ChainDraws(NamedTuple):
    """Draws of everything that is not known.

    Attributes:
        logits: (draw, window, row, unit) logit of P(ON); rows are states, once for every level of the drive.
        parents: (draw, window, unit) bit mask of each unit's parents; bit n is the drive.
        switching: (draw, window, level, level) how the drive switches.
        amplitude: (draw, window, unit) of the drive [logit], 0 where it is absent.
        paths: (draw, frame) joint states; of given states the one path.
        emission: (draw, unit, 4 · kind, category) probability of each category, by state + 2 · state before + 4 ·
            kind; of given states none.
    """

    logits: Floats
    parents: Ints
    switching: Floats
    amplitude: Floats
    paths: Ints
    emission: Floats
