"""`phiscale check`: open every recording, tell every problem in one go."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem, Problems, unusable
from pipeline.base.files import check_writable
from pipeline.base.raster import runs_of, transition_frames
from pipeline.base.recording import frames_of
from pipeline.binarize import bins as binning
from pipeline.ingest import open_recording
from pipeline.ingest.windows import table
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.simulation.recordings import check_conditions, neuron_names
from pipeline.study.study import Study
from pipeline.tpm.support import largest_supported
from pipeline.traces.preprocess import resample

MAX_NAN_RUN_S = 1.0


@dataclass
class Findings:
    """What a check found: `problems` stop a run, `notes` do not."""

    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Frames:
    """The frames of a recording as binarizing will meet them.

    Attributes:
        time: (time,) start of each frame [s].
        rate_hz: frame rate [Hz].
        missing: (time, 1) frames that are dropped; (time, unit) values that are missing where each
            neuron is a unit of its own, so that one missing value takes the frame from all.
        units: names of the units; empty where they are ensembles.
        n_units: number of units.
    """

    time: np.ndarray
    rate_hz: float
    missing: np.ndarray
    units: list[str]
    n_units: int


def check(path: str | Path, data: str | Path | None = None) -> tuple[Study | None, Findings]:
    """Read the study and every recording; returns the study (None when unreadable) and what was found."""
    findings = Findings()
    study, findings.problems = Study.read(path, data)
    if study is None:
        return None, findings
    try:
        check_writable(study.root)
    except OSError as error:
        findings.problems.found.append(unusable(error))
    simulated = study.recordings["format"] == "simulate"
    if simulated.any():
        try:
            check_conditions(study.parameters.study, study.parameters.conditions)
        except PhiscaleError as error:
            findings.problems.found.extend(error.problems)
    names = study.recordings["recording"]
    for recording in names[~names.duplicated(keep=False)]:
        told = {problem.about for problem in findings.problems.found}
        if told & {recording, "*"}:
            continue
        where = f"recording {recording!r}"
        try:
            look = _check_simulated if simulated[recording] else _check_read
            look(study, recording, f"{recording}/windows" not in told, findings)
        except PhiscaleError as error:
            findings.problems.found.extend(
                p if isinstance(p, Problem) and recording in p.where else Problem(where, str(p)) for p in error.problems
            )
        except OSError as error:
            problem = unusable(error)
            findings.problems.found.append(replace(problem, where=f"{where}, {problem.where}"))
    return study, findings


def _check_read(study: Study, recording: str, windows_known: bool, findings: Findings) -> None:
    """Check a recording that is in a file."""
    dataset = open_recording(study.row(recording))
    if windows_known:
        windows = table(study.row(recording), study.sheet_of(recording), dataset, study.state_codes())
        _check_windows(study, recording, _frames(study, recording, dataset), windows, findings)
    _check_choice(study, recording, [str(name) for name in dataset["neuron"].values], findings)
    _check_neurons(study, recording, dataset, findings)


def _check_simulated(study: Study, recording: str, windows_known: bool, findings: Findings) -> None:
    """Check a recording that is yet to be simulated: its clock is known."""
    settings = study.parameters.simulate
    windows = pd.DataFrame(study.sheet_of(recording), columns=list(WINDOW_COLUMNS))
    names = neuron_names(settings)
    if windows_known:
        seconds = windows["condition"].nunique() * settings.duration_s
        time = np.arange(round(seconds * settings.rate_hz)) / settings.rate_hz
        units = _units(study, recording, names)
        frames = Frames(time, settings.rate_hz, np.zeros((len(time), 1), bool), *units)
        _check_windows(study, recording, frames, windows, findings)
    _check_choice(study, recording, names, findings)


def _chosen(study: Study, recording: str, names: list[str]) -> list[str]:
    return study.parameters.ensembles.neurons.get(study.row(recording)["subject"], names)


def _units(study: Study, recording: str, names: list[str]) -> tuple[list[str], int]:
    """Return the units that are single neurons (none where they are ensembles), and their number."""
    wanted = study.parameters.ensembles
    chosen = [name for name in _chosen(study, recording, names) if name in names]
    single = wanted.method == "none" or len(chosen) <= wanted.iit
    return chosen if single else [], min(len(chosen), wanted.iit)


def _frames(study: Study, recording: str, dataset: xr.Dataset) -> Frames:
    p = study.parameters.preprocess
    units, n_units = _units(study, recording, [str(name) for name in dataset["neuron"].values])
    missing = dataset["dropped"].values[:, None]
    if units:
        missing = missing | np.isnan(dataset["fluorescence"].sel(neuron=units).values)
        if p.kind == "fluorescence" and "neuropil" in dataset:
            missing |= np.isnan(dataset["neuropil"].sel(neuron=units).values)
    time, rate = dataset["time"].values, float(dataset.attrs["sampling_rate_hz"])
    if p.resample_hz:
        known = {"known": np.where(missing, np.nan, 1.0)}
        time, known = resample(time, known, rate, p.resample_hz)
        missing, rate = np.isnan(known["known"]), p.resample_hz
    return Frames(time, rate, missing, units, n_units)


def _check_windows(study: Study, recording: str, frames: Frames, windows: pd.DataFrame, findings: Findings) -> None:
    p, time, where = study.parameters, frames.time, f"recording {recording!r}"
    faults = len(findings.problems.found)
    if windows.empty:
        findings.problems.add(
            where,
            "has no window",
            "None of its frames would be analysed",
            "add rows to the sheet of windows, or map its state codes to conditions",
        )
    binning.check_length(where, p.binarize.bin_s, frames.rate_hz, findings.problems)
    if len(findings.problems.found) > faults:
        return
    step = float(np.median(np.diff(time)))
    for row in windows.itertuples():
        if row.end_s > time[-1] + 1.5 * step:
            findings.problems.add(
                f"{where}, window {row.window}",
                f"ends at {row.end_s:g} s, the recording at {time[-1] + step:g} s",
                "The window would be shorter than stated",
                "move its end, or check the frame rate",
            )
    lost = frames.missing.any(axis=1)
    bins = binning.lay_bins(time, frames.rate_hz, lost, p.binarize.bin_s)
    found = binning.in_windows(bins, windows)
    matched = np.ones(len(found.kept), bool)
    if p.binarize.match_length:
        matched = binning.match(found.window, p.binarize.min_frames)
    for window, inside in frames_of(windows, time).items():
        part = found.window == window
        runs = runs_of(found.segment[part], int(part.sum()), matched[part])
        gone = inside & lost
        why = _missing(frames, gone)
        _check_length(study, f"{where}, window {window}", runs, frames.n_units, why, findings)
        longest = _longest_run(gone) * step
        if longest > MAX_NAN_RUN_S:
            findings.notes.append(
                f"{where}, window {window}: a stretch of {longest:g} s is missing ({why}); its frames "
                "are lost to all units, and no transition crosses it"
            )


def _missing(frames: Frames, lost: np.ndarray) -> str:
    """Say what takes the frames that are `lost` (time,)."""
    rows = frames.missing[lost]
    by_neurons = rows[~rows.all(axis=1)].any(axis=0)
    names = ", ".join(n for n, it in zip(frames.units, by_neurons, strict=False) if it)
    return f"dropped or NaN{f' in {names}' if names else ''}"


def _check_length(study: Study, where: str, runs: np.ndarray, n_units: int, missing: str, findings: Findings) -> None:
    """Check that a window's transitions (`runs`: of its bins) carry the TPM of so many units."""
    p = study.parameters
    if not len(runs):
        findings.problems.add(
            where,
            f"holds less than two usable bins of {p.binarize.bin_s:g} s (frames that are {missing} do not count)",
            "There is no transition to estimate from",
            "correct its times, or remove it",
        )
        return
    n, at_1 = (len(transition_frames(runs, lag)[0]) for lag in (p.tpm.lag, 1))
    supported = largest_supported(n, p.tpm.method)
    if n_units > supported:
        by_lag = largest_supported(at_1, p.tpm.method) >= n_units
        fix = f"use at most {supported} units" if supported > 1 else "lengthen the window"
        findings.problems.add(
            f"{where} and {'tpm.lag' if by_lag else 'ensembles.iit'}",
            f"its {n} transitions (bins of {p.binarize.bin_s:g} s, within consecutive ones, lag "
            f"{p.tpm.lag}) cannot carry {n_units} units with the estimator {p.tpm.method!r}",
            "phi would be that of the noise",
            f"lower tpm.lag (there are {at_1} transitions at lag 1)" if by_lag
            else f"{fix}, or shorten binarize.bin_s",
        )  # fmt: skip
    elif len(runs) < p.binarize.min_frames:
        findings.notes.append(
            f"{where}: {len(runs)} frames, fewer than binarize.min_frames ({p.binarize.min_frames}); its results will carry the flag few_frames"
        )


def _check_choice(study: Study, recording: str, names: list[str], findings: Findings) -> None:
    """Check the neurons that the study chooses among `names`."""
    p, subject = study.parameters, study.row(recording)["subject"]
    chosen = _chosen(study, recording, names)
    absent = [name for name in chosen if name not in names]
    if absent:
        findings.problems.add(
            f"recording {recording!r} and ensembles.neurons.{subject}",
            f"there is no neuron {', '.join(absent)}",
            "The units would differ between recordings of one subject",
            f"its neurons are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}",
        )
    elif p.ensembles.method == "none" and len(chosen) > p.ensembles.iit:
        findings.problems.add(
            f"recording {recording!r}, ensembles.method and ensembles.iit",
            f"{len(chosen)} neurons are to be units of their own, but ensembles.iit allows {p.ensembles.iit}",
            "A choice among them would be arbitrary",
            f"choose {p.ensembles.iit} of them in ensembles.neurons.{subject}, or raise ensembles.iit",
        )


def _check_neurons(study: Study, recording: str, dataset: xr.Dataset, findings: Findings) -> None:
    p = study.parameters
    names = [str(name) for name in dataset["neuron"].values]
    chosen = _chosen(study, recording, names)
    if p.ensembles.method == "position" and len(chosen) > p.ensembles.iit and bool(np.isnan(dataset["x"].values).any()):
        findings.problems.add(
            f"recording {recording!r} and ensembles.method",
            "neurons have no position",
            "They cannot be grouped by it",
            "give the column positions, or group by activity",
        )
    if p.ensembles.method == "region" and not any(str(region) for region in dataset["region"].values):
        findings.problems.add(
            f"recording {recording!r} and ensembles.method",
            "neurons have no region label",
            "They cannot be grouped by it",
            "give regions in the file of positions, or group by activity",
        )
    for name in names:
        if name in chosen and np.nanstd(dataset["fluorescence"].sel(neuron=name).values) == 0:
            findings.problems.add(
                f"recording {recording!r}, neuron {name}",
                "is constant",
                "It carries no information, and a unit made of it has no states",
                "remove it from the recording",
            )
    empty = [
        name
        for entry in json.loads(dataset.attrs.get("history", "[]"))
        for name in entry["parameters"].get("neurons_left_out", [])
    ]
    if empty:
        findings.notes.append(f"recording {recording!r}: left out, having no value at all: {', '.join(empty)}")


def _longest_run(mask: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))
