"""What a chain (`pipeline.tpm.chain`) tells of a recording and its windows, and simulated copies of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.tpm.convergence import effective_draws, split_r_hat
from pipeline.tpm.copies import Copies, shares

if TYPE_CHECKING:
    from pipeline.base.arrays import Array, Bools, Floats, Ints
    from pipeline.tpm.recorded import ChainDraws, Model, Recorded

PATHS = 20  # that are kept, for surrogates
JEFFREYS = 0.5  # of the rate of a unit that never changes
COPY_DRAWS = 50  # of each copy
MOST_OBSERVED = 6  # units up to which the observational TPM is computed of one whose drive is held


class SampledRecording:
    """What was drawn of a recording; a posterior for each of its windows.

    Args:
        names: windows in order.
        recorded: what was seen of all of them.
        draws: of all of them.
        model: what was sampled.
    """

    def __init__(self, names: list[str], recorded: Recorded, draws: ChainDraws, model: Model) -> None:
        self.names, self.recorded, self.draws, self.model = names, recorded, draws, model
        self.copies: dict[str, Copies] = {}

    def __contains__(self, window: object) -> bool:
        return window in self.names

    def posterior(self, window: str) -> SampledWindow:
        """Return the posterior of one window."""
        w = self.names.index(window)
        return SampledWindow(self, w, self.copies.get(window))

    def frames(self, w: int) -> slice:
        """Return where the frames of a window stand."""
        return slice(int(self.recorded.border[w]), int(self.recorded.border[w + 1]))

    def path(self, d: int, w: int) -> Ints:
        """Return the joint states (frame,) of a window in a draw."""
        path: Ints = self.draws.paths[d if self.model.hidden else 0, self.frames(w)]
        return path

    def by_level(self, w: int) -> Floats:
        """Return (draw, level, state, unit) P(ON) of a window under each level of the drive."""
        logits = self.draws.logits[:, w]
        n_units = logits.shape[2]
        return p_on_of(logits.reshape(len(logits), -1, 2**n_units, n_units))

    def copy(self, n: int, rng: np.random.Generator) -> None:
        """Simulate `n` recordings, each of one of the draws, and fit them with shorter chains.

        Args:
            n: number of copies, of draws that are evenly spaced.
            rng: fixes them.
        """
        chosen = np.linspace(0, len(self.draws.logits) - 1, n).astype(int)
        made = [self._copy(int(d), rng) for d in chosen]
        parts = ([np.stack(part) for part in zip(*of_window, strict=True)] for of_window in zip(*made, strict=True))
        self.copies = {name: Copies(*part) for name, part in zip(self.names, parts, strict=True)}

    def _copy(self, d: int, rng: np.random.Generator) -> list[list[Floats]]:
        """Return, per window, the fields of `Copies` of one copy."""
        from pipeline.tpm.drive import drive_held, observational, stationary_with_drive

        systems = [(self.by_level(w)[d], self.draws.switching[d, w]) for w in range(len(self.names))]
        occupancy = [shares(self.path(d, w)[None], systems[w][0].shape[1])[0] for w in range(len(self.names))]
        refit = self.refit(systems, occupancy, self.draws.emission[d if self.model.hidden else 0], rng)
        found = []
        for w, (p_on, switching) in enumerate(systems):
            by_level, switchings = refit.by_level(w), refit.draws.switching[:, w]
            held = drive_held(by_level, switchings)
            paths = np.stack([refit.path(i, w) for i in range(len(held) if self.model.hidden else 1)])
            stays = stationary_with_drive(p_on, switching).sum(axis=0)
            occupied: Floats = shares(paths, p_on.shape[1]).mean(axis=0)
            fields: list[Floats] = [drive_held(p_on, switching), held, occupied, stays]
            if self.model.drive and p_on.shape[2] <= MOST_OBSERVED:
                fields += [observational(p_on[None], switching[None])[0], observational(by_level, switchings)]
            found.append(fields)
        return found

    def refit(
        self,
        systems: list[tuple[Floats, Floats]],
        occupancy: list[Floats],
        emission: Floats,
        rng: np.random.Generator,
    ) -> SampledRecording:
        """Simulate what would be seen of other TPMs in a recording like this one, and fit it with a shorter chain.

        Args:
            systems: for each window, (level, state, unit) P(ON) under each level of the drive, and (level, level) how
                the drive switches.
            occupancy: for each window, (state,) shares from which the states before each stretch are drawn.
            emission: (unit, 4 · kind, category) what is seen of hidden states; of given ones not used.
            rng: fixes what is simulated, and the chain.
        """
        from pipeline.base.raster import bits
        from pipeline.tpm.chain import sample_recording
        from pipeline.tpm.hidden import OFF_CATEGORIES
        from pipeline.tpm.recorded import Sweeps
        from pipeline.tpm.simulated import simulate_path, simulate_seen

        path, category = np.zeros(len(self.recorded.first), np.int64), np.zeros_like(self.recorded.category)
        starts: Bools = np.asarray(~self.recorded.joined.any(axis=1))
        for w, (p_on, switching) in enumerate(systems):
            frames = self.frames(w)
            if self.model.hidden:
                first, kind = self.recorded.first[frames], self.recorded.kind[frames]
                simulate_seen(rng, p_on, switching, occupancy[w], emission, first, kind, category[frames])
            else:
                path[frames] = simulate_path(
                    rng, p_on, switching, starts[frames], self.recorded.lag, np.cumsum(occupancy[w])
                )
        states = (category >= OFF_CATEGORIES).astype(np.int64) if self.model.hidden else bits(path, category.shape[1])
        recorded = self.recorded._replace(category=category)
        sweeps = Sweeps(COPY_DRAWS, 2, 120 if self.model.hidden else 100)
        return SampledRecording(
            self.names, recorded, sample_recording(recorded, states, self.model, sweeps, rng), self.model
        )


class SampledWindow:
    """Posterior of one window of a recording.

    Args:
        recording: what was drawn of it.
        w: number of the window.
        copies: simulated copies of the window, None where there are none.

    Attributes:
        p_on: (state, unit) mean over the draws in which the unit has its most frequent parents; drive-held where there
            may be a drive.
        observed: whether the observational TPM is told apart: a drive was allowed, and there are not too many units.
        connection: (unit, unit) share of draws in which the second unit is a parent of the first.
        driven: (unit,) share of draws in which the drive acts on the unit; None where none was allowed.
        amplitude: (unit,) mean size of what the drive adds to the unit's logit; None where none was allowed.
        hidden: whether the states were drawn as well.
        occupancy: (state,) mean share of frames in each joint state.
        paths: (path, frame, unit) states in some of the draws, evenly spaced; given ones once.
        r_hat: the largest split-R-hat of the units' logits at the window's occupancy.
        effective_draws: the least number of independent draws that these are worth.
    """

    def __init__(self, recording: SampledRecording, w: int, copies: Copies | None = None) -> None:
        from pipeline.tpm.drive import drive_held

        self.copies, self.hidden, draws = copies, recording.model.hidden, recording.draws
        self._by_level, self._switching = recording.by_level(w), draws.switching[:, w]
        n_draws, _, n_states, n_units = self._by_level.shape
        units = draws.parents[:, w] & ((1 << n_units) - 1)
        used = np.linspace(0, n_draws - 1, min(PATHS, n_draws)).astype(int) if self.hidden else np.zeros(1, int)
        self.paths: Ints = np.stack([recording.path(int(d), w) for d in used])[..., None] >> np.arange(n_units) & 1
        self._drawn = self._with_constant(drive_held(self._by_level, self._switching), self.paths[0])
        self._parents = units
        self.p_on: Floats = median_model(self._drawn, units)
        self.connection: Floats = share_of_parents(units)
        drive = recording.model.drive
        self.observed = drive and n_units <= MOST_OBSERVED
        self.driven: Floats | None = (draws.parents[:, w] >> n_units & 1).mean(axis=0) if drive else None
        self.amplitude: Floats | None = np.abs(draws.amplitude[:, w]).mean(axis=0) if drive else None
        every = np.concatenate([recording.path(d, w) for d in range(len(draws.paths))])
        self.occupancy: Floats = np.bincount(every, minlength=n_states) / every.size
        level = np.einsum("s,dsu->du", self.occupancy, logit_of(self._drawn))
        self.r_hat = float(np.nanmax(split_r_hat(level), initial=1.0))
        self.effective_draws = float(np.nanmin(effective_draws(level), initial=float(n_draws)))

    @property
    def p_on_observational(self) -> Floats | None:
        """(state, unit) P(ON | state) as an unlimited recording shows it; None where it is not told apart."""
        if not self.observed:
            return None
        return median_model(self.draw_observational(len(self._drawn)), self._parents)

    def draw(self, n: int, rng: np.random.Generator | None = None) -> Floats:
        """Return `n` of the draws, (n, state, unit): evenly spaced ones. They are made already; `rng` is not used.

        Raises:
            ValueError: more than were made.
        """
        return self._drawn[self._chosen(n)]

    def draw_observational(self, n: int) -> Floats:
        """Return the same draws, observational."""
        from pipeline.tpm.drive import observational

        chosen = self._chosen(n)
        found = observational(self._by_level[chosen], self._switching[chosen])
        return self._with_constant(found, self.paths[0])

    def _chosen(self, n: int) -> Ints:
        if n > len(self._drawn):
            raise ValueError(f"{n} draws of {len(self._drawn)}")
        return np.linspace(0, len(self._drawn) - 1, n).astype(int)

    def _with_constant(self, p_on: Floats, states: Array) -> Floats:
        """Give units that never change the posterior of their rate, Beta(ON + ½, OFF + ½), the same after every state.

        A chain leaves such a unit as it is.
        """
        on, n = states.sum(axis=0), len(states)
        constant: Bools = (on == 0) | (on == n)
        if self.hidden or not constant.any():
            return p_on
        rate = np.random.default_rng(n).beta(on + JEFFREYS, n - on + JEFFREYS, size=(len(p_on), len(on)))
        return np.where(constant, rate[:, None, :], p_on)


def median_model(p_on: Floats, parents: Ints) -> Floats:
    """Return (state, unit) the mean of draws (draw, state, unit) in which each unit has its most frequent parents.

    The mean over all draws would have a weak connection wherever a draw has one.
    """
    columns = []
    for u in range(p_on.shape[2]):
        sets, times = np.unique(parents[:, u], return_counts=True)
        columns.append(p_on[parents[:, u] == sets[times.argmax()], :, u].mean(axis=0))
    return np.stack(columns, axis=1)


def share_of_parents(parents: Ints) -> Floats:
    """Return (unit, unit) the share of draws (draw, unit) in which the second unit is a parent of the first."""
    share: Floats = (parents[:, :, None] >> np.arange(parents.shape[1]) & 1).mean(axis=0)
    return share


def p_on_of(logits: Floats) -> Floats:
    """Return P(ON) of logits of any shape."""
    value: Floats = 1 / (1 + np.exp(-logits))
    return value


def logit_of(p_on: Floats) -> Floats:
    """Return logits of P(ON) of any shape, kept finite."""
    inside = np.clip(p_on, 1e-12, 1 - 1e-12)
    value: Floats = np.log(inside / (1 - inside))
    return value
