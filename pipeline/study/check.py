"""`phiscale check`: open every recording, tell every problem in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem, unusable
from pipeline.base.files import check_writable
from pipeline.ingest import READERS, apart
from pipeline.ingest.rows import existing_file, naming
from pipeline.ingest.streaming import held
from pipeline.ingest.windows import table
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.simulation.known import read_truth
from pipeline.simulation.recordings import check_conditions, neuron_names
from pipeline.study.check_neurons import check_choice, check_neurons, note_read
from pipeline.study.check_sharing import check_copies, check_sharing, digest, held_by
from pipeline.study.check_windows import check_resampling, check_windows
from pipeline.study.checked import Checked
from pipeline.study.clock import Clock, clock_of, units_of
from pipeline.study.rehearsal import Rehearsal
from pipeline.study.study import Study
from pipeline.study.windows_sheet import EVERY_WINDOW
from pipeline.traces.identity import Held

EVERY_RECORDING = "*"  # what a problem is about that leaves nothing to open


def check(path: str | Path, data: str | Path | None = None) -> tuple[Study | None, Checked]:
    """Read the study and open every recording.

    Args:
        path: study.yaml, or its folder.
        data: folder from which the paths in the sheet start, in place of the study's own.

    Returns:
        The study (None when it cannot be read at all), and what was found.
    """
    findings = Checked()
    study, findings.problems = Study.read(path, data)
    if study is not None:
        check_results(study, findings)
        check_recordings([study], [findings])
    return study, findings


def check_results(study: Study, findings: Checked) -> None:
    """Check that results can be written, and that the simulation knows its conditions.

    Args:
        study: the study.
        findings: where faults go.
    """
    try:
        check_writable(study.root)
    except OSError as error:
        findings.problems.found.append(unusable(error))
    simulated = study.recordings["format"] == "simulate"
    if simulated.any():
        with _noting("study.yaml", "", findings):
            check_conditions(study.parameters.study, study.parameters.conditions)


def check_recordings(studies: Sequence[Study], findings: Sequence[Checked]) -> None:
    """Open every recording once, and check it for studies that have the same sheets.

    Args:
        studies: ways to analyse the same recordings.
        findings: where the faults and notes of each go.
    """
    names, rehearsal = studies[0].recordings["recording"], Rehearsal()
    for recording in names[~names.duplicated(keep=False)]:
        with ExitStack() as files:
            opened: list[xr.Dataset] = []
            for place, (study, found) in enumerate(zip(studies, findings, strict=True)):
                told = {problem.about for problem in found.problems.found}
                if told & {recording, EVERY_RECORDING}:
                    continue
                with _noting(f"recording {recording!r}", recording, found):
                    check_truth(study, recording)
                with _noting(f"recording {recording!r}", recording, found):
                    windows_known = not told & {f"{recording}/windows", EVERY_WINDOW}
                    faults = len(found.problems.found)
                    if study.recordings["format"][recording] == "simulate":
                        windows = _check_simulated(study, recording, windows_known, found)
                        if windows is not None and len(found.problems.found) == faults:
                            rehearsal.simulated(study, place, recording, windows, found)
                        continue
                    opened = opened or [files.enter_context(_opened(study.row(recording)))]
                    windows = _check_read(study, recording, opened[0], windows_known, found)
                    if windows is not None and len(found.problems.found) == faults:
                        rehearsal.recording(study, place, recording, opened[0], windows, found)
            rehearsal.forget()
    if names.is_unique:
        for place, (study, found) in enumerate(zip(studies, findings, strict=True)):
            faults = len(found.problems.found)
            check_copies(study, found)
            check_sharing(study, found.held, found)
            if len(found.problems.found) == faults:
                rehearsal.shared(study, place, found)


@contextmanager
def _noting(where: str, name: str, findings: Checked) -> Iterator[None]:
    """Put what is raised inside among the findings; a problem that does not say `name` is said to be `where`."""
    try:
        yield
    except PhiscaleError as error:
        findings.problems.found.extend(
            p if isinstance(p, Problem) and name in p.where else Problem(where, str(p)) for p in error.problems
        )
    except OSError as error:
        problem = unusable(error)
        findings.problems.found.append(replace(problem, where=f"{where}, {problem.where}"))
    except Exception as error:  # a fault of a library at one file must not hide what is wrong with the others
        findings.problems.add(
            where,
            f"cannot be read ({type(error).__name__}: {' '.join(str(error).split())})",
            "Nothing can be computed from it",
            "is the file damaged, or of another format than the sheet says?",
        )


def check_truth(study: Study, recording: str) -> None:
    """Check the file of what is true of a recording, where there is one.

    Args:
        study: the study.
        recording: name.

    Raises:
        PhiscaleError: there is no such file, or it holds something else.
    """
    row = study.row(recording)
    if row.get("truth"):
        with naming(row):
            read_truth(existing_file(row, "truth"))


def _opened(row: dict[str, Any]) -> AbstractContextManager[xr.Dataset]:
    if READERS.choose(row["format"], "format").apart:
        apart.opens(row)
    return held(row)


def _check_read(
    study: Study, recording: str, dataset: xr.Dataset, windows_known: bool, findings: Checked
) -> pd.DataFrame | None:
    """Check a recording that is in a file, and return its windows where they are known."""
    names = [str(name) for name in dataset["neuron"].values]
    windows = None
    note_read(study, recording, dataset, findings)
    if not check_resampling(study, recording, float(dataset.attrs["sampling_rate_hz"]), findings):
        return None
    if windows_known:
        windows = table(study.row(recording), study.sheet_of(recording), dataset, study.state_codes())
        check_windows(study, recording, clock_of(study, recording, dataset), windows, findings)
    check_choice(study, recording, names, findings)
    check_neurons(study, recording, dataset, findings)
    findings.held[recording] = held_by(dataset)
    findings.traces[recording] = digest(dataset)
    return windows


def _check_simulated(study: Study, recording: str, windows_known: bool, findings: Checked) -> pd.DataFrame | None:
    """Check a recording that is yet to be simulated, whose clock is known; return its windows where they are."""
    settings = study.parameters.simulate
    windows = pd.DataFrame(study.sheet_of(recording), columns=list(WINDOW_COLUMNS))
    names = neuron_names(settings)
    if windows_known:
        seconds = windows["condition"].nunique() * settings.duration_s
        time = np.arange(round(seconds * settings.rate_hz)) / settings.rate_hz
        units, n_units = units_of(study, recording, names)
        clock = Clock(time, settings.rate_hz, np.zeros((len(time), 1), bool), units, n_units)
        check_windows(study, recording, clock, windows, findings)
    check_choice(study, recording, names, findings)
    findings.held[recording] = Held(recording, names, len(names))
    return windows if windows_known else None
