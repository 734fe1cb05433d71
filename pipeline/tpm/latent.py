"""Latent estimator: the states themselves are hidden, and drawn together with the TPMs of all windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.tpm.average import Average, AverageParameters, median_model, p_on_of, share_of_parents
from pipeline.tpm.convergence import effective_draws, split_r_hat

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.base.arrays import Array, Bools, Floats, Ints
    from pipeline.base.parameters import Section
    from pipeline.tpm.copies import Copies
    from pipeline.tpm.hidden import HiddenDraws, Seen

THIN, WARM_UP = 5, 500
LEAST_DRAWS = 200  # the estimate rests on so many, however few are asked for
PATHS = 20  # that are kept, for surrogates
COPY_WARM_UP, COPY_CHAIN, COPY_THIN = 200, 60, 2  # of the shorter chains that are fitted to copies
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
        drawn = sample_hidden(seen, given, family, max(draws, LEAST_DRAWS), THIN, WARM_UP, rng)
        return LatentRecording(names, seen, drawn, family)


class LatentRecording:
    """What was drawn of a recording; a posterior for each of its windows.

    Args:
        names: windows in order.
        seen: what was seen of all of them.
        draws: of all of them.
        family: the largest family averaged over.
    """

    def __init__(self, names: list[str], seen: Seen, draws: HiddenDraws, family: int) -> None:
        self.names, self.seen, self.draws, self.family = names, seen, draws, family
        self.copies: dict[str, Copies] = {}

    def __contains__(self, window: object) -> bool:
        return window in self.names

    def posterior(self, window: str) -> LatentPosterior:
        """Return the posterior of one window."""
        w = self.names.index(window)
        paths = self.draws.paths[:, self._frames(w)]
        return LatentPosterior(self.draws.logits[:, w], self.draws.parents[:, w], paths, self.copies.get(window))

    def copy(self, n: int, rng: np.random.Generator) -> None:
        """Simulate what would be seen of `n` recordings, each of one of the draws, and fit them with shorter chains.

        Args:
            n: number of copies, of draws that are evenly spaced.
            rng: fixes them.
        """
        from pipeline.tpm.copies import Copies

        chosen = np.linspace(0, len(self.draws.logits) - 1, n).astype(int)
        made = [self._copy(int(d), rng) for d in chosen]
        parts = ([np.stack(part) for part in zip(*of_window, strict=True)] for of_window in zip(*made, strict=True))
        self.copies = {name: Copies(*part) for name, part in zip(self.names, parts, strict=True)}

    def _copy(self, d: int, rng: np.random.Generator) -> list[tuple[Floats, Floats, Floats, Floats]]:
        """Return, per window, the TPM of a draw, draws of what is estimated from its copy, and both occupancies."""
        from pipeline.tpm.copies import shares
        from pipeline.tpm.hidden import OFF_CATEGORIES, sample_hidden
        from pipeline.tpm.simulated import simulate_seen, stationary

        category, truths = np.zeros_like(self.seen.category), []
        for w in range(len(self.names)):
            frames, p_on = self._frames(w), p_on_of(self.draws.logits[d, w])
            occupancy = shares(self.draws.paths[d : d + 1, frames], len(p_on))[0]
            emission = self.draws.emission[d]
            simulate_seen(rng, p_on, occupancy, emission, self.seen.first[frames], category[frames])
            truths.append((p_on, stationary(p_on, occupancy)))
        start = (category >= OFF_CATEGORIES).astype(np.int64)
        seen = self.seen._replace(category=category)
        refit = sample_hidden(seen, start, self.family, COPY_CHAIN, COPY_THIN, COPY_WARM_UP, rng)
        return [
            (p_on, p_on_of(refit.logits[:, w]), shares(refit.paths[:, self._frames(w)], len(p_on)).mean(0), stays)
            for w, (p_on, stays) in enumerate(truths)
        ]

    def _frames(self, w: int) -> slice:
        return slice(int(self.seen.border[w]), int(self.seen.border[w + 1]))


class LatentPosterior:
    """Posterior of one window of a recording.

    Args:
        logits: (draw, state, unit) logit of P(ON).
        parents: (draw, unit) bit mask of each unit's parents.
        paths: (draw, frame) joint states.
        copies: simulated copies of the window, None where there are none.

    Attributes:
        p_on: (state, unit) mean over the draws in which the unit has its most frequent parents.
        connection: (unit, unit) share of draws in which the second unit is a parent of the first.
        occupancy: (state,) mean share of frames in each joint state.
        paths: (path, frame, unit) states in some of the draws, evenly spaced.
        r_hat: the largest split-R-hat of the units' logits at the window's occupancy.
        effective_draws: the least number of independent draws that these are worth.
    """

    def __init__(self, logits: Floats, parents: Ints, paths: Ints, copies: Copies | None = None) -> None:
        self.copies = copies
        n_states, n_units = logits.shape[1:]
        self._drawn: Floats = p_on_of(logits)
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
