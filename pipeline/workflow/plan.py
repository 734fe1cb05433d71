"""What a study will run, and about how long it takes: told before anything runs."""

from __future__ import annotations

from math import comb

from iitcore import estimate_cost
from pipeline.study.study import Study
from pipeline.workflow import targets

SECONDS_PER_JOB = 4.0  # start of an interpreter and its libraries, measured on one core of 2026


def plan(study: Study) -> str:
    """Return what a run will make and about how long it takes."""
    p = study.parameters
    windows = len(targets.per_window(study, "{recording}/{window}"))
    systems = targets.systems(study)
    jobs = 6 * len(study.names) + windows * (1 + len(p.macro.scales) + 2 * len(systems)) + 3
    start = jobs * SECONDS_PER_JOB
    phi, hard = (windows * seconds for seconds in window_seconds(study))
    subjects = study.recordings["subject"].nunique()
    smallest = 2.0 ** (1 - subjects) if subjects > 1 else 1.0
    return "\n".join(
        [
            f"study {p.study}: {len(study.names)} recordings of {subjects} subjects, {windows} windows, conditions {', '.join(p.conditions)}",
            f"systems in each window: {', '.join(systems)} ({2**p.ensembles.iit} micro states; Φ up to {p.iit.big_phi_max_units} units)",
            f"uncertainty: {p.tpm.draws} posterior draws; nulls: {', '.join(p.nulls.kinds)} with {p.nulls.surrogates} surrogates",
            f"contrasts: {', '.join(f'{a} - {b}' for a, b in study.contrasts()) or 'none (one condition)'}; smallest p that a sign-flip test of {subjects} subjects can reach: {smallest:g}",
            f"about {jobs} jobs, of the order of {span(start + phi)} on one core: {span(start)} to start them, {span(phi)} for phi if every state is visited "
            f"(up to {span(hard)} where the bounds of the search fail); results in {study.root}",
        ]
    )


def window_seconds(study: Study) -> tuple[float, float]:
    """Return the time that phi of one window takes on one core [s]: typically, and for hard systems.

    Of every system (units, macro units): the estimate, its draws and the surrogates, in all states.
    An order of magnitude (see `iitcore.estimate_cost`).
    """
    p = study.parameters
    kinds, typical, hard = len(p.nulls.kinds), 0.0, 0.0
    for n in (p.ensembles.iit, *p.macro.scales):
        random = p.macro.random_groupings if n in p.macro.scales else 0
        tpms = 1 + p.tpm.draws + kinds * p.nulls.surrogates + random
        unfolded = 1 + p.iit.big_phi_draws + kinds * p.nulls.big_phi_surrogates
        unfolded += min(random, p.nulls.big_phi_surrogates)
        costs = [estimate_cost(n, "phi_s", tpms * 2**n), estimate_cost(n, "complexes", 2**n)]
        if n <= p.iit.complex_max_units:  # all subsets of every draw and surrogate
            costs += [estimate_cost(k, "phi_s", comb(n, k) * tpms * 2**n) for k in range(1, n + 1)]
        if n <= p.iit.big_phi_max_units:
            costs.append(estimate_cost(n, "structure", unfolded * 2**n + p.iit.structures))
        typical += sum(cost.seconds for cost in costs)
        hard += sum(cost.seconds_hard for cost in costs)
    return typical, hard


def span(seconds: float) -> str:
    """Return a duration with one significant digit, in the unit that people would use."""
    for name, size in (("days", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{float(f'{seconds / size:.1g}'):g} {name}"
    return f"{max(1.0, float(f'{seconds:.1g}')):g} s"
