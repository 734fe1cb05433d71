"""How the light of neurons carries slow continuous dynamics beside what their ensembles do.

The neurons of a site stand in two opposed halves: where one half brightens, the other darkens by as much. The mean over
a simulated ensemble, which is what becomes ON and OFF, holds none of it but what running baselines of single neurons
make of it, which is slow: what is true of phi_s and Φ is what it is without, and about 1 % of the states that are read
differ. Ensembles that are cut finer than the simulated ones show it. Running baselines take it away where they do not
last several times as long as a stay in a well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.base.arrays import Floats, Ints, Strings
from pipeline.base.seeds import generator
from pipeline.simulation.course import Course
from pipeline.simulation.landscape import Landscape, Tree, TwoWells, landscape, paths, spreads


@dataclass(frozen=True)
class Carried:
    """Continuous dynamics of a recording, and the neurons that carry them.

    Attributes:
        tree: of the variables.
        landscapes: of each condition.
        values: (frame, variable).
        condition: (frame,) condition.
        site: (neuron,) index of the site of each neuron.
        sign: (neuron,) +1 or -1 by the half of the site, 0 of a neuron that carries nothing.
        gain: ΔF/F of one standard deviation of a site.
        every: frames from one value that is written to the next.
    """

    tree: Tree
    landscapes: dict[str, Landscape]
    values: Floats
    condition: Strings
    site: Ints
    sign: Floats
    gain: float
    every: int

    @property
    def light(self) -> NDArray[np.float32]:
        """What is added to ΔF/F, (frame, neuron): levels of calcium, which no spike and no kinetics stand between."""
        of_site = np.empty((len(self.values), self.tree.weight.shape[1]))
        for name, one in self.landscapes.items():
            own = self.condition == name
            of_site[own] = self.values[own] @ one.load
        seen = (self.gain * of_site).astype(np.float32)
        return np.asarray(seen[:, self.site] * self.sign.astype(np.float32))

    def told(self, names: list[str], rate_hz: float) -> dict[str, Any]:
        """Return what is true of the whole recording, ready for JSON.

        Args:
            names: of the neurons.
            rate_hz: frames per second [Hz].

        Returns:
            gain_dff, every_s (time from one value to the next, the first at the first frame), values (one list per
            variable), neuron_site and neuron_sign.
        """
        return {
            "gain_dff": self.gain,
            "every_s": self.every / rate_hz,
            "values": np.round(self.values[:: self.every].T, 3).tolist(),
            "neuron_site": dict(zip(names, self.site.tolist(), strict=True)),
            "neuron_sign": dict(zip(names, self.sign.astype(int).tolist(), strict=True)),
        }

    def of_condition(self, condition: str) -> list[dict[str, Any]]:
        """Return what is true of each variable in a condition; see `Landscape.told`."""
        return self.landscapes[condition].told(self.tree)


def carried(course: Course, subject_index: int, recording: str, xy: Floats, ensemble: Ints, seed: int) -> Carried:
    """Draw the continuous dynamics of a recording.

    Args:
        course: of the recording.
        subject_index: which animal: its time constants are drawn with this number.
        recording: identifier of the recording.
        xy: (neuron, 2) positions [mm].
        ensemble: (neuron,) index of the ensemble of each.
        seed: of the study.
    """
    settings = course.settings
    tree = Tree.of(settings.recorded * settings.landscape_sites)
    spread = spreads(subject_index, tree, seed)
    awake = TwoWells.lasting(settings.landscape_stay_s * spread[0], settings.landscape_barrier)
    times = settings.landscape_s * spread
    landscapes = {
        name: landscape(name, tree, times, replace(awake, barrier=awake.barrier * settings.coupling(name)))
        for name in course.regimes
    }
    condition = course.condition[course.step_of_frame]
    values = paths(condition, landscapes, settings.rate_hz, generator(seed, "landscape", recording))
    site, sign = opposed(xy, ensemble, settings.landscape_sites)
    every = max(1, round(settings.step_s * settings.rate_hz))
    return Carried(tree, landscapes, values, condition, site, sign, settings.landscape, every)


def lengthened(xy: Floats, ensemble: Ints, parts: int) -> Floats:
    """Make ensembles twice as long as they are wide where each is one site.

    A grouping as fine as the opposed halves then cuts between them; of round ensembles it cuts some across, whose
    halves hold as much of the one sign as of the other.

    Args:
        xy: (neuron, 2) positions [mm].
        ensemble: (neuron,) index of the ensemble of each.
        parts: sites of each ensemble.

    Returns:
        (neuron, 2) positions, each ensemble drawn together across its longest axis.
    """
    found = np.array(xy)
    for index in range(ensemble.max() + 1):
        own = ensemble == index
        middle = xy[own].mean(axis=0)
        axes = _axes(xy[own] - middle)
        found[own] = middle + (xy[own] - middle) @ axes.T * [1, min(1, parts / 2)] @ axes
    return found


def _axes(centred: Floats) -> Floats:
    """The longest axis and the one across it, as rows, of positions about their mean."""
    return np.asarray(np.linalg.svd(centred, full_matrices=False)[2])


def opposed(xy: Floats, ensemble: Ints, parts: int) -> tuple[Ints, Floats]:
    """Divide neurons into sites, and each site into two opposed halves.

    The halves lie to either side along the longest axis of an ensemble, so that a finer grouping by position tells
    them apart; the sites of an ensemble are strips across them.

    Args:
        xy: (neuron, 2) positions [mm].
        ensemble: (neuron,) index.
        parts: sites of each ensemble.

    Returns:
        (neuron,) index of the site, and (neuron,) sign: +1, -1, or 0 where a neuron is left over.
    """
    site, sign = np.zeros(len(xy), np.int64), np.zeros(len(xy))
    for index in range(ensemble.max() + 1):
        members = np.flatnonzero(ensemble == index)
        centred = xy[members] - xy[members].mean(axis=0)
        along = centred @ _axes(centred).T
        for part, own in enumerate(np.array_split(np.argsort(along[:, 1], kind="stable"), parts)):
            order, half = own[np.argsort(along[own, 0], kind="stable")], len(own) // 2
            site[members[own]] = index * parts + part
            sign[members[order[:half]]], sign[members[order[len(own) - half :]]] = -1.0, 1.0
    return site, sign
