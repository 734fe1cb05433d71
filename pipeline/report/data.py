"""What the report tells, gathered from the results folder; every file may be missing (its stage may have failed)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.files import load, load_groups
from pipeline.results.columns import COMPARISON_COLUMNS, NULL_COLUMNS, QUALITY_COLUMNS, SUMMARY_COLUMNS, WINDOW_COLUMNS
from pipeline.results.layout import Layout, RecordingFile, SystemKey, tpm_file
from pipeline.results.reader import read_table, read_tables, systems_of

ROUTES = {"micro": "micro units", "macro_units": "macro units", "macro_model": "macro model"}


@dataclass(frozen=True)
class Scale:
    """One scale of analysis: the route to it and its number of units."""

    route: str
    size: int

    def __str__(self) -> str:
        return f"{self.size} {ROUTES.get(self.route, self.route)}"

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table that belong to this scale."""
        return table[(table["route"] == self.route) & (table["scale"] == self.size)]


@dataclass(frozen=True, eq=False)  # a study is itself: tables cannot be compared
class Study:
    """A study's results: its tables, its sheets and the way to its files."""

    folder: Path
    parameters: dict[str, Any]
    failures: list[dict[str, str]]
    sheet: pd.DataFrame | None
    recordings: pd.DataFrame

    @property
    def layout(self) -> Layout:
        """Where everything lies."""
        return Layout(self.folder)

    @cached_property
    def windows(self) -> pd.DataFrame:
        """Stretches that belong to windows: the sheet's, else those that the run has written."""
        if self.sheet is not None:
            return self.sheet
        return read_tables(self._own("windows"), WINDOW_COLUMNS)

    @cached_property
    def summary(self) -> pd.DataFrame:
        """summary.csv: one row per recording, window, scale and measure."""
        return read_table(self.layout.of_study("summary"), SUMMARY_COLUMNS)

    @cached_property
    def nulls(self) -> pd.DataFrame:
        """nulls.csv: one row per window, scale, measure and null family."""
        return read_table(self.layout.of_study("nulls"), NULL_COLUMNS)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """comparison.csv: one row per measure, scale and contrast."""
        return read_table(self.layout.of_study("comparison"), COMPARISON_COLUMNS)

    @cached_property
    def quality(self) -> pd.DataFrame:
        """quality/R.csv of the sheet's recordings, one below the other."""
        return read_tables(self._own("quality"), QUALITY_COLUMNS)

    @cached_property
    def truths(self) -> dict[str, dict[str, Any]]:
        """What was planted in each simulated recording; empty where nothing is known."""
        paths = [p for p in self._own("truth") if p.exists()]
        return {truth["recording"]: truth for truth in (json.loads(p.read_text()) for p in paths)}

    def _own(self, name: RecordingFile) -> list[Path]:
        """Paths of the sheet's recordings; those that earlier sheets named are not looked at."""
        return [self.layout.of(name, r) for r in sorted(set(self.recordings["recording"]))]

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """provenance.json, or an empty dictionary."""
        path = self.layout.of_study("provenance")
        return json.loads(path.read_text()) if path.exists() else {}

    @cached_property
    def conditions(self) -> list[str]:
        """Conditions in the study's order, as far as any window has them."""
        present = set(self.windows["condition"]) | set(self.summary["condition"])
        return [c for c in self.parameters["conditions"] if c in present]

    @cached_property
    def scales(self) -> list[Scale]:
        """Scales that have values: micro first, then macro units, the finest first."""
        found = self.summary[["route", "scale"]].drop_duplicates().itertuples(index=False)
        order = list(ROUTES)
        return sorted((Scale(str(r), int(s)) for r, s in found), key=lambda s: (order.index(s.route), -s.size))

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

    def dataset(self, name: RecordingFile, recording: str) -> xr.Dataset | None:
        """A recording's dataset (recording, preprocessed, ensembles, states), or None."""
        path = self.layout.of(name, recording, self.parameters["ensembles"]["iit"])
        return load(path) if path.exists() else None

    @cached_property
    def tpms(self) -> list[tuple[str, str, Scale, xr.Dataset]]:
        """Every TPM of the study: (recording, window, scale, dataset)."""
        return list(self._tpms())

    def _tpms(self) -> Iterator[tuple[str, str, Scale, xr.Dataset]]:
        for recording in self.recordings["recording"]:
            files = [self.layout.of(tpm_file(route), recording) for route in ("micro", "macro_units")]
            groups = {g: tpm for path in files if path.exists() for g, tpm in load_groups(path).items()}
            for group, tpm in sorted(groups.items()):
                key = SystemKey.of_group(recording, group)
                if key in self._systems:
                    yield recording, key.window, Scale(key.route, key.scale), tpm

    @cached_property
    def _systems(self) -> set[SystemKey]:
        """Systems that belong to the study; files of other parameters or sheets stay where they are.

        Those with values; before there are any, those that sheet and parameters ask for.
        """
        if self.layout.of_study("summary").exists():
            return systems_of(self.summary)
        macro = self.parameters["macro"]["scales"]
        sizes = dict.fromkeys(ROUTES, macro) | {"micro": [self.parameters["ensembles"]["iit"]]}
        windows = self.windows[["recording", "window"]].drop_duplicates().itertuples(index=False)
        return {
            SystemKey(str(r), str(w), route, int(size))
            for r, w in windows
            for route, own in sizes.items()
            for size in own
        }

    def condition_of(self, recording: str, window: str) -> str:
        """The condition of a window."""
        rows = self.windows[(self.windows["recording"] == recording) & (self.windows["window"] == window)]
        return str(rows["condition"].iloc[0]) if len(rows) else window


def by_subject(table: pd.DataFrame) -> pd.DataFrame:
    """One row per subject and condition: means over windows weighted by their frames.

    The limits of the intervals are averaged in the same way, which is wider than the interval of the mean.
    `imprecise`: at least half of the frames are in windows whose value is flagged so.
    """
    columns = ["value", "ci_low", "ci_high", "null_mean", "imprecise"]
    keys = ["subject", "condition"]

    def mean(rows: pd.DataFrame) -> pd.Series:
        return pd.Series({c: _weighted(rows[c], rows["n_frames"]) for c in columns})

    if table.empty:
        return pd.DataFrame(columns=[*keys, *columns])
    words = table["flag"].fillna("").astype(str).str.split(";")
    table = table.assign(imprecise=[float("imprecise" in w) for w in words])
    table.loc[table["value"].isna(), "imprecise"] = np.nan
    found = table.groupby(keys, sort=False)[[*columns, "n_frames"]].apply(mean).reset_index()
    return found.assign(imprecise=found["imprecise"] >= 0.5)


def _weighted(values: pd.Series, weights: pd.Series) -> float:
    known = values.notna() & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else np.nan
