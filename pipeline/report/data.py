"""What the report tells, gathered from the results folder; every file may be missing (its stage may have failed)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.compare import COLUMNS as COMPARISON_COLUMNS
from pipeline.sheets import WINDOW_COLUMNS
from pipeline.store import load
from pipeline.summarise import NULL_COLUMNS, SUMMARY_COLUMNS

QUALITY = ("recording", "subject", "window", "condition", "unit", "measure", "value", "units")
ROUTES = {"micro": "micro units", "macro_units": "macro units", "macro_model": "macro model"}
_IDENTIFIERS = (
    "recording",
    "subject",
    "condition",
    "window",
    "route",
    "measure",
    "unit",
    "flag",
    "estimator",
    "null",
    "contrast",
    "method",
)


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


@dataclass(frozen=True)
class Study:
    """A study's results: its tables, its sheets and the way to its files."""

    folder: Path
    parameters: dict[str, Any]
    failures: list[dict[str, str]]
    sheet: pd.DataFrame | None
    recordings: pd.DataFrame

    @cached_property
    def windows(self) -> pd.DataFrame:
        """Stretches that belong to windows: the sheet's, else those that the run has written."""
        if self.sheet is not None:
            return self.sheet
        found = [
            _table(path, WINDOW_COLUMNS) for path in sorted((self.folder / "windows").glob("*.csv"))
        ]
        return (
            pd.concat(found, ignore_index=True)
            if found
            else pd.DataFrame(columns=list(WINDOW_COLUMNS))
        )

    @cached_property
    def summary(self) -> pd.DataFrame:
        """summary.csv: one row per recording, window, scale and measure."""
        return _table(self.folder / "summary.csv", SUMMARY_COLUMNS)

    @cached_property
    def nulls(self) -> pd.DataFrame:
        """nulls.csv: one row per window, scale, measure and null family."""
        return _table(self.folder / "nulls.csv", NULL_COLUMNS)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """comparison.csv: one row per measure, scale and contrast."""
        return _table(self.folder / "comparison.csv", COMPARISON_COLUMNS)

    @cached_property
    def quality(self) -> pd.DataFrame:
        """All quality/R.csv in one table."""
        found = [_table(path, QUALITY) for path in sorted((self.folder / "quality").glob("*.csv"))]
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(QUALITY))

    @cached_property
    def truths(self) -> dict[str, dict[str, Any]]:
        """What was planted in each simulated recording; empty where nothing is known."""
        found = {}
        for path in sorted((self.folder / "recordings").glob("*.truth.json")):
            truth = json.loads(path.read_text())
            found[truth["recording"]] = truth
        return found

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """provenance.json, or an empty dictionary."""
        path = self.folder / "provenance.json"
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
        return sorted(
            (Scale(str(r), int(s)) for r, s in found), key=lambda s: (order.index(s.route), -s.size)
        )

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

    def dataset(self, stage: str, recording: str) -> xr.Dataset | None:
        """A recording's dataset of a stage (recordings, preprocessed, ensembles, states), or None."""
        units = self.parameters["ensembles"]["iit"]
        grouped = stage in ("ensembles", "states")
        name = f"{recording}-k{units}.nc" if grouped else f"{recording}.nc"
        path = self.folder / stage / name
        return load(path) if path.exists() else None

    @cached_property
    def tpms(self) -> list[tuple[str, str, Scale, xr.Dataset]]:
        """Every TPM: (recording, window, scale, dataset)."""
        return list(self._tpms())

    def _tpms(self) -> Iterator[tuple[str, str, Scale, xr.Dataset]]:
        for recording in self.recordings["recording"]:
            for path in sorted((self.folder / "tpm" / recording).glob("*/*.nc")):
                match = re.fullmatch(r"(\w+)-(\d+)", path.stem)
                if match and match[1] in ROUTES:
                    yield recording, path.parent.name, Scale(match[1], int(match[2])), load(path)

    def condition_of(self, recording: str, window: str) -> str:
        """The condition of a window."""
        rows = self.windows[
            (self.windows["recording"] == recording) & (self.windows["window"] == window)
        ]
        return str(rows["condition"].iloc[0]) if len(rows) else window


def by_subject(table: pd.DataFrame) -> pd.DataFrame:
    """One row per subject and condition: means over windows weighted by their frames.

    The limits of the intervals are averaged in the same way, which is wider than the interval of the mean.
    """
    columns = ["value", "ci_low", "ci_high", "null_mean"]
    keys = ["subject", "condition"]

    def mean(rows: pd.DataFrame) -> pd.Series:
        return pd.Series({c: _weighted(rows[c], rows["n_frames"]) for c in columns})

    if table.empty:
        return pd.DataFrame(columns=[*keys, *columns])
    return table.groupby(keys, sort=False)[[*columns, "n_frames"]].apply(mean).reset_index()


def _weighted(values: pd.Series, weights: pd.Series) -> float:
    known = values.notna() & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else np.nan


def _table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table; identifiers stay text ("007" is not 7, and "NA" is not nothing)."""
    if not path.exists():
        return pd.DataFrame(columns=list(columns))
    text = {c: "str" for c in _IDENTIFIERS if c in columns}
    table = pd.read_csv(
        path,
        dtype=text,
        keep_default_na=False,
        na_values={c: ["", "nan"] for c in columns if c not in text},
    )
    return table
