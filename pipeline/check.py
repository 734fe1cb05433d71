"""`phiscale check`: open every recording, tell every problem in one go, then say what will run and what it costs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from pipeline import targets
from pipeline.errors import PhiscaleError, Problem, Problems
from pipeline.ingest import open_recording
from pipeline.study import Study
from pipeline.tpm import largest_supported
from pipeline.windows import table

SECONDS_PER_JOB = 4.0  # start of an interpreter and its libraries, measured on one core of 2026
MAX_NAN_RUN_S = 1.0


@dataclass
class Findings:
    """What a check found: `problems` stop a run, `notes` do not."""

    problems: Problems = field(default_factory=Problems)
    notes: list[str] = field(default_factory=list)


def check(path: str | Path, data: str | Path | None = None) -> tuple[Study | None, Findings]:
    """Read the study and every recording; returns the study (None when unreadable) and what was found."""
    findings = Findings()
    study, findings.problems = Study.read(path, data)
    if study is None:
        return None, findings
    names = study.recordings["recording"]
    for recording in names[~names.duplicated(keep=False)]:
        told = {problem.about for problem in findings.problems.found}
        if study.row(recording)["format"] == "simulate" or told & {recording, "*"}:
            continue
        try:
            dataset = open_recording(study.row(recording))
            if f"{recording}/windows" not in told:
                _check_windows(study, recording, dataset, findings)
            _check_neurons(study, recording, dataset, findings)
        except PhiscaleError as error:
            findings.problems.found.extend(
                p
                if isinstance(p, Problem) and recording in p.where
                else Problem(f"recording {recording!r}", str(p))
                for p in error.problems
            )
    return study, findings


def _check_windows(study: Study, recording: str, dataset: xr.Dataset, findings: Findings) -> None:
    p = study.parameters
    time = dataset["time"].values
    step = float(np.median(np.diff(time)))
    usable = ~dataset["dropped"].values
    windows = table(study.row(recording), study.sheet_of(recording), dataset, study.state_codes())
    if windows.empty:
        findings.problems.add(
            f"recording {recording!r}",
            "has no window",
            "None of its frames would be analysed",
            "add rows to the sheet of windows, or map its state codes to conditions",
        )
    for row in windows.itertuples():
        if row.end_s > time[-1] + 1.5 * step:
            findings.problems.add(
                f"recording {recording!r}, window {row.window}",
                f"ends at {row.end_s:g} s, the recording at {time[-1] + step:g} s",
                "The window would be shorter than stated",
                "move its end, or check the frame rate",
            )
    for window, rows in windows.groupby("window", sort=False):
        inside = np.zeros(len(time), bool)
        for row in rows.itertuples():
            inside |= (time >= row.start_s) & (time < row.end_s)
        bins = int((inside & usable).sum() * step / p.binarize.bin_s)
        where = f"recording {recording!r}, window {window}"
        supported = largest_supported(bins, p.tpm.method)
        units = min(p.ensembles.iit, _n_neurons(study, recording, dataset))
        if bins < 2:
            findings.problems.add(
                where,
                "holds no usable frame",
                "There is no transition to estimate from",
                "correct its times, or remove it",
            )
        elif units > supported:
            findings.problems.add(
                f"{where} and ensembles.iit",
                f"{bins} frames of {p.binarize.bin_s:g} s cannot carry {units} units with the estimator {p.tpm.method!r}",
                "phi would be that of the noise",
                f"use at most {supported} units"
                if supported > 1
                else "lengthen the window or shorten binarize.bin_s",
            )
        elif bins < p.binarize.min_frames:
            findings.notes.append(
                f"{where}: {bins} frames, fewer than binarize.min_frames ({p.binarize.min_frames}); its results will carry the flag few_frames"
            )
        missing = _longest_run(inside & ~usable) * step
        if missing > MAX_NAN_RUN_S:
            findings.notes.append(
                f"{where}: a stretch of {missing:g} s is missing (NaN or dropped); no transition crosses it"
            )


def _check_neurons(study: Study, recording: str, dataset: xr.Dataset, findings: Findings) -> None:
    p, row = study.parameters, study.row(recording)
    names = [str(name) for name in dataset["neuron"].values]
    chosen = p.ensembles.neurons.get(row["subject"], names)
    absent = [name for name in chosen if name not in names]
    if absent:
        findings.problems.add(
            f"recording {recording!r} and ensembles.neurons.{row['subject']}",
            f"there is no neuron {', '.join(absent)}",
            "The units would differ between recordings of one subject",
            f"its neurons are {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}",
        )
    elif p.ensembles.method == "none" and len(chosen) > p.ensembles.iit:
        findings.problems.add(
            f"recording {recording!r}, ensembles.method and ensembles.iit",
            f"{len(chosen)} neurons are to be units of their own, but ensembles.iit allows {p.ensembles.iit}",
            "A choice among them would be arbitrary",
            f"choose {p.ensembles.iit} of them in ensembles.neurons.{row['subject']}, or raise ensembles.iit",
        )
    if (
        p.ensembles.method == "position"
        and len(chosen) > p.ensembles.iit
        and bool(np.isnan(dataset["x"].values).any())
    ):
        findings.problems.add(
            f"recording {recording!r} and ensembles.method",
            "neurons have no position",
            "They cannot be grouped by it",
            "give the column positions, or group by activity",
        )
    if p.ensembles.method == "region" and not any(
        str(region) for region in dataset["region"].values
    ):
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
        findings.notes.append(
            f"recording {recording!r}: left out, having no value at all: {', '.join(empty)}"
        )


def _n_neurons(study: Study, recording: str, dataset: xr.Dataset) -> int:
    return len(
        study.parameters.ensembles.neurons.get(study.row(recording)["subject"], dataset["neuron"])
    )


def _longest_run(mask: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def plan(study: Study) -> str:
    """Return what a run will make and about how long it takes."""
    p = study.parameters
    windows = len(targets.per_window(study, "{recording}/{window}"))
    systems = targets.systems(study)
    jobs = 6 * len(study.names) + windows * (1 + len(p.macro.scales) + 2 * len(systems)) + 3
    minutes = jobs * SECONDS_PER_JOB / 60
    subjects = study.recordings["subject"].nunique()
    smallest = 2.0 ** (1 - subjects) if subjects > 1 else 1.0
    return "\n".join(
        [
            f"study {p.study}: {len(study.names)} recordings of {subjects} subjects, {windows} windows, conditions {', '.join(p.conditions)}",
            f"systems in each window: {', '.join(systems)} ({2**p.ensembles.iit} micro states; Φ up to {p.iit.big_phi_max_units} units)",
            f"uncertainty: {p.tpm.draws} posterior draws; nulls: {', '.join(p.nulls.kinds)} with {p.nulls.surrogates} surrogates",
            f"contrasts: {', '.join(f'{a} - {b}' for a, b in study.contrasts()) or 'none (one condition)'}; smallest p that a sign-flip test of {subjects} subjects can reach: {smallest:g}",
            f"about {jobs} jobs, {minutes:.0f} min on one core, {minutes / 2:.0f} min on two; results in {study.root}",
        ]
    )
