"""Cells of the validation: one simulated recording, analysed as a study does and held against what is true of it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pipeline.base.arrays import Floats
from pipeline.base.errors import PhiscaleError
from pipeline.base.parameters import filled
from pipeline.base.seeds import derive, generator
from pipeline.inference.summary import summarise
from pipeline.integration import batch
from pipeline.integration.observed import integrate
from pipeline.integration.occupancy import weighted_mean
from pipeline.integration.surrogates import integrate_nulls
from pipeline.macro.crossfit import search
from pipeline.macro.parameters import MAPPINGS
from pipeline.nulls.integration import Integration
from pipeline.simulation.course import regimes_of
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.regimes import Regime
from pipeline.tpm.estimation import estimate, estimate_window, fit_recording
from pipeline.validation.cohorts import QUESTIONS, cohort, imaged_cohort, true_phi_s
from pipeline.validation.imaged import STEP_S, ImagedWindow, imaged
from pipeline.validation.reference import best_interval

NAME = "r"  # of every recording; seeds tell them apart
N_MACRO = 2
GIVEN = "states"  # imaging: none, the states are known
TRUE_MODEL = "true model"  # estimator: the form of the model is known, its weights are not


@dataclass(frozen=True)
class Case:
    """A substrate in one condition.

    Attributes:
        simulate: fields of the section `simulate`.
        condition: in which it is.
        reducible: the true phi_s is 0, whatever is drawn.
        least: true phi_s [ibit] that a substrate has to have; others are drawn until one has it.
    """

    simulate: Mapping[str, Any]
    condition: str = "awake"
    reducible: bool = False
    least: float = 0.0


def _reducible(substrate: str, **more: Any) -> Case:
    return Case({"substrate": substrate, **more}, reducible=True)


CASES: Mapping[str, Case] = {
    "sparse": Case({"substrate": "sparse"}),
    "dense": Case({"substrate": "dense"}),
    "gates": Case({"substrate": "gates"}),
    "sparse, integrated": Case({"substrate": "sparse"}, least=1e-4),  # 1 of 40 that are drawn
    "dense, integrated": Case({"substrate": "dense"}, least=1e-3),
    "gates, integrated": Case({"substrate": "gates"}, least=1e-3),
    "awake": Case({}),
    "anesthesia": Case({}, "anesthesia"),
    "modules": _reducible("modules"),
    "chain": _reducible("chain"),
    "independent": _reducible("independent"),
    "slow": _reducible("slow"),
    "telegraph": _reducible("independent", drive="telegraph", drive_logit={"awake": 0.64}),
    "ar1": _reducible("independent", drive="ar1", drive_logit={"awake": 0.64}),
    "drift": _reducible("independent", drift_logit={"awake": 0.7}),
}
IMAGING: Mapping[str, Mapping[str, Any]] = {
    GIVEN: {},
    "30 Hz": {"rate_hz": 30.0},
    "10 Hz": {"rate_hz": 10.0},
    "10 Hz, noise × 4": {"rate_hz": 10.0, "noise": 4.0},
    "3 Hz": {"rate_hz": 3.0},
}
MEASURES = ("phi_s", "phi_s_observational", "effective_information", "big_phi")


@dataclass(frozen=True)
class Cell:
    """What one row is of; all chance follows from it.

    Attributes:
        study: of `STUDIES`.
        case: of `CASES`, or a question of `pipeline.validation.cohorts`.
        length: steps of the substrate.
        imaging: of `IMAGING`.
        estimator: tpm.method.
        seed: number of the recording.
    """

    study: str
    case: str
    length: int
    imaging: str
    estimator: str
    seed: int

    @property
    def chance(self) -> int:
        """Seed of the recording: estimators see the same one."""
        return derive(self.seed, "validation", self.case, self.length, self.imaging)


@dataclass(frozen=True)
class Effort:
    """How much is computed of each recording.

    Attributes:
        draws: posterior draws.
        copies: simulated copies.
        big_phi_draws: draws that are unfolded.
        surrogates: of the null.
        animals: of a group.
    """

    draws: int
    copies: int
    big_phi_draws: int
    surrogates: int
    animals: int = 8


@dataclass(frozen=True)
class KnownRecording:
    """A simulated recording.

    Attributes:
        states: the states dataset, with `signal` where it was imaged.
        regime: what is true of it.
        imaged: its states are hidden.
    """

    states: xr.Dataset
    regime: Regime
    imaged: bool


def record_cell(cell: Cell) -> KnownRecording:
    """Simulate the recording of a cell, of one window, and find its states.

    Args:
        cell: which one.
    """
    case = CASES[cell.case]
    fields = {"step_s": STEP_S, "duration_s": STEP_S * cell.length, **case.simulate, **IMAGING[cell.imaging]}
    subject, regime = _drawn(case, cell.chance, filled(Simulate, fields, "simulate"))
    if cell.imaging == GIVEN:
        return KnownRecording(_given(regime, cell, case.condition), regime, imaged=False)
    parts = {case.condition: ImagedWindow(case.condition, fields)}
    states, regimes = imaged(subject, NAME, parts, cell.length, cell.chance)
    return KnownRecording(states, regimes[case.condition], imaged=True)


def _drawn(case: Case, seed: int, settings: Simulate) -> tuple[int, Regime]:
    """Return the first subject whose substrate is integrated enough, and the substrate."""
    for subject in itertools.count():
        regime = regimes_of(subject, [case.condition], seed, settings)[case.condition]
        if not case.least or true_phi_s(regime) >= case.least:
            break
    return subject, regime


def _given(regime: Regime, cell: Cell, condition: str) -> xr.Dataset:
    values = regime.run(cell.length, generator(cell.chance, "states"))
    along = {"window": condition, "condition": condition, "segment": 0, "matched": True}
    coords = {name: ("frame", np.full(len(values), value)) for name, value in along.items()}
    return xr.Dataset(
        {"states": (("frame", "unit"), values)},
        coords={"unit": [f"e{i}" for i in range(regime.n)], **coords},
        attrs={"recording": NAME, "subject": NAME, "method": "given", "bin_s": STEP_S},
    )


def estimate_cell(cell: Cell, recorded: KnownRecording, draws: int, copies: int) -> xr.Dataset:
    """Estimate the TPM of a recording as the workflow does.

    Args:
        cell: whose it is.
        recorded: the recording.
        draws: posterior draws.
        copies: simulated copies.
    """
    fit: dict[str, Any] = {
        "method": cell.estimator,
        "draws": draws,
        "copies": copies,
        "seed": derive(cell.chance, "tpm"),
    }
    condition = CASES[cell.case].condition
    if not recorded.imaged:
        tpm = estimate(recorded.states, **fit)
    else:
        together = fit_recording(recorded.states, **fit)
        tpm = estimate_window(recorded.states, condition, recording=together, **fit)
    names = {"recording": NAME, "subject": NAME, "window": condition, "condition": condition}
    return tpm.assign_attrs(names)


def truth_of_regime(regime: Regime) -> dict[str, float]:
    """Return the measures of a substrate, its states weighted with its stationary law.

    Args:
        regime: the substrate. phi_s, effective information and Φ are of the drive-held TPM.
    """
    states = np.arange(2**regime.n)

    def phi_s(p_on: Floats | None) -> float:
        if p_on is None:
            return float("nan")
        return float(weighted_mean(batch.system_phi(p_on[None], states), regime.occupancy)[0])

    big = batch.structures(regime.p_on[None], states)["big_phi"]
    return {
        "phi_s": phi_s(regime.p_on),
        "phi_s_observational": phi_s(regime.p_on_observational),
        "effective_information": float(batch.causal_measures(regime.p_on[None])["effective_information"][0]),
        "big_phi": float(weighted_mean(big, regime.occupancy)[0]),
    }


def cover(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Return truth, value and interval of each measure of a recording, as the summary of a study tells them.

    Args:
        cell: the recording.
        effort: how much is computed.
    """
    recorded = record_cell(cell)
    tpm = estimate_cell(cell, recorded, effort.draws, effort.copies)
    phi = integrate(tpm, structures=0, complex_max_units=0, big_phi_draws=effort.big_phi_draws)
    summary = summarise([phi])[0].set_index("measure")
    row: dict[str, Any] = {"flag": str(summary.loc["phi_s", "flag"]), "p_positive": summary.loc["phi_s", "p_positive"]}
    for measure, truth in truth_of_regime(recorded.regime).items():
        row[f"{measure}_truth"] = truth
        if measure in summary.index:
            told = summary.loc[measure]
            row |= {f"{measure}_{name}": told[of] for name, of in TOLD.items()}
    return row


TOLD = {"value": "value", "low": "ci_low", "high": "ci_high"}


def null_of(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Return p of phi_s by the null `integration`.

    Args:
        cell: the recording.
        effort: how much is computed.
    """
    recorded = record_cell(cell)
    tpm = estimate_cell(cell, recorded, 0, 0)
    phi = integrate(tpm, structures=0, complex_max_units=0, big_phi_max_units=0)
    nulls = integrate_nulls(
        recorded.states,
        tpm,
        kinds=[Integration.name],
        surrogates=effort.surrogates,
        big_phi_surrogates=0,
        big_phi_max_units=0,
        complex_max_units=0,
        seed=derive(cell.chance, "nulls"),
    )
    row = summarise([phi], [nulls])[0].set_index("measure").loc["phi_s"]
    return {"value": row["value"], "null_mean": row["null_mean"], "p": row["null_p"], "flag": row["flag"]}


def grouped(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Return whether the grouping learned is the one that is learned on the true TPM.

    Args:
        cell: the recording.
        effort: how much is computed.
    """
    recorded = record_cell(cell)
    tpm = estimate_cell(cell, recorded, 0, 0)
    found, true = (search(p[None], N_MACRO, MAPPINGS) for p in (tpm["p_on"].values, recorded.regime.p_on))
    same = found.group == true.group
    return {"recovered": int(same), "with_mapping": int(same and found.mapping == true.mapping)}


def compared(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Return what a study of one group of animals says of its primary endpoint.

    Args:
        cell: the group; its case is a question.
        effort: how much is computed.
    """
    question = QUESTIONS[cell.case]
    if cell.imaging == GIVEN:
        return cohort(question, cell.estimator, effort.animals, cell.length, cell.chance)
    fit = {"method": cell.estimator, "draws": effort.draws, "copies": effort.copies}
    return imaged_cohort(question, effort.animals, cell.length, cell.chance, IMAGING[cell.imaging], **fit)


def known_best(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Return the interval of phi_s of the posterior of the model that made a recording.

    Args:
        cell: the recording, of states that are given.
        effort: how much is computed.
    """
    recorded = record_cell(cell)
    draws = generator(cell.chance, "true model")
    low, high = best_interval(recorded.states["states"].values, recorded.regime, effort.draws, draws)
    return {"low": low, "high": high}


@dataclass(frozen=True)
class Inquiry:
    """What is asked of cells.

    Attributes:
        columns: of its rows, after those of the cell.
        measure: computes them.
    """

    columns: tuple[str, ...]
    measure: Callable[[Cell, Effort], dict[str, Any]]


_OF_MEASURES = tuple(f"{m}_{part}" for m in MEASURES for part in ("truth", *TOLD))
STUDIES: Mapping[str, Inquiry] = {
    "coverage": Inquiry((*_OF_MEASURES, "p_positive", "flag"), cover),
    "nulls": Inquiry(("value", "null_mean", "p", "flag"), null_of),
    "groupings": Inquiry(("recovered", "with_mapping"), grouped),
    "cohorts": Inquiry(("p", "estimate", "p_matched", "truth"), compared),
    "reference": Inquiry(("low", "high"), known_best),
}
KEY = ("case", "length", "imaging", "estimator", "seed")
COMMON = ("draws", "copies", "surrogates", "seconds", "failed")


def measured(cell: Cell, effort: Effort) -> dict[str, Any]:
    """Return the row of a cell; what the library refuses is told in `failed`.

    Args:
        cell: which.
        effort: how much is computed.
    """
    study, start = STUDIES[cell.study], time.perf_counter()
    row: dict[str, Any] = dict.fromkeys((*KEY, *study.columns, *COMMON), "")
    row |= {name: getattr(cell, name) for name in KEY}
    row |= {name: getattr(effort, name) for name in ("draws", "copies", "surrogates")}
    try:
        row |= study.measure(cell, effort)
    except PhiscaleError as error:
        row["failed"] = " ".join(str(error).split())[:200]
    return row | {"seconds": round(time.perf_counter() - start, 1)}
