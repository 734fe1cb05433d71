"""How often planted macro units are found again, from states and through imaging.

`python -m pipeline.validation.recovered` prints the table. Each recording has 3,000 steps of a substrate whose pairs
are known. Macro units are cross-fitted as in a study: pairs count as found where the grouping that is learned on each
half of the recording is the planted one (adjusted Rand index 1), so that both halves are evaluated with it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Floats
from pipeline.base.errors import PhiscaleError
from pipeline.base.seeds import derive, generator
from pipeline.binarize.states import binarize_windows
from pipeline.macro.coarse import How, Learner
from pipeline.macro.coarse import derive as derive_macro
from pipeline.macro.crossfit import halves_of, learn_crossed
from pipeline.macro.parameters import MAPPINGS
from pipeline.simulation.course import Course, regimes_of
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.recordings import default_windows, simulate_ensembles
from pipeline.tpm.estimation import estimate, estimate_window, fit_recording
from pipeline.validation.known_events import Steps

STEP_S, FRAMES, N_MACRO = 0.5, 3000, 2
PLANTED = (0, 0, 1, 1)
SUBSTRATES = ("pairs", "joined")
NOISE = (1.0, 2.0, 3.0, 4.0, 5.0)  # relative to the usual
GIVEN = "given"
WINDOW = "awake"


@dataclass(frozen=True)
class Made:
    """A recording with planted pairs.

    Attributes:
        states: of one window.
        signal_to_noise: distance of the units' signal in their ON and OFF states, in standard deviations of the signal
            in OFF states, mean over units; infinite where states are given.
        right: share of bins whose state is the true one.
    """

    states: xr.Dataset
    signal_to_noise: float
    right: float


def given(substrate: str, seed: int) -> Made:
    """Return the states of a substrate themselves.

    Args:
        substrate: with planted pairs.
        seed: number of the recording.
    """
    settings = Simulate(substrate=substrate, step_s=STEP_S)
    chance = derive(seed, "recovered", substrate)
    values = regimes_of(0, [WINDOW], chance, settings)[WINDOW].run(FRAMES, generator(chance, "states"))
    along = {"window": WINDOW, "condition": WINDOW, "segment": 0, "matched": True}
    states = xr.Dataset(
        {"states": (("frame", "unit"), values)},
        coords={
            "unit": [f"e{i}" for i in range(values.shape[1])],
            **{name: ("frame", np.full(len(values), value)) for name, value in along.items()},
        },
        attrs={"recording": "r", "subject": "r", "bin_s": STEP_S},
    )
    return Made(states, float("inf"), 1.0)


def imaged(substrate: str, noise: float, seed: int) -> Made:
    """Return states made of imaged ensembles.

    Args:
        substrate: with planted pairs.
        noise: of the light, relative to the usual.
        seed: number of the recording.
    """
    duration, chance = STEP_S * FRAMES, derive(seed, "recovered", substrate)
    fields: dict[str, Any] = {"substrate": substrate, "step_s": STEP_S, "duration_s": duration, "noise": noise}
    windows = default_windows("r", [WINDOW], duration)
    activity, course = simulate_ensembles(0, "r", "r", windows, chance, **fields)
    decay = course.settings.transient.decay_s
    states = binarize_windows(activity, windows, method="events", bin_s=STEP_S, tau_s=decay, z=3.0)
    truth = _true_states(states["time"].values, course)
    signal, found = states["signal"].values.astype(float), states["states"].values
    return Made(states, _signal_to_noise(signal, truth), float((found == truth).mean()))


def _true_states(time_s: Floats, course: Course) -> Array:
    """State of each unit in the step that fills most of each bin, (bin, unit)."""
    return np.column_stack([Steps(unit, STEP_S, course.phase_s).on(time_s, STEP_S) for unit in course.states.T])


def _signal_to_noise(signal: Floats, truth: Array) -> float:
    each = []
    for own, on in zip(signal.T, truth.T.astype(bool), strict=True):
        each.append((own[on].mean() - own[~on].mean()) / own[~on].std())
    return float(np.mean(each))


def recovery(made: Made, estimator: str, objective: str = "effective_information") -> dict[str, Any]:
    """Return whether the pairs were found: of all data, and of both halves; and whether the theory accepts them.

    Args:
        made: a recording.
        estimator: tpm.method.
        objective: macro.objective.
    """
    from sklearn.metrics import adjusted_rand_score

    how: dict[str, Any] = {"method": estimator, "draws": 20}
    if "signal" in made.states:
        tpm = estimate_window(made.states, WINDOW, recording=fit_recording(made.states, **how), **how)
    else:
        tpm = estimate(made.states, **how)
    learner = Learner([tpm], How(objective=objective, method="exhaustive"), shared=False)  # type: ignore[arg-type]  # checked there
    macro = derive_macro(tpm, learner.at(N_MACRO), 0)
    halves = halves_of(made.states, tpm)
    crossed = [] if halves is None else learn_crossed([halves], N_MACRO, MAPPINGS, learner.how.goal)
    scores = [float(adjusted_rand_score(PLANTED, grouping.group)) for grouping in crossed]
    return {
        "whole": float(adjusted_rand_score(PLANTED, macro["group"].values)),
        "halves": min(scores, default=np.nan),
        "accepted": bool((macro["valid_unit"].values == 1).all()),
        "signal_to_noise": made.signal_to_noise,
        "right": made.right,
    }


def rows(
    runs: int, estimator: str, substrates: Sequence[str] = SUBSTRATES, noises: Sequence[float | str] = (GIVEN, *NOISE)
) -> Iterator[dict[str, Any]]:
    """Yield one row per recording.

    Args:
        runs: recordings of each kind.
        estimator: tpm.method.
        substrates: with planted pairs.
        noises: GIVEN for states that are known; of the light, relative to the usual.
    """
    for substrate in substrates:
        for noise in noises:
            for seed in range(runs):
                yield {"substrate": substrate, "noise": noise, "seed": seed, **_row(substrate, noise, seed, estimator)}


def _row(substrate: str, noise: float | str, seed: int, estimator: str) -> dict[str, Any]:
    """What was found of one recording; nothing where a unit is never ON, so that a study would refuse it."""
    try:
        made = given(substrate, seed) if isinstance(noise, str) else imaged(substrate, noise, seed)
    except PhiscaleError:
        return {"whole": np.nan, "halves": np.nan, "accepted": False, "signal_to_noise": np.nan, "right": np.nan}
    return recovery(made, estimator)


def recovery_table(found: pd.DataFrame) -> pd.DataFrame:
    """Return the recordings of each kind in which the pairs were found, and how well they could be seen.

    Args:
        found: what `rows` yields.
    """
    missing = found["whole"].isna()
    exact = found.assign(whole=found["whole"] == 1.0, halves=found["halves"] == 1.0, whole_missing=missing)
    by = exact.groupby(["substrate", "noise"], sort=False)
    return by.agg(
        recordings=("seed", "size"),
        signal_to_noise=("signal_to_noise", "mean"),
        right=("right", "mean"),
        whole=("whole", "sum"),
        halves=("halves", "sum"),
        accepted=("accepted", "sum"),
        refused=("whole_missing", "sum"),
    ).reset_index()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=20)
    asked.add_argument("--estimator", default="logistic")
    asked.add_argument("--substrates", nargs="+", default=list(SUBSTRATES))
    asked.add_argument("--noise", nargs="*", type=float, default=list(NOISE), help="besides states that are given")
    said = asked.parse_args()
    noises = [*([GIVEN] if said.estimator != "latent" else []), *said.noise]
    table = recovery_table(pd.DataFrame(rows(said.runs, said.estimator, said.substrates, noises)))
    print(table.round(2).to_string(index=False))
