"""The results of a study, read back: its tables, and the datasets behind them.

>>> results = phiscale.load_results("results/demo")                        # doctest: +SKIP
>>> results.summary.query("measure == 'phi_s' and route == 'micro'")       # doctest: +SKIP
>>> results.phi_values().query("recording == 'm1'")                        # doctest: +SKIP
>>> results.structure("m1", "awake", scale=4, state="0110").plot()         # doctest: +SKIP
>>> results.phi("m1", "awake", "micro", 4)["phi_s_draws"].mean("draw")     # doctest: +SKIP
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, SupportsInt

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import groups_of, load
from pipeline.base.raster import bits
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
from pipeline.results.measures import OF_STATE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from iitcore import PhiStructure, Substrate

Scale = int | str
State = int | str | Sequence[int]
PARTS_OF_PHI = ("sum_phi_d", "sum_phi_r")  # of Φ: withheld where it is


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

    def _repr_html_(self) -> str:
        from pipeline.results import display

        return display.of_results(self.folder.name, self.summary, self._conditions, len(self.failures))

    def plot(self, measure: str = "phi_s", figure: Figure | None = None) -> Figure:
        """Draw the values of a measure with their intervals: a panel per scale, a line per recording.

        Args:
            measure: that `summary` has.
            figure: to draw on; a new one by default.

        Raises:
            PhiscaleError: the summary has no value of that measure.
        """
        from pipeline.results import display

        return display.plot_measure(self.summary, self._conditions, measure, figure)

    @property
    def _conditions(self) -> list[str]:
        """Conditions that have values, in the order of the study where that is known."""
        known = self.provenance.get("study", {}).get("conditions", [])
        there = list(dict.fromkeys(self.summary["condition"]))
        return [name for name in known if name in there] + [name for name in there if name not in known]

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
        """How well a state is told in subjects that were left out, one row per contrast and features."""
        return read_table(self.layout.of_study("classification"), CLASSIFICATION.names)

    @cached_property
    def fits(self) -> pd.DataFrame:
        """How far unit TPMs can be trusted, one row per recording and window."""
        return read_table(self.layout.of_study("fits"), FITS.names)

    @cached_property
    def halves(self) -> pd.DataFrame:
        """First half of a window beside its second, one row per window and measure."""
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
        """What is left of a difference under equal detection, one row per recording and two of its windows."""
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

    @property
    def _with_tpm(self) -> list[SystemKey]:
        """Systems that have a TPM, and so a phi: latents have neither."""
        return [key for key in self.systems if key.route != LATENTS]

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

    def key(self, recording: str, window: str, scale: Scale) -> SystemKey:
        """Find a system by its scale.

        Args:
            recording: name of the recording.
            window: of the recording.
            scale: number of units, or its full name ("micro-4", "macro_units-2"), which tells two of one size apart.

        Raises:
            PhiscaleError: there is none, or more than one; the message lists those that there are.
        """
        with_tpm = self._with_tpm
        there = [key for key in with_tpm if (key.recording, key.window) == (recording, window)]
        found = [key for key in there if str(scale) in (key.system, str(key.scale))]
        if len(found) == 1:
            return found[0]
        what = f"has {len(found)} systems of scale {scale}" if found else f"has no system of scale {scale}"
        names = ", ".join(key.system for key in (found or there))
        others = sorted({(key.recording, key.window) for key in with_tpm})
        fix = f"take one of {names}" if there else f"the windows are {', '.join(f'{r} {w}' for r, w in others)}"
        raise PhiscaleError(Problem(f"{recording}, window {window}", what, fix=fix))

    def substrate(self, recording: str, window: str, scale: Scale) -> Substrate:
        """Return the TPM of a system (its point estimate) for the exact engine; arguments and errors as `key`.

        Args:
            recording: name of the recording.
            window: of the recording.
            scale: number of units, or name of the system.
        """
        return substrate_of(self.tpm(*self.key(recording, window, scale)))

    def structure(self, recording: str, window: str, scale: Scale, state: State) -> PhiStructure:
        """Return the Φ-structure of a system in a joint state, of the point estimate of its TPM.

        It is there also where Φ of the window is withheld in `summary`: look there before you interpret it.

        Args:
            recording: name of the recording.
            window: of the recording.
            scale: number of units, or name of the system (see `key`).
            state: number of the joint state (bit i is unit i), or the values of its units, "0110".

        Raises:
            PhiscaleError: none is stored for that state (see `iit.structures`); the message lists those that are.
        """
        from iitcore import PhiStructure

        key = self.key(recording, window, scale)
        stored = self.phi(*key)["structure"]
        texts = {int(s): str(text) for s, text in zip(stored["state"].values, stored.values, strict=True)}
        number = _number_of(state)
        if texts.get(number):
            return PhiStructure.from_dict(texts[number])
        there = [s for s, text in texts.items() if text]
        raise PhiscaleError(
            Problem(
                f"{recording}, window {window}, {key.system}",
                f"no structure is stored for state {number}",
                fix=f"take one of {there}, or raise iit.structures" if there else "raise iit.structures",
            )
        )

    def phi_values(self, withheld: bool = False) -> pd.DataFrame:
        """Return every phi of every system in every visited state as one tidy table.

        Args:
            withheld: keep values that the data cannot carry and `summary` withholds; by default they are missing.

        Returns:
            One row per recording, window, scale and state, with the columns recording, subject, condition, window,
            route, scale, state (bit i is unit i), units (values of the units, the first one first), visits,
            occupancy, reason (why phi_s is 0), and the measures of a state in ibits: phi_s, phi_s_complex, big_phi, ...
        """
        known = self.summary.drop_duplicates(list(SystemKey._fields)).set_index(list(SystemKey._fields))
        rows = self.summary[self.summary["value"].isna()]
        absent = {(SystemKey(*key), m) for *key, m in rows[[*SystemKey._fields, "measure"]].itertuples(index=False)}
        tables = []
        for key in self._with_tpm:
            table = _values_of(self.phi(*key))
            if not withheld:
                for name in table.columns.intersection([*OF_STATE, *PARTS_OF_PHI]):
                    if (key, "big_phi" if name in PARTS_OF_PHI else name) in absent:
                        table[name] = np.nan
            about = known.loc[key]
            head = {"recording": key.recording, "subject": about["subject"], "condition": about["condition"]}
            head |= {"window": key.window, "route": key.route, "scale": key.scale}
            tables.append(table.assign(**head)[[*head, *table.columns]])
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def tree(self, traces: bool = False) -> xr.DataTree:
        """Return the datasets of all recordings as one tree, in memory.

        Args:
            traces: with the recordings as they were read and their ΔF/F, which may be large.

        Returns:
            RECORDING/windows/WINDOW/SYSTEM/tpm, phi and nulls; RECORDING/states/kN, RECORDING/ensembles/kN;
            RECORDING/traces/recording and preprocessed.
        """
        found: dict[tuple[str, ...], xr.Dataset] = {}
        for key in self._with_tpm:
            for name, file in (("tpm", tpm_file(key.route)), ("phi", "phi"), ("nulls", "nulls")):
                path = self.layout.of(file, key.recording)
                if path.is_file() and key.group in groups_of(path):
                    found[key.recording, "windows", key.window, key.system, name] = load(path, key.group)
        for recording in sorted({key.recording for key in self.systems}):
            for file in ("states", "ensembles"):
                for path in sorted(self.layout.of(file, recording).parent.glob(f"{recording}-k*.nc")):
                    found[recording, file, path.stem.rpartition("-")[2]] = load(path)
            if traces:
                for file in ("recording", "preprocessed"):
                    found[recording, "traces", file] = self._open(file, recording)
        return xr.DataTree.from_dict({"/".join(node): data for node, data in found.items()}, name=self.folder.name)

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


def substrate_of(tpm: xr.Dataset) -> Substrate:
    """Return an estimated TPM as a substrate of the exact engine, which has `.plot()`, `.system(state)` and a table.

    Args:
        tpm: as `pipeline.tpm.estimate` and `pipeline.macro.coarse_grain` return it; its point estimate is taken.

    >>> tpm = xr.Dataset({"p_on": (("state", "unit"), [[0.1], [0.9]])}, {"unit": ["e0"]})
    >>> substrate_of(tpm)
    Substrate(e0)
    """
    from iitcore import Substrate

    units = [str(unit) for unit in tpm["unit"].values]
    return Substrate(tpm["p_on"].transpose("state", "unit").values, units)


def _number_of(state: State) -> int:
    """Joint state as a number, bit i is unit i."""
    if isinstance(state, str):
        return int(state[::-1], 2)
    return int(state) if isinstance(state, SupportsInt) else sum(int(value) << i for i, value in enumerate(state))


def _values_of(phi: xr.Dataset) -> pd.DataFrame:
    """Values of the states of a system that were computed."""
    visited = np.flatnonzero(phi["visited"].values) if "visited" in phi else np.arange(phi.sizes["state"])
    n_units = int(phi.sizes["state"]).bit_length() - 1
    states = phi["state"].values[visited].astype(int)
    columns: dict[str, Any] = {"state": states}
    columns["units"] = ["".join(map(str, row)) for row in bits(states, n_units).tolist()]
    for name in ("visits", "occupancy", *OF_STATE, *PARTS_OF_PHI, "reason"):
        if name in phi and phi[name].dims == ("state",):
            columns[name] = phi[name].values[visited]
    return pd.DataFrame(columns)


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
