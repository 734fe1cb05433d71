"""What the report tells, gathered from the results; every file may be missing (its stage may have failed)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array
from pipeline.base.errors import PhiscaleError
from pipeline.inference.families import ADJUSTED
from pipeline.inference.subjects import beside_values, subject_values
from pipeline.macro.parameters import scale_sizes
from pipeline.report.reading import arrays
from pipeline.results.columns import HALVES, LATENTS, LEARNED, MACRO_MODEL, ROUTES, WINDOWS
from pipeline.results.layout import Layout, SystemKey, tpm_file
from pipeline.results.provenance import collect
from pipeline.results.reader import Results, read_tables

P = ParamSpec("P")
Found = TypeVar("Found")
PHI_VARIABLES = ("state", "visits", "phi_s", "structure")
TPM_VARIABLES = ("state", "unit", "visits", "p_on", "p_on_draws", "connection")


@dataclass(frozen=True)
class StudyScale:
    """One scale of analysis: the route to it and its number of units."""

    route: str
    size: int

    def __str__(self) -> str:
        name = ROUTES.get(self.route, self.route)
        return f"{self.size} {name.removesuffix('s') if self.size == 1 else name}"

    def of(self, table: pd.DataFrame, measure: str | None = None) -> pd.DataFrame:
        """Return the rows of a table that belong to this scale, and to a measure where one is named.

        Args:
            table: with columns route, scale and measure, such as summary.csv.
            measure: name of the measure.
        """
        own = table[(table["route"] == self.route) & (table["scale"] == self.size)]
        return own if measure is None else own[own["measure"] == measure]


@dataclass(frozen=True, eq=False)  # findings are themselves: tables cannot be compared
class Findings:
    """What a study has found: its results, as far as its sheets and parameters still ask for them.

    Attributes:
        folder: of the results.
        parameters: of the study, as plain values.
        failures: {recording, [window,] [system,] stage, reason} of each.
        sheet: the study's windows; None where the run found them (windows/R.csv).
        recordings: the study's sheet of recordings.
    """

    folder: Path
    parameters: dict[str, Any]
    failures: list[dict[str, str]]
    sheet: pd.DataFrame | None
    recordings: pd.DataFrame

    @cached_property
    def _ensembles(self) -> dict[str, xr.Dataset | None]:
        """Units of the recordings that were asked for: several figures need them."""
        return {}

    @cached_property
    def results(self) -> Results:
        """The files of the study."""
        return Results(self.folder)

    @cached_property
    def windows(self) -> pd.DataFrame:
        """Stretches that belong to windows: the sheet's, else those that the run has written."""
        if self.sheet is not None:
            return self.sheet
        return read_tables([self.results.layout.of("windows", name) for name in self._names], WINDOWS.names)

    @cached_property
    def problems(self) -> list[str]:
        """What a check found that the study was run in spite of."""
        path = self.results.layout.of_study("problems")
        return list(json.loads(path.read_text())) if path.exists() else []

    @cached_property
    def summary(self) -> pd.DataFrame:
        """summary.csv: one row per recording, window, scale and measure; without learned variables (`learned`)."""
        return _by_theory(self.results.summary)

    @cached_property
    def nulls(self) -> pd.DataFrame:
        """nulls.csv: one row per window, scale, measure and null family; without learned variables."""
        return _by_theory(self.results.nulls)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """comparison.csv: one row per measure, scale and contrast, of values as they are; without learned variables."""
        return _by_theory(self.results.comparison[self.results.comparison["role"] != ADJUSTED])

    @cached_property
    def adjusted(self) -> pd.DataFrame:
        """comparison.csv: the rows of values that were adjusted; without learned variables."""
        return _by_theory(self.results.comparison[self.results.comparison["role"] == ADJUSTED])

    @cached_property
    def learned(self) -> LearnedVariables:
        """What an encoder has added: latents and macro models, which are told apart from all else."""
        return LearnedVariables(self.results, self._names)

    @property
    def classification(self) -> pd.DataFrame:
        """classification.csv: how well a state is told from a subject's values."""
        return self.results.classification

    @cached_property
    def fits(self) -> pd.DataFrame:
        """fits.csv of the sheet's recordings: one row per window and its unit TPM."""
        return self._own(self.results.fits)

    @cached_property
    def quality(self) -> pd.DataFrame:
        """quality/R.csv of the sheet's recordings, one below the other."""
        return self._own(self.results.quality)

    @cached_property
    def halves(self) -> pd.DataFrame:
        """halves.csv of the sheet's recordings; without rows where there is none."""
        there = Layout(self.folder).of_study("halves").exists()
        return self._own(self.results.halves) if there else pd.DataFrame(columns=HALVES.names)

    @cached_property
    def choice(self) -> dict[str, Any] | None:
        """estimator.json: the estimator that the recordings have chosen, why, and scores; None where none was."""
        path = Layout(self.folder).of_study("estimator")
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    @cached_property
    def true_values(self) -> pd.DataFrame:
        """truth.csv of the sheet's recordings."""
        return self._own(self.results.true_values)

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """True values that have an estimate beside them."""
        return self.true_values[self.true_values["value"].notna()]

    @cached_property
    def truths(self) -> list[str]:
        """Simulated recordings: those of which the truth is known."""
        return [name for name in self._names if _known(self.results.truth, name) is not None]

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """provenance.json; where it is missing, what this installation and the recordings' files say of themselves."""
        return self.results.provenance or collect(self.parameters, self._inputs)

    @cached_property
    def conditions(self) -> list[str]:
        """Conditions in the study's order, as far as any window has them."""
        present = set(self.windows["condition"]) | set(self.summary["condition"])
        return [c for c in self.parameters["conditions"] if c in present]

    @cached_property
    def scales(self) -> list[StudyScale]:
        """Scales whose TPMs have values: micro first, then macro units, the finest first."""
        found = self.summary[["route", "scale"]].drop_duplicates().itertuples(index=False)
        order = list(ROUTES)
        return sorted((StudyScale(str(r), int(s)) for r, s in found), key=lambda s: (order.index(s.route), -s.size))

    @cached_property
    def subjects(self) -> list[str]:
        """Subjects with values."""
        return sorted(set(self.summary["subject"]))

    @property
    def confidence(self) -> float:
        """Level of the intervals."""
        return float(self.parameters["compare"]["confidence"])

    @cached_property
    def analysed(self) -> list[str]:
        """Recordings with values, in the sheet's order."""
        have = set(self.summary["recording"])
        return [r for r in self.recordings["recording"] if r in have]

    def recording(self, name: str) -> xr.Dataset | None:
        """A recording as it was read, or None."""
        return _known(self.results.recording, name)

    def ensembles(self, name: str) -> xr.Dataset | None:
        """The units of a recording's analysis, or None."""
        if name not in self._ensembles:
            self._ensembles[name] = _known(self.results.ensembles, name, self._units)
        return self._ensembles[name]

    def states(self, name: str) -> xr.Dataset | None:
        """Binary states of a recording's units, or None."""
        return _known(self.results.states, name, self._units)

    def phi(self, key: SystemKey) -> dict[str, Array] | None:
        """What the page tells of a system's integrated information, by the names of its variables, or None."""
        return arrays(self.results.layout.of("phi", key.recording), key.group, PHI_VARIABLES)

    def tpm(self, key: SystemKey) -> dict[str, Array] | None:
        """What the page tells of a system's TPM, by the names of its variables, or None."""
        return arrays(self.results.layout.of(tpm_file(key.route), key.recording), key.group, TPM_VARIABLES)

    @cached_property
    def values(self) -> pd.DataFrame:
        """The value of every subject, see `subject_values`, at all scales and of all measures."""
        return subject_values(self.summary)

    @cached_property
    def null_values(self) -> pd.DataFrame:
        """Means and standard deviations of surrogates, combined as the values of the subjects are."""
        return beside_values(self.nulls.dropna(subset="mean"), self.summary, ["mean", "sd"], by=["null"])

    @cached_property
    def planted_values(self) -> pd.DataFrame:
        """Planted values, combined as the values of the subjects are."""
        return beside_values(self.true_values.dropna(subset="planted"), self.summary, ["planted"])

    def windows_of(self, recording: str) -> dict[str, str]:
        """Return the longest window of each condition of a recording, by condition."""
        own = self.summary[self.summary["recording"] == recording]
        longest = own.sort_values("n_frames", ascending=False, kind="stable").drop_duplicates("condition")
        found = dict(zip(longest["condition"], longest["window"], strict=True))
        return {c: str(found[c]) for c in self.conditions if c in found}

    @cached_property
    def macro_tpms(self) -> list[tuple[SystemKey, xr.Dataset]]:
        """Every macro TPM of the study, by recording in the sheet's order, window and scale."""
        order = {name: i for i, name in enumerate(self.recordings["recording"])}
        keys = [key for key in self._systems if key.route == "macro_units" and key.recording in order]
        found = []
        for key in sorted(keys, key=lambda k: (order[k.recording], k.window, k.scale)):
            tpm = _known(self.results.tpm, *key)
            if tpm is not None:
                found.append((key, tpm))
        return found

    def condition_of(self, recording: str, window: str) -> str:
        """Return the condition of a window; the window's name where the sheet does not have it.

        Args:
            recording: name of the recording.
            window: name of the window.
        """
        rows = self.windows[(self.windows["recording"] == recording) & (self.windows["window"] == window)]
        return str(rows["condition"].iloc[0]) if len(rows) else window

    @property
    def _units(self) -> int:
        return int(self.parameters["ensembles"]["iit"])

    @property
    def _inputs(self) -> list[dict[str, str]]:
        known = ((name, self.recording(name)) for name in self.recordings["recording"])
        return [
            {
                "recording": name,
                "source": str(dataset.attrs.get("source", "")),
                "sha256": str(dataset.attrs.get("source_sha256", "")),
            }
            for name, dataset in known
            if dataset is not None
        ]

    @property
    def _names(self) -> list[str]:
        return sorted(set(self.recordings["recording"]))

    @property
    def _systems(self) -> list[SystemKey]:
        """Systems with values; before there are any, the macro units that sheet and parameters ask for."""
        if not self.summary.empty:
            return list(self.results.systems)
        windows = self.windows[["recording", "window"]].drop_duplicates().itertuples(index=False)
        scales = scale_sizes(self.parameters["macro"]["scales"], self._units)
        return [SystemKey(str(r), str(w), "macro_units", int(size)) for r, w in windows for size in scales]

    def _own(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of the sheet's recordings; those that earlier sheets named do not count."""
        return table[table["recording"].isin(self._names)]


class LearnedVariables:
    """Learned variables of a study: rows of its tables, and the hierarchies of its windows.

    Args:
        results: the files of the study.
        names: its recordings.
    """

    def __init__(self, results: Results, names: list[str]) -> None:
        self._results, self._names = results, names

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Rows of summary.csv of the routes latents and macro_model."""
        return _learned(self._results.summary)

    @cached_property
    def nulls(self) -> pd.DataFrame:
        """Rows of nulls.csv of these routes."""
        return _learned(self._results.nulls)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """Rows of comparison.csv of these routes, of values as they are."""
        rows = _learned(self._results.comparison)
        return rows[rows["role"] != ADJUSTED]

    @cached_property
    def dynamics(self) -> pd.DataFrame:
        """dynamics.csv; without rows where there is none."""
        return self._own(self._results.dynamics)

    @cached_property
    def fixed_points(self) -> pd.DataFrame:
        """fixed_points.csv; without rows where there is none."""
        return self._own(self._results.fixed_points)

    @cached_property
    def stability(self) -> pd.DataFrame:
        """stability.csv; without rows where there is none."""
        return self._own(self._results.stability)

    @cached_property
    def windows(self) -> dict[tuple[str, str], xr.Dataset]:
        """The hierarchy of every window, by recording and window, in the order of the tables."""
        keys = [key for key in self._results.systems if key.route == LATENTS and key.recording in self._names]
        found = {key[:2]: _known(self._results.encoder, key.recording, key.window, key.scale) for key in _largest(keys)}
        return {key: dataset for key, dataset in found.items() if dataset is not None}

    def macro_model(self, recording: str, window: str, scale: int) -> xr.Dataset | None:
        """Return the TPM of a macro model, or None."""
        return _known(self._results.tpm, recording, window, MACRO_MODEL, scale)

    def ensembles(self, recording: str, units: int) -> xr.Dataset | None:
        """Return the ensembles that the hierarchies of a recording begin with, or None."""
        return _known(self._results.ensembles, recording, units)

    def _own(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table["recording"].isin(self._names)]


def _largest(keys: Iterable[SystemKey]) -> list[SystemKey]:
    """The scale of all dimensions of every window, which its hierarchy is named after."""
    found: dict[tuple[str, str], SystemKey] = {}
    for key in keys:
        if key.scale > getattr(found.get(key[:2]), "scale", 0):
            found[key[:2]] = key
    return list(found.values())


def _learned(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["route"].isin(LEARNED)]


def _by_theory(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["route"].isin(LEARNED)]


def _known(read: Callable[P, Found], *args: P.args, **kwargs: P.kwargs) -> Found | None:
    """What a reader gives, or None where its file is not there."""
    try:
        return read(*args, **kwargs)
    except PhiscaleError:
        return None
