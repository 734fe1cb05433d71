"""A study opened from disk: parameters, sheet of recordings, sheet of windows, each checked against the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.base.errors import PhiscaleError, Problems
from pipeline.ingest import windows
from pipeline.results.columns import WINDOW_COLUMNS
from pipeline.results.layout import Layout
from pipeline.study.parameters import Parameters, contrasts
from pipeline.study.reading import read_parameters
from pipeline.study.recordings_sheet import check_alone, check_recordings_sheet
from pipeline.study.sheets import OPTION_COLUMNS, RECORDING_COLUMNS, expand_paths, read_sheet
from pipeline.study.specifications import multiverse_faults
from pipeline.study.windows_sheet import EVERY_WINDOW, check_windows_sheet
from pipeline.traces.parameters import EVERY_SUBJECT


@dataclass(frozen=True)
class Study:
    """One study.

    A window is a named set of stretches of one recording in one condition: rows of the sheet that share recording and
    window belong together.

    Attributes:
        path: study.yaml.
        parameters: what it says.
        recordings: the sheet of recordings, one row each, all text, paths absolute, by name.
        sheet: the sheet of windows, one row per stretch, times in seconds.
        folder: of its results, where that is not RESULTS/STUDY.
        elsewhere: folders of results that the study shares with others (see `Layout`).
    """

    path: Path
    parameters: Parameters
    recordings: pd.DataFrame
    sheet: pd.DataFrame
    folder: Path | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: str | Path, data: str | Path | None = None) -> Study:
        """Read a study.

        Args:
            path: study.yaml, or its folder.
            data: folder from which the paths in the sheet start, in place of the study's own.

        Raises:
            PhiscaleError: with every problem that was found.
        """
        study, problems = cls.read(path, data)
        problems.raise_if_any()
        assert study is not None
        return study

    @classmethod
    def read(cls, path: str | Path, data: str | Path | None = None) -> tuple[Study | None, Problems]:
        """Read what can be read, and collect the problems that `load` raises.

        Args:
            path: study.yaml, or its folder.
            data: folder from which the paths in the sheet start, in place of the study's own.

        Returns:
            The study, None when its parameters or sheets cannot be used at all; and every problem that was found.
        """
        path = Path(path)
        if path.is_dir():
            path = path / "study.yaml"
        problems = Problems()
        parameters = read_parameters(path, problems)
        if parameters is None:
            check_alone(path.parent, problems)
            return None, problems
        recordings = read_sheet(path.parent / parameters.recordings, RECORDING_COLUMNS, OPTION_COLUMNS, problems)
        none = pd.DataFrame(columns=list(WINDOW_COLUMNS))
        sheet: pd.DataFrame | None = none
        if parameters.windows:
            of_windows = Problems()
            sheet = read_sheet(path.parent / parameters.windows, WINDOW_COLUMNS, (), of_windows)
            about = EVERY_WINDOW if sheet is None else ""
            problems.found.extend(replace(problem, about=about) for problem in of_windows.found)
        if recordings is None:
            return None, problems
        problems.found.extend(multiverse_faults(parameters))
        expand_paths(recordings, path, parameters, data, problems)
        check_recordings_sheet(recordings, parameters, problems)
        sheet = none if sheet is None else check_windows_sheet(sheet, recordings, parameters, problems)
        return cls(path, parameters, recordings.set_index("recording", drop=False), sheet), problems

    @property
    def root(self) -> Path:
        """Folder of the results."""
        return self.folder or Path(self.parameters.results) / self.parameters.study

    @property
    def layout(self) -> Layout:
        """Paths of the results."""
        return Layout(self.root, self.elsewhere)

    @property
    def names(self) -> list[str]:
        """Recordings in the order of the sheet."""
        return list(self.recordings["recording"])

    def row(self, recording: str) -> dict[str, Any]:
        """Return what the sheet says of a recording, empty fields left out."""
        fields = self.recordings.loc[recording].to_dict()
        return {name: value for name, value in fields.items() if value != "" or name in ("path", "subject", "format")}

    def subject_index(self, recording: str) -> int:
        """Return the place of a recording's subject among the subjects, in order of appearance."""
        subjects = list(dict.fromkeys(self.recordings["subject"]))
        return subjects.index(self.row(recording)["subject"])

    def chosen_neurons(self, recording: str) -> list[str] | None:
        """Return the neurons that the study chooses for a recording's subject; None where it takes all."""
        chosen = self.parameters.ensembles.neurons
        return chosen.get(self.row(recording)["subject"], chosen.get(EVERY_SUBJECT))

    def sheet_of(self, recording: str) -> list[dict[str, Any]]:
        """Return the rows of a recording in the sheet of windows."""
        rows: list[dict[str, Any]] = self.sheet[self.sheet["recording"] == recording].to_dict("records")
        return rows

    def conditions_of(self, recording: str) -> set[str]:
        """Return the conditions that a recording may hold: those of its windows, and all that its codes may mean."""
        codes = self.parameters.state_codes
        coded = codes.codes.values() if codes and self.row(recording).get("state_codes") else ()
        return {str(row["condition"]) for row in self.sheet_of(recording)} | set(coded)

    def state_codes(self) -> dict[str, Any]:
        """Return the parameters of state codes; empty when there are none."""
        section = self.parameters.state_codes
        return {} if section is None else section.model_dump(mode="json")

    def window_names(self, recording: str) -> list[str]:
        """Return the windows of a recording; none when its state codes cannot be read (its own job says why)."""
        if recording not in self._names:
            try:
                names = windows.names(self.row(recording), self.sheet_of(recording), self.state_codes())
            except PhiscaleError:
                names = []
            self._names[recording] = names
        return self._names[recording]

    @cached_property
    def _names(self) -> dict[str, list[str]]:
        return {}

    def contrasts(self) -> list[tuple[str, str]]:
        """Return the contrasts, a minus b."""
        return contrasts(self.parameters)
