"""What an analysis will take, before it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from iitcore._arrays import Floats
from iitcore._numbers import SubstrateError, whole
from iitcore.substrate import Substrate, System

What = Literal["phi_s", "complexes", "structure"]

# Seconds at ten units on one core of a 2.6 GHz server and growth per added unit, measured over ten families (lattices,
# random rules and probabilities, parities, copies): the middle of them; and of the hardest, units that are alike.
_MEASURED: dict[What, tuple[float, float, float, float]] = {
    "phi_s": (0.0015, 2.4, 0.003, 2.7),
    "complexes": (0.025, 2.7, 0.1, 4.0),
    "structure": (1.2, 4.1, 12.0, 3.1),
}
_LATER = {"phi_s": 2.4, "complexes": 3.0, "structure": 6.5}  # growth of the middle beyond ten units
_FLOOR = {"phi_s": 5e-5, "complexes": 3e-4, "structure": 1.5e-3}
_ALIKE = 3  # units that are alike from which on most of what is compared ties


@dataclass(frozen=True)
class Cost:
    """Estimated cost: times good to a factor of five on a machine of 2020-2025, to ten in complexes where much ties.

    Attributes:
        what, n: the analysis and its number of units.
        seconds: for typical systems, or for the system that was given, on one core.
        seconds_hard: for systems on which the bounds of the search fail.
        mebibytes: peak memory beyond the imported library.
    """

    what: What
    n: int
    seconds: float
    seconds_hard: float
    mebibytes: float

    def __str__(self) -> str:
        return (
            f"{self.what} of {self.n} units: {_span(self.seconds)} typically, up to "
            f"{_span(self.seconds_hard)}, {max(self.mebibytes, 1):.0f} MiB"
        )

    def __repr__(self) -> str:
        return f"Cost({self})"


def estimate_cost(n: int | System | Substrate, what: What = "phi_s", systems: int = 1) -> Cost:
    """Time and memory of an analysis.

    Args:
        n: number of binary units of the system ("phi_s", "structure") or of the substrate ("complexes"); or the system
            or substrate itself: where units are alike, much ties, and structures and complexes take longer.
        what: `system_phi`, `complexes` or `unfold`.
        systems: how many systems, one after the other (states × draws).

    Raises:
        SubstrateError: for an unknown analysis or a number of units below one.

    Example:
        >>> estimate_cost(10, "complexes", systems=100)
        Cost(complexes of 10 units: 2.5 s typically, up to 10.0 s, 1 MiB)
    """
    given = n if isinstance(n, System | Substrate) else None
    n = whole(n, "number of units") if given is None else max(math.ceil(math.log2(given.n_states)), 1)
    systems = whole(systems, "number of systems")
    if not isinstance(what, str) or what not in _MEASURED or n < 1 or systems < 1:
        raise SubstrateError(
            f"cost of {what!r} for {n} units and {systems} systems: choose one of "
            f"{', '.join(_MEASURED)}, and at least one unit and one system"
        )
    typical, growth, hard, growth_hard = _MEASURED[what]
    seconds = max(typical * (growth if n < 10 else _LATER[what]) ** (n - 10), _FLOOR[what])
    seconds_hard = max(hard * growth_hard ** (n - 10), 3 * seconds)
    if given is not None and what != "phi_s" and _alike(given) >= _ALIKE:
        seconds = seconds_hard
    tables = 8 * 2.0**n * (11 * n + 10)  # gain tables, losses of blocks, TPMs of both sides and of the universe
    if what == "structure":
        tables += 64 * n * 3.0**n  # marginals for every unit held or averaged
    if what == "complexes":
        tables += 64 * 2.0**n
    return Cost(what, n, seconds * systems, seconds_hard * systems, tables / 2**20)


def _alike(given: System | Substrate) -> int:
    """The largest number of units that act alike on each other, as far as one by one they act at all."""
    if set(given.alphabet) != {2}:
        return 1
    on: Floats = given.effect_tpm if isinstance(given, System) else given.tpm
    n = on.shape[1]
    spins = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) * 2.0 - 1.0
    acts = np.round(np.vstack([spins.T @ on, on.sum(axis=0)]) / 2**n, 9)  # first-order influences, and the mean

    def exchanged(i: int, j: int) -> bool:
        order = list(range(n))
        order[i], order[j] = j, i
        return np.array_equal(acts[[*order, n]][:, order], acts)

    classes: list[list[int]] = []
    for unit in range(n):
        own = next((c for c in classes if exchanged(c[0], unit)), None)
        if own is None:
            classes.append([unit])
        else:
            own.append(unit)
    return max(len(c) if acts[np.ix_(c, range(n))].any() else 1 for c in classes)


def _span(seconds: float) -> str:
    """A duration as people say it."""
    if not math.isfinite(seconds) or seconds > 100 * 365.25 * 86400:
        return "over a century"
    for name, size in (("years", 31557600.0), ("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.2g} ms"
