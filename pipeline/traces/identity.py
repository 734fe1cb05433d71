"""Which neurons are the same neurons in several recordings: those of one name that are usable in each."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.base.errors import PhiscaleError, Problem

if TYPE_CHECKING:
    import xarray as xr

    from pipeline.base.arrays import Bools

PLACE = re.compile(r"n\d+")  # the name that a reader gives where the file has none: the place in the file
SHOWN = 8  # names in a message, at most


@dataclass(frozen=True)
class Held:
    """The neurons of one recording.

    Attributes:
        recording: its name.
        usable: names of those that carry a signal, in its order.
        n_in_file: how many the file holds, those without a value included.
    """

    recording: str
    usable: list[str]
    n_in_file: int

    @classmethod
    def by(cls, dataset: xr.Dataset, usable: Bools) -> Held:
        """Return the neurons of a dataset.

        Args:
            dataset: with the coord `neuron`; its history names those that were left out before.
            usable: (neuron,) those that carry a signal.
        """
        names = [str(name) for name in dataset["neuron"].values]
        history = json.loads(dataset.attrs.get("history", "[]"))
        gone = {str(name) for entry in history for name in entry["parameters"].get("neurons_left_out") or []}
        kept = [name for name, use in zip(names, usable, strict=True) if use]
        return cls(str(dataset.attrs["recording"]), kept, len(gone | set(names)))

    @property
    def by_place(self) -> bool:
        """Whether names say no more than the place in the file."""
        return all(PLACE.fullmatch(name) for name in self.usable)


@dataclass(frozen=True)
class Common:
    """What several recordings have in common.

    Attributes:
        neurons: names of the neurons that are usable in each.
        left_out: those that some have and not all can use.
    """

    neurons: list[str]
    left_out: list[str]


def common_neurons(where: str, held: Sequence[Held], chosen: Sequence[str] | None, n_units: int) -> Common:
    """Return the neurons that are usable in all of some recordings, in the order of the first (or as chosen).

    Args:
        where: whose recordings they are, for messages.
        held: the neurons of each.
        chosen: names of the neurons to use; None for all.
        n_units: how many units are to be made of them.

    Raises:
        PhiscaleError: neurons cannot be identified across the recordings, or too few are usable in all.

    >>> held = [Held("a", ["n0", "n1", "n2"], 3), Held("b", ["n0", "n2"], 3)]
    >>> common_neurons("subject 's'", held, None, 2)
    Common(neurons=['n0', 'n2'], left_out=['n1'])
    """
    in_all = set.intersection(*(set(one.usable) for one in held))
    every = list(dict.fromkeys(name for one in held for name in one.usable))
    wanted = every if chosen is None else list(chosen)
    sizes = {one.recording: one.n_in_file for one in held}
    if all(one.by_place for one in held) and len(set(sizes.values())) > 1:
        listed = ", ".join(f"{name} {n}" for name, n in sizes.items())
        raise _not_the_same(
            where,
            "neurons are named by their place in the file (n0, n1, ...), and the files hold different numbers of them "
            f"({listed})",
            "give the neurons names that stand for the same neuron in each recording, or set ensembles.grouping to "
            "recording",
        )
    neurons = [name for name in wanted if name in in_all]
    left_out = [name for name in wanted if name not in in_all]
    if chosen is not None and left_out:
        lacking = {one.recording: [name for name in left_out if name not in one.usable] for one in held}
        listed = "; ".join(f"{name}: {_listed(gone)}" for name, gone in lacking.items() if gone)
        raise _not_the_same(
            f"{where}, ensembles.neurons",
            f"neurons are not usable in every recording ({listed})",
            "choose neurons that every recording has and that carry a signal in each",
        )
    if len(neurons) < n_units:
        listed = "; ".join(f"{one.recording} has {_listed(one.usable)}" for one in held[:3])
        more = f"; and {len(held) - 3} more" if len(held) > 3 else ""
        raise _not_the_same(
            where,
            f"{len(neurons) or 'no'} neurons are usable in all {len(held)} recordings, for {n_units} units "
            f"({listed}{more})",
            "give the same neuron the same name in each recording, leave out the recording that lacks them, use fewer "
            "units, or set ensembles.grouping to recording",
        )
    return Common(neurons, left_out)


def _not_the_same(where: str, what: str, fix: str) -> PhiscaleError:
    return PhiscaleError(
        Problem(f"{where}, ensembles.grouping", what, "Units would not be the same units in each recording", fix)
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f", ... ({len(names)})" if len(names) > SHOWN else "")
