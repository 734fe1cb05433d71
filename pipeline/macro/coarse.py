"""Macro units: the grouping whose derived TPM is most effective, and random ones beside it.

A grouping is learned once for all windows of a recording, or in each window by itself. Only the first
compares the same macro units between windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.seeds import generator
from pipeline.macro.groupings import (
    EXHAUSTIVE_UNITS,
    MAPPINGS,
    TIE,
    Grouping,
    check,
    exhaustive,
    exhaustive_common,
    matched_groupings,
    objective,
)
from pipeline.macro.validity import unit_validity

STATE_UNIT = ("state", "unit")
Variable = tuple[str | tuple[str, ...], np.ndarray, str]  # dims, values, long name


def coarse_grain(
    tpm: xr.Dataset,
    n_macro: int,
    mappings: Sequence[str] = MAPPINGS,
    restarts: int = 8,
    steps: int = 200,
    random_groupings: int = 50,
    method: str = "encoder",
    seed: int = 0,
    learn_from: Sequence[xr.Dataset] | None = None,
) -> xr.Dataset:
    """Derive the TPM of `n_macro` learned macro units from a micro TPM (`pipeline.tpm.estimate`).

    learn_from: the micro TPMs of all windows of the recording, this one among them. Grouping and
        mappings are then those with the largest mean objective over the windows, each counting alike:
        with the same datasets in the same order and the same seed every window gets the same macro
        units. The encoder proposes its best for each window, and the best proposal is taken. By default
        they are learned on `tpm` alone.

    Returns the micro TPM's variables for the macro system, unit names such as "m0(e0,e1)", and
    `group` (micro_unit), `mapping` (unit), `macro_state` (micro_state), and for up to
    `random_groupings` matched groupings `random_group` (random, micro_unit), `random_mapping` (random, unit),
    `random_p_on` (random, state, unit). The posterior draws keep the grouping that the point estimate
    chose. Attrs: grouping ("recording" with `learn_from`, else "window"), objective, objective_bits (mean
    over the TPMs learned from), window_bits (of this window's macro TPM), method, restarts_agreeing, and up to 6
    units exhaustive_bits, the best that there is: where the encoder misses it, it is taken and `method`
    says so. `valid_unit` and `validity` (unit): whether each is a macro unit by the theory's own criterion
    (`unit_validity`). Raises `PhiscaleError` for more macro units than units, unknown mappings, or windows
    of different units.
    """
    p_on = tpm["p_on"].transpose("state", "unit").values
    check(p_on.shape[1], n_macro, mappings)
    learned_on = p_on[None] if learn_from is None else _windows(tpm, learn_from)
    grouping, how = _learn(learned_on, n_macro, mappings, restarts, steps, method, seed)
    others = matched_groupings(grouping, random_groupings, generator(seed, "random_groupings"))
    names = tpm["unit"].values.astype(str)
    labels = [f"m{j}({','.join(names[i] for i in block)})" for j, block in enumerate(grouping.blocks)]
    validity = unit_validity(p_on, grouping, tpm["visits"].values, list(names))
    variables = _macro_system(tpm, grouping) | _controls(p_on, n_macro, others) | _validity(validity)
    dataset = xr.Dataset(
        {k: (d, v, {"units": "1", "long_name": name}) for k, (d, v, name) in variables.items()},
        coords={
            "state": ("state", np.arange(2**n_macro), _about("macro state, bit j = macro unit j")),
            "unit": ("unit", labels, _about("macro unit")),
            "micro_unit": ("micro_unit", names, _about("unit")),
            "micro_state": ("micro_state", np.arange(len(p_on)), _about("state, bit i = unit i")),
        },
        attrs=tpm.attrs,
    )
    visits = dataset["visits"].values
    invalid = [label for label, (valid, _) in zip(labels, validity, strict=True) if valid == 0]
    dataset = dataset.assign_attrs(
        route="macro_units",
        scale=n_macro,
        states_never_visited=int((visits == 0).sum()),
        least_visits=int(visits.min()),
        unvisited_micro_states=int((tpm["visits"].values == 0).sum()),
        flag=_flag(str(tpm.attrs.get("flag", "")), visits, invalid),
        grouping="window" if learn_from is None else "recording",
        window_bits=objective(grouping, p_on),
        **how,
    )
    return record(
        dataset,
        "coarse.coarse_grain",
        n_macro=n_macro,
        mappings=list(mappings),
        restarts=restarts,
        steps=steps,
        random_groupings=random_groupings,
        method=method,
        seed=seed,
        learned_from=[str(t.attrs.get("window", "")) for t in learn_from or [tpm]],
    )


def _windows(tpm: xr.Dataset, windows: Sequence[xr.Dataset]) -> np.ndarray:
    """P(ON), (window, state, unit), of the windows of a recording."""
    units = tpm["unit"].values.tolist()
    for other in windows:
        if other["unit"].values.tolist() != units:
            where = "/".join(str(other.attrs.get(k, "")) for k in ("recording", "window"))
            raise PhiscaleError(
                Problem(f"macro.grouping, {where}",
                        f"has the units {', '.join(map(str, other['unit'].values))} beside {', '.join(map(str, units))}",
                        "One grouping for both would join different units",
                        "use grouping: window, or windows of the same units")
            )  # fmt: skip
    return np.stack([w["p_on"].transpose("state", "unit").values for w in windows])


def _learn(
    p_on: np.ndarray,
    n_macro: int,
    mappings: Sequence[str],
    restarts: int,
    steps: int,
    method: str,
    seed: int,
) -> tuple[Grouping, dict[str, Any]]:
    """The grouping for micro TPMs (window, state, unit), and the attrs that say how it was found."""
    small = p_on.shape[-1] <= EXHAUSTIVE_UNITS
    best = exhaustive_common(p_on, n_macro, mappings) if small else None
    if method == "exhaustive":
        found = best or exhaustive(p_on, n_macro, mappings)[0]  # the latter says why it cannot
        restarts = 1
    else:
        from pipeline.macro.learning import learn_grouping  # torch takes seconds to import

        proposed = [
            learn_grouping(
                one,
                n_macro,
                mappings=mappings,
                restarts=restarts,
                steps=steps,
                seed=seed,
                method=method,
            )
            for one in p_on
        ]
        means = [float(np.mean([objective(g, one) for one in p_on])) for g in proposed]
        first = int(np.argmax(np.array(means) > max(means) - TIE))
        found = replace(proposed[first], objective=means[first])
    how: dict[str, Any] = {
        "objective": "effective_information",
        "method": method,
        "restarts": restarts,
        "restarts_agreeing": found.agreement,
    }
    if best is not None:
        how["exhaustive_bits"] = best.objective
        if found.objective < best.objective - TIE:
            how |= {"encoder_bits": found.objective, "method": "exhaustive", "restarts_agreeing": 0}
            found = best
    return found, how | {"objective_bits": found.objective}


def _macro_system(tpm: xr.Dataset, grouping: Grouping) -> dict[str, Variable]:
    """The micro TPM's variables for the macro system, and what the macro units are."""
    p_on = tpm["p_on"].transpose("state", "unit").values
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
    if "p_on_draws" in tpm:
        drawn = grouping.macro_p_on(tpm["p_on_draws"].transpose("draw", *STATE_UNIT).values)
        variables["p_on_draws"] = (
            ("draw", *STATE_UNIT), drawn, "posterior draws of P(macro unit ON next | macro state)",
        )  # fmt: skip
    return variables


def _controls(p_on: np.ndarray, n_macro: int, others: list[Grouping]) -> dict[str, Variable]:
    """Matched random groupings and their macro TPMs."""
    group = np.array([g.group for g in others], dtype=int).reshape(-1, p_on.shape[1])
    mapping = np.array([g.mapping for g in others], dtype=str).reshape(-1, n_macro)
    macro = np.array([g.macro_p_on(p_on) for g in others]).reshape(-1, 2**n_macro, n_macro)
    return {
        "random_group": (("random", "micro_unit"), group, "macro unit of each unit, at random"),
        "random_mapping": (("random", "unit"), mapping, "when the random macro unit is ON"),
        "random_p_on": (
            ("random", *STATE_UNIT), macro, "P(random macro unit ON next | macro state)",
        ),
    }  # fmt: skip


def _validity(validity: list[tuple[int, str]]) -> dict[str, Variable]:
    """Whether each macro unit is one by the theory's criterion, and why."""
    holds = np.array([holds for holds, _ in validity], dtype=np.int8)
    why = np.array([why for _, why in validity])
    return {
        "valid_unit": ("unit", holds, "maximally irreducible within: 1 yes, 0 no, -1 not checked"),
        "validity": ("unit", why, "why it is a unit or not"),
    }


def _flag(micro: str, visits: np.ndarray, invalid: Sequence[str]) -> str:
    """The micro TPM's words, with the unvisited states of both levels counted, and the units that are none."""
    words = [word.replace("unvisited_states", "unvisited_micro_states") for word in micro.split(";") if word]
    unvisited = int((visits == 0).sum())
    words += [f"unvisited_states:{unvisited}"] if unvisited else []
    return ";".join([*words, *(f"reducible_within:{name}" for name in invalid)])


def _about(long_name: str) -> dict[str, str]:
    return {"units": "1", "long_name": long_name}
