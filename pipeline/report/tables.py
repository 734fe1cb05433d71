"""The page's tables: numbers already written out, ready to be set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.report.data import Study
from pipeline.report.glossary import COLUMNS, FLAGS, MEASURES, count, number, plain
from pipeline.report.limits import fit_gain, largest_residual

Cell = str


@dataclass(frozen=True)
class Table:
    """A caption, column heads (those that end with "#" hold numbers) and rows of cells."""

    caption: str
    heads: list[str]
    rows: list[list[Cell]]

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """Heads without their mark, and whether they hold numbers."""
        return [(head.rstrip("#").strip(), head.endswith("#")) for head in self.heads]


def recordings(study: Study) -> Table:
    """One row per recording of the sheet."""
    rows = []
    for row in study.recordings.itertuples():
        dataset = study.dataset("recording", row.recording)
        known = dataset is not None
        place = known and "x" in dataset.coords and bool(np.isfinite(dataset["x"].values).any())
        time = dataset["time"].values if known else np.array([])
        rows.append([
            row.recording,
            str(row.subject),
            str(getattr(row, "format", "")),
            str(dataset.attrs.get("indicator", "") or "–") if known else "–",
            f"{float(dataset.attrs['sampling_rate_hz']):g}" if known else "–",
            str(dataset.sizes["neuron"]) if known else "–",
            f"{time[-1] - time[0]:.0f}" if len(time) else "–",
            ("yes" if place else "no") if known else "–",
            "analysed" if row.recording in study.analysed else "failed" if _failed(study, row.recording) else "not analysed",
        ])  # fmt: skip
    heads = [
        "Recording",
        "Subject",
        "Format",
        "Indicator",
        "Rate [Hz] #",
        "Neurons #",
        "Length [s] #",
        "Positions",
        "Outcome",
    ]
    return Table("Recordings of the study's sheet.", heads, rows)


def _failed(study: Study, recording: str) -> bool:
    return any(f.get("recording") == recording for f in study.failures)


def windows(study: Study) -> Table:
    """One row per recording and window (segments of a window taken together)."""
    levels = study.quality[study.quality["unit"] == ""]
    level = levels.pivot_table(index=["recording", "window"], columns="measure", values="value")
    micro = {(r, w): tpm for r, w, scale, tpm in study.tpms if scale.route == "micro"}
    rows = []
    for (recording, window), own in study.windows.groupby(["recording", "window"], sort=False):
        key = (recording, window)
        quality = level.loc[key] if key in level.index else pd.Series(dtype=float)
        tpm = micro.get(key)
        attrs: dict[str, Any] = tpm.attrs if tpm is not None else {}
        total = float((own["end_s"] - own["start_s"]).sum())
        rows.append([
            recording,
            window if window == own["condition"].iloc[0] else f"{window} ({own['condition'].iloc[0]})",
            str(len(own)),
            count(total),
            count(quality.get("n_frames")),
            count(quality.get("n_matched")),
            _percent(quality.get("dropped_fraction")),
            count(attrs.get("n_transitions")),
            number(fit_gain(tpm), 2) if tpm is not None else "–",
            str(attrs.get("least_visits", "–")),
            f"{attrs['states_never_visited']} of {tpm.sizes['state']}" if tpm is not None and "states_never_visited" in attrs else "–",
            number(largest_residual(tpm), 2) if tpm is not None else "–",
            flags(str(attrs.get("flag", ""))),
        ])  # fmt: skip
    heads = [
        "Recording",
        "Window",
        "Segments #",
        "Length [s] #",
        "Frames #",
        "Used #",
        "Dropped #",
        "Transitions #",
        "Held-out gain [bit] #",
        "Least visits #",
        "Never visited #",
        "Residual corr. #",
        "Flags",
    ]
    caption = "Windows and their micro TPM. Frames: time bins in the window; used: after windows were matched in length; held-out gain: log2-likelihood per transition and unit on held-out blocks, above that of constant rates (0 or less: the TPM predicts nothing); residual corr.: largest instantaneous correlation of two units that is left given the past."
    return Table(caption, heads, rows)


def failures(study: Study) -> Table:
    """What failed, where and why."""
    rows = [
        [f.get("recording", "–"), f.get("window", "all"), f.get("stage", "–"), f.get("reason", "–")]
        for f in study.failures
    ]
    return Table(
        "What failed; nothing of it enters any number.",
        ["Recording", "Window", "Stage", "Reason"],
        rows,
    )


def activity(study: Study) -> Table:
    """Activity of each subject and condition beside phi_s of the micro scale."""
    shown = [
        "event_rate_hz",
        "fraction_on",
        "entropy_bits",
        "autocorrelation_time_s",
        "mean_pairwise_correlation",
        "neuron_transients_per_5min",
        "mean_pairwise_correlation_neurons",
    ]
    shown = [m for m in shown if m in set(study.quality["measure"])]
    wide = study.quality[study.quality["measure"].isin(shown)].pivot_table(
        index=["recording", "subject", "window", "condition"],
        columns="measure",
        values="value",
        sort=False,
    )
    phi = study.summary[(study.summary["measure"] == "phi_s") & (study.summary["route"] == "micro")]
    phi = phi.set_index(["recording", "window"])["value"].to_dict()
    rows = [
        [recording, subject, condition if window == condition else f"{condition} ({window})", *(number(row[m], 3) for m in shown), number(phi.get((recording, window)))]
        for (recording, subject, window, condition), row in wide.iterrows()
    ]  # fmt: skip
    heads = [
        "Recording",
        "Subject",
        "Condition",
        *(f"{plain(m).capitalize()}{_bracket(m)} #" for m in shown),
        "φs micro [ibit] #",
    ]
    return Table("Activity of each window (mean over units) beside its φs.", heads, rows)


def _bracket(measure: str) -> str:
    unit = MEASURES[measure].unit
    return "" if unit in ("1", "count") else f" [{unit}]"


def parameters(study: Study) -> Table:
    """Every parameter of the study, flat."""
    return Table(
        "Parameters of study.yaml, defaults included.",
        ["Parameter", "Value"],
        list(_flat(study.parameters)),
    )


def _flat(values: dict[str, Any], prefix: str = "") -> list[list[Cell]]:
    rows = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            text = (
                "–"
                if value in (None, {}, [])
                else ", ".join(map(str, value))
                if isinstance(value, list)
                else str(value)
            )
            rows.append([f"{prefix}{key}", text])
    return rows


def versions(study: Study) -> Table:
    """Versions, seed and times."""
    p = study.provenance
    rows = [["phiscale", str(p.get("phiscale", "–"))], ["Python", str(p.get("python", "–"))]]
    rows += [["platform", str(p["platform"])]] if "platform" in p else []
    rows += [[name, str(v)] for name, v in sorted(p.get("packages", {}).items())]
    rows += [["seed", str(p.get("seed", "–"))]]
    rows += [[key, str(p[key])] for key in ("started", "finished") if key in p]
    return Table("Versions, seed and times (UTC).", ["What", "Value"], rows)


def inputs(study: Study) -> Table:
    """Input files with their checksums."""
    rows = [
        [i.get("recording", ""), i.get("source", "") or "–", i.get("sha256", "") or "–"]
        for i in study.provenance.get("inputs", [])
    ]
    return Table("Inputs.", ["Recording", "Source", "SHA-256"], rows)


def glossary() -> list[Table]:
    """Measures, columns and flags."""
    return [
        Table("Measures.", ["Measure", "Unit", "Meaning"], [[name, t.unit, t.meaning] for name, t in MEASURES.items()]),
        Table("Columns of summary.csv, nulls.csv and comparison.csv.", ["Column", "Meaning"], [[k, v] for k, v in COLUMNS.items()]),
        Table("Flags.", ["Flag", "Meaning"], [[k, v] for k, v in FLAGS.items()]),
    ]  # fmt: skip


def _percent(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.2g}%"


def flags(text: object) -> Cell:
    """Write the words of a flag, as the glossary explains them."""
    return text.replace(";", ", ") if isinstance(text, str) else ""
