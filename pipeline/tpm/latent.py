"""Latent estimator: the states themselves are hidden, and drawn together with the TPMs of all windows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.tpm.average import Average, AverageParameters
from pipeline.tpm.sampled import SampledRecording

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.base.arrays import Bools, Ints
    from pipeline.base.parameters import Section
    from pipeline.tpm.recorded import Recorded

THIN, WARM_UP = 12, 500
LEAST_DRAWS = 200  # the estimate rests on so many, however few are asked for
FEW_FRAMES, PARTS = 4, 3  # bins of fewer frames are told apart by where their first frame lies, in so many parts
SETTLED = 1.1  # split-R-hat above this is flagged


class LatentParameters(AverageParameters):
    """Parameters of `latent`."""

    family: int = Field(2, ge=1, le=3, description=AverageParameters.model_fields["family"].description)


class Latent(Average):
    """Hidden joint states of all windows of a recording, their TPMs and what is seen of them (`pipeline.tpm.hidden`).

    Fits a recording at once (`fit_recording`). Of states that are given instead of hidden it makes what `average` makes
    of them; surrogates are estimated so.
    """

    name: ClassVar[str] = "latent"
    summary: ClassVar[str] = "as average, with the states hidden behind what was seen of them in this bin and the last"
    methods: ClassVar[str] = (
        "a hidden Markov model of the joint states of all units, one for all windows of a recording: the signal of a "
        "unit in a bin (in 15 categories) depends on its state in this bin and in the bin before, equally in all "
        "windows; each window has a TPM of its own, averaged over parent sets, families (up to family {family:d} of: "
        "each parent by itself, products of two, free tables of up to four parents) and sizes of weights, with a "
        "hidden common drive of three levels, slow and possibly absent (allowed: {drive}). Paths, TPMs, drive and "
        "emissions were drawn together by Gibbs sampling (forward filtering and backward sampling of paths, "
        "Pólya-Gamma variables for the TPMs); the estimate is the mean over the draws that have each unit's most "
        "frequent parents"
    )
    flags: ClassVar[Mapping[str, str]] = {
        "not_settled": "The chain of draws had not settled (the largest split-R-hat stands behind the colon): another "
        "seed may give other numbers.",
    }
    Parameters: ClassVar[type[Section]] = LatentParameters

    def fit_recording(
        self, states: xr.Dataset, draws: int, rng: np.random.Generator, family: int, drive: bool
    ) -> SampledRecording:
        """Draw the hidden states and TPMs of all windows of a recording.

        Args:
            states: `signal` and `states` (frame, unit), coords `window`, `segment` and `matched` along frame; frames
                that are not matched are left out.
            draws: how many; at least 200 are made.
            rng: fixes them.
            family: the largest family averaged over.
            drive: whether there may be a common drive.

        Raises:
            PhiscaleError: no signal.
        """
        from pipeline.tpm.chain import sample_recording
        from pipeline.tpm.recorded import Model, Sweeps

        where = f"recording {states.attrs.get('recording', '?')!r}"
        if "signal" not in states:
            what = "'latent' needs the signal that the states were made of"
            raise PhiscaleError(Problem(f"{where}, tpm.method", what, fix="use the method average"))
        seen = seen_of(states)
        model, sweeps = Model(family, drive, hidden=True), Sweeps(max(draws, LEAST_DRAWS), THIN, WARM_UP)
        drawn = sample_recording(seen.recorded, seen.states, model, sweeps, rng)
        return SampledRecording(seen.windows, seen.recorded, drawn, model)


def kinds_of(states: xr.Dataset) -> tuple[Ints, int]:
    """Return how each bin lies to the frames of the recording, (frame,) a number, and how many ways there are.

    They are told apart where bins hold few frames, and the first comes sooner or later after the bin's start.

    Args:
        states: `first_frame` (frame,), from the bin's start to its first frame [frame intervals]; without it there is
            one way.
    """
    found = np.zeros(states.sizes["frame"], np.int64)
    if "first_frame" in states.coords and float(states.attrs["frames_per_bin"]) < FEW_FRAMES:
        part = np.floor(np.clip(states["first_frame"].values, 0, 1 - 1e-9) * PARTS + 1e-3).astype(np.int64)
        used, found = np.unique(np.minimum(part, PARTS - 1), return_inverse=True)
        return found.astype(np.int64), len(used)
    return found, 1


class SeenRecording(NamedTuple):
    """What was seen of a recording.

    Attributes:
        windows: their names, in the order of their first frames.
        recorded: the categories of the signal, window after window.
        states: (frame, unit) the states that thresholds give, in the same order.
    """

    windows: list[str]
    recorded: Recorded
    states: Ints


def seen_of(states: xr.Dataset, among: Iterable[str] | None = None) -> SeenRecording:
    """Return what was seen of a recording; frames that are not matched are left out, and end a run.

    Windows may alternate, as bouts of sleep and wakefulness do: the frames of each are put together.

    Args:
        states: `signal` and `states` (frame, unit), coords `window`, `segment` and, where frames are left out,
            `matched` along frame.
        among: windows that are taken; by default all.
    """
    from pipeline.tpm.hidden import categories
    from pipeline.tpm.recorded import Recorded

    window, segment = states["window"].values.astype(str), states["segment"].values
    keep = states["matched"].values.astype(bool) if "matched" in states.coords else np.ones(len(window), bool)
    if among is not None:
        keep = keep & np.isin(window, list(among))
    names = list(dict.fromkeys(window[keep].tolist()))
    frame = np.concatenate([np.flatnonzero(keep & (window == name)) for name in names])
    used, window, segment = states.isel(frame=frame), window[frame], segment[frame]
    begins = np.r_[True, window[1:] != window[:-1]]
    first: Bools = begins | np.r_[True, (segment[1:] != segment[:-1]) | (np.diff(frame) != 1)]
    given: Ints = used["states"].transpose("frame", "unit").values.astype(np.int64)
    category = categories(used["signal"].transpose("frame", "unit").values, given)
    joined = np.repeat(~first[:, None], given.shape[1], axis=1)
    border = np.r_[np.flatnonzero(begins), len(frame)].astype(np.int64)
    return SeenRecording(names, Recorded(category, first, joined, border, 1, *kinds_of(used)), given)
