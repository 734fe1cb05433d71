"""Parameters of a study that follow from its recordings, each with the reason in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Floats
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.recording import GAP
from pipeline.binarize.bins import rounded_up
from pipeline.binarize.parameters import DEFAULT
from pipeline.ingest.assembling import told
from pipeline.simulation.indicators import INDICATORS
from pipeline.tpm.parameters import METHOD
from pipeline.tpm.support import largest_supported
from pipeline.traces.parameters import Ensembles

if TYPE_CHECKING:
    import xarray as xr

UNEVEN = 0.05  # of a frame interval, by which steps may differ before frames are made even
MOST = 10_000_000  # values of a recording that are binarized to see whether its units have states
WHOLE = "whole"
NEAR = 0.02  # of the default bin, by which whole frames may miss it
NO_BASELINE = 0.1  # a baseline below this share of the median divides badly


@dataclass(frozen=True)
class FromData:
    """A field of a study.

    Attributes:
        field: e.g. "binarize.bin_s".
        value: what it is set to.
        why: the reason.
    """

    field: str
    value: Any
    why: str


def chosen(recordings: Sequence[xr.Dataset], shortest_s: float) -> list[FromData]:
    """Return the fields that follow from recordings.

    Args:
        recordings: those that could be opened, at least one.
        shortest_s: length of the shortest window [s].
    """
    rates = [float(one.attrs["sampling_rate_hz"]) for one in recordings]
    kind = kind_of(recordings)
    even = list(_resampling(recordings, min(rates)))
    rate = float(even[0].value) if even else min(rates)
    binned = list(_binarize(recordings, kind.why.startswith("spikes"), rate))
    bin_s = next(one.value for one in binned if one.field == "binarize.bin_s")
    fields = [kind, *even, *_ensembles(recordings, shortest_s, bin_s), *binned]
    fault = _silence(recordings, fields)
    if fault and not _silence(recordings, [*fields, FromData("binarize.method", "median", "")]):
        binned = [one for one in binned if one.field == "binarize.bin_s"]
        why = f"ON above the median: with {DEFAULT.method!r}, {fault}"
        fields = [one for one in fields if not one.field.startswith("binarize.")]
        fields += [FromData("binarize.method", "median", why), *binned]
    return fields


def _silence(recordings: Sequence[xr.Dataset], fields: Sequence[FromData]) -> str:
    """Return why some unit has no states in a recording as a whole; empty where all have."""
    from pipeline.binarize.states import binarize_windows
    from pipeline.traces.ensembles import group
    from pipeline.traces.preprocess import preprocess

    of: dict[str, dict[str, Any]] = {"preprocess": {}, "ensembles": {}, "binarize": {}, "macro": {}}
    for one in fields:
        section, field = one.field.split(".")
        of[section][field] = one.value
    if of["binarize"].get("method", DEFAULT.method) != DEFAULT.method:
        of["binarize"].pop("tau_s", None)
    units = of["ensembles"]
    for recording in recordings:
        if recording["fluorescence"].size > MOST:
            continue
        window = {"window": WHOLE, "condition": WHOLE, "start_s": -np.inf, "end_s": np.inf}
        try:
            dff = preprocess(recording, **of["preprocess"])
            grouped = group(dff, n_ensembles=units["iit"], method=units["method"])
            binarize_windows(grouped, pd.DataFrame([window]), **of["binarize"])
        except PhiscaleError as error:
            first = error.problems[0]
            what = (
                (first.where.split(", ")[-1], first.what.removeprefix("it "))
                if isinstance(first, Problem)
                else (first,)
            )
            return " ".join(what)
    return ""


def kind_of(recordings: Sequence[xr.Dataset]) -> FromData:
    """Return whether recordings hold fluorescence, or what has no baseline to divide by.

    Args:
        recordings: those that could be opened.
    """
    kinds = {told(one).get("kind", "") for one in recordings}
    if "spikes" in kinds:
        return FromData("preprocess.kind", "dff", "spikes have no baseline to divide by")
    if kinds == {"fluorescence"}:
        return FromData("preprocess.kind", "fluorescence", "the files say that they hold fluorescence")
    if "dff" in kinds:
        return FromData("preprocess.kind", "dff", "the files hold traces whose baseline is taken off")
    shares = np.concatenate([_baseline_share(one) for one in recordings])
    if np.median(shares) < NO_BASELINE:
        return FromData("preprocess.kind", "dff", "traces go down to 0 or below: there is no baseline to divide by")
    return FromData("preprocess.kind", "fluorescence", "traces stay above 0: they have a baseline")


def _baseline_share(recording: xr.Dataset) -> Floats:
    values = recording["fluorescence"].values
    values = values[:: max(1, len(values) // 2000)].astype(float)
    low, middle = np.nanpercentile(values, [8, 50], axis=0)
    found: Floats = np.where(middle > 0, low / np.where(middle > 0, middle, 1), 0.0)
    return found


def _resampling(recordings: Sequence[xr.Dataset], rate: float) -> Iterator[FromData]:
    """Yield a common rate where frames come unevenly, or recordings differ."""
    rates = {round(float(one.attrs["sampling_rate_hz"]), 3) for one in recordings}
    spread = 0.0
    for one in recordings:
        steps = np.diff(one["time"].values) * float(one.attrs["sampling_rate_hz"])
        within = steps[steps < GAP]
        spread = max(spread, float(np.percentile(np.abs(within - 1), 95)) if within.size else 0.0)
    common = float(f"{np.floor(rate * 1000) / 1000:.4g}") if rate >= 0.1 else rate
    if spread > UNEVEN:
        yield FromData("preprocess.resample_hz", common, f"steps between frames vary by {spread:.0%}: frames made even")
    elif max(rates) > 1.02 * min(rates):
        yield FromData(
            "preprocess.resample_hz", common, f"recordings have rates of {min(rates):g} to {max(rates):g} Hz"
        )


def _ensembles(recordings: Sequence[xr.Dataset], shortest_s: float, bin_s: float) -> Iterator[FromData]:
    n = min(one.sizes["neuron"] for one in recordings)
    bins = shortest_s / bin_s if np.isfinite(shortest_s) else np.iinfo(np.int32).max
    carried = largest_supported(max(int(bins) - 1, 0), METHOD)
    units = max(2, min(Ensembles().iit, n, carried))
    placed = all(np.isfinite(one["x"].values).all() for one in recordings)
    if n == units:
        yield FromData("ensembles.method", "none", "there are no more neurons than units")
    elif placed:
        yield FromData("ensembles.method", "position", "neurons have positions")
    else:
        yield FromData("ensembles.method", "activity", "neurons have no positions")
    why = "the usual number" if units == Ensembles().iit else f"{n} neurons, windows from {shortest_s:g} s on"
    yield FromData("ensembles.iit", units, why)
    if units == 2:
        yield FromData("macro.scales", [], "of two units nothing coarser can be made")


def _binarize(recordings: Sequence[xr.Dataset], spikes: bool, rate: float) -> Iterator[FromData]:
    frame = 1 / rate
    tau, why = _decay(recordings)
    slow = frame > tau
    if spikes or slow:
        reason = "counts have no decay" if spikes else f"frames of {frame:.3g} s do not show a decay of {tau:g} s"
        yield FromData("binarize.method", "median", f"{reason}: each unit is ON above its median")
    if frame >= DEFAULT.bin_s:
        yield FromData("binarize.bin_s", rounded_up(frame), "one frame")
    else:
        count = round(DEFAULT.bin_s * rate)
        exact = round(count / rate, 6)
        near = abs(exact - DEFAULT.bin_s) < NEAR * DEFAULT.bin_s
        yield FromData("binarize.bin_s", DEFAULT.bin_s if near else exact, f"{count} frames")
    if not spikes and not slow:
        yield FromData("binarize.tau_s", tau, why)


def _decay(recordings: Sequence[xr.Dataset]) -> tuple[float, str]:
    """Return the decay time of the indicator [s], and where it is from."""
    given = [float(told(one)["tau_s"]) for one in recordings if "tau_s" in told(one)]
    if given:
        return float(np.median(given)), "what the program that wrote the file was told"
    named = {str(one.attrs.get("indicator", "")) for one in recordings} - {""}
    for name in named:
        for known, kinetics in INDICATORS.items():
            if known.lower().removeprefix("j") in name.lower():
                return kinetics.decay_s, f"decay of {known}"
    default = float(getattr(DEFAULT, "tau_s", 0.7))
    return default, f"the default: the files name {', '.join(sorted(named)) or 'no indicator'}"
