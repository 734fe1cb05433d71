"""The results of a study, read back: its tables, and the datasets behind them.

>>> results = pipeline.load_results("results/demo")                        # doctest: +SKIP
>>> results.summary.query("measure == 'phi_s' and route == 'micro'")       # doctest: +SKIP
>>> results.phi("m1", "awake", "micro", 4)["phi_s_draws"].mean("draw")     # doctest: +SKIP
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import groups_of, load
from pipeline.results.columns import (
    CLASSIFICATION,
    COMPARISON_COLUMNS,
    DETECTION_COLUMNS,
    DYNAMICS,
    FITS,
    FIXED_POINTS,
    HALVES,
    LATENTS,
    MATCHED,
    MULTIVERSE,
    NULL_COLUMNS,
    NUMBERS,
    QUALITY_COLUMNS,
    STABILITY,
    SUMMARY_COLUMNS,
    TRUE_GROUPINGS,
    TRUTH,
)
from pipeline.results.layout import Layout, RecordingFile, SystemKey, tpm_file


class Results:
    """The folder of one study (results/STUDY); tables are read once, datasets each time asked for.

    Attributes:
        folder: where the results are.
        summary, nulls, comparison, classification: the tables of the study (columns as in their files).
        multiverse: the table of specifications.
        quality, matched, detection: these tables of the study's recordings, one below the other.
        provenance: versions, parameters, seed and inputs of the run; empty before the report.
        failures: what failed (recording, window unless all are concerned, stage, reason).

    Files that earlier runs left behind (other scales, recordings no longer in the sheet) are not
    listed. Datasets come whole and in memory, their files closed.
    """

    def __init__(self, directory: str | Path) -> None:
        self.folder = Path(directory)
        self.layout = Layout(self.folder)

    def __repr__(self) -> str:
        return f"Results({str(self.folder)!r}: {len(self.systems)} systems)"

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per recording, window, scale and measure."""
        return read_table(self.layout.of_study("summary"), SUMMARY_COLUMNS)

    @cached_property
    def nulls(self) -> pd.DataFrame:
        """One row per recording, window, scale, measure and null family."""
        return read_table(self.layout.of_study("nulls"), NULL_COLUMNS)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """One row per measure, scale and contrast."""
        return read_table(self.layout.of_study("comparison"), COMPARISON_COLUMNS)

    @cached_property
    def classification(self) -> pd.DataFrame:
        """One row per contrast and features: how well a state is told in subjects that were left out."""
        return read_table(self.layout.of_study("classification"), CLASSIFICATION.names)

    @cached_property
    def fits(self) -> pd.DataFrame:
        """One row per recording and window: how far its unit TPM can be trusted."""
        return read_table(self.layout.of_study("fits"), FITS.names)

    @cached_property
    def halves(self) -> pd.DataFrame:
        """One row per window and measure: its first half beside its second."""
        return read_table(self.layout.of_study("halves"), HALVES.names)

    @cached_property
    def true_values(self) -> pd.DataFrame:
        """One row per system and measure of which the truth is known, beside its estimate."""
        return read_table(self.layout.of_study("truth"), TRUTH.names)

    @cached_property
    def true_groupings(self) -> pd.DataFrame:
        """One row per learned grouping of recordings whose truth is known."""
        return read_table(self.layout.of_study("true_groupings"), TRUE_GROUPINGS.names)

    @cached_property
    def multiverse(self) -> pd.DataFrame:
        """One row per specification of the multiverse; none where none was run."""
        return read_table(self.layout.of_study("multiverse"), MULTIVERSE.names)

    @cached_property
    def multiverse_facts(self) -> dict[str, Any]:
        """What all specifications say together (multiverse.json); empty where none was run."""
        path = self.layout.of_study("multiverse_facts")
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return known

    @cached_property
    def dynamics(self) -> pd.DataFrame:
        """One row per window and measure of what its latents of one and two dimensions do."""
        return read_table(self.layout.of_study("dynamics"), DYNAMICS.names)

    @cached_property
    def fixed_points(self) -> pd.DataFrame:
        """One row per window and fixed point of its latents of one and two dimensions."""
        return read_table(self.layout.of_study("fixed_points"), FIXED_POINTS.names)

    @cached_property
    def stability(self) -> pd.DataFrame:
        """One row per scale and what was learned twice: how far it is the same."""
        return read_table(self.layout.of_study("stability"), STABILITY.names)

    @cached_property
    def quality(self) -> pd.DataFrame:
        """One row per recording, window, unit and measure of quality."""
        return self._of_recordings("quality", QUALITY_COLUMNS)

    @cached_property
    def detection(self) -> pd.DataFrame:
        """One row per recording and two of its windows: what is left of their difference under equal detection."""
        return self._of_recordings("detection", DETECTION_COLUMNS)

    def _of_recordings(self, file: RecordingFile, columns: Sequence[str]) -> pd.DataFrame:
        known = {i["recording"] for i in self.provenance.get("inputs", [])}
        names = sorted(known | set(self.summary["recording"]))
        return read_tables([self.layout.of(file, name) for name in names], columns)

    @cached_property
    def matched(self) -> pd.DataFrame:
        """One row per window, scale and condition that it was matched with in length and event rate."""
        names = sorted(set(self.summary["recording"]))
        return read_tables([self.layout.of("matched", name) for name in names], MATCHED.names)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """provenance.json."""
        path = self.layout.of_study("provenance")
        known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return known

    @cached_property
    def failures(self) -> list[dict[str, str]]:
        """Notes of failed recordings and windows."""
        return [json.loads(path.read_text()) for path in self.layout.notes()]

    @cached_property
    def systems(self) -> tuple[SystemKey, ...]:
        """Every system of the summary: (recording, window, route, scale), sorted."""
        return tuple(sorted(systems_of(self.summary)))

    def tpm(self, recording: str, window: str, route: str, scale: int) -> xr.Dataset:
        """TPM of a system with its posterior draws (see `tpm.estimate`, `coarse.coarse_grain`).

        Args:
            recording: name of the recording.
            window: of the recording.
            route: "micro", "macro_units" or "macro_model".
            scale: number of units of the system.

        Raises:
            PhiscaleError: there is no such file or system; the message lists those that there are.
        """
        return self._system(tpm_file(route), recording, window, route, scale)

    def phi(self, recording: str, window: str, route: str, scale: int) -> xr.Dataset:
        """Integrated information of a system (see `integration.integrate`); arguments and errors as `tpm`."""
        return self._system("phi", recording, window, route, scale)

    def surrogates(self, recording: str, window: str, route: str, scale: int) -> xr.Dataset:
        """Null values of a system (see `integration.integrate_nulls`); arguments and errors as `tpm`."""
        return self._system("nulls", recording, window, route, scale)

    def encoder(self, recording: str, window: str, units: int) -> xr.Dataset:
        """Learned hierarchy of a window (see `encoder.multiscale.told`).

        Args:
            recording: name of the recording.
            window: of the recording.
            units: number of ensembles that it begins with.

        Raises:
            PhiscaleError: there is no such file or system; the message lists those that there are.
        """
        return self._system("encoder", recording, window, LATENTS, units)

    def structure(self, recording: str, window: str, route: str, scale: int, state: int) -> dict[str, Any]:
        """Unfolded structure of a system in a joint state.

        Args:
            recording: name of the recording.
            window: of the recording.
            route: "micro" or "macro_units".
            scale: number of units of the system.
            state: joint state, bit i is unit i.

        Raises:
            PhiscaleError: none is stored for that state (see `iit.structures`); the message lists those that are.
        """
        stored = self.phi(recording, window, route, scale)["structure"]
        texts = {int(s): str(text) for s, text in zip(stored["state"].values, stored.values, strict=True)}
        if texts.get(state):
            unfolded: dict[str, Any] = json.loads(texts[state])
            return unfolded
        there = [s for s, text in texts.items() if text]
        raise PhiscaleError(
            Problem(
                f"{recording}, window {window}, {route}-{scale}",
                f"no structure is stored for state {state}",
                fix=f"take one of {there}, or raise iit.structures" if there else "raise iit.structures",
            )
        )

    def recording(self, recording: str) -> xr.Dataset:
        """Recording as it was read."""
        return self._open("recording", recording)

    def preprocessed(self, recording: str) -> xr.Dataset:
        """ΔF/F of a recording."""
        return self._open("preprocessed", recording)

    def ensembles(self, recording: str, k: int) -> xr.Dataset:
        """Activity of `k` ensembles and which neuron belongs to which.

        Args:
            recording: name of the recording.
            k: number of units.

        Raises:
            PhiscaleError: there is no such file.
        """
        return self._open("ensembles", recording, k)

    def states(self, recording: str, k: int) -> xr.Dataset:
        """Binary states of `k` units, their windows and thresholds; arguments and errors as `ensembles`."""
        return self._open("states", recording, k)

    def truth(self, recording: str) -> dict[str, Any]:
        """What was planted in a simulated recording."""
        known: dict[str, Any] = json.loads(_found(self.layout.of("truth", recording)).read_text())
        return known

    def _system(self, name: RecordingFile, recording: str, window: str, route: str, scale: int) -> xr.Dataset:
        """Dataset of one system, or an error that names those that there are."""
        path = _found(self.layout.of(name, recording))
        wanted = SystemKey(recording, window, route, scale).group
        there = groups_of(path)
        if wanted in there:
            return load(path, wanted)
        raise PhiscaleError(Problem(str(path), f"holds no {wanted}", fix=f"it has {', '.join(there) or 'nothing'}"))

    def _open(self, name: RecordingFile, recording: str, k: int | str = "") -> xr.Dataset:
        return load(_found(self.layout.of(name, recording, k)))


def _found(path: Path) -> Path:
    """Path of a file, or an error that names its neighbours."""
    if path.is_file():
        return path
    folder = next(p for p in path.parents if p.is_dir())
    there = ", ".join(sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")))
    raise PhiscaleError(Problem(str(path), "does not exist", fix=f"{folder} has {there or 'nothing'}"))


def load_results(directory: str | Path) -> Results:
    """Open the results folder of a study.

    Args:
        directory: RESULTS/STUDY as named in study.yaml.

    Raises:
        PhiscaleError: it holds no summary.csv.
    """
    results = Results(directory)
    if not results.layout.of_study("summary").is_file():
        raise PhiscaleError(
            Problem(
                str(results.folder),
                "holds no summary.csv",
                "It is not the results folder of a study, or its run has not come that far",
                "give RESULTS/STUDY as named in study.yaml, or finish the run",
            )
        )
    return results


def systems_of(summary: pd.DataFrame) -> set[SystemKey]:
    """The systems that a summary has values of."""
    rows = summary[list(SystemKey._fields)].drop_duplicates().itertuples(index=False)
    return {SystemKey(str(r), str(w), str(route), int(scale)) for r, w, route, scale in rows}


def read_tables(paths: Sequence[Path], columns: Sequence[str]) -> pd.DataFrame:
    """Read tables with the same columns, one below the other; those that are not there are left out.

    Args:
        paths: of the tables.
        columns: that all of them have.
    """
    tables = [read_table(path, columns) for path in paths if path.exists()]
    return pd.concat(tables, ignore_index=True) if tables else _empty(columns)


def read_table(path: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of the study; identifiers stay text ("007" is not 7, "NA" is not missing).

    A file that is not there yet gives a table without rows.

    Args:
        path: of the table.
        columns: that it has.
    """
    if not Path(path).exists():
        return _empty(columns)
    text = [c for c in columns if c not in NUMBERS]
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(text, str),
        keep_default_na=False,
        na_values={c: ["", "nan"] for c in columns if c not in text},
    )


def _empty(columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))
