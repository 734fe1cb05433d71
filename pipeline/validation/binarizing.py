"""Ways to decide between ON and OFF, held against spikes and against simulations.

`python -m pipeline.validation.binarizing [SPIKEFINDER_DIR]` writes docs/binarization.md. Without the folder the rows of
recorded cells are left out.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.base.errors import PhiscaleError
from pipeline.base.text import markdown_table
from pipeline.binarize.registry import BINARIZERS
from pipeline.binarize.states import binarize
from pipeline.validation.known_events import (
    LENGTH_S,
    NEURONS,
    SUBSTRATES,
    KnownTrace,
    recorded_cells,
    simulated_cells,
    simulated_ensembles,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "binarization.md"
RATES = (3.0, 5.0, 10.0, 30.0)
FARTHEST_S = 1.5  # an onset that is found farther from the true one is another one
BIN_S = 0.5
NOISES = (1.0, 4.0)  # of simulated light, relative to the usual
EACH = 4  # simulated cells and recordings of each indicator


@dataclass(frozen=True)
class Variant:
    """A method with its parameters.

    Attributes:
        method: name in the registry.
        parameters: those that are not its defaults.
        decay: "default", "known" (that of the indicator, where it is known) or "estimated".
        label: in the table.
    """

    method: str
    parameters: Mapping[str, Any]
    decay: str
    label: str


@dataclass(frozen=True)
class Score:
    """How well found states match true ones.

    Attributes:
        balanced: mean of the shares of ON and of OFF bins that are found as such.
        miss: share of true ON bins found OFF.
        false_on: share of true OFF bins found ON.
        rate_bias: share of bins found ON, relative to the true share.
        lag_s: mean delay of found onsets after true ones [s].
        jitter_s: standard deviation of that delay [s].
    """

    balanced: float
    miss: float
    false_on: float
    rate_bias: float
    lag_s: float
    jitter_s: float


def variants() -> list[Variant]:
    """Return every method with its defaults, and `events` with other decay times and another threshold."""
    made = [Variant(name, {}, "default", name) for name in BINARIZERS]
    made += [Variant("events", {}, "known", "events, decay known")]
    made += [Variant("events", {}, "estimated", "events, decay estimated")]
    return [*made, Variant("events", {"z": 2.0}, "default", "events, z 2")]


def score(found: Bools, true: Bools, bin_s: float) -> Score:
    """Return how well found states match true ones.

    Args:
        found: (bin,) found ON.
        true: (bin,) ON in truth.
        bin_s: length of a bin [s].

    >>> score(np.array([0, 1, 0, 0]) == 1, np.array([0, 1, 0, 1]) == 1, 0.5).miss
    0.5
    """
    miss = 1 - float(found[true].mean()) if true.any() else np.nan
    false_on = float(found[~true].mean()) if not true.all() else np.nan
    bias = float(found.mean() / true.mean()) if true.any() else np.nan
    delays = bin_s * _delays(_onsets(found), _onsets(true), int(FARTHEST_S / bin_s))
    mean, spread = (float(delays.mean()), float(delays.std())) if len(delays) else (np.nan, np.nan)
    return Score(1 - (miss + false_on) / 2, miss, false_on, bias, mean, spread)


def _onsets(states: Bools) -> Ints:
    return np.flatnonzero(states[1:] & ~states[:-1]) + 1


def _delays(found: Ints, true: Ints, farthest: int) -> Ints:
    """Return (matched onset,) bins from each true onset to the nearest one that was found."""
    if not len(found) or not len(true):
        return np.zeros(0, int)
    after = np.clip(np.searchsorted(found, true), 1, max(len(found) - 1, 1))
    candidates = np.stack([found[after - 1], found[np.minimum(after, len(found) - 1)]]) - true
    nearest = np.take_along_axis(candidates, np.abs(candidates).argmin(axis=0)[None], axis=0)[0]
    return np.asarray(nearest[np.abs(nearest) <= farthest])


def score_trace(trace: KnownTrace, variant: Variant, bin_s: float = BIN_S) -> Score | None:
    """Return the score of one method on one trace.

    A trace that the method refuses, because it would never be ON or has no decay, counts as never ON.

    Args:
        trace: with its truth.
        variant: the method.
        bin_s: length of a bin [s].

    Returns:
        None where the variant needs a decay time that is not known.
    """
    parameters = dict(variant.parameters)
    if variant.decay == "estimated" or (variant.decay == "known" and trace.decay_s is not None):
        parameters["tau_s"] = trace.decay_s if variant.decay == "known" else None
    elif variant.decay == "known":
        return None
    try:
        read = binarize(trace.values[:, None], trace.rate_hz, variant.method, bin_s=bin_s, **parameters)
    except PhiscaleError:
        starts: Floats = bin_s * np.arange(len(trace.values) / trace.rate_hz // bin_s)
        return score(np.zeros(len(starts), bool), trace.truth.on(starts, bin_s), bin_s)
    return score(read["states"].values[:, 0] == 1, trace.truth.on(read["time"].values, bin_s), bin_s)


def score_all(traces: Iterable[KnownTrace], setting: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row per trace and method.

    Args:
        traces: with their truth.
        setting: what all of them have in common, for the rows.
    """
    rows = []
    for index, trace in enumerate(traces):
        for variant in variants():
            got = score_trace(trace, variant)
            values = dict.fromkeys(MEASURES, np.nan) if got is None else dict(zip(MEASURES, astuple(got), strict=True))
            rows.append({"source": trace.source, **setting, "trace": index, "method": variant.label, **values})
    return rows


MEASURES = tuple(field.name for field in fields(Score))


def measured(folder: Path | None, rates: Iterable[float] = RATES, each: int = EACH, seed: int = 1) -> pd.DataFrame:
    """Return the scores of all methods on all traces.

    Args:
        folder: spikefinder; None leaves recorded cells out.
        rates: frame rates [Hz].
        each: simulated cells and recordings of each indicator.
        seed: of the simulations.

    Returns:
        Rows source, rate_hz, noise, trace, method and the fields of `Score`.
    """
    rows = []
    for rate in rates:
        if folder is not None:
            rows += score_all(recorded_cells(folder, rate), {"rate_hz": rate, "noise": np.nan})
        for noise in NOISES:
            setting = {"rate_hz": rate, "noise": noise}
            rows += score_all(simulated_cells(rate, noise, each, seed), setting)
            rows += score_all(simulated_ensembles(rate, noise, each, seed), setting)
    return pd.DataFrame(rows)


HEAD = """\
# Ways to decide between ON and OFF, measured

Generated: `python -m pipeline.validation.binarizing [SPIKEFINDER_DIR]`.

What each `binarize.method` finds in traces of which it is known when they were ON, in bins of {bin_s:g} s and with its
default parameters; `events` also with the decay time of the indicator (`tau_s`) given or estimated, and with a lower
threshold. A cell is ON in a bin in which it fires at least once, an ensemble where the step that fills most of the bin
is ON.

- **recorded cells**: two-photon imaging with simultaneously recorded spikes (spikefinder, Berens et al. 2018, PLoS
  Computational Biology 14(5): e1006157; {recorded}), brought to lower frame rates by averaging.
  The data are not part of phiscale.
- **simulated cells and ensembles** of {cells} cells: GCaMP6s, GCaMP6f and jGCaMP8m, {each} cells and {each} recordings
  of 4 ensembles each, {length:g} s, at a random phase with the steps of the substrates ({substrates});
  with the usual noise, and with {noisy:g} times as much.

**Balanced accuracy** is the mean of the shares of ON and of OFF bins that are found as such: 0.5 is chance, 1 perfect.
**Rate** is the share of bins found ON relative to the true share. **Lag** and **jitter** are mean and standard
deviation of the delay of found onsets after the nearest true ones, within {farthest:g} s. A trace that a method refuses
counts as never ON.
"""
VERDICT = (
    "Best of {n} settings, with default parameters: {told}. Where the decay time is known and given to `events` (as "
    "`binarize.tau_s` asks for), it is best in {given} of them. {conclusion}"
)
CLEAR = 0.75  # of the settings that a method has to win to be called the best
NONE = (
    "No method wins in three quarters of the settings: what is best depends on frame rate and noise. `events`, the "
    "default, misses most of what there is where frames are few or noise is high; the other methods have onsets late "
    "by up to half a second in recorded cells, or find units ON several times too often."
)
ONE = "`{name}` wins in three quarters of the settings or more, and is the method to start from."


def page(scores: pd.DataFrame, each: int = EACH) -> str:
    """Return the page (Markdown).

    Args:
        scores: rows of `measured`.
        each: simulated cells and recordings of each indicator.
    """
    cells = scores[scores["noise"].isna()].groupby("source")["trace"].nunique()
    head = HEAD.format(
        bin_s=BIN_S,
        recorded=" and ".join(f"{n} {source}" for source, n in cells.items()) or "not measured here",
        cells=NEURONS,
        each=each,
        length=LENGTH_S,
        substrates=", ".join(SUBSTRATES),
        noisy=NOISES[-1],
        farthest=FARTHEST_S,
    )
    return "\n".join([head, _accuracies(scores), _details(scores), _verdict(scores)])


def _accuracies(scores: pd.DataFrame) -> str:
    """Balanced accuracy of each method in each setting."""
    table = _by_method(scores)
    rows = [[*_setting(row[0]), *map(_number, row[1:])] for row in table.itertuples()]
    return "## Balanced accuracy\n\n" + markdown_table(["traces", "Hz", *table.columns], rows) + "\n"


def _details(scores: pd.DataFrame, rate_hz: float = 10.0) -> str:
    """All measures at one frame rate."""
    rate = rate_hz if (scores["rate_hz"] == rate_hz).any() else float(scores["rate_hz"].iloc[0])
    table = _means(scores[scores["rate_hz"] == rate]).dropna(how="all")
    rows = [[_setting(row[0])[0], row[0][-1], *map(_number, row[1:])] for row in table.itertuples()]
    heads = ["traces", "method", "balanced accuracy", "missed", "false ON", "rate", "lag [s]", "jitter [s]"]
    return f"## All measures at {rate:g} Hz\n\n" + markdown_table(heads, rows) + "\n"


def _verdict(scores: pd.DataFrame) -> str:
    """Which method is best in how many settings."""
    table = _by_method(scores)
    best = table[list(BINARIZERS)].idxmax(axis=1)
    recorded = best[[key[1] == UNKNOWN for key in table.index]]
    told = _wins(best)
    if len(recorded):
        told += f"; of the {len(recorded)} with recorded cells: {_wins(recorded)}"
    informed = table[list(BINARIZERS)].assign(events=table["events, decay known"].fillna(table["events"]))
    given = int((informed.idxmax(axis=1) == "events").sum())
    wins = best.value_counts()
    clear = wins.iloc[0] >= CLEAR * len(best)
    conclusion = ONE.format(name=wins.index[0]) if clear else NONE
    text = VERDICT.format(n=len(best), told=told, given=given, conclusion=conclusion)
    return "## Which method\n\n" + textwrap.fill(text, 118) + "\n"


def _wins(best: pd.Series[str]) -> str:
    """Say how often each method is the best."""
    return ", ".join(f"`{name}` {n}" for name, n in best.value_counts().items())


UNKNOWN = -1.0  # stands for noise that is not known, of recorded cells


def _by_method(scores: pd.DataFrame) -> pd.DataFrame:
    """Balanced accuracy (setting, method)."""
    return _means(scores)["balanced"].unstack("method", sort=False)


def _means(scores: pd.DataFrame) -> pd.DataFrame:
    keys = ["source", "noise", "rate_hz", "method"]
    known = scores.assign(noise=scores["noise"].fillna(UNKNOWN))
    return known.groupby(keys, sort=False)[list(MEASURES)].mean()


def _setting(key: Any) -> list[str]:
    source, noise, rate = key[:3]
    return [source if noise in (UNKNOWN, 1.0) else f"{source}, {noise:g} × the noise", f"{rate:g}"]


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f}"


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write the page.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.validation.binarizing", description=__doc__)
    parser.add_argument("spikefinder", type=Path, nargs="?", help="folder with the recorded cells")
    parser.add_argument("--out", type=Path, default=PAGE, help="where to write the page")
    parser.add_argument("--each", type=int, default=EACH, help="simulated cells and recordings of each indicator")
    given = parser.parse_args(arguments)
    given.out.write_text(page(measured(given.spikefinder, each=given.each), given.each), encoding="utf-8")


if __name__ == "__main__":
    main()
