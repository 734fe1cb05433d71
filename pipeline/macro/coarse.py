"""Macro units: the grouping whose derived TPM is most effective, and random ones beside it.

A grouping is learned once for all windows of a recording, or in each window by itself. Only the first
compares the same macro units between windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, overload

import numpy as np
import xarray as xr

from iitcore import Formalism
from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.seeds import generator
from pipeline.macro.ascent import Ascent, Descent, Micro
from pipeline.macro.groupings import (
    TIE,
    Grouping,
    check,
    exhaustive,
    exhaustive_common,
    matched_groupings,
    objective,
)
from pipeline.macro.objectives import Objective, ObjectiveName, objective_of
from pipeline.macro.parameters import EXHAUSTIVE_UNITS, MAPPINGS, RANDOM_GROUPINGS, RESTARTS, STEPS, scale_sizes
from pipeline.macro.validity import unit_validity, valid_shares

METHOD = "encoder"
STATE_UNIT = ("state", "unit")
Variable = tuple[str | tuple[str, ...], Array, str]  # dims, values, long name


@dataclass(frozen=True)
class Learned:
    """A grouping, and how it was found.

    Attributes:
        grouping: the macro units.
        units: names of the micro units.
        windows: names of the windows whose TPMs it was learned from.
        shared: whether it stands for all windows of a recording, or of several that have the same units.
        found: what goes into the attrs of a macro TPM: objective, objective_bits (mean over the windows) in
            objective_unit, method, restarts_agreeing, and up to 6 units exhaustive_bits.
        settings: parameters of `learn`, for the history.
    """

    grouping: Grouping
    units: list[str]
    windows: list[str]
    shared: bool
    found: dict[str, Any]
    settings: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """Return the fields as plain values, of which `from_plain` makes the same again."""
        return asdict(self)

    @classmethod
    def from_plain(cls, fields: Mapping[str, Any]) -> Learned:
        """Return what `plain` made plain, also after its way through JSON.

        Args:
            fields: by name.
        """
        held = fields["grouping"]
        grouping = Grouping(**{**held, "group": tuple(held["group"]), "mapping": tuple(held["mapping"])})
        return cls(**{**fields, "grouping": grouping})


@dataclass(frozen=True)
class How:
    """How groupings are learned.

    Attributes:
        mappings: state mappings that a macro unit may take.
        restarts: of the encoder.
        steps: of the encoder's training.
        method: "encoder", or "exhaustive" (up to 6 units).
        objective: what a grouping is chosen for, "effective_information" or "phi_s".
        formalism: version of the theory that phi_s is of, see `iitcore.formalism`.
    """

    mappings: Sequence[str] = MAPPINGS
    restarts: int = RESTARTS
    steps: int = STEPS
    method: str = METHOD
    objective: ObjectiveName = "effective_information"
    formalism: Formalism = "2023"

    @property
    def goal(self) -> Objective:
        """What is maximised."""
        return objective_of(self.objective, self.formalism)


@overload
def coarse_grain(
    tpm: xr.Dataset,
    n_macro: int,
    *,
    random_groupings: int = ...,
    seed: int = ...,
    learn_from: Sequence[xr.Dataset] | None = ...,
    **how: Any,
) -> xr.Dataset: ...
@overload
def coarse_grain(
    tpm: xr.Dataset,
    n_macro: Sequence[int] | Literal["all"],
    *,
    random_groupings: int = ...,
    seed: int = ...,
    learn_from: Sequence[xr.Dataset] | None = ...,
    **how: Any,
) -> dict[int, xr.Dataset]: ...
def coarse_grain(
    tpm: xr.Dataset,
    n_macro: int | Sequence[int] | Literal["all"],
    *,
    random_groupings: int = RANDOM_GROUPINGS,
    seed: int = 0,
    learn_from: Sequence[xr.Dataset] | None = None,
    **how: Any,
) -> xr.Dataset | dict[int, xr.Dataset]:
    """Derive the TPM of `n_macro` learned macro units from a micro TPM: `learn`, then `derive`.

    Args:
        tpm: micro TPM of a window (`pipeline.tpm.estimate`).
        n_macro: number of macro units; several, or "all" (one less than the units down to 1), share what is computed.
        random_groupings: matched groupings beside it.
        seed: fixes the encoder and the random groupings.
        learn_from: the micro TPMs of all windows of the recording, this one among them; with the same datasets in
            the same order and the same seed every window gets the same macro units. By default they are learned on
            `tpm` alone.
        **how: mappings, restarts, steps, method, objective, formalism; see `How`.

    Returns:
        As `derive`; of several numbers of macro units a dict.

    Raises:
        PhiscaleError: more macro units than units, unknown mappings or methods, windows of different units.
    """
    learner = Learner([tpm] if learn_from is None else learn_from, How(**how), shared=learn_from is not None)
    formalism = learner.how.formalism
    found = {
        size: derive(tpm, learner.at(size, seed), random_groupings, formalism)
        for size in scale_sizes(n_macro, tpm.sizes["unit"])
    }
    return found[n_macro] if isinstance(n_macro, int) else found


def learn(windows: Sequence[xr.Dataset], n_macro: int, *, seed: int = 0, shared: bool = True, **how: Any) -> Learned:
    """Learn the grouping and mappings with the largest mean objective over windows, each counting alike.

    See `Learner`, which does so at several scales.

    Args:
        windows: micro TPMs of the same units (`pipeline.tpm.estimate`).
        n_macro: number of macro units.
        seed: fixes the encoder, and the random groupings of `derive`.
        shared: whether the windows are those of a recording, or one that stands for itself.
        **how: mappings, restarts, steps, method, objective, formalism; see `How`.

    Raises:
        PhiscaleError: more macro units than units, unknown mappings or methods, windows of different units.
    """
    return Learner(windows, How(**how), shared=shared).at(n_macro, seed)


class Learner:
    """Learns the macro units of windows, at one scale after the other.

    The encoder is trained on the mean over the windows. Up to 6 units the best grouping that there is, is known too;
    beyond, the one that a descent from scale to scale finds (`macro.ascent`). Where the encoder misses it, it is taken,
    and `found["method"]` says so.

    Args:
        windows: micro TPMs of the same units (`pipeline.tpm.estimate`).
        how: the way they are learned.
        shared: whether the windows are those of a recording, or one that stands for itself.

    Raises:
        PhiscaleError: windows of different units.
    """

    def __init__(self, windows: Sequence[xr.Dataset], how: How, *, shared: bool) -> None:
        self.units = [str(u) for u in windows[0]["unit"].values]
        for window in windows:
            _check_units(window, self.units)
        self.names = [str(w.attrs.get("window", "")) for w in windows]
        self.how, self.shared = how, shared
        p_on = np.stack([w["p_on"].transpose(*STATE_UNIT).values for w in windows])
        micro = Micro(p_on, np.stack([w["visits"].values for w in windows]))
        self.ascent = Ascent(micro, how.mappings, how.goal)
        self.descent = Descent(self.ascent)

    def at(self, n_macro: int, seed: int = 0) -> Learned:
        """Return the grouping into so many macro units.

        Args:
            n_macro: number of macro units.
            seed: fixes the encoder, and the random groupings of `derive`.

        Raises:
            PhiscaleError: more macro units than units, unknown mappings or methods.
        """
        how = self.how
        check(len(self.units), n_macro, how.mappings)
        found = self._searched(n_macro) if how.method == "exhaustive" else self._proposed(n_macro, seed)
        told: dict[str, Any] = {
            "objective": how.objective,
            "objective_unit": how.goal.unit,
            "method": how.method,
            "restarts": 1 if how.method == "exhaustive" else how.restarts,
            "restarts_agreeing": found.agreement,
        }
        searched = found if how.method == "exhaustive" else self._searched(n_macro)
        exhaustively = len(self.units) <= EXHAUSTIVE_UNITS
        told |= {"exhaustive_bits": searched.objective} if exhaustively else {}
        if found.objective < searched.objective - TIE:
            method = "exhaustive" if exhaustively else "descent"
            told |= {"encoder_bits": found.objective, "method": method, "restarts_agreeing": 0}
            found = searched
        told["objective_bits"] = found.objective
        return Learned(found, self.units, self.names, self.shared, told, self._settings(n_macro, seed))

    def _searched(self, n_macro: int) -> Grouping:
        """The best grouping of all, or beyond 6 units the best that a descent finds."""
        micro, how = self.ascent.micro, self.how
        if len(self.units) <= EXHAUSTIVE_UNITS:
            return exhaustive_common(micro.p_on, n_macro, how.mappings, how.goal, micro.visits)
        if how.method == "exhaustive":
            return exhaustive(micro.p_on, n_macro, how.mappings)[0]  # says why it cannot
        best = self.descent.at(n_macro)[0]
        return best.grouping(how.mappings, float(self.ascent.values([best])[0]))

    def _proposed(self, n_macro: int, seed: int) -> Grouping:
        """The best of the groupings that the encoder finds."""
        if self.how.method != METHOD:
            where = f"'{self.how.method}' is not 'encoder' or 'exhaustive'"
            raise PhiscaleError(Problem("method", where, fix="choose one"))
        from pipeline.macro.learning import best_of, proposals  # torch takes seconds to import

        return best_of(proposals(self.ascent, n_macro, self.how.restarts, self.how.steps, seed))

    def _settings(self, n_macro: int, seed: int) -> dict[str, Any]:
        """Parameters for the history."""
        how = {**asdict(self.how), "mappings": list(self.how.mappings)}
        return {"n_macro": n_macro, **how, "seed": seed}


def derive(
    tpm: xr.Dataset, learned: Learned, random_groupings: int = RANDOM_GROUPINGS, formalism: Formalism = "2023"
) -> xr.Dataset:
    """Derive the TPM of learned macro units from the micro TPM of a window.

    Args:
        tpm: micro TPM (`pipeline.tpm.estimate`) of the units that were grouped.
        learned: the grouping.
        random_groupings: at most so many matched groupings beside it.
        formalism: version of the theory by which macro units are units or not, see `iitcore.formalism`.

    Returns:
        The micro TPM's variables for the macro system, unit names such as "m0(e0,e1)", and `group` (micro_unit),
        `mapping` (unit), `macro_state` (micro_state), and for the matched groupings `random_group` (random,
        micro_unit), `random_mapping` (random, unit), `random_p_on` (random, state, unit). The posterior draws keep
        the grouping that the point estimate chose. `valid_unit`, `validity` and `valid_share` (unit): whether each is a
        macro unit by the theory's own criterion (`unit_validity`), why, and in which share of draws (of pairs). Attrs:
        grouping ("recording" or "window"), window_bits (of this window's macro TPM), and `learned.found`.

    Raises:
        PhiscaleError: other units than those that were grouped.
    """
    _check_units(tpm, learned.units)
    p_on = tpm["p_on"].transpose(*STATE_UNIT).values
    grouping, names = learned.grouping, learned.units
    n_macro = len(grouping.mapping)
    others = matched_groupings(grouping, random_groupings, generator(learned.settings["seed"], "random_groupings"))
    labels = [f"m{j}({','.join(names[i] for i in block)})" for j, block in enumerate(grouping.blocks)]
    validity = unit_validity(p_on, grouping, tpm["visits"].values, names, formalism)
    drawn = (
        tpm["p_on_draws"].transpose("draw", *STATE_UNIT).values if "p_on_draws" in tpm else np.empty((0, *p_on.shape))
    )
    shares = valid_shares(drawn, grouping, tpm["visits"].values, formalism)
    variables = _macro_system(tpm, grouping) | _controls(p_on, n_macro, others) | _validity(validity, shares)
    dataset = xr.Dataset(
        {k: (d, v, _about(long_name)) for k, (d, v, long_name) in variables.items()},
        coords={
            "state": ("state", np.arange(2**n_macro), _about("macro state, bit j = macro unit j")),
            "unit": ("unit", labels, _about("macro unit")),
            "micro_unit": ("micro_unit", tpm["unit"].values.astype(str), _about("unit")),
            "micro_state": ("micro_state", np.arange(len(p_on)), _about("state, bit i = unit i")),
        },
        attrs=tpm.attrs,
    )
    if "paths" in tpm:
        dataset["paths"] = tpm["paths"].drop_vars("unit").rename(unit="micro_unit")
    visits = dataset["visits"].values
    invalid = [label for label, (valid, _) in zip(labels, validity, strict=True) if valid == 0]
    dataset = dataset.assign_attrs(
        route="macro_units",
        scale=n_macro,
        states_never_visited=int((visits == 0).sum()),
        least_visits=int(visits.min()),
        unvisited_micro_states=int((tpm["visits"].values == 0).sum()),
        flag=_flag(str(tpm.attrs.get("flag", "")), visits, invalid),
        grouping="recording" if learned.shared else "window",
        window_bits=objective(grouping, p_on),
        formalism=formalism,
        **learned.found,
    )
    settings = {"random_groupings": random_groupings, "formalism": formalism, "learned_from": learned.windows}
    return record(dataset, "coarse.coarse_grain", **(learned.settings | settings))


def _check_units(tpm: xr.Dataset, units: Sequence[str]) -> None:
    """Refuse a window of other units than those that are grouped."""
    own = [str(u) for u in tpm["unit"].values]
    if own != list(units):
        where = "/".join(str(tpm.attrs.get(k, "")) for k in ("recording", "window"))
        raise PhiscaleError(
            Problem(
                f"macro.grouping, {where}",
                f"has the units {', '.join(own)} beside {', '.join(units)}",
                "One grouping for both would join different units",
                "use grouping: window, or windows of the same units",
            )
        )


def _macro_system(tpm: xr.Dataset, grouping: Grouping) -> dict[str, Variable]:
    """The micro TPM's variables for the macro system, and what the macro units are."""
    p_on = tpm["p_on"].transpose(*STATE_UNIT).values
    of_state = grouping.macro_state()
    visits, transitions = (
        np.bincount(of_state, weights=tpm[v].values, minlength=2 ** len(grouping.mapping)).astype(int)
        for v in ("visits", "transitions")
    )
    variables: dict[str, Variable] = {
        "p_on": (STATE_UNIT, grouping.macro_p_on(p_on), "P(macro unit ON next | macro state)"),
        "visits": ("state", visits, "frames in this macro state"),
        "transitions": ("state", transitions, "transitions that leave this macro state"),
        "occupancy": ("state", visits / visits.sum(), "share of frames in this macro state"),
        "group": ("micro_unit", np.array(grouping.group), "macro unit of each unit"),
        "mapping": ("unit", np.array(grouping.mapping), "when the macro unit is ON"),
        "macro_state": ("micro_state", of_state, "macro state of each micro state"),
    }
    for name in ("p_on_draws", "p_on_observational", "p_on_observational_draws"):
        if name in tpm:
            dims = (*(("draw",) if name.endswith("draws") else ()), *STATE_UNIT)
            about = _of_macro(str(tpm[name].attrs["long_name"]))
            variables[name] = (dims, grouping.macro_p_on(tpm[name].transpose(*dims).values), about)
    return variables | _macro_copies(tpm, grouping, of_state)


def _macro_copies(tpm: xr.Dataset, grouping: Grouping, of_state: Ints) -> dict[str, Variable]:
    """Copies of the window as macro systems; the estimate's grouping is kept, as in posterior draws."""
    made: dict[str, Variable] = {}
    image = of_state[:, None] == np.arange(2 ** len(grouping.mapping))
    for name in (str(v) for v in tpm.data_vars if str(v).startswith("copy_")):
        about = _of_macro(str(tpm[name].attrs["long_name"]))
        values = tpm[name].values
        of_tpm = "unit" in tpm[name].dims
        macro = grouping.macro_p_on(values).astype(values.dtype) if of_tpm else values @ image
        made[name] = (tuple(map(str, tpm[name].dims)), macro, about)
    return made


def _of_macro(long_name: str) -> str:
    """Return what a variable of units is called where the units are macro units."""
    return long_name.replace("unit ON", "macro unit ON").replace("state", "macro state")


def _controls(p_on: Floats, n_macro: int, others: Sequence[Grouping]) -> dict[str, Variable]:
    """Matched random groupings and their macro TPMs."""
    group = np.array([g.group for g in others], dtype=int).reshape(-1, p_on.shape[1])
    mapping = np.array([g.mapping for g in others], dtype=str).reshape(-1, n_macro)
    macro = np.array([g.macro_p_on(p_on) for g in others]).reshape(-1, 2**n_macro, n_macro)
    return {
        "random_group": (("random", "micro_unit"), group, "macro unit of each unit, at random"),
        "random_mapping": (("random", "unit"), mapping, "when the random macro unit is ON"),
        "random_p_on": (("random", *STATE_UNIT), macro, "P(random macro unit ON next | macro state)"),
    }


def _validity(validity: Sequence[tuple[int, str]], shares: Sequence[float]) -> dict[str, Variable]:
    """Whether each macro unit is one by the theory's criterion, in how many posterior draws, and why."""
    holds = np.array([holds for holds, _ in validity], dtype=np.int8)
    why = np.array([why for _, why in validity])
    return {
        "valid_unit": ("unit", holds, "maximally irreducible within: 1 yes, 0 no, -1 not checked"),
        "validity": ("unit", why, "why it is a unit or not"),
        "valid_share": (
            "unit",
            np.array(shares),
            "share of posterior draws in which it is a unit",
        ),
    }


def _flag(micro: str, visits: Ints, invalid: Sequence[str]) -> str:
    """The micro TPM's words, with the unvisited states of both levels counted, and the units that are none."""
    words = [word.replace("unvisited_states", "unvisited_micro_states") for word in micro.split(";") if word]
    unvisited = int((visits == 0).sum())
    words += [f"unvisited_states:{unvisited}"] if unvisited else []
    return ";".join([*words, *(f"reducible_within:{name}" for name in invalid)])


def _about(long_name: str) -> dict[str, str]:
    return {"units": "1", "long_name": long_name}
