"""Why phi_s is what it is, and what differs between two analyses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from iitcore import _kernels
from iitcore._arrays import Floats
from iitcore._kernels import TOLERANCE
from iitcore._layout import state_index
from iitcore._numbers import of_kind
from iitcore._plain import Plain
from iitcore.formalism import UNCAPPED, Formalism, code_of
from iitcore.partitions import SystemPartition, system_partitions
from iitcore.substrate import System
from iitcore.system import Reason, SystemPhi, fill_cause, fill_effect, system_phi

MOST_UNITS = 7  # up to which every partition is compared, for the runner-up
Decision = Literal["cause", "effect", "both", "none"]


@dataclass(frozen=True)
class RunnerUp(Plain):
    """The best partition that cuts other connections than the minimum partition.

    Attributes:
        partition: it.
        normalized_phi: its loss per connection cut, ibits.
        distance: that minus the minimum partition's; 0 is a tie.
        phi: its loss, ibits.
    """

    partition: SystemPartition
    normalized_phi: float
    distance: float
    phi: float


@dataclass(frozen=True)
class Explanation(Plain):
    """Result of `explain`.

    Attributes:
        analysis: the analysis that is explained.
        decided_by: the side whose loss at the minimum partition is the smaller; "both" where they are equal,
            "none" where no partition was searched.
        margin: by how much the other side's loss is larger, ibits.
        runner_up: see `RunnerUp`; None where no partition was searched, where there is only one, or with more
            than 7 units, whose partitions are too many to compare.
        tied_cause_states, tied_effect_states: how many states tie in intrinsic information on each side.
        tied_pairs: how many pairs of them attain phi_s.
        binding_cap: what sets phi_s where the formalism caps it, such as "effect differentiation"; None where the
            minimum partition does.
    """

    analysis: SystemPhi
    decided_by: Decision
    margin: float
    runner_up: RunnerUp | None
    tied_cause_states: int
    tied_effect_states: int
    tied_pairs: int
    binding_cap: str | None

    def __str__(self) -> str:
        a = self.analysis
        lines = [f"phi_s = {a.phi:.6g} ibits (IIT 4.0, {a.formalism}) of {', '.join(a.labels)}"]
        lines += [f"because: {reason}" for reason in a.reasons]
        if self.decided_by != "none":
            other = f", the other side loses {self.margin:.6g} more" if self.margin > TOLERANCE else ""
            lines.append(f"minimum partition {a.partition}: decided by {self.decided_by}{other}")
        if self.runner_up:
            lines.append(
                f"next partition {self.runner_up.partition}: {self.runner_up.distance:.6g} more per connection, "
                f"phi {self.runner_up.phi:.6g}"
            )
        if self.tied_cause_states * self.tied_effect_states > 1:
            lines.append(
                f"{self.tied_cause_states} cause and {self.tied_effect_states} effect states tie; "
                f"{self.tied_pairs} pairs attain phi_s"
            )
        if self.binding_cap:
            lines.append(f"capped by {self.binding_cap}")
        return "\n".join(lines)


def explain(system: System, formalism: Formalism = "2023") -> Explanation:
    """Say what decided phi_s of a system: side, runner-up partition, ties, cap.

    Args:
        system: a candidate system; up to 7 units all of its partitions are compared.
        formalism: version of the theory, see `iitcore.formalism`.

    Returns:
        The analysis, and what decided it.

    Raises:
        SubstrateError: no system, or no such formalism.

    Example:
        >>> from iitcore import Substrate
        >>> pair = Substrate.logistic([[-0.2, 0.7, 0.2], [0.7, -0.2, 0.0], [0.0, -0.8, 0.2]]).system("011", "AB")
        >>> print(explain(pair, formalism="2026-specified"))
        phi_s = 0.0404968 ibits (IIT 4.0, 2026-specified) of A, B
        minimum partition {A}-> {B}<-: decided by effect, the other side loses 0.0727122 more
        next partition {A}<- {B}<-: 0.213401 more per connection, phi 0.770528
        capped by effect differentiation
    """
    of_kind(system, System, "substrate.system(state) makes one")
    found = system_phi(system, formalism)
    sides = found.cause.phi, found.effect.phi
    decided: Decision = "none"
    if found.partition is not None:
        decided = "both" if abs(sides[0] - sides[1]) <= TOLERANCE else "cause" if sides[0] < sides[1] else "effect"
    ties_c, ties_e = len(found.cause.tied_states), len(found.effect.tied_states)
    return Explanation(
        found,
        decided,
        abs(sides[0] - sides[1]),
        _runner_up(system, found) if decided != "none" and 1 < system.n <= MOST_UNITS else None,
        ties_c,
        ties_e,
        len(found.winning_pairs) or ties_c * ties_e,
        _binding(found, formalism),
    )


def _runner_up(system: System, found: SystemPhi) -> RunnerUp | None:
    """Compare every partition, at the cause and effect states of the analysis."""
    state = np.array(system.state)
    gains = []
    for fill, packed, side in (
        (fill_cause, system.cause, found.cause),
        (fill_effect, system.effect, found.effect),
    ):
        gain = _kernels.room_for_gain(system.n)
        fill(gain, packed, system.offsets, state, state_index(side.state, system.alphabet), side.selectivity)
        gains.append(gain)
    best, least = None, np.inf
    assert found.partition is not None
    own = found.partition.kept
    for partition in system_partitions(system.labels):
        if partition.kept == own:
            continue
        phi, norm = _loss(gains[0], gains[1], partition)
        if phi / norm < least - TOLERANCE:
            best, least = RunnerUp(partition, phi / norm, 0.0, phi), phi / norm
    if best is None:
        return None
    smallest = _loss(gains[0], gains[1], found.partition)
    distance = max(best.normalized_phi - smallest[0] / smallest[1], 0.0)
    return RunnerUp(best.partition, best.normalized_phi, distance, best.phi)


def _loss(gain_c: Floats, gain_e: Floats, partition: SystemPartition) -> tuple[float, int]:
    """Smaller loss of both sides, ibits, and connections cut."""
    n = len(partition.labels)
    rows = [sum(1 << i for i in kept) for kept in partition.kept]
    losses = [max(float(gain[rows, np.arange(n)].sum()), 0.0) for gain in (gain_c, gain_e)]
    return min(losses), sum(n - len(kept) for kept in partition.kept)


def _binding(found: SystemPhi, formalism: Formalism) -> str | None:
    """The smallest of what caps phi_s, where it is below what the partition leaves."""
    whole = min(found.cause.phi, found.effect.phi)
    if code_of(formalism) == UNCAPPED or found.partition is None or whole <= TOLERANCE:
        return None
    least, name = whole - TOLERANCE, None
    for word, side in (("cause", found.cause), ("effect", found.effect)):
        for what, value in (("information", side.intrinsic_information), ("differentiation", side.differentiation)):
            if value is not None and value < least:
                least, name = value, f"{word} {what}"
    return name


@dataclass(frozen=True)
class Difference(Plain):
    """One field in which two analyses differ.

    Attributes:
        field: its name, such as "cause.phi".
        first, second: its value in each, in words.
        change: second minus first, of numbers.
    """

    field: str
    first: str
    second: str
    change: float | None = None

    def __repr__(self) -> str:
        change = "" if self.change is None else f" ({self.change:+.6g})"
        return f"{self.field}: {self.first} -> {self.second}{change}"


def diff(first: SystemPhi, second: SystemPhi) -> tuple[Difference, ...]:
    """Where two analyses differ; numbers within 1e-10 are the same.

    Args:
        first: an analysis.
        second: another, of the same or of another system, state or formalism.

    Returns:
        The fields that differ, in the order of `SystemPhi`.

    Raises:
        SubstrateError: no analyses.

    Example:
        >>> from iitcore import Substrate, system_phi
        >>> swap = Substrate([[0, 0], [0, 1], [1, 0], [1, 1]]).system("11")
        >>> for change in diff(system_phi(swap), system_phi(swap, "2026"))[:2]:
        ...     print(change)
        phi: 2 -> 0 (-2)
        cause.differentiation: None -> 0.0
    """
    for analysis in (first, second):
        of_kind(analysis, SystemPhi, "system_phi(system) makes one")
    found: list[Difference] = []
    for name in ("phi", "normalized_phi", "cause", "effect", "partition", "reasons", "labels", "state", "formalism"):
        a, b = getattr(first, name), getattr(second, name)
        if name in ("cause", "effect"):
            for inner in vars(a):
                _compare(f"{name}.{inner}", getattr(a, inner), getattr(b, inner), found)
        else:
            _compare(name, a, b, found)
    return tuple(found)


def _compare(name: str, a: object, b: object, found: list[Difference]) -> None:
    if isinstance(a, float) and isinstance(b, float):
        if abs(a - b) > TOLERANCE:
            found.append(Difference(name, f"{a:.6g}", f"{b:.6g}", b - a))
    elif a != b:
        found.append(Difference(name, _said(a), _said(b)))


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_said, value)) or "none"
    return value.name if isinstance(value, Reason) else str(value)
