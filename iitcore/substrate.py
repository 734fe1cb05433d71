"""Existence and intrinsicality: a substrate of units and the candidate systems inside it.

A substrate is a set of units whose transition probabilities are known by intervention; a system is
a subset of them in a state, seen from inside, with one TPM for its effects and one for its causes
(Eqs. 1-4 of Albantakis et al. 2023, PLoS Comput Biol 19: e1011465).

State indices are mixed radix with the first unit fastest; for binary units bit *i* of an index is
the state of unit *i*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from iitcore import _kernels, _layout, _numbers
from iitcore._arrays import Floats, Ints
from iitcore._layout import StateLike, SubstrateError, TpmLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UnitKey = str | int


@dataclass(frozen=True, eq=False, repr=False)
class System:
    """A candidate system in a state, with the causes and effects of its units on each other.

    Attributes:
        cause, effect: (n_states, sum of alphabet) probabilities of each value of each unit given
            the system's state, unit after unit (T_c and T_e of Eqs. 3-4; see `cause_factors`).
        state: current state, one value per unit.
        labels: unit names.
        indices: the units' positions in their substrate (0..n-1 for a macro system).
        alphabet: number of values of each unit.
        reachable: False when the universe's current state has no possible predecessor: there is
            no cause. `cause` then averages the background uniformly, so that it stays a TPM.
    """

    cause: Floats
    effect: Floats
    state: tuple[int, ...]
    labels: tuple[str, ...]
    indices: tuple[int, ...]
    alphabet: tuple[int, ...]
    reachable: bool = True

    @classmethod
    def from_tpms(
        cls,
        cause: TpmLike,
        effect: TpmLike,
        state: StateLike,
        labels: Sequence[str] | None = None,
    ) -> System:
        """Build a system from TPMs of its own, as a macro system has them.

        Args:
            cause: (2**n, n) P(ON), or one (n_states, k_j) array per unit.
            effect: the same for effects.
            state: one value per unit.
            labels: unit names; letters by default.

        Raises:
            SubstrateError: when the TPMs are not TPMs, or disagree in shape.

        Example:
            >>> swap = [[0, 0], [0, 1], [1, 0], [1, 1]]
            >>> System.from_tpms(cause=swap, effect=swap, state="10")
            System(A=1, B=0)
        """
        causes, alphabet = _layout.pack(cause, "cause TPM", labels)
        effects, other = _layout.pack(effect, "effect TPM", labels)
        if alphabet != other:
            raise SubstrateError(
                f"cause TPM has units of {alphabet} values, effect TPM of {other}: both must "
                "describe the same units; pass TPMs of equal shape"
            )
        names = _layout.check_labels(labels, len(alphabet))
        values = _layout.check_state(state, alphabet, names)
        return cls(
            causes,
            effects,
            values,
            names,
            tuple(range(len(names))),
            alphabet,
            _layout.reachable(causes, alphabet, values),
        )

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.state)

    @property
    def n_states(self) -> int:
        """Number of states of the whole system."""
        return int(np.prod(self.alphabet, dtype=np.int64))

    @property
    def binary(self) -> bool:
        """Whether every unit has two values."""
        return all(k == 2 for k in self.alphabet)

    @cached_property
    def offsets(self) -> Ints:
        """(n + 1,) column of `cause` and `effect` at which each unit's values start."""
        return _layout.offsets(self.alphabet)

    @cached_property
    def cause_factors(self) -> tuple[Floats, ...]:
        """Per unit j, (n_states, k_j): T_c, probability of each value of j given the past state."""
        return _layout.split(self.cause, self.offsets)

    @cached_property
    def effect_factors(self) -> tuple[Floats, ...]:
        """Per unit j, (n_states, k_j): T_e, probability of each value given the present state."""
        return _layout.split(self.effect, self.offsets)

    @property
    def cause_tpm(self) -> Floats:
        """(2**n, n) P(ON) for causes; binary systems only."""
        return self._on(self.cause)

    @property
    def effect_tpm(self) -> Floats:
        """(2**n, n) P(ON) for effects; binary systems only."""
        return self._on(self.effect)

    def _on(self, packed: Floats) -> Floats:
        if not self.binary:
            raise SubstrateError(
                f"units have {self.alphabet} values: P(ON) exists for binary units only; "
                "use cause_factors and effect_factors"
            )
        return np.ascontiguousarray(packed[:, 1::2])

    def __repr__(self) -> str:
        values = ", ".join(f"{u}={v}" for u, v in zip(self.labels, self.state, strict=True))
        return f"System({values}{'' if self.reachable else ', unreachable'})"


@dataclass(frozen=True, eq=False, repr=False)
class Substrate:
    """Units with interventional transition probabilities (Eqs. 1-2).

    Args:
        tpm: (2**n, n) probability that each unit is ON at t+1 given do(state at t); row index
            little-endian (bit i = unit i). Units are taken to be conditionally independent given
            the past. Other forms: `from_state_by_state`, `from_factors`, `logistic`.
        units: n distinct names; letters A, B, ... by default.

    Raises:
        SubstrateError: listing every fault by row and unit.

    Example:
        >>> Substrate([[0, 0], [0, 1], [1, 0], [1, 1]])
        Substrate(A, B)
    """

    tpm: Floats
    units: tuple[str, ...]
    alphabet: tuple[int, ...] = field(default=())
    packed: Floats = field(default_factory=lambda: np.empty((0, 0)))
    fixed: tuple[tuple[str, int], ...] = ()

    def __init__(self, tpm: npt.ArrayLike, units: Sequence[str] | None = None) -> None:
        packed, alphabet = _layout.pack(tpm, "TPM", units)
        self._fill(packed, alphabet, _layout.check_labels(units, len(alphabet)))

    def _fill(
        self,
        packed: Floats,
        alphabet: tuple[int, ...],
        units: tuple[str, ...],
        fixed: tuple[tuple[str, int], ...] = (),
    ) -> None:
        packed.flags.writeable = False
        tpm = np.ascontiguousarray(packed[:, 1::2]) if set(alphabet) == {2} else packed
        tpm.flags.writeable = False
        for name, value in (
            ("tpm", tpm),
            ("units", units),
            ("alphabet", alphabet),
            ("packed", packed),
            ("fixed", fixed),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def _of(
        cls,
        packed: Floats,
        alphabet: tuple[int, ...],
        units: tuple[str, ...],
        fixed: tuple[tuple[str, int], ...] = (),
    ) -> Substrate:
        new = cls.__new__(cls)
        new._fill(np.ascontiguousarray(packed), alphabet, units, fixed)
        return new

    @classmethod
    def from_factors(cls, marginals: Sequence[npt.ArrayLike], units: Sequence[str] | None = None) -> Substrate:
        """Build from one conditional distribution per unit; units may have any number of values.

        Args:
            marginals: marginals[i] has shape (k_0, ..., k_{n-1}, k_i), P(unit i takes v | state).
            units: n distinct names.

        Raises:
            SubstrateError: when the marginals do not fit one set of units, or are not probabilities.

        Example:
            >>> Substrate.from_factors([[[0.2, 0.3, 0.5], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]])
            Substrate(A[3])
        """
        arrays = [
            _numbers.floats(m, f"marginals of unit {i}")
            for i, m in enumerate(_numbers.items(marginals, "one array per unit"))
        ]
        alphabet = tuple(int(a.shape[-1]) if a.ndim else 0 for a in arrays)
        wrong = [
            f"unit {i}: shape {a.shape} instead of {(*alphabet, alphabet[i])}"
            for i, a in enumerate(arrays)
            if a.shape != (*alphabet, alphabet[i])
        ]
        if wrong or not arrays:
            raise SubstrateError(
                "marginals do not fit one set of units (each needs one axis per unit and a last "
                f"axis over its own values): {'; '.join(wrong) or 'none given'}"
            )
        flat = [a.reshape(-1, k, order="F") for a, k in zip(arrays, alphabet, strict=True)]
        packed, _ = _layout.pack(flat, "TPM", units)
        return cls._of(packed, alphabet, _layout.check_labels(units, len(alphabet)))

    @classmethod
    def from_state_by_state(
        cls,
        tpm: npt.ArrayLike,
        project: bool = False,
        units: Sequence[str] | None = None,
        alphabet: Sequence[int] | None = None,
    ) -> Substrate:
        """Build from a row-stochastic (n_states, n_states) matrix.

        Args:
            tpm: probability of the next state (column) given the present one (row).
            project: accept a matrix whose units are not conditionally independent, keeping only
                each unit's marginal.
            units: n distinct names.
            alphabet: values per unit; two by default.

        Raises:
            SubstrateError: when rows are not distributions, or when units are not conditionally
                independent (Eq. 2) and `project` is False; the message gives the violation's size.

        Example:
            >>> swap = [[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]]
            >>> Substrate.from_state_by_state(swap).tpm.tolist()
            [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
        """
        project = _numbers.truth(project, "project")
        matrix = _numbers.floats(tpm, "state-by-state TPM")
        sizes = _layout.square_alphabet(matrix, alphabet)
        _layout.check_rows(matrix)
        shape = tuple(reversed(sizes))
        flat = [
            matrix.reshape(len(matrix), *shape).sum(
                axis=tuple(1 + a for a in range(len(sizes)) if a != len(sizes) - 1 - i)
            )
            for i in range(len(sizes))
        ]
        packed, _ = _layout.pack(flat, "TPM", units)
        product = np.ones((len(matrix), 1))
        for f in _layout.split(packed, _layout.offsets(sizes)):
            product = (f[:, :, None] * product[:, None, :]).reshape(len(matrix), -1)
        gap = np.abs(product - matrix)
        if gap.max() > 1e-8 and not project:
            row, column = np.unravel_index(int(gap.argmax()), gap.shape)
            raise SubstrateError(
                f"state-by-state TPM is not conditionally independent: from row {row} to state "
                f"{column} it gives {matrix[row, column]:.6g}, the product of the units' marginals "
                f"{product[row, column]:.6g} (largest violation {gap[row, column]:.3g}). Units "
                "would be correlated beyond what they cause each other, which Eq. 2 excludes; "
                "use a finer time step, or project=True to keep the marginals only"
            )
        return cls._of(packed, sizes, _layout.check_labels(units, len(sizes)))

    @classmethod
    def logistic(
        cls,
        weights: npt.ArrayLike,
        k: float = 4.0,
        bias: npt.ArrayLike | None = None,
        units: Sequence[str] | None = None,
    ) -> Substrate:
        """Build a network of logistic units (Eq. 60).

        P(j ON | s) = 1 / (1 + exp(-k (sum_i weights[i, j] s_i + bias_j))) with s_i = +1 or -1.

        Args:
            weights: (n, n), from unit i (row) to unit j (column).
            k: slope; the paper's figures use 4.
            bias: (n,) added to the summed input; zero by default.
            units: n distinct names.

        Raises:
            SubstrateError: when weights or bias do not fit, or the TPM would not fit into memory.

        Example:
            >>> Substrate.logistic([[0.1, 0.9], [0.9, 0.1]]).tpm.round(2).tolist()
            [[0.02, 0.02], [0.04, 0.96], [0.96, 0.04], [0.98, 0.98]]
        """
        w = _numbers.floats(weights, "weight matrix")
        if w.ndim != 2 or w.shape[0] != w.shape[1] or not np.isfinite(w).all():
            raise SubstrateError(
                f"weights of shape {w.shape}{'' if np.isfinite(w).all() else ' with gaps'}: a "
                "square matrix of numbers is needed, weights[i, j] from unit i to unit j"
            )
        n = len(w)
        if n > 24:
            raise SubstrateError(
                f"{n} units have 2**{n} states: the TPM alone would take {n * 2.0 ** (n - 27):.0f} "
                "GiB; choose at most 24 units, and see estimate_cost for what phi takes"
            )
        b = np.zeros(n) if bias is None else _numbers.floats(bias, "bias")
        slope = _numbers.floats(k, "slope k")
        if b.shape != (n,) or not np.isfinite(b).all():
            raise SubstrateError(f"bias of shape {b.shape}: one number per unit ({n}), all finite, is needed")
        if slope.ndim or not np.isfinite(slope):
            raise SubstrateError(f"slope k = {k!r}: P(ON) would be undefined; give one finite number")
        spins = ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) * 2.0 - 1.0
        with np.errstate(over="ignore", invalid="ignore"):  # said below
            drive = slope * (spins @ w + b)
        if not np.isfinite(drive).all():
            raise SubstrateError("weights, bias or slope so large that their sum is no number: give smaller ones")
        small = np.exp(-np.abs(drive))  # never overflows
        on = np.where(drive >= 0, 1.0, small) / (1.0 + small)
        off = np.where(on < 1, 1.0 - on, small)  # not 0 where it is merely tiny
        packed = np.stack([off, on], axis=2).reshape(2**n, 2 * n)
        return cls._of(packed, (2,) * n, _layout.check_labels(units, n))

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.units)

    @property
    def n_states(self) -> int:
        """Number of states of the whole substrate."""
        return len(self.packed)

    def _repr_html_(self) -> str:
        from iitcore import display

        return display.of_substrate(self)

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the TPM (see `display.plot_substrate`).

        Args:
            axes: to draw on; new ones by default.
        """
        from iitcore import display

        return display.plot_substrate(self, axes)

    def inactivate(self, values: Mapping[UnitKey, int]) -> Substrate:
        """Fix units for good (Fig 7C): they leave the universe, their value held in every state.

        A background unit, by contrast, stays in the universe: its present state conditions effects
        and its past state is inferred. A unit that is merely OFF stays a unit.

        Args:
            values: value to hold, by name or index of the unit.

        Returns:
            The substrate of the other units; `fixed` names those that left.

        Raises:
            SubstrateError: for an unknown unit or value, or when no unit would be left.

        Example:
            >>> Substrate([[0, 0], [0, 1], [1, 0], [1, 1]]).inactivate({"B": 1})
            Substrate(A; B=1 fixed)
        """
        if not isinstance(values, Mapping):
            raise SubstrateError(f"values to hold {values!r}: give them by unit, such as {{'{self.units[0]}': 0}}")
        keys = list(values)
        chosen = self.indices(keys)
        held = {self.indices([key])[0]: _numbers.whole(values[key], f"value of unit {key}") for key in keys}
        wrong = [
            f"{self.units[i]}={v} (values 0..{self.alphabet[i] - 1})"
            for i, v in held.items()
            if not 0 <= v < self.alphabet[i]
        ]
        if wrong or len(chosen) == self.n:
            raise SubstrateError(
                f"cannot inactivate {', '.join(wrong) or 'every unit'}: choose an existing value "
                "and leave at least one unit"
            )
        keep = [i for i in range(self.n) if i not in held]
        grid = self.packed.reshape(*reversed(self.alphabet), -1)
        at = tuple(held.get(i, slice(None)) for i in reversed(range(self.n)))
        sub = _layout.columns(grid[at].reshape(-1, self.packed.shape[1]), self.alphabet, keep)
        fixed = self.fixed + tuple((self.units[i], v) for i, v in sorted(held.items()))
        return Substrate._of(sub, tuple(self.alphabet[i] for i in keep), tuple(self.units[i] for i in keep), fixed)

    def indices(self, units: Iterable[UnitKey] | None) -> tuple[int, ...]:
        """Positions of units given by name or index, ascending; all of them for None.

        Raises:
            SubstrateError: naming what is no unit.
        """
        return _layout.check_units(units, self.units)

    def check_state(self, state: StateLike) -> tuple[int, ...]:
        """One value per unit, checked; accepts a sequence of integers or a string such as 011.

        Raises:
            SubstrateError: when there is not one value per unit, or a value that a unit does not have.
        """
        return _layout.check_state(state, self.alphabet, self.units)

    def likelihood(self, state: StateLike) -> Floats:
        """(n_states,) probability of the given state after each possible predecessor."""
        return _layout.likelihood(self.packed, self.alphabet, self.check_state(state))

    def system(self, state: StateLike, units: Iterable[UnitKey] | None = None) -> System:
        """The candidate system of some units, the rest being its background (Eqs. 3-4).

        Effects are conditioned on the background's present state; causes average over its past
        state with the joint posterior given the whole present state.

        Args:
            state: one value per unit of the substrate.
            units: names or indices; all units by default.

        Returns:
            The system; `reachable` is False where no state of the universe leads to the present one.

        Raises:
            SubstrateError: when the state or the units are none of the substrate's.

        Example:
            >>> Substrate([[0, 0], [0, 1], [1, 0], [1, 1]]).system("10", units=["A"])
            System(A=1)
        """
        values = self.check_state(state)
        chosen = self.indices(units)
        alphabet = tuple(self.alphabet[i] for i in chosen)
        shape = int(np.prod(alphabet, dtype=np.int64)), sum(alphabet)
        cause, effect = np.empty(shape), np.empty(shape)
        reachable = _kernels.condition(
            self.packed,
            _layout.offsets(self.alphabet),
            np.array(values),
            np.array(chosen),
            cause,
            effect,
        )
        return System(
            cause,
            effect,
            tuple(values[i] for i in chosen),
            tuple(self.units[i] for i in chosen),
            chosen,
            alphabet,
            bool(reachable),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and names, for JSON."""
        return {
            "units": list(self.units),
            "alphabet": list(self.alphabet),
            "factors": [f.tolist() for f in _layout.split(self.packed, _layout.offsets(self.alphabet))],
            "fixed": [list(f) for f in self.fixed],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | str) -> Substrate:
        """Inverse of `to_dict`; also takes its JSON text.

        Raises:
            SubstrateError: no factors, or an alphabet that is not theirs.
        """
        try:
            content = json.loads(data) if isinstance(data, str) else data
        except ValueError as error:
            raise SubstrateError(f"the text of a substrate is not JSON: {error}") from None
        if not isinstance(content, Mapping) or "factors" not in content:
            raise SubstrateError(f"{type(content).__name__} without factors is no substrate; give what to_dict made")
        units = content.get("units")
        packed, alphabet = _layout.pack(_numbers.items(content["factors"], "factors of units"), "TPM", units)
        said = content.get("alphabet")
        if said is not None and tuple(_numbers.wholes(said, "alphabet").tolist()) != alphabet:
            raise SubstrateError(
                f"alphabet {said}: the factors are of units with {list(alphabet)} values, and states would be read by "
                "one and numbered by the other; make both agree, or leave alphabet out"
            )
        pairs = [
            _numbers.items(p, "a unit and its value") for p in _numbers.items(content.get("fixed", []), "fixed units")
        ]
        if any(len(pair) != 2 for pair in pairs):
            raise SubstrateError(f"fixed {content['fixed']!r}: give pairs of a unit and the value that it is fixed at")
        fixed = tuple((str(u), _numbers.whole(v, f"fixed value of {u}")) for u, v in pairs)
        return cls._of(packed, alphabet, _layout.check_labels(units, len(alphabet)), fixed)

    def __repr__(self) -> str:
        names = ", ".join(u if k == 2 else f"{u}[{k}]" for u, k in zip(self.units, self.alphabet, strict=True))
        fixed = "".join(f"; {u}={v} fixed" for u, v in self.fixed)
        return f"Substrate({names}{fixed})"
