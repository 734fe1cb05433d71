"""The specifications of a multiverse: every combination of its grid that is a study, and why others are none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any

from pydantic import ValidationError

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.text import did_you_mean
from pipeline.multiverse.parameters import Multiverse
from pipeline.multiverse.specification import Estimand, Specification, named, sampled, shown
from pipeline.results.measures import MEASURES, SUMMARISED
from pipeline.study.fields import Part, parts
from pipeline.study.messages import explain
from pipeline.study.parameters import Parameters, contrasts

SECTIONS = ("preprocess", "ensembles", "binarize", "tpm", "macro", "iit", "nulls", "state_codes")  # what may vary
LARGEST = 20_000  # combinations that are looked at
WHERE = "multiverse.grid"
LIGHT_SURROGATES, LIGHT_UNFOLDED = 20, 5

Choices = dict[str, Any]


@dataclass(frozen=True)
class Expanded:
    """The specifications of a study.

    Attributes:
        estimand: what all of them estimate.
        specifications: those that are to be run, the main one first, then by name.
        parameters: of each, by its name.
        combinations: number of combinations of the grid.
        left_out: why combinations are no specification of their own, and how many.
        not_drawn: specifications that the sample leaves out.
    """

    estimand: Estimand
    specifications: tuple[Specification, ...]
    parameters: Mapping[str, Parameters]
    combinations: int
    left_out: Mapping[str, int]
    not_drawn: int


def expand(study: Parameters) -> Expanded:
    """Return the specifications that a study asks for.

    Args:
        study: with a section `multiverse`.

    Raises:
        PhiscaleError: with every fault of the section.
    """
    faults = list(multiverse_faults(study))
    if faults:
        raise PhiscaleError(*faults)
    assert study.multiverse is not None
    grid, goal = in_order(study.multiverse.grid), estimand(study)
    found: dict[str, tuple[Choices, Parameters]] = {}
    seen, left_out = set(), Counter[str]()
    for values in product(*grid.values()):
        given = dict(zip(grid, values, strict=True))
        applies, other = _applying(study, given)
        key = _key(applies)
        if key in seen:
            left_out[other or "it is the same as another"] += 1
            continue
        seen.add(key)
        try:
            parameters = derived(study, applies, goal)
        except ValidationError as error:
            left_out[_reason(error)] += 1
            continue
        choices = _choices(parameters, applies)
        if _key(choices) in found:
            left_out["it is the same as another"] += 1
        else:
            found[_key(choices)] = choices, parameters
    return _expanded(study, goal, found, prod(map(len, grid.values())), left_out)


def _expanded(
    study: Parameters,
    goal: Estimand,
    found: dict[str, tuple[Choices, Parameters]],
    combinations: int,
    left_out: Mapping[str, int],
) -> Expanded:
    """Add the study as it stands, give names, and draw the sample."""
    assert study.multiverse is not None
    main = _choices(study, _applying(study, _own(study))[0])
    if _key(main) not in found:
        found[_key(main)] = main, derived(study, main, goal)
    named_ones = [
        replace(specification, main=_key(specification.choices) == _key(main))
        for specification in named(choices for choices, _ in found.values())
    ]
    every = sorted(named_ones, key=lambda s: (not s.main, s.name))
    size = study.multiverse.sample
    drawn = every if size is None else sampled(every, size, study.seed)
    parameters = {s.name: found[_key(s.choices)][1] for s in drawn}
    return Expanded(goal, tuple(drawn), parameters, combinations, left_out, len(every) - len(drawn))


def estimand(study: Parameters) -> Estimand:
    """Return what the specifications of a study estimate: what its multiverse names, else the study's primary endpoint.

    Where the measure is named and the scale is not, it is that of the units; a primary endpoint of the units is that
    of all units, however many a specification has.

    Args:
        study: with a section `multiverse` and two conditions or more.
    """
    section, primary = study.multiverse, getattr(study.compare, "primary", None)
    assert section is not None
    a, b = section.contrast or (primary and primary.contrast) or contrasts(study)[0]
    scale = section.macro_scale
    if scale is None and section.measure is None and primary and primary.route == "macro_units":
        scale = primary.scale or max(study.macro_scales, default=None)
    return Estimand(section.measure or (primary.measure if primary else "phi_s"), scale, (a, b))


def derived(study: Parameters, choices: Mapping[str, Any], goal: Estimand | None = None) -> Parameters:
    """Return the parameters of a study with other choices.

    A section whose method changes has the new method's defaults for what only methods have.

    Args:
        study: the study as it stands.
        choices: field -> value.
        goal: what is estimated; where the study's multiverse is light, what that does not need is left out.

    Raises:
        ValidationError: such a study is refused.
    """
    content, sections = study.model_dump(exclude_unset=True), parts(Parameters)
    light = study.multiverse is not None and study.multiverse.light
    content.pop("multiverse", None)
    if goal is not None:  # it takes the place of the primary endpoint, whose scale a specification may lack
        content["compare"] = {k: v for k, v in (content.get("compare") or {}).items() if k != "primary"}
    for name in SECTIONS:
        given = {field.partition(".")[2]: v for field, v in choices.items() if field.partition(".")[0] == name}
        if given:
            content[name] = _changed(content.get(name) or {}, given, sections[name])
    if goal is not None and light:
        _lighten(content, study, goal, choices)
    return Parameters.model_validate(content)


def _changed(own: Mapping[str, Any], given: Mapping[str, Any], part: Part) -> dict[str, Any]:
    kept = dict(own)
    if part.chosen and "method" in given and given["method"] != part.chosen.method_of(own):
        kept = {name: value for name, value in own.items() if name in part.fields}
    return kept | deepcopy(dict(given))


def _lighten(content: dict[str, Any], study: Parameters, goal: Estimand, choices: Mapping[str, Any]) -> None:
    """Leave out of a study what a difference does not need; what the grid names stays."""
    unfolded = MEASURES[goal.measure.removesuffix("_common")].unfolded
    complexes = goal.measure.startswith("phi_s_complex")
    surrogates = min(study.nulls.surrogates, LIGHT_SURROGATES)
    unfolded_ones = LIGHT_UNFOLDED if unfolded else 0
    lighter: dict[str, dict[str, Any]] = {
        "iit": {
            "structures": 0,
            "big_phi_draws": min(study.iit.big_phi_draws, unfolded_ones),
            **({} if unfolded else {"big_phi_max_units": 0}),
            **({} if complexes else {"complex_max_units": 0}),
        },
        "nulls": {
            "surrogates": surrogates,
            "big_phi_surrogates": min(study.nulls.big_phi_surrogates, unfolded_ones, surrogates),
        },
        "macro": {
            "scales": [] if goal.macro_scale is None else [goal.macro_scale],
            "random_groupings": min(study.macro.random_groupings, LIGHT_SURROGATES),
        },
    }
    for name, fields in lighter.items():
        kept = {field: value for field, value in fields.items() if f"{name}.{field}" not in choices}
        content[name] = {**(content.get(name) or {}), **kept}


def _own(study: Parameters) -> Choices:
    """Return what the study as it stands has in the fields of its grid."""
    assert study.multiverse is not None
    found = {}
    for field in in_order(study.multiverse.grid):
        section, _, name = field.partition(".")
        value = getattr(study, section)
        if value is not None and hasattr(value, name):
            found[field] = getattr(value, name)
    return found


def _choices(parameters: Parameters, applies: Mapping[str, Any]) -> Choices:
    """Return the values that the fields have once the study was read (1 is 1.0 where a number of seconds is meant)."""
    return {field: getattr(getattr(parameters, field.partition(".")[0]), field.partition(".")[2]) for field in applies}


def _key(choices: Mapping[str, Any]) -> str:
    return json.dumps(dict(choices), sort_keys=True, default=str)


def in_order(grid: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """Return the grid in the order of the study's sections, methods first: names do not depend on the order given.

    Args:
        grid: field -> values.
    """

    def place(field: str) -> tuple[int, bool, str]:
        section, _, name = field.partition(".")
        return SECTIONS.index(section), name != "method", name

    return {field: grid[field] for field in sorted(grid, key=place)}


def _applying(study: Parameters, given: Mapping[str, Any]) -> tuple[Choices, str]:
    """Return the choices without fields that belong to other methods, and which these are."""
    sections, other = parts(Parameters), []
    for field in given:
        section, _, name = field.partition(".")
        part = sections[section]
        if part.chosen:
            method = given.get(f"{section}.method", part.chosen.method_of(getattr(study, section)))
            if name not in part.known(str(method)):
                other.append(f"{field} belongs to another method than {method!r}")
    absent = {reason.partition(" ")[0] for reason in other}
    return {field: value for field, value in given.items() if field not in absent}, "; ".join(other)


def _reason(error: ValidationError) -> str:
    """Return why a combination is no study, without what it would do and how to mend it."""
    told = [str(problem.what) for problem in explain("", error, Parameters) if problem.where]
    return "; ".join(dict.fromkeys(told)) or str(error.errors()[0]["msg"])


def multiverse_faults(study: Parameters) -> Iterator[Problem]:
    """Yield what is wrong with the section `multiverse` of a study; nothing where it has none.

    Args:
        study: all else of which is right.
    """
    section = study.multiverse
    if section is None:
        return
    yield from _faults_of_estimand(study, section)
    faults = [problem for field, values in section.grid.items() for problem in _faults_of_field(study, field, values)]
    yield from faults
    size = prod(map(len, section.grid.values()))
    if size > LARGEST:
        yield Problem(
            WHERE,
            f"has {size} combinations",
            f"No more than {LARGEST} are looked at, also where a sample of them is run",
            "name fewer fields or values",
        )


def _faults_of_estimand(study: Parameters, section: Multiverse) -> Iterator[Problem]:
    if section.measure is not None and section.measure not in SUMMARISED:
        yield Problem(
            "multiverse.measure",
            f"{section.measure!r} is not a measure of the summary",
            "There would be nothing to compare",
            did_you_mean(section.measure, SUMMARISED) or f"use one of {', '.join(SUMMARISED)}",
        )
    if len(study.conditions) < 2:
        yield Problem(
            "multiverse and conditions",
            "the study has a single condition",
            "A multiverse is of the difference between two",
            "name another condition, or leave the section out",
        )
    size = section.macro_scale
    if size is not None and (size >= study.ensembles.iit or not (section.light or size in study.macro_scales)):
        yield Problem(
            "multiverse.macro_scale",
            f"{size} macro units are not among what the study as it stands has",
            "It could not be held against the others",
            f"use fewer than {study.ensembles.iit} units (ensembles.iit), of macro.scales, or leave it empty",
        )
    pair = section.contrast or ()
    unknown = sorted(set(pair) - set(study.conditions))
    if unknown or (pair and pair[0] == pair[1]):
        yield Problem(
            "multiverse.contrast",
            f"{list(pair)} are not two of the conditions {study.conditions}",
            "There would be nothing to compare",
            "name two of them",
        )


def _faults_of_field(study: Parameters, field: str, values: list[Any]) -> Iterator[Problem]:
    where, known = f"{WHERE}: {field}", _known()
    if field not in known:
        section = field.partition(".")[0]
        fixed = section in Parameters.model_fields and section not in SECTIONS
        what = "is no choice of the analysis" if fixed else "is not a field of a study"
        fix = "leave it out" if fixed else did_you_mean(field, known) or "write it as section.field, e.g. tpm.lag"
        yield Problem(where, what, "The question would be another one, or nothing would change", fix)
        return
    if not values:
        yield Problem(where, "has no value", "There would be no combination", "name its values, or leave it out")
    if len({_key({field: value}) for value in values}) < len(values):
        yield Problem(where, f"has a value twice in {values}", "It would be counted twice", "name each value once")
    for value in values:
        yield from _faults_of_value(study, field, value, where)


def _faults_of_value(study: Parameters, field: str, value: Any, where: str) -> Iterator[Problem]:
    """Yield why no combination may have a value: the faults it has by itself, with the methods that have its field."""
    section, _, name = field.partition(".")
    part = parts(Parameters)[section]
    methods: list[str | None] = [None]
    if part.chosen and name != "method" and name not in part.fields:
        own = part.chosen.method_of(getattr(study, section))
        given = study.multiverse.grid.get(f"{section}.method", [own]) if study.multiverse else [own]
        methods = [str(m) for m in given if str(m) in part.chosen.models and name in part.known(str(m))]
        if not methods:
            owners = " or ".join(repr(owner) for owner in part.chosen.methods_with(name))
            what = f"belongs to the method {owners}, which no combination uses"
            yield Problem(where, what, "It would change nothing", f"add it to {section}.method, or leave the field out")
            return
    for method in methods:
        chosen = {field: value} | ({f"{section}.method": method} if method else {})
        try:
            derived(study, chosen)
        except ValidationError as error:
            if not _between(error):
                problem = next(explain(WHERE, error, Parameters))
                yield replace(problem, where=f"{where}: {shown(value)}")
                return


def _between(error: ValidationError) -> bool:
    """Tell whether fields are refused together only, which other values of the grid may mend."""
    return all(fault["type"] == "cross_field" for fault in error.errors())


def _known() -> list[str]:
    """Return the fields that a grid may name."""
    found = []
    for name in SECTIONS:
        part = parts(Parameters)[name]
        own = [field for model in (part.chosen.models if part.chosen else ()) for field in part.known(model)]
        found += [f"{name}.{field}" for field in dict.fromkeys([*own, *part.fields])]
    return found
