"""What a study will run, and about how long it takes: told before anything runs."""

from __future__ import annotations

from math import comb

from iitcore import estimate_cost
from pipeline.encoder.parameters import Encoder
from pipeline.study.study import Study
from pipeline.tpm.parameters import COPY_DRAWS
from pipeline.workflow import targets
from pipeline.workflow.multiverse import Specifications
from pipeline.workflow.progress import span

# Processor time of a job of each stage besides phi, with its start and Snakemake's part of it (0.2 s), on one core of
# 2026: 16 sessions of mouse sleep (4 units of 30 minutes, 3 windows, one macro scale). What its length multiplies is
# left out: a recording of a thousand neurons takes some seconds more to preprocess. `tpm` and `nulls` are of hidden
# states, in three windows of 2,000 bins with 400 draws and 40 surrogates; states that are given take a tenth of that.
SECONDS = {
    **{"ingest": 0.4, "simulate": 4.0, "truth": 0.2, "preprocess": 0.4, "shared_units": 1.0, "ensembles": 0.4},
    **{"lengths": 0.4, "states": 0.9, "tpm": 12.0, "shared_macro": 3.0, "macro": 3.0, "phi": 0.9, "nulls": 32.0},
    **{"encode": 4.0, "macro_model": 1.0, "multiscale": 1.0, "summarise": 5.0, "halves": 3.0, "compare": 0.5},
    **{"score": 4.0, "choose": 0.3, "matched": 0.9, "detection": 6.0, "validate": 1.0, "multiverse": 4.0},
    **{"report": 8.0, "all": 0.0},
}
FIRST, LONG = 2, 1  # priorities: what others wait for, then what takes longest; short jobs fill the cores at the end
LOADING_S = 7.0  # Snakemake, and the libraries once for all jobs


def plan(study: Study) -> str:
    """Return what a run will make and about how long it takes."""
    p = study.parameters
    windows = sum(len(study.window_names(name)) for name in study.names)
    systems = [*targets.systems(study), *targets.learned_systems(study)]
    subjects = study.recordings["subject"].nunique()
    smallest = 2.0 ** (1 - subjects) if subjects > 1 else 1.0
    contrasts = ", ".join(f"{a} - {b}" for a, b in study.contrasts()) or "none (one condition)"
    return "\n".join(
        [
            f"study {p.study}: {len(study.names)} recordings of {subjects} subjects, {windows} windows, "
            f"conditions {', '.join(p.conditions)}",
            f"systems in each window: {', '.join(systems)} ({2**p.ensembles.iit} micro states; "
            f"Φ up to {p.iit.big_phi_max_units} units)",
            f"uncertainty: {p.tpm.draws} posterior draws; "
            f"nulls: {', '.join(p.nulls.kinds)} with {p.nulls.surrogates} surrogates",
            f"contrasts: {contrasts}; smallest p that a sign-flip test of {subjects} subjects can reach: {smallest:g}",
            _time(study, windows),
        ]
    )


def _time(study: Study, windows: int) -> str:
    """Say how many jobs there are, and how long they take."""
    jobs = targets.jobs(study)
    around = LOADING_S + sum(SECONDS[stage] * _scales(study, stage) * count for stage, count in jobs.items())
    around += windows * encoder_seconds(study.parameters.encoder) + len(study.names) * _joint_seconds(study)
    phi, hard = (windows * seconds for seconds in window_seconds(study))
    return (
        f"{sum(jobs.values())} jobs, of the order of {span(around + phi)} on one core: {span(around)} for all but phi, "
        f"{span(phi)} for phi if every state is visited (up to {span(hard)} where the bounds of the search fail); "
        f"results in {study.root}"
    )


def _scales(study: Study, stage: str) -> float:
    """How often a job does what `SECONDS` tell of one macro scale (the nulls: of the units and one macro scale)."""
    n = len(study.parameters.macro_scales)
    return {"macro": max(n, 1), "shared_macro": max(n, 1), "nulls": (1 + n) / 2}.get(stage, 1.0)


def multiverse_time(specified: Specifications) -> str:
    """Say how many jobs the specifications of a study have, and how long they take.

    Args:
        specified: the specifications.
    """
    jobs, phi = specified.jobs(), 0.0
    for study in specified.studies.values():
        phi += window_seconds(study)[0] * sum(len(study.window_names(name)) for name in study.names)
    around = LOADING_S + sum(SECONDS[stage] * count for stage, count in jobs.items())
    return (
        f"{sum(jobs.values())} jobs, of the order of {span(around + phi)} on one core; "
        f"results in {specified.study.layout.of_study('multiverse').parent}"
    )


def window_seconds(study: Study) -> tuple[float, float]:
    """Return the time that phi of one window takes on one core [s]: typically, and for hard systems.

    Of every system (units, macro units): the estimate, its draws, copies and surrogates, in all states.
    An order of magnitude (see `iitcore.estimate_cost`).
    """
    p = study.parameters
    kinds, found = len(p.nulls.kinds), []
    for n in (p.ensembles.iit, *p.macro_scales):
        random = p.macro.random_groupings if n in p.macro_scales else 0
        tpms = 1 + p.tpm.draws + kinds * p.nulls.surrogates + random + p.tpm.copies * (1 + COPY_DRAWS)
        unfolded = kinds * p.nulls.big_phi_surrogates + min(random, p.nulls.big_phi_surrogates)
        found.append(_system_seconds(study, n, tpms, unfolded))
    encoder = p.encoder
    for n in encoder.macro_models if encoder else ():
        surrogates = len(encoder.nulls) * encoder.surrogates if encoder else 0
        unfolded = min(surrogates, kinds * p.nulls.big_phi_surrogates)
        found.append(_system_seconds(study, n, 1 + p.tpm.draws + surrogates, unfolded))
    return sum(one[0] for one in found), sum(one[1] for one in found)


def _system_seconds(study: Study, n: int, tpms: int, unfolded: int) -> tuple[float, float]:
    """Time of one system of n units [s]: typically, and where it is hard.

    `tpms` of its TPMs are analysed, and of `unfolded` surrogates, the estimate and draws besides, the structures.
    """
    p = study.parameters
    unfolded += 1 + min(p.iit.big_phi_draws, p.tpm.draws)
    costs = [estimate_cost(n, "phi_s", tpms * 2**n), estimate_cost(n, "complexes", 2**n)]
    if n <= p.iit.complex_max_units:  # all subsets of every draw and surrogate
        costs += [estimate_cost(k, "phi_s", comb(n, k) * tpms * 2**n) for k in range(1, n + 1)]
    if n <= p.iit.big_phi_max_units:
        costs.append(estimate_cost(n, "structure", unfolded * 2**n + p.iit.structures))
    return sum(cost.seconds for cost in costs), sum(cost.seconds_hard for cost in costs)


def job_seconds(study: Study) -> dict[str, float]:
    """Return what a job of each stage takes on one core [s]: an order of magnitude.

    Args:
        study: the study.
    """
    windows = sum(len(study.window_names(name)) for name in study.names) / max(len(study.names), 1)
    encode = windows * encoder_seconds(study.parameters.encoder)
    joint = _joint_seconds(study)
    phi = windows * window_seconds(study)[0]
    own = {"phi": phi, "encode": encode, "macro_model": joint}
    return SECONDS | {stage: SECONDS[stage] + seconds for stage, seconds in own.items()}


def _joint_seconds(study: Study) -> float:
    """Time of the joint hierarchy of a recording and of its surrogates [s], by the transitions of a training step."""
    encoder = study.parameters.encoder
    if encoder is None or not encoder.macro_models:
        return 0.0
    return encoder_seconds(encoder.model_copy(update={"seeds": 1})) * encoder.transitions / 1000


def encoder_seconds(encoder: Encoder | None) -> float:
    """Return the time that the hierarchies of one window of 1,000 frames take on one core [s], if none stops early.

    A step of a model takes 2 ms, and what its layers take: 55 ms at 32 units, 6 couplings of width 64.

    Args:
        encoder: the section of the study; None takes no time.
    """
    if encoder is None:
        return 0.0
    models = encoder.seeds * (1 + len(encoder.nulls) * encoder.surrogates)
    models += encoder.seeds if encoder.seeds > 1 else 0  # frames in random order
    scales = encoder.units.bit_length()
    step = 0.002 + 0.055 * (scales / 6) * (encoder.couplings + 1) / 7 * (encoder.hidden + encoder.units) / 96
    stages = encoder.steps + encoder.power_steps * (1 if encoder.mode == "calibrated" else scales)
    return models * step * stages
