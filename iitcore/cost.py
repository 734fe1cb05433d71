"""What an analysis will take, before it runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from iitcore._numbers import SubstrateError, whole

What = Literal["phi_s", "complexes", "structure"]

# Seconds at ten units on one core of a 2.6 GHz server and growth per added unit: dense logistic
# lattices; the hardest of the systems tried: random deterministic rules, and structures of identical units.
_MEASURED: dict[What, tuple[float, float, float, float]] = {
    "phi_s": (0.0015, 2.5, 0.003, 2.7),
    "complexes": (0.08, 4.2, 0.5, 6.0),
    "structure": (3.5, 6.5, 20.0, 4.2),
}
_FLOOR = {"phi_s": 5e-5, "complexes": 2e-4, "structure": 4e-4}


@dataclass(frozen=True)
class Cost:
    """Estimated cost; times are good to a factor of about three on a machine of 2020-2025.

    Attributes:
        what, n: the analysis and its number of units.
        seconds: for typical systems, on one core.
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


def estimate_cost(n: int, what: What = "phi_s", systems: int = 1) -> Cost:
    """Time and memory of an analysis of n binary units.

    Args:
        n: units of the system ("phi_s", "structure") or of the substrate ("complexes").
        what: `system_phi`, `complexes` or `unfold`.
        systems: how many systems, one after the other (states × draws).

    Raises:
        SubstrateError: for an unknown analysis or a number of units below one.

    Example:
        >>> estimate_cost(10, "complexes", systems=100)
        Cost(complexes of 10 units: 8.0 s typically, up to 50.0 s, 1 MiB)
    """
    n, systems = whole(n, "number of units"), whole(systems, "number of systems")
    if not isinstance(what, str) or what not in _MEASURED or n < 1 or systems < 1:
        raise SubstrateError(
            f"cost of {what!r} for {n} units and {systems} systems: choose one of "
            f"{', '.join(_MEASURED)}, and at least one unit and one system"
        )
    typical, growth, hard, growth_hard = _MEASURED[what]
    seconds = max(typical * growth ** (n - 10), _FLOOR[what])
    seconds_hard = max(hard * growth_hard ** (n - 10), 3 * seconds)
    tables = 8 * 2.0**n * (11 * n + 10)  # gain tables, losses of blocks, TPMs of both sides and of the universe
    if what == "structure":
        tables += 64 * n * 3.0**n  # marginals for every unit held or averaged
    if what == "complexes":
        tables += 64 * 2.0**n
    return Cost(what, n, seconds * systems, seconds_hard * systems, tables / 2**20)


def _span(seconds: float) -> str:
    """A duration as people say it."""
    if not math.isfinite(seconds) or seconds > 100 * 365.25 * 86400:
        return "over a century"
    for name, size in (("years", 31557600.0), ("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.2g} ms"
