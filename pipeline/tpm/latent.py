"""Latent estimator: the states themselves are hidden, and drawn together with the TPMs of all windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.tpm.average import Average, AverageParameters, median_model, share_of_parents
from pipeline.tpm.convergence import effective_draws, split_r_hat

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.base.arrays import Array, Bools, Floats, Ints
    from pipeline.base.parameters import Section
    from pipeline.tpm.hidden import HiddenDraws

THIN, WARM_UP = 5, 500
LEAST_DRAWS = 200  # the estimate rests on so many, however few are asked for
PATHS = 20  # that are kept, for surrogates
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
        "each parent by itself, products of two, free tables of up to four parents) and sizes of weights. Paths, TPMs "
        "and emissions were drawn together by Gibbs sampling (forward filtering and backward sampling of paths, "
        "Pólya-Gamma variables for the TPMs); the estimate is the mean over the draws that have each unit's most "
        "frequent parents"
    )
    flags: ClassVar[Mapping[str, str]] = {
        "not_settled": "The chain of draws had not settled (the largest split-R-hat stands behind the colon): another "
        "seed may give other numbers.",
    }
    Parameters: ClassVar[type[Section]] = LatentParameters

    def fit_recording(self, states: xr.Dataset, draws: int, rng: np.random.Generator, family: int) -> LatentRecording:
        """Draw the hidden states and TPMs of all windows of a recording.

        Args:
            states: `signal` and `states` (frame, unit), coords `window`, `segment` and `matched` along frame; frames
                that are not matched are left out.
            draws: how many; at least 200 are made.
            rng: fixes them.
            family: the largest family averaged over.

        Raises:
            PhiscaleError: no signal, or more units than joint states can be enumerated of.
        """
        from pipeline.tpm.hidden import MAX_UNITS, Seen, categories, sample_hidden

        where = f"recording {states.attrs.get('recording', '?')!r}"
        if states.sizes["unit"] > MAX_UNITS:
            what = f"'latent' with {states.sizes['unit']} units (at most {MAX_UNITS})"
            fix = "use the method average, or fewer units"
            raise PhiscaleError(Problem(f"{where}, tpm.method", what, "Its joint states are too many", fix))
        if "signal" not in states:
            what = "'latent' needs the signal that the states were made of"
            raise PhiscaleError(Problem(f"{where}, tpm.method", what, fix="use the method average"))
        used = states.isel(frame=np.flatnonzero(states["matched"].values))
        names, first, border = windows_of(used)
        given: Array = used["states"].transpose("frame", "unit").values.astype(np.int64)
        signal: Floats = used["signal"].transpose("frame", "unit").values
        seen = Seen(categories(signal, given), first, border)
        return LatentRecording(
            names, border, sample_hidden(seen, given, family, max(draws, LEAST_DRAWS), THIN, WARM_UP, rng)
        )


class LatentRecording:
    """What was drawn of a recording; a posterior for each of its windows.

    Args:
        names: windows in order.
        border: (window + 1,) first frame of each, and the number of frames.
        draws: of all of them.
    """

    def __init__(self, names: list[str], border: Ints, draws: HiddenDraws) -> None:
        self.names, self.border, self.draws = names, border, draws

    def __contains__(self, window: object) -> bool:
        return window in self.names

    def posterior(self, window: str) -> LatentPosterior:
        """Return the posterior of one window."""
        w = self.names.index(window)
        frames = slice(int(self.border[w]), int(self.border[w + 1]))
        return LatentPosterior(self.draws.logits[:, w], self.draws.parents[:, w], self.draws.paths[:, frames])


class LatentPosterior:
    """Posterior of one window of a recording.

    Args:
        logits: (draw, state, unit) logit of P(ON).
        parents: (draw, unit) bit mask of each unit's parents.
        paths: (draw, frame) joint states.

    Attributes:
        p_on: (state, unit) mean over the draws in which the unit has its most frequent parents.
        connection: (unit, unit) share of draws in which the second unit is a parent of the first.
        occupancy: (state,) mean share of frames in each joint state.
        paths: (path, frame, unit) states in some of the draws, evenly spaced.
        r_hat: the largest split-R-hat of the units' logits at the window's occupancy.
        effective_draws: the least number of independent draws that these are worth.
    """

    def __init__(self, logits: Floats, parents: Ints, paths: Ints) -> None:
        n_states, n_units = logits.shape[1:]
        self._drawn: Floats = 1 / (1 + np.exp(-logits))
        self.p_on: Floats = median_model(self._drawn, parents)
        self.connection: Floats = share_of_parents(parents)
        self.occupancy: Floats = np.bincount(paths.ravel(), minlength=n_states) / paths.size
        kept = np.linspace(0, len(paths) - 1, min(PATHS, len(paths))).astype(int)
        self.paths: Ints = paths[kept][..., None] >> np.arange(n_units) & 1
        level = np.einsum("s,dsu->du", self.occupancy, logits)
        self.r_hat = float(np.nanmax(split_r_hat(level), initial=1.0))
        self.effective_draws = float(np.nanmin(effective_draws(level), initial=float(len(logits))))

    def draw(self, n: int, rng: np.random.Generator) -> Floats:
        """Return `n` of the draws, (n, state, unit): evenly spaced ones. They are made already; `rng` is not used.

        Raises:
            ValueError: more than were made.
        """
        if n > len(self._drawn):
            raise ValueError(f"{n} draws of {len(self._drawn)}")
        chosen: Floats = self._drawn[np.linspace(0, len(self._drawn) - 1, n).astype(int)]
        return chosen


def windows_of(states: xr.Dataset) -> tuple[list[str], Bools, Ints]:
    """Return the windows in order, which frames (frame,) have no frame before them, and each window's first frame."""
    window, segment = states["window"].values.astype(str), states["segment"].values
    borders = np.flatnonzero(np.r_[True, window[1:] != window[:-1]])
    names = [str(window[i]) for i in borders]
    first = np.r_[True, (window[1:] != window[:-1]) | (segment[1:] != segment[:-1])]
    return names, first, np.r_[borders, len(window)].astype(np.int64)
