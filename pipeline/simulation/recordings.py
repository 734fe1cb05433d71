"""Simulated recordings whose causal structure is known (format `simulate`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from pipeline.base import files, history
from pipeline.base.arrays import Array
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import Neurons, Origin, build
from pipeline.base.seeds import generator
from pipeline.simulation import imaging, planted
from pipeline.simulation.parameters import Simulate

if TYPE_CHECKING:
    import xarray as xr

CONDITIONS = tuple(planted.ON_FRACTION)


def simulate_recording(
    subject_index: int,
    subject: str,
    recording: str,
    windows: pd.DataFrame,
    conditions: Sequence[str],
    seed: int,
    **parameters: Any,
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Simulate one recording and compute what is true of it.

    The recording starts at 0 s and lasts `duration_s` for each condition in `windows`. Between
    windows the condition of the window before goes on. Recordings of one subject share its
    couplings and its neurons.

    Args:
        subject_index: which animal: its couplings and its anatomy are drawn with this number.
        subject: its name.
        recording: identifier of the recording.
        windows: rows window, condition, start_s, end_s of this recording.
        conditions: conditions of the study, in order.
        seed: of the study.
        **parameters: fields of `Simulate`.

    Returns:
        The Recording, and its truth: neuron_ensemble, states (what each ensemble did), and per
        condition coupling, TPM, occupancy and phi at each scale (see `truth.truth_of`).

    Raises:
        PhiscaleError: a condition that the simulation does not know.
    """
    from pipeline.simulation.truth import truth_of  # the only part that computes phi

    settings = Simulate(**parameters)
    check_conditions(recording, [*conditions, *windows["condition"]])
    states, regimes = simulate_states(subject_index, recording, windows, seed, settings)
    rng = generator(seed, "anatomy", subject_index)
    n, each = states.shape[1], settings.neurons_per_ensemble
    order = rng.permutation(n * each)
    xy = imaging.positions(n, each, rng)[order]
    ensemble = (order // each).astype(int)
    rng = generator(seed, "imaging", recording)
    n_frames = round(len(states) * settings.step_s * settings.rate_hz)
    dff = imaging.calcium(states, ensemble, settings.step_s, settings.rate_hz, n_frames, settings.participation, rng)
    movie = imaging.film(dff, xy, settings.rate_hz, rng)
    names = neuron_names(settings)
    dataset = build(
        movie.fluorescence,
        time=np.arange(n_frames) / settings.rate_hz,
        sampling_rate_hz=settings.rate_hz,
        origin=Origin(
            recording=recording,
            subject=subject,
            indicator=imaging.INDICATOR,
            source="simulation",
            format="simulate",
        ),
        neurons=Neurons(names, xy[:, 0], xy[:, 1], ["dorsal cortex"] * len(names)),
        neuropil=movie.neuropil,
        dropped=movie.dropped,
    )
    truth = {
        "recording": recording,
        "subject": subject,
        "neuron_ensemble": dict(zip(names, ensemble.tolist(), strict=True)),
        "step_s": settings.step_s,
        "states": ["".join(map(str, unit)) for unit in states.T],
        "conditions": {condition: truth_of(regime) for condition, regime in regimes.items()},
    }
    return history.record(
        dataset, "ingest.simulate", seed=seed, subject_index=subject_index, **settings.model_dump()
    ), truth


def simulate_states(
    subject_index: int, recording: str, windows: pd.DataFrame, seed: int, settings: Simulate
) -> tuple[Array, dict[str, planted.Regime]]:
    """Draw the states of the ensembles of a recording.

    Args:
        subject_index: which animal: its couplings are drawn with this number.
        recording: identifier of the recording.
        windows: rows condition, start_s of this recording.
        seed: of the study.
        settings: the section `simulate`.

    Returns:
        (step, unit) uint8 states, and the regime of each condition.
    """
    relative = {
        "awake": 1.0,
        "anesthesia": settings.anesthesia_coupling,
        "recovery": settings.recovery_coupling,
    }
    weights = planted.couplings(settings.motifs, settings.jitter, generator(seed, "couplings", subject_index))
    ordered = windows.sort_values("start_s")
    shown = list(dict.fromkeys(ordered["condition"]))
    regimes = {c: planted.regime(weights, c, relative[c], settings.step_s) for c in CONDITIONS if c in shown}
    steps = int(np.ceil(len(shown) * settings.duration_s / settings.step_s - 1e-9))
    borders = np.ceil(ordered["start_s"].to_numpy(float) / settings.step_s - 1e-9).astype(int)
    borders = np.append(np.clip(borders, 0, steps), steps)
    borders[0] = 0
    rng = generator(seed, "states", recording)
    state, pieces = np.zeros(len(weights), np.uint8), []
    for condition, (first, last) in zip(ordered["condition"], pairwise(borders), strict=True):
        pieces.append(regimes[condition].run(state, last - first, rng))
        state = pieces[-1][-1] if len(pieces[-1]) else state
    return np.concatenate(pieces), regimes


def default_windows(recording: str, conditions: Sequence[str], duration_s: float) -> pd.DataFrame:
    """Return one window per condition, one after the other, each named like its condition.

    Args:
        recording: identifier of the recording.
        conditions: in order.
        duration_s: length of each window [s].

    Returns:
        Rows recording, window, condition, start_s, end_s [s].
    """
    starts = duration_s * np.arange(len(conditions))
    return pd.DataFrame(
        {
            "recording": recording,
            "window": list(conditions),
            "condition": list(conditions),
            "start_s": starts,
            "end_s": starts + duration_s,
        }
    )


def simulate_study(
    directory: str | Path,
    study: str = "simulated",
    n_subjects: int = 3,
    conditions: Sequence[str] = CONDITIONS,
    seed: int = 0,
    **parameters: Any,
) -> Path:
    """Write a study with simulated recordings into a folder and return the path of its study.yaml.

    The folder gets study.yaml, recordings.tsv (format netcdf), windows.tsv, and for each animal
    recordings/R.nc with recordings/R.truth.json beside it.

    Args:
        directory: the folder; it is made where there is none.
        study: name of the study.
        n_subjects: number of animals, one recording each.
        conditions: of every recording, in order.
        seed: of the study.
        **parameters: fields of `Simulate`.

    Returns:
        Path of study.yaml.

    Raises:
        PhiscaleError: a condition that the simulation does not know, no subject, or a folder that
            has a study.
    """
    if n_subjects < 1:
        raise PhiscaleError(Problem("subjects", f"is {n_subjects}", "There would be no recording", "ask for 1 or more"))
    directory = Path(directory)
    path = directory / "study.yaml"
    if path.exists():
        raise PhiscaleError(
            Problem(str(path), "exists", "Simulating here would overwrite a study", "name a new folder")
        )
    check_conditions(study, conditions)
    settings = Simulate(**parameters)
    names = [f"mouse{i + 1}" for i in range(n_subjects)]
    sheets = []
    for index, name in enumerate(names):
        windows = default_windows(name, conditions, settings.duration_s)
        dataset, truth = simulate_recording(index, name, name, windows, conditions, seed, **parameters)
        files.save(dataset, directory / "recordings" / f"{name}.nc")
        files.save_json(truth, directory / "recordings" / f"{name}.truth.json")
        sheets.append(windows)
    recordings = pd.DataFrame(
        {
            "recording": names,
            "subject": names,
            "path": [f"recordings/{name}.nc" for name in names],
            "format": "netcdf",
            "truth": [f"recordings/{name}.truth.json" for name in names],
        }
    )
    for sheet, file in ((recordings, "recordings.tsv"), (pd.concat(sheets), "windows.tsv")):
        _write(directory / file, sheet.to_csv(sep="\t", index=False, lineterminator="\n"))
    content = {
        "study": study,
        "seed": seed,
        "conditions": list(conditions),
        "ensembles": {"iit": min(4 * settings.motifs, 10)},
        "binarize": {"tau_s": imaging.DECAY_S, "bin_s": settings.step_s, "z": 3.0},
    }
    _write(path, yaml.safe_dump(content, sort_keys=False))
    return path


def _write(path: Path, text: str) -> None:
    def write(partial: Path) -> None:
        partial.write_text(text)

    files.write_whole(path, write)


def neuron_names(settings: Simulate) -> list[str]:
    """Return what the neurons of a simulated recording are called."""
    return [f"n{i:03d}" for i in range(4 * settings.motifs * settings.neurons_per_ensemble)]


def check_conditions(name: str, conditions: Sequence[str]) -> None:
    """Return if the simulation knows all of these conditions.

    Args:
        name: of the study or recording, for the message.
        conditions: of its windows.

    Raises:
        PhiscaleError: it does not.
    """
    unknown = sorted(set(conditions) - set(CONDITIONS))
    if unknown:
        raise PhiscaleError(
            Problem(
                f"simulation {name!r}",
                f"condition {', '.join(unknown)} is not among {', '.join(CONDITIONS)}",
                "Its causal structure is not defined",
                "rename it in study.yaml and windows.tsv",
            )
        )
