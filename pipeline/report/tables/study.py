"""Tables of the study itself: recordings, windows, failures, activity, parameters, versions, glossary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.inference.subjects import window_activity
from pipeline.report.findings import Findings
from pipeline.report.tables.table import Cell, Table, flags, window_name
from pipeline.report.words.glossary import FLAGS, count, number, plain, short, unit
from pipeline.results.measures import MEASURES, OF_ACTIVITY, SUMMARISED
from pipeline.validation.halves import reliability


def recordings(study: Findings) -> Table:
    """One row per recording of the sheet."""
    rows = []
    for row in study.recordings.itertuples():
        failed = any(failure.get("recording") == row.recording for failure in study.failures)
        outcome = "analysed" if row.recording in study.analysed else "failed" if failed else "not analysed"
        head = [row.recording, str(row.subject), str(getattr(row, "format", ""))]
        rows.append([*head, *_recorded(study.recording(row.recording)), outcome])
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


def _recorded(recording: xr.Dataset | None) -> list[Cell]:
    """Indicator, rate, number of neurons, length, and whether positions are known."""
    if recording is None:
        return ["–"] * 5
    time = recording["time"].values
    return [
        str(recording.attrs.get("indicator", "") or "–"),
        f"{float(recording.attrs['sampling_rate_hz']):g}",
        str(recording.sizes["neuron"]),
        f"{time[-1] - time[0]:.0f}" if len(time) else "–",
        "yes" if "x" in recording.coords and bool(np.isfinite(recording["x"].values).any()) else "no",
    ]


def windows(study: Findings) -> Table:
    """One row per recording and window (segments of a window taken together)."""
    levels = study.quality[study.quality["unit"] == ""]
    level = levels.pivot_table(index=["recording", "window"], columns="measure", values="value")
    fits = {(fit.recording, fit.window): fit for fit in study.fits.itertuples()}
    rows = []
    for key, own in study.windows.groupby(["recording", "window"], sort=False):
        quality = level.loc[key] if key in level.index else pd.Series(dtype=float)
        condition = own["condition"].iloc[0]
        rows.append(
            [
                key[0],
                key[1] if key[1] == condition else f"{key[1]} ({condition})",
                str(len(own)),
                count(float((own["end_s"] - own["start_s"]).sum())),
                count(quality.get("n_frames")),
                count(quality.get("n_matched")),
                _percent(quality.get("dropped_fraction")),
                *_fit(fits.get(key)),
            ]
        )
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
    caption = (
        "Windows and their micro TPM. Frames: time bins in the window; used: after windows were matched in "
        "length; held-out gain: log2-likelihood per transition and unit on held-out blocks, above that of "
        "constant rates (0 or less: the TPM predicts nothing); residual corr.: largest instantaneous "
        "correlation of two units that is left given the past."
    )
    return Table(caption, heads, rows)


def _fit(fit: Any) -> list[Cell]:
    """Transitions, held-out gain, visits, residual correlation and flags of a window's unit TPM."""
    if fit is None:
        return [*["–"] * 5, ""]
    never = f"{fit.states_never_visited} of {fit.n_states}"
    gain, residual = number(fit.held_out_gain, 2), number(fit.largest_residual, 2)
    return [count(fit.n_transitions), gain, str(fit.least_visits), never, residual, flags(fit.flag)]


def halves(study: Findings) -> Table:
    """How well values of one half of a window come again in the other."""
    rows = [
        [
            plain(row.measure),
            str(row.scale),
            str(row.n_windows),
            number(row.mean),
            number(row.noise_sd),
            number(row.spread_sd),
            number(row.r, 2),
            number(row.drift),
        ]
        for row in reliability(study.halves).itertuples()
    ]
    heads = ["Measure", "Units #", "Windows #", "Mean #", "Noise (sd) #", "Spread (sd) #", "r #", "Second - first #"]
    caption = (
        "How well values come again: first half of each window against its second, each estimated by itself. Noise: "
        "standard deviation of the difference over √2, how far a value of half a window is off by chance; spread: "
        "standard deviation between windows; r: correlation of first and second halves over windows. A difference "
        "between conditions that is not larger than what the noise leaves of it is none. Windows that are too short "
        "to be halved are left out."
    )
    return Table(caption, heads, rows)


def failures(study: Findings) -> Table:
    """What failed, where and why."""
    rows = [
        [f["recording"], f.get("window", "all"), f.get("system", "all"), f["stage"], f["reason"]]
        for f in study.failures
    ]
    heads = ["Recording", "Window", "System", "Stage", "Reason"]
    return Table("What failed; nothing of it enters any number.", heads, rows)


def activity(study: Findings) -> Table:
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
    windows = window_activity(study.quality[study.quality["measure"].isin(shown)]).to_dict("records")
    phi = study.summary[(study.summary["measure"] == "phi_s") & (study.summary["route"] == "micro")]
    phi = phi.set_index(["recording", "window"])["value"].to_dict()
    rows = [
        [
            w["recording"],
            w["subject"],
            window_name(w["window"], w["condition"]),
            *(number(w[m], 3) for m in shown),
            number(phi.get((w["recording"], w["window"]))),
        ]
        for w in windows
    ]
    heads = [
        "Recording",
        "Subject",
        "Condition",
        *(f"{plain(m).capitalize()}{_bracket(m)} #" for m in shown),
        f"phi_s micro [{unit('phi_s')}] #",
    ]
    return Table("Activity of each window (mean over units) beside its phi_s.", heads, rows)


def _bracket(measure: str) -> str:
    return "" if unit(measure) in ("1", "count") else f" [{unit(measure)}]"


def parameters(study: Findings) -> Table:
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
            rows.append([f"{prefix}{key}", _written(value)])
    return rows


def _written(value: Any) -> Cell:
    if value in (None, {}, []):
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def versions(study: Findings) -> Table:
    """Versions, seed and times."""
    p = study.provenance
    rows = [["phiscale", str(p.get("phiscale", "–"))], ["Python", str(p.get("python", "–"))]]
    rows += [["platform", str(p["platform"])]] if "platform" in p else []
    rows += [[name, str(v)] for name, v in sorted(p.get("packages", {}).items())]
    rows += [["seed", str(p.get("seed", "–"))]]
    rows += [[key, str(p[key])] for key in ("started", "finished") if key in p]
    return Table("Versions, seed and times (UTC).", ["What", "Value"], rows)


def inputs(study: Findings) -> Table:
    """Input files with their checksums."""
    rows = [
        [i.get("recording", ""), i.get("source", "") or "–", i.get("sha256", "") or "–"]
        for i in study.provenance.get("inputs", [])
    ]
    return Table("Inputs.", ["Recording", "Source", "SHA-256"], rows)


def glossary(study: Findings) -> list[Table]:
    """The measures and flags that occur in the study."""
    present = set(study.summary.loc[study.summary["value"].notna(), "measure"]) | set(study.quality["measure"])
    measures = [
        [short(name), unit(name), MEASURES[name].meaning] for name in (*SUMMARISED, *OF_ACTIVITY) if name in present
    ]
    told = {
        word.partition(":")[0]
        for flag in (*study.summary["flag"], *study.fits["flag"])
        if isinstance(flag, str)
        for word in flag.split(";")
    }
    flagged = [[word, meaning] for word, meaning in FLAGS.items() if word.partition(":")[0] in told]
    return [
        Table("Measures that occur here.", ["Measure", "Unit", "Meaning"], measures),
        Table("Flags that occur here.", ["Flag", "Meaning"], flagged),
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{100 * value:.2g}%"
