"""The files of a study: which systems each window has, and what the workflow has to make.

`omit` names what failed before and is left out: "RECORDING", "RECORDING/WINDOW", "RECORDING/WINDOW/SYSTEM", or
"RECORDING:dynamics" (its ensembles for the encoders).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.study.sheets import FILE_COLUMNS
from pipeline.study.study import Study


def systems(study: Study) -> list[str]:
    """Return the systems that are analysed in each window: the units, then the macro units at each scale."""
    parameters = study.parameters
    return [
        f"micro-{parameters.ensembles.iit}",
        *(f"macro_units-{d}" for d in parameters.macro.scales),
    ]


def per_recording(study: Study, pattern: str, omit: tuple[str, ...] = ()) -> list[str]:
    """Return `pattern` filled in for every recording."""
    return [f"{study.root}/{pattern.format(recording=name)}" for name in study.names if name not in omit]


def windows(study: Study, omit: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """Return every (recording, window)."""
    return [
        (name, window)
        for name in study.names
        if name not in omit
        for window in study.window_names(name)
        if f"{name}/{window}" not in omit
    ]


def per_window(study: Study, pattern: str, omit: tuple[str, ...] = ()) -> list[str]:
    """Return `pattern` filled in for every recording and window."""
    return [f"{study.root}/{pattern.format(recording=r, window=w)}" for r, w in windows(study, omit)]


def per_system(study: Study, pattern: str, omit: tuple[str, ...] = ()) -> list[str]:
    """Return `pattern` filled in for every recording, window and system."""
    return [
        f"{study.root}/{pattern.format(recording=name, window=window, system=system)}"
        for system in systems(study)
        for name, window in windows(study, omit)
        if f"{name}/{window}/{system}" not in omit
    ]


def final_targets(study: Study, omit: tuple[str, ...] = ()) -> list[str]:
    """Return what `rule all` asks for."""
    tables = ("summary.csv", "nulls.csv", "comparison.csv", "report.html", "provenance.json")
    # Recordings are targets of their own, so that one whose windows cannot be read fails by itself, with its reason.
    recordings = per_recording(study, "windows/{recording}.csv", omit)
    without = tuple(name.removesuffix(":dynamics") for name in omit)
    dynamics = per_recording(study, f"ensembles/{{recording}}-k{study.parameters.ensembles.dynamics}.nc", without)
    return [f"{study.root}/{name}" for name in tables] + recordings + dynamics


def section(study: Study, name: str) -> dict[str, Any]:
    """Return one section of the parameters as plain values, so that a rule depends on no other."""
    value = getattr(study.parameters, name)
    return {} if value is None else value.model_dump(mode="json")


def raw_files(study: Study, recording: str, columns: tuple[str, ...] = FILE_COLUMNS) -> list[str]:
    """Return the files of a recording that exist; a missing one is the failure of its own job, not of the whole run."""
    row = study.row(recording)
    return [row[column] for column in columns if row.get(column) and Path(row[column]).exists()]


def subject_index(study: Study, recording: str) -> int:
    """Return the place of a recording's subject among the subjects, in order of appearance."""
    subjects = list(dict.fromkeys(study.recordings["subject"]))
    return subjects.index(study.row(recording)["subject"])


def chosen_neurons(study: Study, recording: str) -> list[str] | None:
    """Return the neurons chosen for a recording's subject, or None for all."""
    return study.parameters.ensembles.neurons.get(study.row(recording)["subject"])


def recordings_table(study: Study) -> list[dict[str, str]]:
    """Return the sheet of recordings with file names in place of whole paths, which say nothing to a reader."""
    rows: list[dict[str, str]] = study.recordings.to_dict("records")
    return [
        {name: Path(value).name if name in FILE_COLUMNS and value else value for name, value in row.items()}
        for row in rows
    ]
