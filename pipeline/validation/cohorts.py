"""Groups of simulated animals through the comparison of a study: power, and what passes as an effect that is none.

Each animal has its own planted pairs and both conditions; its states are given (or given through a detector that
misses events and sees some that are none), or it is imaged. The question is what the report decides: whether the p of
the primary endpoint is at most 5%.

    python -m pipeline.validation.cohorts --cohorts 100 --method average
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Floats
from pipeline.base.raster import states_of
from pipeline.base.seeds import derive, generator
from pipeline.inference.contrasts import compare
from pipeline.inference.families import ALPHA
from pipeline.inference.summary import summarise
from pipeline.integration import batch
from pipeline.integration.matched import WindowStates, matched_values
from pipeline.integration.observed import integrate
from pipeline.integration.occupancy import weighted_mean
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.simulation.drives import Drive, Telegraph
from pipeline.simulation.planted import BIAS, couplings
from pipeline.simulation.regimes import Regime, logistic
from pipeline.tpm.estimation import estimate, estimate_window, fit_recording
from pipeline.validation.imaged import ImagedWindow, imaged

CONDITIONS = ("awake", "other")
JITTER = 0.05
DWELL = 20.0  # mean steps between two switches of the drive
RATIO = 1.5  # of the true phi_s of the conditions, where they differ
DETECTION = {"awake": (0.05, 0.01), "other": (0.20, 0.02)}  # share of ON bins missed, of OFF bins seen as ON
AMPLITUDE = 0.64  # logit of the common drive, where there is one
DIMMER = {"awake": {"participation": 0.05, "noise": 2.0}}  # half of the neurons that fire, twice the noise
WEAK = 0.4  # couplings, relative to awake, of animals whose other condition has a drive: there it shows


@dataclass(frozen=True)
class Question:
    """What differs between the conditions of every animal.

    Attributes:
        name: of the question.
        other: gives the substrate of the other condition from that of the first.
        seen: (miss, false) of each condition; states are as they are where it is None.
        coupling: of the first condition, relative to awake.
        imaged: the second window, where animals are imaged; the first is awake. None where that is not asked.
    """

    name: str
    other: Callable[[Regime], Regime]
    seen: dict[str, tuple[float, float]] | None = None
    coupling: float = 1.0
    imaged: ImagedWindow | None = None


def true_phi_s(substrate: Regime) -> float:
    """Return phi_s of the drive-held TPM, mean over states weighted with their stationary probability."""
    states = np.arange(2**substrate.n)
    return float(weighted_mean(batch.system_phi(substrate.p_on[None], states), substrate.occupancy)[0])


def pairs(weights: Floats, bias: float, amplitude: float = 0.0) -> Regime:
    """Return units that add up what acts on them, under a telegraph drive where its amplitude is not 0.

    Args:
        weights: (n, n) logit that unit i being ON adds to unit j, in [i, j].
        bias: logit without input.
        amplitude: of the drive [logit].
    """
    drive = Telegraph(amplitude, DWELL) if amplitude else Drive()
    return Regime(logistic(weights, bias), drive, weights=weights, bias=bias)


def with_on_fraction(weights: Floats, amplitude: float, goal: float) -> Regime:
    """Return the substrate with the bias that gives a mean ON fraction.

    Args:
        weights: (n, n), as in `pairs`.
        amplitude: of the drive [logit].
        goal: mean over units.
    """
    from scipy.optimize import brentq

    return pairs(
        weights,
        float(brentq(lambda bias: on_fraction(pairs(weights, bias, amplitude)) - goal, -12.0, 4.0, xtol=1e-4)),
        amplitude,
    )


def on_fraction(substrate: Regime) -> float:
    """Return the mean ON fraction of the units."""
    return float((substrate.occupancy @ states_of(substrate.n)).mean())


def weaker(substrate: Regime) -> Regime:
    """Return the substrate with weaker couplings, which lower phi_s by about RATIO, and the ON fraction as before."""
    return _scaled(substrate, _share(1.0, RATIO, 0.0), 0.0)


def driven(substrate: Regime) -> Regime:
    """Return the substrate under a slow common drive, phi_s (with the drive held) and ON fraction as before."""
    return _scaled(substrate, _share(WEAK, 1.0, AMPLITUDE), AMPLITUDE)


@cache
def _share(coupling: float, ratio: float, amplitude: float) -> float:
    """What couplings are multiplied by, for phi_s to be lower by a ratio under a drive; without jitter."""
    from scipy.optimize import brentq

    substrate = _first(couplings(1, 1e-3, np.random.default_rng(0)), coupling)  # exact ties would double phi_s
    goal = true_phi_s(substrate) / ratio
    return float(brentq(lambda s: true_phi_s(_scaled(substrate, s, amplitude)) - goal, 0.3, 2.0, xtol=1e-3))


def _scaled(substrate: Regime, share: float, amplitude: float) -> Regime:
    assert substrate.weights is not None
    return with_on_fraction(substrate.weights * share, amplitude, on_fraction(substrate))


def _first(weights: Floats, coupling: float) -> Regime:
    awake = pairs(weights, BIAS)
    return awake if coupling == 1 else _scaled(awake, coupling, 0.0)


QUESTIONS = {
    question.name: question
    for question in (
        Question("power", weaker, imaged=ImagedWindow("recovery")),
        Question(
            "detection", lambda substrate: substrate, DETECTION, imaged=ImagedWindow("awake", {"detection": DIMMER})
        ),
        Question("drive", driven, coupling=WEAK),
        Question("nothing", lambda substrate: substrate, imaged=ImagedWindow("awake")),
    )
}


def detected(states: Array, miss: float, false: float, rng: np.random.Generator) -> Array:
    """Return states as a detector sees them, bin by bin.

    Args:
        states: (frame, unit) of 0 and 1.
        miss: share of ON bins that are seen as OFF.
        false: share of OFF bins that are seen as ON.
        rng: source of all chance.
    """
    luck = rng.random(states.shape)
    return np.where(states == 1, luck >= miss, luck < false).astype(np.uint8)


def animal(question: Question, bins: int, rng: np.random.Generator) -> dict[str, tuple[Array, float]]:
    """Simulate one animal.

    Args:
        question: what differs between its conditions.
        bins: of each condition.
        rng: source of all chance.

    Returns:
        States (bin, unit) as they are seen, and the true phi_s, of each condition.
    """
    first = _first(couplings(1, JITTER, rng), question.coupling)
    found = {}
    for condition, substrate in zip(CONDITIONS, (first, question.other(first)), strict=True):
        states = substrate.run(bins, rng)
        if question.seen:
            states = detected(states, *question.seen[condition], rng)
        found[condition] = states, true_phi_s(substrate)
    return found


def cohort(question: Question, method: str, animals: int, bins: int, seed: int, repeats: int = 0) -> dict[str, Any]:
    """Simulate a group of animals and compare its conditions as a study does.

    Args:
        question: what differs between the conditions.
        method: estimator of the TPM.
        animals: of the group.
        bins: of each condition.
        seed: of the group.
        repeats: times that events are deleted to match rates; 0: values are not matched.

    Returns:
        p and estimate of the primary endpoint, p with rates matched (NaN where they are not), and the true difference.
    """
    rows, matched, truth = [], [], []
    for i in range(animals):
        found = animal(question, bins, generator(seed, question.name, i))
        truth.append(found[CONDITIONS[0]][1] - found[CONDITIONS[1]][1])
        tpms = {c: _tpm(states, method, c, i) for c, (states, _) in found.items()}
        rows += [_row(tpm, _value(tpm)) for tpm in tpms.values()]
        if repeats:
            matched += _matched(found, tpms, repeats, derive(seed, "matched", i))
    variants = {"matched_rate": pd.DataFrame(matched)} if matched else {}
    summary = pd.DataFrame(rows, columns=SUMMARY_COLUMNS)
    table = compare(summary, [CONDITIONS], variants=variants, bootstrap=100, seed=seed).set_index("role")
    return {
        "p": float(table.loc["primary", "p"]),
        "estimate": float(table.loc["primary", "estimate"]),
        "p_matched": float(table.loc["adjusted", "p"]) if matched else np.nan,
        "truth": float(np.mean(truth)),
    }


def imaged_cohort(
    question: Question, animals: int, bins: int, seed: int, imaging: Mapping[str, Any], **fit: Any
) -> dict[str, Any]:
    """Image a group of animals in both conditions, and compare the two as a study does.

    Args:
        question: what differs between the conditions.
        animals: of the group.
        bins: of each condition.
        seed: of the group.
        imaging: fields of the section `simulate`: how they are seen.
        **fit: fields of the section `tpm`.

    Returns:
        As `cohort`, rates not matched.

    Raises:
        ValueError: a question that is not asked of imaged animals.
    """
    if question.imaged is None:
        raise ValueError(f"{question.name} is not asked of imaged animals")
    rows, truth = [], []
    second = ImagedWindow(question.imaged.condition, {**imaging, **question.imaged.simulate})
    parts = dict(zip(CONDITIONS, (ImagedWindow("awake", imaging), second), strict=True))
    for i in range(animals):
        own, name = derive(seed, "imaged", i), f"m{i}"
        states, regimes = imaged(i, name, parts, bins, own)
        together = fit_recording(states, seed=own, **fit)
        for condition in CONDITIONS:
            tpm = estimate_window(states, condition, recording=together, seed=own, **fit)
            phi = integrate(tpm, structures=0, complex_max_units=0, big_phi_max_units=0)
            row = summarise([phi])[0].set_index("measure", drop=False).loc["phi_s"]
            rows.append(row.to_dict() | {"flag": ""})
        truth.append(true_phi_s(regimes[CONDITIONS[0]]) - true_phi_s(regimes[CONDITIONS[1]]))
    summary = pd.DataFrame(rows).reindex(columns=SUMMARY_COLUMNS)
    table = compare(summary, [CONDITIONS], bootstrap=100, seed=seed).set_index("role")
    found = {name: float(table.loc["primary", name]) for name in ("p", "estimate")}
    return found | {"p_matched": np.nan, "truth": float(np.mean(truth))}


def _tpm(states: Array, method: str, condition: str, i: int) -> xr.Dataset:
    names = {"recording": f"m{i}", "subject": f"m{i}", "window": condition, "condition": condition}
    return estimate(states, method=method).assign_attrs(names)


def _value(tpm: xr.Dataset) -> float:
    """phi_s of the estimate, mean over the states visited."""
    visits: Floats = tpm["visits"].values.astype(float)
    chosen = np.flatnonzero(visits)
    return float(weighted_mean(batch.system_phi(tpm["p_on"].values[None], chosen), visits[chosen])[0])


def _row(tpm: xr.Dataset, value: float) -> dict[str, Any]:
    names = {name: tpm.attrs[name] for name in ("recording", "subject", "window", "condition", "route", "scale")}
    return names | {"measure": "phi_s", "value": value, "n_frames": int(tpm.attrs["n_frames"]), "flag": ""}


def _matched(
    found: dict[str, tuple[Array, float]], tpms: dict[str, xr.Dataset], repeats: int, seed: int
) -> list[dict[str, Any]]:
    windows = {c: WindowStates(s[None], np.zeros(len(s), int), tpms[c].attrs) for c, (s, _) in found.items()}
    rows = []
    for condition, own in windows.items():
        others = [other for other in windows.values() if other is not own]
        made = matched_values(own, [tpms[condition]], others, contrasts=[CONDITIONS], repeats=repeats, seed=seed)
        rows += [_row(tpms[condition], 0.0) | row for row in made if row["adjusted"] == "matched_rate"]
    return rows


def significant(p: Sequence[float]) -> str:
    """Say how many of some p-values are at most 5%, with the 95% interval of their share (Clopper & Pearson 1934).

    >>> significant([0.01, 0.2, 0.3, 0.02])
    '2 of 4 (0.07 to 0.93)'
    """
    from scipy import stats  # slow to import

    n, k = len(p), int(np.count_nonzero(np.asarray(p) <= ALPHA))
    low, high = stats.binomtest(k, n).proportion_ci()
    return f"{k} of {n} ({low:.2f} to {high:.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one row per question."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.validation.cohorts", description=__doc__)
    parser.add_argument("--cohorts", type=int, default=100, help="groups of each question")
    parser.add_argument("--animals", type=int, default=8, help="of a group")
    parser.add_argument("--bins", type=int, default=2000, help="of each condition")
    parser.add_argument("--method", default="average", help="tpm.method")
    parser.add_argument("--repeats", type=int, default=0, help="repetitions with matched event rates; 0: none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("questions", nargs="*", default=list(QUESTIONS), help=f"of {', '.join(QUESTIONS)}")
    given = parser.parse_args(arguments)
    for name in given.questions:
        found = pd.DataFrame(
            [
                cohort(QUESTIONS[name], given.method, given.animals, given.bins, derive(given.seed, k), given.repeats)
                for k in range(given.cohorts)
            ]
        )
        said = f"{name}, {given.method}: p <= {ALPHA:g} in {significant(list(found['p']))}"
        said += f", with rates matched in {significant(list(found['p_matched']))}" if given.repeats else ""
        print(f"{said}; difference {found['estimate'].mean():.4f}, true {found['truth'].mean():.4f}", flush=True)


if __name__ == "__main__":
    main()
