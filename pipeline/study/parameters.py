"""The parameters of a study, study.yaml: the sections of all rooms as one model, and what has to fit between them.

The commented template that `phiscale init` writes, the JSON schema and the list of fields are generated from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from pipeline.base.errors import Problem
from pipeline.base.parameters import Identifier, PathText, Section
from pipeline.binarize.bins import rounded_up, shorter_than_frame
from pipeline.binarize.parameters import Binarize
from pipeline.encoder.parameters import Encoder
from pipeline.inference.parameters import Compare
from pipeline.ingest.parameters import StateCodes
from pipeline.integration.parameters import Iit
from pipeline.macro.parameters import Macro
from pipeline.multiverse.parameters import Multiverse
from pipeline.nulls.parameters import Nulls
from pipeline.simulation.parameters import Simulate
from pipeline.study.fields import empty_sections
from pipeline.tpm.parameters import LEAST_COPIES, Tpm
from pipeline.traces.parameters import EVERY_SUBJECT, Ensembles, Preprocess


class Parameters(Section):
    """Everything in study.yaml."""

    study: Identifier = Field(description="Name of the study; results go to RESULTS/STUDY")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(0, description="Fixes every random choice")
    results: PathText = Field("results", description="Folder of the results (relative to where the run is started)")
    data: PathText | None = Field(
        None,
        description="Folder from which paths in the sheet start; empty: that of study.yaml. "
        "May name environment variables as ${NAME}; --data on the command line wins",
    )
    recordings: PathText = Field("recordings.tsv", description="Sheet of recordings (relative to study.yaml)")
    windows: PathText | None = Field(
        "windows.tsv",
        description="Sheet of windows (relative to study.yaml); empty when state codes give them",
    )
    conditions: list[Identifier] = Field(
        min_length=1, description="Conditions in the order of the figures and contrasts"
    )
    preprocess: Preprocess = Preprocess()
    ensembles: Ensembles = Ensembles()
    binarize: Binarize = TypeAdapter(Binarize).validate_python({})
    tpm: Tpm = TypeAdapter(Tpm).validate_python({})
    macro: Macro = Macro()
    encoder: Encoder | None = Field(
        None, description="Learned multiscale variables; left out, there are none (`encoder: {}` takes all defaults)"
    )
    iit: Iit = Iit()
    nulls: Nulls = Nulls()
    compare: Compare = Compare()
    multiverse: Multiverse | None = Field(None, description="The same question over a grid of choices")
    state_codes: StateCodes | None = Field(None, description="Windows from state codes")
    simulate: Simulate = Simulate()

    @property
    def macro_scales(self) -> list[int]:
        """Numbers of macro units, in the order given; from the finest on where all are asked for."""
        return self.macro.sizes(self.ensembles.iit)

    @model_validator(mode="before")
    @classmethod
    def _an_empty_section_has_its_defaults(cls, fields: Any) -> Any:
        return empty_sections(cls, fields)

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Parameters:
        faults = [str(problem) for problem in cross_checks(self)]
        if faults:
            raise PydanticCustomError("cross_field", "{faults}", {"faults": "\n".join(faults)})
        return self


def contrasts(parameters: Parameters) -> list[tuple[str, str]]:
    """Return the contrasts of a study: those it names, or every pair of conditions in their order."""
    return list(parameters.compare.contrasts) or list(combinations(parameters.conditions, 2))


def cross_checks(p: Parameters) -> list[Problem]:
    """Return what is wrong between fields that are each valid on their own."""
    return [problem for check in CHECKS for problem in check(p)]


def _conditions_differ(p: Parameters) -> Iterator[Problem]:
    if len(set(p.conditions)) < len(p.conditions):
        yield Problem(
            "conditions",
            f"a condition is listed twice in {p.conditions}",
            "Its contrasts would be zero",
            "list each condition once",
        )


def _contrasts_have_two_conditions(p: Parameters) -> Iterator[Problem]:
    for pair in p.compare.contrasts:
        unknown = sorted(set(pair) - set(p.conditions))
        if unknown:
            yield Problem(
                "compare.contrasts and conditions",
                f"the contrast {list(pair)} names {unknown}, which is not among the conditions {p.conditions}",
                "There would be nothing to compare",
                "correct the name, or add it to conditions",
            )
        elif pair[0] == pair[1]:
            yield Problem(
                "compare.contrasts",
                f"the contrast {list(pair)} compares a condition with itself",
                "It is always zero",
                "name two conditions",
            )


def _primary_is_compared(p: Parameters) -> Iterator[Problem]:
    primary, pairs = p.compare.primary, contrasts(p)
    if primary.contrast and primary.contrast not in pairs:
        yield Problem(
            "compare.primary.contrast",
            f"{list(primary.contrast)} is none of the contrasts {[list(pair) for pair in pairs]}",
            "The primary endpoint would not be tested",
            "name one of them, in the same order",
        )
    sizes = [p.ensembles.iit] if primary.route == "micro" else p.macro_scales
    if (primary.scale and primary.scale not in sizes) or not sizes:
        yield Problem(
            "compare.primary.scale and .route",
            f"there are no systems of {primary.scale or 'any number of'} units by the route {primary.route}",
            "The primary endpoint would not be tested",
            f"use one of {sizes}" if sizes else "use the route micro, or give macro.scales",
        )


def _scales_are_macro(p: Parameters) -> Iterator[Problem]:
    for scale in p.macro_scales:
        if scale >= p.ensembles.iit:
            yield Problem(
                "macro.scales and ensembles.iit",
                f"{scale} macro units cannot be made of {p.ensembles.iit} units",
                "A macro unit would be a single unit, and the scale the micro scale again",
                f"use scales below {p.ensembles.iit}, or raise ensembles.iit",
            )


def _scales_differ(p: Parameters) -> Iterator[Problem]:
    if len(set(p.macro_scales)) < len(p.macro_scales):
        yield Problem(
            "macro.scales",
            f"a scale is listed twice in {p.macro.scales}",
            "Its results would be counted twice in the correction",
            "list each scale once",
        )


def _scales_have_a_mapping(p: Parameters) -> Iterator[Problem]:
    if p.macro_scales and not p.macro.mappings:
        yield Problem(
            "macro.mappings and macro.scales",
            "macro units are asked for, but no state mapping is allowed",
            "No macro unit has a state",
            "name at least one mapping, or empty macro.scales",
        )


def _copies_have_draws(p: Parameters) -> Iterator[Problem]:
    if p.tpm.copies and (p.tpm.copies < LEAST_COPIES or not p.tpm.draws):
        yield Problem(
            "tpm.copies and tpm.draws",
            f"{p.tpm.copies} copies beside {p.tpm.draws} posterior draws",
            "Intervals are quantiles over copies of how far the mean over draws is from the truth",
            f"use at least {LEAST_COPIES} copies, or none, and at least one draw",
        )


def _copies_are_of_the_posterior(p: Parameters) -> Iterator[Problem]:
    if p.tpm.copies and p.tpm.uncertainty == "bootstrap":
        yield Problem(
            "tpm.copies and tpm.uncertainty",
            f"{p.tpm.copies} copies beside draws of a bootstrap",
            "Copies show how far the mean over posterior draws is from the truth, not that over resamples",
            "use uncertainty: posterior, or no copies",
        )


def _resamples_hold_no_drive(p: Parameters) -> Iterator[Problem]:
    if p.tpm.uncertainty == "bootstrap" and p.tpm.draws and getattr(p.tpm, "drive", False):
        yield Problem(
            "tpm.uncertainty and tpm.drive",
            f"{p.tpm.method!r} may hold a drive, and transitions that are resampled hold none",
            "The draws would be of another TPM than the estimate",
            "use uncertainty: posterior, or drive: false",
        )


def _hidden_states_follow_each_other(p: Parameters) -> Iterator[Problem]:
    if p.tpm.method == "latent" and p.tpm.lag != 1:
        yield Problem(
            "tpm.lag and tpm.method",
            f"the lag is {p.tpm.lag}, and hidden states follow each other bin by bin",
            "The states could not be told",
            "use lag: 1, or another method than 'latent'",
        )


def _unfolded_surrogates_are_made(p: Parameters) -> Iterator[Problem]:
    if p.nulls.big_phi_surrogates > p.nulls.surrogates:
        yield Problem(
            "nulls.big_phi_surrogates and nulls.surrogates",
            f"{p.nulls.big_phi_surrogates} surrogates are to be unfolded, but only {p.nulls.surrogates} are made",
            "The null of Φ would rest on fewer surrogates than stated",
            "lower nulls.big_phi_surrogates or raise nulls.surrogates",
        )


def _bins_hold_a_frame(p: Parameters) -> Iterator[Problem]:
    rate = p.preprocess.resample_hz
    if rate and shorter_than_frame(p.binarize.bin_s, rate):
        yield Problem(
            "binarize.bin_s and preprocess.resample_hz",
            f"a bin of {p.binarize.bin_s} s is shorter than a frame at {rate} Hz",
            "Bins would be empty",
            f"use bins of at least {rounded_up(1 / rate):g} s, or a higher rate",
        )


def _windows_are_given(p: Parameters) -> Iterator[Problem]:
    if p.state_codes is None and not p.windows:
        yield Problem(
            "windows and state_codes",
            "both are empty",
            "No frame would belong to a condition",
            "name a sheet of windows, or give state_codes",
        )


def _codes_stand_for_conditions(p: Parameters) -> Iterator[Problem]:
    coded = set(p.state_codes.codes.values()) if p.state_codes else set()
    for condition in sorted(coded - set(p.conditions)):
        yield Problem(
            "state_codes.codes and conditions",
            f"a code stands for {condition!r}, which is not among the conditions {p.conditions}",
            "Its frames would belong to no condition",
            "correct the name, or add it to conditions",
        )


def _conditions_have_codes(p: Parameters) -> Iterator[Problem]:
    if p.state_codes is None or p.windows:
        return
    for condition in p.conditions:
        if condition not in p.state_codes.codes.values():
            yield Problem(
                "conditions and state_codes.codes",
                f"no code stands for the condition {condition!r}",
                "It would have no data",
                "add its code, or remove the condition",
            )


def _shared_units_are_chosen_alike(p: Parameters) -> Iterator[Problem]:
    chosen = list(p.ensembles.neurons.values())
    if p.ensembles.grouping == "study" and chosen and (set(p.ensembles.neurons) != {EVERY_SUBJECT}):
        yield Problem(
            "ensembles.grouping and ensembles.neurons",
            "all recordings are to share their units, but neurons are chosen subject by subject",
            "Units of other neurons would bear one name",
            f'choose them once, under "{EVERY_SUBJECT}", or set ensembles.grouping to subject',
        )


def _bouts_hold_a_transition(p: Parameters) -> Iterator[Problem]:
    shortest = p.binarize.bin_s * (p.tpm.lag + 1)
    if p.state_codes and p.state_codes.min_bout_s < shortest:
        yield Problem(
            "state_codes.min_bout_s and binarize.bin_s × (tpm.lag + 1)",
            f"bouts of {p.state_codes.min_bout_s} s would be kept, but one transition takes {shortest:g} s",
            "Such bouts hold no transition",
            f"raise min_bout_s to at least {shortest:g}",
        )


CHECKS: tuple[Callable[[Parameters], Iterator[Problem]], ...] = (
    _conditions_differ,
    _contrasts_have_two_conditions,
    _primary_is_compared,
    _scales_are_macro,
    _scales_differ,
    _scales_have_a_mapping,
    _copies_have_draws,
    _copies_are_of_the_posterior,
    _resamples_hold_no_drive,
    _hidden_states_follow_each_other,
    _unfolded_surrogates_are_made,
    _bins_hold_a_frame,
    _windows_are_given,
    _codes_stand_for_conditions,
    _conditions_have_codes,
    _bouts_hold_a_transition,
    _shared_units_are_chosen_alike,
)
