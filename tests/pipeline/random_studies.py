"""Random small studies: every format, method and option that a study can choose, in random combinations.

`Random.of(seed, number)` makes the same study again. What a check refuses is left out; what it passes has to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from made_files import write_nwb
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
    StorageSettings,
    WorkflowSettings,
)
from sound_study import ENDINGS, FORMATS, write_values

from pipeline.binarize.registry import BINARIZERS
from pipeline.encoder.parameters import TraceNull
from pipeline.nulls.registry import NULLS
from pipeline.results.measures import SUMMARISED
from pipeline.simulation.drives import DRIVES
from pipeline.simulation.indicators import INDICATORS
from pipeline.simulation.registry import SUBSTRATES
from pipeline.study.check import check
from pipeline.study.study import Study
from pipeline.tpm.registry import ESTIMATORS
from pipeline.workflow.failures import failures, study_failures, told
from pipeline.workflow.workers import Workers

SNAKEFILE = Path(__file__).resolve().parents[2] / "Snakefile"
CONDITIONS = ("awake", "anesthesia", "recovery")
RATES = (2.0, 5.0, 10.0, 30.0, 7.5)


@dataclass
class Random:
    """A study that is being made up.

    Attributes:
        rng: source of all chance.
        folder: of the study.
        parameters: of study.yaml.
        rows: of recordings.tsv.
        windows: rows of windows.tsv.
    """

    rng: np.random.Generator
    folder: Path
    parameters: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, str]] = field(default_factory=list)
    windows: list[tuple[str, str, str, float, float]] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path, seed: int, number: int) -> Random:
        """Write a study into an empty folder."""
        made = cls(np.random.default_rng([seed, number]), folder)
        made.describe()
        made.record()
        made.write()
        return made

    def one(self, of: Sequence[Any]) -> Any:
        """Return one of several."""
        return of[int(self.rng.integers(len(of)))]

    def some(self, of: Sequence[Any], least: int = 0) -> list[Any]:
        """Return several, in a random order."""
        n = int(self.rng.integers(least, len(of) + 1))
        return [of[i] for i in self.rng.permutation(len(of))[:n]]

    def chance(self, p: float) -> bool:
        """Return whether something happens that does with probability p."""
        return bool(self.rng.random() < p)

    def between(self, low: float, high: float) -> float:
        """Return a number with four digits."""
        return float(f"{self.rng.uniform(low, high):.4g}")

    def maybe(self, section: dict[str, Callable[[], Any]], p: float = 0.4) -> dict[str, Any]:
        """Return some of the fields of a section."""
        return {name: value() for name, value in section.items() if self.chance(p)}

    # -- study.yaml ---------------------------------------------------------------------------------------------

    def describe(self) -> None:
        """Make up the parameters."""
        self.simulated = self.chance(0.15)
        self.units = 4 if self.simulated else int(self.one([2, 3, 3, 4]))
        self.rate = float(self.one(RATES))
        self.kind = self.one(["dff", "fluorescence"])
        self.n_conditions = int(self.one([1, 2, 2, 3]))
        conditions = list(CONDITIONS[: self.n_conditions])
        self.parameters = {
            **{"study": "swept", "seed": int(self.rng.integers(1000)), "results": "results", "conditions": conditions},
            **{"preprocess": self._preprocess(), "ensembles": self._ensembles(), "binarize": self._binarize()},
            **{"tpm": self._tpm(), "macro": self._macro(), "iit": self._iit(), "nulls": self._nulls()},
            "compare": self._compare(conditions),
        }
        if self.chance(0.06):
            self.parameters["encoder"] = self._encoder()
        if self.simulated:
            self.parameters["simulate"] = self._simulate()

    def _preprocess(self) -> dict[str, Any]:
        found = self.maybe(
            {
                "neuropil_factor": lambda: self.between(0, 1),
                "baseline_percentile": lambda: self.between(1, 60),
                "baseline_window_s": lambda: self.between(1, 200),
                "detrend": lambda: self.one(["none", "linear", "highpass"]),
                "highpass_s": lambda: self.between(5, 300),
            }
        )
        if self.chance(0.2):
            found["resample_hz"] = self.one([self.rate, self.rate / 2, 4.0, self.rate * 1.3])
        return found | {"kind": "fluorescence" if self.simulated else self.kind}

    def _ensembles(self) -> dict[str, Any]:
        self.grouped = self.one(
            ["activity", "position"] if self.simulated else ["none", "none", "activity", "position", "region"]
        )
        grouping = self.one(["recording", "recording", "subject", "study"])
        return {"method": self.grouped, "iit": self.units, "grouping": grouping}

    def _binarize(self) -> dict[str, Any]:
        method = self.one(list(BINARIZERS))
        own: dict[str, dict[str, Callable[[], Any]]] = {
            "quantile": {"quantile": lambda: self.between(0.3, 0.9)},
            "zscore": {"z": lambda: self.between(0.5, 3)},
            "events": {"z": lambda: self.between(1, 4), "tau_s": lambda: self.between(0.1, 3)},
        }
        common = {
            "per_window": lambda: self.chance(0.5),
            "match_length": lambda: self.chance(0.5),
            "min_frames": lambda: int(self.rng.integers(2, 300)),
        }
        bins = max(1 / self.rate, self.between(0.2, 1.2))
        return {"method": method, "bin_s": round(bins, 4), **self.maybe(own.get(method, {}), 0.6), **self.maybe(common)}

    def _tpm(self) -> dict[str, Any]:
        method = self.one([*ESTIMATORS, "logistic", "beta"])
        average = {"family": lambda: int(self.one([1, 2, 3])), "drive": lambda: self.chance(0.4)}
        own: dict[str, dict[str, Callable[[], Any]]] = {
            **dict.fromkeys(("auto", "average", "latent"), average),
            "logistic": {"prior": lambda: self.between(0.1, 10)},
            "logistic_pairwise": {"prior": lambda: self.between(0.1, 10)},
            "beta": {"prior": lambda: self.between(0.1, 5)},
        }
        found = {"method": method, "draws": int(self.one([0, 1, 3, 4])), "lag": int(self.one([1, 1, 1, 2, 3]))}
        found |= self.maybe(own.get(method, {}), 0.5)
        if self.chance(0.3):
            found["uncertainty"] = self.one(["posterior", "bootstrap"])
        if self.chance(0.05):
            found |= {"copies": 10, "draws": 2, "uncertainty": "posterior"}
        return found

    def _macro(self) -> dict[str, Any]:
        scales = self.one([[], [2], "all", self.some(range(1, self.units)), 1])
        return {
            **{
                "scales": scales,
                "restarts": 1,
                "steps": int(self.one([1, 3])),
                "random_groupings": int(self.one([0, 2])),
            },
            **self.maybe(
                {
                    "objective": lambda: self.one(["effective_information", "phi_s"]),
                    "mappings": lambda: self.some(["and", "or", "majority", "threshold"], 1),
                    "grouping": lambda: self.one(["recording", "window"]),
                    "cross_fit": lambda: self.chance(0.5),
                }
            ),
        }

    def _iit(self) -> dict[str, Any]:
        return {
            **{"big_phi_draws": int(self.one([0, 1, 2])), "structures": int(self.one([0, 1, 2]))},
            **self.maybe(
                {
                    "formalism": lambda: self.one(["2023", "2026", "2026-specified"]),
                    "big_phi_max_units": lambda: int(self.one([0, 2, 3, 5])),
                    "min_visits": lambda: int(self.one([1, 5, 50])),
                    "min_row_visits": lambda: int(self.one([0, 1, 10, 1000])),
                    "complex_max_units": lambda: int(self.one([0, 2, 6])),
                }
            ),
        }

    def _nulls(self) -> dict[str, Any]:
        surrogates = int(self.one([0, 1, 2, 3]))
        return {
            **{"surrogates": surrogates, "big_phi_surrogates": min(surrogates, int(self.one([0, 1])))},
            **{"hidden_surrogates": int(self.one([0, 1, 2])), "detection": int(self.one([0, 1, 2]))},
            **self.maybe({"kinds": lambda: self.some(list(NULLS))[:3]}, 0.7),
        }

    def _compare(self, conditions: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {"bootstrap": 100, "permutations": 100, "repeats": int(self.one([0, 1, 2]))}
        found |= self.maybe(
            {
                "confidence": lambda: self.between(0.6, 0.99),
                "correction": lambda: self.one(["holm", "fdr", "none"]),
                "primary": lambda: {"measure": self.one(SUMMARISED)},
            }
        )
        if len(conditions) > 1 and self.chance(0.3):
            found["contrasts"] = [[conditions[1], conditions[0]]]
        return found

    def _encoder(self) -> dict[str, Any]:
        return {
            **{
                "units": int(self.one([2, 4])),
                "seeds": 1,
                "steps": int(self.one([0, 2])),
                "power_steps": 1,
                "hidden": 4,
            },
            **{"couplings": int(self.one([0, 1])), "blocks": int(self.one([1, 2])), "surrogates": 2},
            **{"evaluate_every": 1, "nulls": self.some(TraceNull.__args__)[:1]},
            **self.maybe({"mode": lambda: self.one(["calibrated", "published"]), "lag": lambda: int(self.one([1, 2]))}),
        }

    def _simulate(self) -> dict[str, Any]:
        substrate = self.one(list(SUBSTRATES))
        return {
            **{
                "substrate": substrate,
                "neurons_per_ensemble": int(self.one([2, 5])),
                "duration_s": self.between(150, 250),
            },
            **{"rate_hz": self.rate, "drive": self.one(list(DRIVES)), "kinetics": self.one(list(INDICATORS))},
            **({"units": 4} if substrate != "pairs" else {}),
            **self.maybe(
                {
                    "step_s": lambda: self.one([0.25, 0.5, 1.0]),
                    "phase": lambda: self.one(["random", 0.3]),
                    "onset_share": lambda: self.between(0.1, 1),
                    "participation": lambda: self.between(0.05, 1),
                    "spontaneous": lambda: self.between(0, 0.2),
                    "detection": lambda: {"anesthesia": {"noise": 2.0}},
                    "drift_logit": lambda: {"awake": self.between(-1, 1)},
                },
                0.3,
            ),
        }

    # -- recordings and windows ---------------------------------------------------------------------------------

    def record(self) -> None:
        """Write recordings and make up their windows."""
        n = int(self.one([1, 1, 2, 3]))
        subjects = ["a"] * n if self.chance(0.3) else [chr(97 + i) for i in range(n)]
        for i, subject in enumerate(subjects):
            name = f"r{i}"
            conditions = self.parameters["conditions"]
            if self.simulated:
                each = self.parameters["simulate"]["duration_s"]
                self.rows.append({"recording": name, "subject": subject, "path": "", "format": "simulate"})
                spans = [(c, each * k, each * (k + 1)) for k, c in enumerate(conditions)]
                self.windows += [(name, c, c, a, b) for c, a, b in spans]
                continue
            else:
                bins = self.parameters["tpm"]["lag"] * self.between(100, 300) * len(conditions)
                seconds = round(bins * max(self.parameters["binarize"]["bin_s"], 0.5), 1)
                self._write_recording(name, subject, seconds)
                own = self.some(conditions, 1) if self.chance(0.2) else conditions
                edges = np.linspace(0, seconds * 0.98, len(own) + 1)
                spans = [(c, a, b) for c, a, b in zip(own, edges[:-1], edges[1:], strict=True)]
            for condition, start, end in spans:
                self._windows_of(name, condition, start, end)

    def _windows_of(self, name: str, condition: str, start: float, end: float) -> None:
        middle = (start + end) / 2
        if self.chance(0.2):  # two windows of one condition
            self.windows += [(name, f"{condition}_1", condition, start, middle)]
            self.windows += [(name, f"{condition}_2", condition, middle, end)]
        elif self.chance(0.2):  # one of two stretches
            self.windows += [(name, condition, condition, start, middle - 1), (name, condition, condition, middle, end)]
        else:
            self.windows.append((name, condition, condition, start, end))

    def _traces(self, n_frames: int, neurons: int) -> np.ndarray:
        """Return traces of units that act on each other a little, with what real ones have besides."""
        rng = self.rng
        step = max(1, round(self.rate * 0.4))
        states = np.zeros((n_frames // step + 2, neurons))
        weights = rng.normal(0, 1.5, (neurons, neurons)) * (rng.random((neurons, neurons)) < 0.4)
        for t in range(1, len(states)):
            p = 1 / (1 + np.exp(1.2 - states[t - 1] @ weights))
            states[t] = rng.random(neurons) < p
        events = np.repeat(states, step, axis=0)[:n_frames] * (rng.random((n_frames, neurons)) < 0.7)
        decay = np.exp(-np.arange(int(4 * self.rate) + 1) / self.rate / 0.6)
        found = np.column_stack([np.convolve(column, decay)[:n_frames] for column in events.T]) * self.between(0.5, 4)
        found = (
            found + rng.normal(size=found.shape) * self.between(0.05, 0.6) + (20 if self.kind == "fluorescence" else 0)
        )
        if self.chance(0.2):
            found *= np.linspace(1, 0.8, n_frames)[:, None]  # bleaching
        if self.chance(0.2):
            found[rng.random(n_frames) < 0.03] = np.nan
        if self.chance(0.1):
            found[:, 0][rng.random(n_frames) < 0.1] = np.nan
        if self.chance(0.1):
            found = np.round(found, 1)
        return np.asarray(found)

    def _write_recording(self, name: str, subject: str, seconds: float) -> None:
        placed = self.grouped in ("position", "region")
        kind = self.one([kind for kind in FORMATS if not (placed and kind == "netcdf")])
        neurons = self.units if self.grouped == "none" else int(self.units + self.rng.integers(0, 8))
        neurons = max(neurons, 6) if self.grouped == "region" else neurons
        neurons = min(neurons, 7) if kind == "nwb" else neurons
        values = self._traces(int(seconds * self.rate), neurons)
        path = self.folder / f"{name}{ENDINGS[kind]}"
        row = {"recording": name, "subject": subject, "path": path.name, "format": kind, "rate_hz": f"{self.rate:g}"}
        if kind == "nwb":
            values = np.column_stack([values[:, 0], values[:, 0] * 0 + 1, values[:, 1:]])  # the second is no cell
            write_nwb(path, values, rate=self.rate, neuropil=self.chance(0.5), deconvolved=self.chance(0.5))
        elif kind == "csv" and self.chance(0.4):
            time = np.arange(len(values)) / self.rate
            table = pd.DataFrame(values, columns=[f"n{i}" for i in range(neurons)])
            table.insert(0, "time_s", time + self.rng.uniform(0, 0.1 / self.rate, len(time)))
            table.to_csv(path, index=False)
            row["rate_hz"] = "" if self.chance(0.5) else row["rate_hz"]
        else:
            write_values(path, kind, values, self.rate)
        if self.grouped in ("position", "region"):
            names = [f"n{i + 100}" if kind == "nwb" else f"n{i}" for i in range(values.shape[1])]
            where = self.rng.random((len(names), 2))
            lines = [
                f"{n},{x:.4f},{y:.4f},V{i % self.units}" for i, (n, (x, y)) in enumerate(zip(names, where, strict=True))
            ]
            (self.folder / f"{name}.places.csv").write_text("neuron,x,y,region\n" + "\n".join(lines) + "\n")
            row["positions"] = f"{name}.places.csv"
        self.rows.append(row)

    def write(self) -> None:
        """Write study.yaml and the sheets; windows from state codes where chance has it."""
        if not self.simulated and self.chance(0.15):
            self._codes()
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        lines = ["\t".join(names), *("\t".join(row.get(name, "") for name in names) for row in self.rows)]
        (self.folder / "recordings.tsv").write_text("\n".join(lines) + "\n")
        if self.parameters.get("windows", "windows.tsv"):
            head = "recording\twindow\tcondition\tstart_s\tend_s"
            rows = [f"{r}\t{w}\t{c}\t{a:.6g}\t{b:.6g}" for r, w, c, a, b in self.windows]
            (self.folder / "windows.tsv").write_text("\n".join([head, *rows]) + "\n")
        (self.folder / "study.yaml").write_text(yaml.safe_dump(self.parameters))

    def _codes(self) -> None:
        """State codes once a second in place of a sheet of windows."""
        conditions = self.parameters["conditions"]
        self.parameters |= {"windows": None, "state_codes": {"codes": dict(enumerate(conditions))}}
        self.parameters["state_codes"] |= self.maybe({"min_bout_s": lambda: 12.0, "trim_s": lambda: 1.0})
        for row in self.rows:
            mine = [w for w in self.windows if w[0] == row["recording"]]
            codes = np.full(int(max(w[4] for w in mine)) + 1, np.nan)
            for _, _, condition, start, end in mine:
                codes[int(start) : int(end)] = conditions.index(condition)
            np.save(self.folder / f"{row['recording']}.codes.npy", codes)
            row |= {"state_codes": f"{row['recording']}.codes.npy", "state_rate_hz": "1"}


def run_here(study: Study, folder: Path, report: bool = False) -> None:
    """Run the workflow of a study, all of its jobs in this process."""
    before = Workers.__init__

    def without_children(self: Workers, root: Any, forking: bool, elsewhere: Any = None) -> None:
        before(self, root, False, elsewhere)

    Workers.__init__ = without_children
    layout = study.layout
    wanted = [layout.of_study(name) for name in ("comparison", "truth", "halves", *(["page"] if report else []))]
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=1),
                config_settings=ConfigSettings(config={"study": (folder / "study.yaml").as_uri()}),
                storage_settings=StorageSettings(),
                workflow_settings=WorkflowSettings(),
                snakefile=SNAKEFILE,
                workdir=folder,
            )
            workflow.dag(DAGSettings(targets={str(path) for path in wanted})).execute_workflow(
                executor="local",
                execution_settings=ExecutionSettings(lock=False, keep_going=False, use_threads=True, latency_wait=0),
            )
    finally:
        Workers.__init__ = before


def outcome(folder: Path, seed: int, number: int, report: bool = False) -> tuple[str, str]:
    """Return what becomes of a study: "refused" (and why), "ran", or "failed" (and why)."""
    made = Random.of(folder, seed, number)
    made.parameters["results"] = str(folder / "results")
    (folder / "study.yaml").write_text(yaml.safe_dump(made.parameters))
    study, found = check(folder)
    if study is None or found.problems.found:
        return "refused", str(found.problems.found[0])
    try:
        run_here(study, folder, report)
    except Exception as error:  # told by the notes, if by anything
        said = f"{type(error).__name__}: {error}"
    else:
        said = ""
    failed = [*map(told, failures(study)), *study_failures(study)]
    if said or failed:
        return "failed", "; ".join(failed) or said
    return "ran", ""
