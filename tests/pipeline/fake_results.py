"""Writes a small results folder in the layout of the pipeline, with invented phi values, for tests of the report.

States are drawn from the planted-pairs substrate, so TPMs, visits and rasters hang together; phi_s, Φ and
their nulls are scaled from its published values, since no report can tell.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from fake_substrate import observational, planted_pairs, stationary

from pipeline.base import files, history
from pipeline.inference.adjusted import excess_over_null
from pipeline.inference.classification import classify
from pipeline.inference.contrasts import compare
from pipeline.inference.fits import gather_fits
from pipeline.inference.subjects import subject_values
from pipeline.macro.groupings import Grouping
from pipeline.results import provenance
from pipeline.results.columns import CLASSIFICATION, QUALITY_COLUMNS
from pipeline.results.layout import Layout, RecordingFile
from pipeline.results.tables import read_tables
from pipeline.study.parameters import Parameters
from pipeline.validation.truth import hold_against_truth

COUPLING = {"awake": 1.0, "anesthesia": 0.2, "recovery": 0.6, "wake": 1.0, "NREM": 0.3, "REM": 0.8}
MEASURES = {
    "micro": {
        "phi_s": 0.297,
        "phi_s_complex": 0.34,
        "big_phi": 9.1,
        "n_distinctions": 9.0,
        "n_relations": 210.0,
        "effective_information": 0.9,
        "causal_power": 0.22,
    },
    "macro_units": {
        "phi_s": 1.262,
        "phi_s_complex": 1.262,
        "big_phi": 2.6,
        "n_distinctions": 2.0,
        "n_relations": 1.0,
        "effective_information": 0.8,
        "causal_power": 0.40,
    },
}
UNITS = {
    "phi_s": "ibit",
    "phi_s_complex": "ibit",
    "big_phi": "ibit",
    "effective_information": "bit",
}
PLANTED = {"group": [0, 0, 1, 1], "mapping": ["and", "and"]}
RATE_HZ, BIN_S, N = 10.0, 0.5, 4


@dataclass
class FakeStudy:
    """What `pipeline.report.build` takes."""

    results: Path
    parameters: dict[str, Any]
    failures: list[dict[str, str]]
    windows: pd.DataFrame
    recordings: pd.DataFrame


def _var(dims: tuple[str, ...] | str, values: Any, units: str = "1", name: str = "") -> tuple[Any, ...]:
    return dims, values, {"units": units, "long_name": name or "value"}


class _Recording:
    """One recording's files."""

    def __init__(
        self,
        results: Path,
        recording: str,
        subject: str,
        conditions: tuple[str, ...],
        seed: int,
        *,
        frames: int,
        positions: bool,
    ) -> None:
        self.results, self.recording, self.subject, self.conditions = (
            results,
            recording,
            subject,
            conditions,
        )
        self.layout = Layout(results)
        self.rng = np.random.default_rng(seed)
        self.frames, self.positions = frames, positions
        self.attrs = {
            "recording": recording,
            "subject": subject,
            "indicator": "GCaMP6s",
            "sampling_rate_hz": RATE_HZ,
            "source": f"{recording}.nc",
            "source_sha256": "0" * 60 + f"{seed:04d}",
        }
        self.windows = pd.DataFrame(
            [
                {
                    "recording": recording,
                    "window": c,
                    "condition": c,
                    "start_s": i * frames * BIN_S,
                    "end_s": (i + 1) * frames * BIN_S,
                }
                for i, c in enumerate(conditions)
            ]
        )
        self.states = np.concatenate([self._simulate(planted_pairs(COUPLING[c])) for c in conditions])

    def _simulate(self, p_on: np.ndarray) -> np.ndarray:
        state, weights, out = 0, 1 << np.arange(N), []
        for _ in range(self.frames):
            on = self.rng.random(N) < p_on[state]
            state = int(on @ weights)
            out.append(on)
        return np.array(out, np.uint8)

    def write(self) -> None:
        drive = np.repeat(self.states, int(RATE_HZ * BIN_S), axis=0).astype(float)
        kernel = np.exp(-np.arange(20) / 7)
        smooth = np.stack([np.convolve(d, kernel)[: len(d)] for d in drive.T], axis=1) / 3
        time = np.arange(len(smooth)) / RATE_HZ
        per = 15
        label = np.repeat(np.arange(N), per).astype(np.int64)
        neurons = [f"n{i}" for i in range(N * per)]
        centre = np.array([[-1.5, 1.0], [-0.8, -1.2], [0.9, 1.3], [1.6, -0.9]])
        xy = centre[label] + 0.35 * self.rng.standard_normal((len(label), 2))
        if not self.positions:
            xy[:] = np.nan
            centre = np.full_like(centre, np.nan)
        dff = (0.4 * smooth[:, label] + 0.1 * self.rng.standard_normal((len(time), len(label)))).astype("f4")
        dropped = np.zeros(len(time), bool)
        dropped[200:230] = True
        coords = {
            "time": _var("time", time, "s"),
            "neuron": _var("neuron", neurons),
            "x": _var("neuron", xy[:, 0], "mm"),
            "y": _var("neuron", xy[:, 1], "mm"),
            "region": _var("neuron", [""] * len(neurons)),
        }
        self._save(
            xr.Dataset(
                {
                    "fluorescence": _var(("time", "neuron"), (1 + dff).astype("f4"), "a.u."),
                    "dropped": _var("time", dropped),
                },
                coords,
                self.attrs,
            ),
            "recording",
        )
        self._save(
            xr.Dataset(
                {
                    "dff": _var(("time", "neuron"), dff, "dF/F"),
                    "f0": _var(("time", "neuron"), np.ones_like(dff), "a.u."),
                    "dropped": _var("time", dropped),
                },
                coords,
                self.attrs,
            ),
            "preprocessed",
        )
        units = [f"e{i}" for i in range(N)]
        activity = 4 * smooth + 0.3 * self.rng.standard_normal(smooth.shape)
        self._save(
            xr.Dataset(
                {
                    "activity": _var(("time", "ensemble"), activity, "noise sd"),
                    "dropped": _var("time", dropped),
                    "label": _var("neuron", label),
                    "n_neurons": _var("ensemble", np.full(N, per)),
                },
                {
                    "time": coords["time"],
                    "neuron": coords["neuron"],
                    "ensemble": _var("ensemble", units),
                    "x": coords["x"],
                    "y": coords["y"],
                    "region": coords["region"],
                    "centroid_x": _var("ensemble", centre[:, 0], "mm"),
                    "centroid_y": _var("ensemble", centre[:, 1], "mm"),
                },
                self.attrs,
            ),
            "ensembles",
        )
        condition = np.repeat(self.conditions, self.frames)
        keep = np.ones(len(self.states), bool)
        keep[40:46] = False
        bins = np.arange(len(self.states))
        segment = np.cumsum((np.diff(bins[keep], prepend=-1) > 1) | (condition[keep] != np.roll(condition[keep], 1)))
        signal = self.states * self.rng.uniform(2.5, 9, self.states.shape) + np.abs(
            0.6 * self.rng.standard_normal(self.states.shape)
        )
        self._save(
            xr.Dataset(
                {
                    "states": _var(("frame", "unit"), self.states[keep]),
                    "signal": _var(("frame", "unit"), signal[keep], "noise sd"),
                    "threshold": _var(("window_name", "unit"), np.full((len(self.conditions), N), 2.0), "noise sd"),
                },
                {
                    "time": _var("frame", bins[keep] * BIN_S, "s"),
                    "window": _var("frame", condition[keep]),
                    "condition": _var("frame", condition[keep]),
                    "segment": _var("frame", segment),
                    "matched": _var("frame", np.ones(keep.sum(), bool)),
                    "unit": _var("unit", units),
                    "window_name": _var("window_name", list(self.conditions)),
                },
                {**self.attrs, "bin_s": BIN_S, "method": "events", "signal_units": "noise sd"},
            ),
            "states",
        )
        self._quality(units, condition)
        systems = {c: self._window(c, units) for c in self.conditions}
        for i, name in enumerate(("tpm", "macro")):
            groups = {
                f"{c}/{('micro-4', 'macro_units-2')[i]}": history.record(pair[i], "fake.write")
                for c, pair in systems.items()
            }
            files.save_groups(groups, self.layout.of(name, self.recording))

    def _quality(self, units: list[str], condition: np.ndarray) -> None:
        rows = []
        for c in self.conditions:
            x = self.states[condition == c].astype(float)
            head = {
                "recording": self.recording,
                "subject": self.subject,
                "window": c,
                "condition": c,
            }
            level = {
                "n_frames": (len(x), "1"),
                "n_transitions": (len(x) - 1, "1"),
                "n_matched": (len(x), "1"),
                "duration_s": (len(x) * BIN_S, "s"),
                "dropped_fraction": (0.003, "1"),
                "mean_pairwise_correlation": (np.corrcoef(x.T)[np.triu_indices(N, 1)].mean(), "1"),
                "neuron_transients_per_5min": (8 * COUPLING[c], "1"),
                "mean_pairwise_correlation_neurons": (0.019, "1"),
            }
            rows += [{**head, "unit": "", "measure": m, "value": v, "units": u} for m, (v, u) in level.items()]
            for i, unit in enumerate(units):
                p = x[:, i].mean()
                rate = (np.diff(x[:, i]) > 0).sum() / (len(x) * BIN_S)
                entropy = -p * np.log2(p) - (1 - p) * np.log2(1 - p) if 0 < p < 1 else 0.0
                own = {
                    "event_rate_hz": (rate, "Hz"),
                    "fraction_on": (p, "1"),
                    "entropy_bits": (entropy, "bit"),
                    "autocorrelation_time_s": (0.7 + 0.1 * i, "s"),
                    "stationarity_z": (self.rng.standard_normal(), "1"),
                }
                rows += [{**head, "unit": unit, "measure": m, "value": v, "units": u} for m, (v, u) in own.items()]
        files.save_table(pd.DataFrame(rows), self.layout.of("quality", self.recording))

    def _window(self, c: str, units: list[str]) -> tuple[xr.Dataset, xr.Dataset]:
        """TPMs of the units and of the macro units."""
        x = self.states[np.repeat(self.conditions, self.frames) == c]
        code = x @ (1 << np.arange(N))
        visits = np.bincount(code, minlength=2**N)
        p_on = np.clip(planted_pairs(COUPLING[c]) + 0.03 * self.rng.standard_normal((2**N, N)), 0.01, 0.99)
        flag = ";".join(
            (["unvisited_states"] if (visits == 0).any() else []) + (["few_frames"] if self.frames < 200 else [])
        )
        attrs = {
            **self.attrs,
            "bin_s": BIN_S,
            "estimator": "logistic",
            "lag": 1,
            "held_out_bits": -0.41,
            "held_out_bits_rate": -0.45,
            "n_frames": len(x),
            "n_transitions": len(x) - 1,
            "states_never_visited": int((visits == 0).sum()),
            "least_visits": int(visits.min()),
            "tpm_kind": "observational",
            "window": c,
            "condition": c,
            "flag": flag,
        }
        residual = 0.03 * self.rng.standard_normal((N, N))
        counts = {
            "visits": _var("state", visits),
            "transitions": _var("state", visits),
            "occupancy": _var("state", visits / visits.sum()),
        }
        micro = xr.Dataset(
            {
                "p_on": _var(("state", "unit"), p_on),
                **counts,
                "residual_correlation": _var(("unit", "unit_b"), residual),
            },
            {"unit": _var("unit", units), "state": _var("state", np.arange(2**N))},
            attrs,
        )
        group = np.array([0, 0, 1, 1] if COUPLING[c] > 0.5 else [0, 1, 0, 1])
        grouping = Grouping(tuple(int(g) for g in group), ("and", "and"))
        names = [f"m{j}({','.join(units[i] for i in b)})" for j, b in enumerate(grouping.blocks)]
        macro_visits = np.bincount(grouping.macro_state(), visits, 4).astype(int)
        valid = np.array([1, 1] if COUPLING[c] > 0.5 else [1, 0], np.int8)
        variables = {
            "p_on": _var(("state", "unit"), grouping.macro_p_on(p_on)),
            "visits": _var("state", macro_visits),
            "occupancy": _var("state", macro_visits / macro_visits.sum()),
            "group": _var("micro_unit", group),
            "mapping": _var("unit", list(grouping.mapping)),
            "valid_unit": _var("unit", valid),
            "validity": _var("unit", ["irreducible" if v else "reducible" for v in valid]),
        }
        found = {
            "objective": "effective_information",
            "objective_bits": 0.8,
            "restarts": 8,
            "restarts_agreeing": 7,
            "method": "encoder",
        }
        macro = xr.Dataset(
            variables,
            {"unit": _var("unit", names), "micro_unit": _var("micro_unit", units)},
            {**attrs, **found},
        )
        return micro, macro

    def summary(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Rows of summary.csv and nulls.csv."""
        rows, nulls = [], []
        for c, (route, scale) in itertools.product(self.conditions, (("micro", 4), ("macro_units", 2))):
            head = {
                "recording": self.recording,
                "subject": self.subject,
                "condition": c,
                "window": c,
                "scale": scale,
                "route": route,
            }
            tail = {
                "null": "",
                "null_mean": np.nan,
                "null_p": np.nan,
                "null_p_scales": np.nan,
                "p_positive": 1.0,
                "copies_held": 28,
                "n_copies": 30,
                "n_frames": self.frames,
                "n_states_visited": 13,
                "estimator": "logistic",
                "grain": self._grain(route, c),
                "grain_share": 0.9 if COUPLING[c] > 0.5 else np.nan,
            }
            for measure, full in MEASURES[route].items():
                value = full * COUPLING[c] * (1 + 0.08 * self.rng.standard_normal())
                low, high = value - 0.12 * full, value + 0.12 * full
                mean, sd = 0.15 * full, 0.05 * full
                p = 0.01 if value > mean + 2 * sd else 0.3
                words = ["unvisited_states"] if route == "micro" else []
                words += ["imprecise"] if high - low > value else []
                words += ["below_null"] if route != "micro" and p > 0.05 else []
                row = {
                    **head,
                    **tail,
                    "measure": measure,
                    "value": value,
                    "ci_low": low,
                    "ci_high": high,
                    "flag": ";".join(words),
                }
                if measure not in ("phi_s", "phi_s_complex", "big_phi"):
                    rows.append(row)
                    continue
                rows += [
                    row | {"null": "integration", "null_mean": mean, "null_p": p},
                    row | {"measure": f"{measure}_common", "value": value * 0.95},
                ]
                test = {k: head[k] for k in ("recording", "window", "scale", "route")}
                null = "integration" if route == "micro" else "random_grouping"
                nulls.append(
                    {
                        **test,
                        "measure": measure,
                        "null": null,
                        "mean": mean,
                        "sd": sd,
                        "z": (value - mean) / sd,
                        "p": p,
                        "excess": value - mean,
                        "n_surrogates": 100,
                    }
                )
            if route == "macro_units":
                low, value, high = (x * COUPLING[c] for x in (0.1, 0.18, 0.3))
                rows.append(
                    {
                        **head,
                        **tail,
                        "measure": "delta_causal_power",
                        "value": value,
                        "ci_low": low,
                        "ci_high": high,
                        "flag": "",
                    }
                )
        return rows, nulls

    def _grain(self, route: str, c: str) -> str:
        """Strongly coupled pairs are the grain; of weakly coupled ones one is no unit."""
        macro = COUPLING[c] > 0.5
        return ("accepted" if macro else "no units") if route == "macro_units" else ("units" if macro else "accepted")

    def tpms(self, name: RecordingFile) -> list[xr.Dataset]:
        """TPMs of every window, of the units or of the macro units."""
        return list(files.load_groups(self.layout.of(name, self.recording)).values())

    def truth(self) -> dict[str, Any]:
        conditions = {}
        for c in self.conditions:
            p_on = planted_pairs(COUPLING[c])
            own = {
                r: {
                    m: v * COUPLING[c]
                    for m, v in MEASURES[r].items()
                    if m in ("phi_s", "big_phi", "effective_information")
                }
                for r in MEASURES
            }
            conditions[c] = {
                "tpm": p_on.tolist(),
                "tpm_observational": observational(COUPLING[c]).tolist(),
                "occupancy": stationary(p_on).tolist(),
                "coupling": COUPLING[c],
                "scales": [
                    {"route": "micro", "scale": 4, **own["micro"]},
                    {"route": "macro_units", "scale": 2, **PLANTED, **own["macro_units"]},
                ],
            }
        ensemble = {f"n{i}": i // 15 for i in range(60)}
        return {
            "recording": self.recording,
            "subject": self.subject,
            "neuron_ensemble": ensemble,
            "conditions": conditions,
        }

    def _save(self, dataset: xr.Dataset, name: RecordingFile) -> None:
        files.save(history.record(dataset, "fake.write"), self.layout.of(name, self.recording, N))


def write_study(
    root: Path,
    *,
    conditions: tuple[str, ...] = ("awake", "anesthesia", "recovery"),
    subjects: int = 2,
    truth: bool = True,
    failed: bool = True,
    positions: bool = True,
    frames: int = 400,
    seed: int = 0,
) -> FakeStudy:
    """Write results/fake under `root`; with `failed` the sheet lists one more recording, which failed at ingest."""
    results = root / "results" / "fake"
    layout = Layout(results)
    made = [
        _Recording(results, f"m{i + 1}_s1", f"m{i + 1}", conditions, seed + i, frames=frames, positions=positions)
        for i in range(subjects)
    ]
    rows, nulls = [], []
    for recording in made:
        recording.write()
        own, own_nulls = recording.summary()
        rows, nulls = rows + own, nulls + own_nulls
        if truth:
            files.save_json(recording.truth(), layout.of("truth", recording.recording))
    summary = pd.DataFrame(rows)
    files.save_table(summary, layout.of_study("summary"))
    files.save_table(pd.DataFrame(nulls), layout.of_study("nulls"))
    excess = {"excess_over_null": excess_over_null(summary, pd.DataFrame(nulls), "phi_s")}
    files.save_table(compare(summary, [], conditions, variants=excess), layout.of_study("comparison"))
    quality = read_tables([layout.of("quality", m.recording) for m in made], QUALITY_COLUMNS)
    micro_phi_s = subject_values(summary[(summary["measure"] == "phi_s") & (summary["route"] == "micro")])
    told_apart = (
        classify(micro_phi_s, quality, conditions[:2], "phi_s")
        if len(conditions) > 1
        else pd.DataFrame(columns=CLASSIFICATION.names)
    )
    files.save_table(told_apart, layout.of_study("classification"))
    micro, macro = ([tpm for m in made for tpm in m.tpms(name)] for name in ("tpm", "macro"))
    files.save_table(gather_fits(micro), layout.of_study("fits"))
    known = {m.recording: m.truth() for m in made} if truth else {}
    units = {m.recording: files.load(layout.of("ensembles", m.recording, N)) for m in made}
    values, groupings = hold_against_truth(summary, known, macro, units)
    files.save_table(values, layout.of_study("truth"))
    files.save_table(groupings, layout.of_study("true_groupings"))
    sheet = [
        {
            "recording": r.recording,
            "subject": r.subject,
            "path": f"{r.recording}.nc",
            "format": "simulate" if truth else "netcdf",
        }
        for r in made
    ]
    windows = [r.windows for r in made]
    failures = []
    if failed:
        sheet.append({"recording": "m9_s1", "subject": "m9", "path": "m9_s1.csv", "format": "csv"})
        windows.append(made[0].windows.assign(recording="m9_s1"))
        failures.append(
            {
                "recording": "m9_s1",
                "stage": "ingest",
                "reason": "m9_s1.csv: column 'n3', row 1204: 'nan?' is not a number. "
                "Fix: leave the cell empty & mark the frame <dropped>.",
            }
        )
        files.save_json(failures[0], layout.note("ingest", "m9_s1"))
    parameters = Parameters(study="fake", seed=seed, conditions=list(conditions)).model_dump(mode="json")
    inputs = [{"recording": r.recording, "source": r.attrs["source"], "sha256": r.attrs["source_sha256"]} for r in made]
    files.save_json(provenance.collect(parameters, inputs), layout.of_study("provenance"))
    return FakeStudy(results, parameters, failures, pd.concat(windows, ignore_index=True), pd.DataFrame(sheet))
