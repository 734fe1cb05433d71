"""Simulated recordings whose causal structure is known (format `simulate`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from pipeline.base import files, history
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.parameters import filled
from pipeline.base.recording import Neurons, Origin, build
from pipeline.base.seeds import generator
from pipeline.simulation import imaging
from pipeline.simulation.carriers import carried, lengthened
from pipeline.simulation.course import Course, run_course
from pipeline.simulation.detection import ensemble_traces
from pipeline.simulation.parameters import CONDITIONS, Simulate
from pipeline.simulation.registry import SUBSTRATES

if TYPE_CHECKING:
    import xarray as xr


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
        The Recording, and its truth: neuron_ensemble, step_s, phase_s, states (what each ensemble did,
        step by step; the first step began phase_s before the first frame), and per condition what
        `truth.truth_of` returns and how it was seen (`detection`). With continuous dynamics (`landscape`) their
        values and carriers (`Carried.told`), and in each condition their laws (`Landscape.told`).

    Raises:
        PhiscaleError: a condition that the simulation does not know.
    """
    settings = filled(Simulate, parameters, "simulate")
    check_conditions(recording, [*conditions, *windows["condition"]])
    course = run_course(subject_index, recording, windows, seed, settings)
    rng = generator(seed, "anatomy", subject_index)
    n, each = settings.recorded, settings.neurons_per_ensemble
    order = rng.permutation(n * each)
    xy = imaging.positions(n, each, rng)[order]
    ensemble = (order // each).astype(int)
    if settings.landscape:
        xy = lengthened(xy, ensemble, settings.landscape_sites)
    rng = generator(seed, "imaging", recording)
    dff = imaging.calcium(course.states, ensemble, course.view, course.detected, course.n_frames, rng)
    slow = carried(course, subject_index, recording, xy, ensemble, seed) if settings.landscape else None
    if slow is not None:
        dff += slow.light
    movie = imaging.film(dff, xy, settings.rate_hz, rng, course.clarity)
    names = neuron_names(settings)
    dataset = build(
        movie.fluorescence,
        time=np.arange(course.n_frames) / settings.rate_hz,
        sampling_rate_hz=settings.rate_hz,
        origin=_origin(recording, subject, settings),
        neurons=Neurons(names, xy[:, 0], xy[:, 1], ["dorsal cortex"] * len(names)),
        neuropil=movie.neuropil,
        dropped=movie.dropped,
    )
    made = history.record(dataset, "ingest.simulate", seed=seed, subject_index=subject_index, **settings.model_dump())
    truth = _truth(course, recording, subject, dict(zip(names, ensemble.tolist(), strict=True)))
    if slow is not None:
        truth["landscape"] = slow.told(names, settings.rate_hz)
        for condition, known in truth["conditions"].items():
            known["landscape"] = slow.of_condition(condition)
    return made, truth


def simulate_ensembles(
    subject_index: int, subject: str, recording: str, windows: pd.DataFrame, seed: int, **parameters: Any
) -> tuple[xr.Dataset, Course]:
    """Simulate the activity of the ensembles of a recording, without neurons and without a movie.

    For studies of many recordings: what the ensembles do is that of `simulate_recording` with the same arguments, and
    the activity is as if preprocessing and grouping had found the ensembles (see `detection.ensemble_traces`).

    Args:
        subject_index: which animal: its couplings are drawn with this number.
        subject: its name.
        recording: identifier of the recording.
        windows: rows window, condition, start_s, end_s of this recording.
        seed: of the study.
        **parameters: fields of `Simulate`.

    Returns:
        Dataset (time, ensemble) `activity` and (time,) `dropped`, as `binarize.binarize_windows` takes it; and the
        course: states, regimes of each condition (with their exact TPMs and occupancy) and the phase.

    Raises:
        PhiscaleError: a condition that the simulation does not know.
    """
    import xarray as xr

    settings = filled(Simulate, parameters, "simulate")
    check_conditions(recording, windows["condition"])
    course = run_course(subject_index, recording, windows, seed, settings)
    rng = generator(seed, "ensembles", recording)
    each = settings.neurons_per_ensemble
    activity = ensemble_traces(course.states, each, course.view, course.detected, course.clarity, rng)
    dropped = imaging.spoilt(course.n_frames, settings.rate_hz, rng)
    activity[dropped] = np.nan
    units, origin = [f"e{i}" for i in range(settings.recorded)], _origin(recording, subject, settings)
    dataset = xr.Dataset(
        {
            "activity": (
                ("time", "ensemble"),
                activity,
                {"units": "1", "long_name": "mean over neurons of ΔF/F in units of the neuron's noise sd"},
            ),
            "dropped": ("time", dropped),
            "n_neurons": ("ensemble", np.full(len(units), each)),
        },
        coords={"time": np.arange(course.n_frames) / settings.rate_hz, "ensemble": np.array(units, str)},
        attrs={**asdict(origin), "sampling_rate_hz": settings.rate_hz},
    )
    return dataset, course


def _origin(recording: str, subject: str, settings: Simulate) -> Origin:
    return Origin(
        recording=recording, subject=subject, indicator=settings.kinetics, source="simulation", format="simulate"
    )


def _truth(course: Course, recording: str, subject: str, neuron_ensemble: dict[str, int]) -> dict[str, Any]:
    """What is true of a recording, ready for JSON."""
    from pipeline.simulation.truth import truth_of  # the only part that computes phi

    substrate = SUBSTRATES[course.settings.substrate]
    return {
        "recording": recording,
        "subject": subject,
        "neuron_ensemble": neuron_ensemble,
        "substrate": substrate.name,
        "step_s": course.settings.step_s,
        "phase_s": course.phase_s,
        "states": ["".join(map(str, unit)) for unit in course.states.T],
        "conditions": {
            condition: truth_of(regime, planted=substrate.planted) | {"detection": course.settings.seen(condition)}
            for condition, regime in course.regimes.items()
        },
    }


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
    settings = filled(Simulate, parameters, "simulate")
    directory.mkdir(parents=True, exist_ok=True)  # where that cannot be, say so before simulating
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
        "ensembles": {"iit": min(settings.recorded, 10)},
        "binarize": {"tau_s": settings.transient.decay_s, "bin_s": settings.step_s, "z": 3.0},
    }
    _write(path, yaml.safe_dump(content, sort_keys=False))
    return path


def _write(path: Path, text: str) -> None:
    def write(partial: Path) -> None:
        partial.write_text(text)

    files.write_whole(path, write)


def neuron_names(settings: Simulate) -> list[str]:
    """Return what the neurons of a simulated recording are called."""
    return [f"n{i:03d}" for i in range(settings.recorded * settings.neurons_per_ensemble)]


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
