"""What has to be known of a window before any phi: how much data, how active, how steady.

A change of phi between conditions is read beside these (event rate, entropy, autocorrelation).
"""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.raster import autocorrelation_time, runs_of
from pipeline.results.measures import MEASURES

TRANSIENT_ON, TRANSIENT_OFF = 3.0, 1.0  # a neuron's transient starts and ends here [noise sd]
BLOCK = 2**24  # values (frames × neurons) that are looked at at once
TRANSIENT_FRAMES = 2  # consecutive frames above TRANSIENT_ON that make one

Measure = tuple[str, str, float]  # unit ("": the whole window), measure, value


def quality(preprocessed: xr.Dataset, ensembles: xr.Dataset, states: xr.Dataset) -> pd.DataFrame:
    """Return tidy quality measures of one recording's windows.

    Args:
        preprocessed: (time, neuron) `dff`, (time,) `dropped`.
        ensembles: (neuron,) `label` (-1: not used) and `noise_sd` of the same neurons.
        states: `binarize.binarize_windows` of these ensembles.

    Returns:
        Columns recording, subject, window, condition, unit, measure, value, units. Of the whole
        window (unit ""): n_frames (bins), n_matched, n_transitions (lag 1, among matched bins),
        duration_s, dropped_fraction (of the camera's frames), mean_pairwise_correlation (of the
        units' states), mean_pairwise_correlation_neurons (of ΔF/F) and neuron_transients_per_5min
        (median over neurons). Of each unit, over the matched bins: event_rate_hz (OFF to ON),
        fraction_on, entropy_bits (of ON against OFF), autocorrelation_time_s and stationarity_z
        (ON fraction of the second half minus the first, over its standard error).
    """
    shown = [str(name) for name in states["window_name"].values]
    tables = []
    for name in shown:
        part = states.isel(frame=np.flatnonzero(states["window"].values == name))
        rows = [
            *_of_window(part, name),
            *_of_units(part),
            *_of_neurons(preprocessed, ensembles, part),
        ]
        table = pd.DataFrame(rows, columns=["unit", "measure", "value"])
        table["units"] = [MEASURES[measure].unit for measure in table["measure"]]
        table.insert(0, "condition", str(part["condition"].values[0]))
        table.insert(0, "window", name)
        tables.append(table)
    whole = pd.concat(tables, ignore_index=True)
    for column in ("subject", "recording"):
        whole.insert(0, column, states.attrs[column])
    return whole


def _of_window(part: xr.Dataset, name: str) -> Iterator[Measure]:
    runs = _runs(part)
    matched = part["matched"].values
    yield "", "n_frames", len(matched)
    yield "", "n_matched", int(matched.sum())
    yield "", "n_transitions", int((runs[1:] == runs[:-1]).sum())
    yield "", "duration_s", len(matched) * float(part.attrs["bin_s"])
    yield "", "dropped_fraction", float(part["dropped_fraction"].sel(window_name=name))
    on = part["states"].values[matched].astype(float)
    yield "", "mean_pairwise_correlation", mean_correlation(on)


def _of_units(part: xr.Dataset) -> Iterator[Measure]:
    runs, bin_s = _runs(part), float(part.attrs["bin_s"])
    on = part["states"].values[part["matched"].values].astype(float)
    consecutive = runs[1:] == runs[:-1]
    rises = ((on[1:] > on[:-1]) & consecutive[:, None]).sum(axis=0)
    duration = max(int(consecutive.sum()), 1) * bin_s
    steps = autocorrelation_time(on, runs)
    late = np.arange(len(on)) >= len(on) // 2
    means = np.stack([on[~late].mean(axis=0), on[late].mean(axis=0)]) if len(on) > 1 else on[[0, 0]]
    # about each half's own mean, or a drift would widen the error that it is judged by
    independent = len(on) / autocorrelation_time(on - means[late.astype(int)], runs)
    for u, name in enumerate(part["unit"].values.astype(str)):
        p = float(on[:, u].mean())
        error = np.sqrt((2 * means[:, u] * (1 - means[:, u])).sum() / independent[u])
        change = float(means[1, u] - means[0, u])
        yield name, "event_rate_hz", float(rises[u]) / duration
        yield name, "fraction_on", p
        yield name, "entropy_bits", binary_entropy(p)
        yield name, "autocorrelation_time_s", float(steps[u]) * bin_s
        yield name, "stationarity_z", change / error if error > 0 else 0.0


def _of_neurons(preprocessed: xr.Dataset, ensembles: xr.Dataset, part: xr.Dataset) -> Iterator[Measure]:
    """Yield measures of the neurons in a window, which are taken some at a time."""
    bin_s = float(part.attrs["bin_s"])
    numbers = np.rint(part["time"].values / bin_s).astype(np.int64)
    of_frame = np.floor(preprocessed["time"].values / bin_s + 1e-9).astype(np.int64)
    frames = np.flatnonzero(np.isin(of_frame, numbers) & ~preprocessed["dropped"].values)
    used = np.flatnonzero(ensembles["label"].values >= 0)
    span = slice(frames[0], frames[-1] + 1) if len(frames) else slice(0, 0)
    dff, within = preprocessed["dff"].isel(time=span), frames - span.start
    step = max(1, BLOCK // max(len(dff), 1))
    blocks = [used[first : first + step] for first in range(0, len(used), step)]
    within = within[np.all([np.isfinite(_columns(dff, block)[within]).all(axis=1) for block in blocks], axis=0)]
    minutes = len(within) / float(preprocessed.attrs["sampling_rate_hz"]) / 60
    noise = ensembles["noise_sd"].values
    correlation, count = Correlation(len(within)), [np.array([np.nan])]
    for block in blocks:
        values = _columns(dff, block)[within].astype(float)
        correlation.add(values)
        if minutes:
            count.append(count_transients(values, np.median(values, axis=0), noise[block]))
    yield "", "mean_pairwise_correlation_neurons", correlation.mean
    rate = float(np.nanmedian(np.concatenate(count))) * 5 / minutes if minutes else float("nan")
    yield "", "neuron_transients_per_5min", rate


def _columns(values: xr.DataArray, which: Ints) -> Array:
    """Return some columns of (time, neuron) values that may lie in a file, which is read in stretches."""
    first = int(which.min())
    return np.asarray(values[:, first : int(which.max()) + 1])[:, which - first]


class Correlation:
    """The mean Pearson correlation over pairs of columns that vary, which are added some at a time.

    Args:
        rows: that the columns have.
    """

    def __init__(self, rows: int) -> None:
        self._sum, self._n = np.zeros(rows), 0

    def add(self, values: Floats) -> None:
        """Add columns (time, n)."""
        if len(values):
            spread = values.std(axis=0)
            z = (values[:, spread > 0] - values[:, spread > 0].mean(axis=0)) / spread[spread > 0]
            self._sum += z.sum(axis=1)
            self._n += z.shape[1]

    @property
    def mean(self) -> float:
        """The mean of what was added; NaN where there is no pair."""
        n = self._n
        return float(((self._sum**2).mean() - n) / (n * (n - 1))) if n > 1 else float("nan")


def mean_correlation(values: Floats) -> float:
    """Return the mean Pearson correlation over pairs of columns that vary; NaN where there is no pair.

    Args:
        values: (time, n).
    """
    correlation = Correlation(len(values))
    correlation.add(values)
    return correlation.mean


def binary_entropy(p: float) -> float:
    """Return the entropy of a coin that shows ON with probability p [bit].

    >>> binary_entropy(0.5)
    1.0
    """
    return float(-sum(q * np.log2(q) for q in (p, 1 - p) if q > 0))


@numba.njit(cache=True)
def count_transients(dff: Floats, level: Floats, noise: Floats) -> Ints:
    """Return (neuron,) numbers of transients in ΔF/F.

    One begins with TRANSIENT_FRAMES frames in a row more than TRANSIENT_ON noise sd above `level`;
    the next can begin once the trace has been below TRANSIENT_OFF.

    Args:
        dff: (time, neuron) ΔF/F.
        level: (neuron,) what a transient rises from.
        noise: (neuron,) standard deviation of the noise.
    """
    n_frames, n_neurons = dff.shape
    count = np.zeros(n_neurons, np.int64)
    for i in range(n_neurons):
        high, row = False, 0
        for t in range(n_frames):
            excess = dff[t, i] - level[i]
            row = row + 1 if excess > TRANSIENT_ON * noise[i] else 0
            if high:
                high = excess > TRANSIENT_OFF * noise[i]
            elif row >= TRANSIENT_FRAMES:
                high = True
                count[i] += 1
    return count


def _runs(part: xr.Dataset) -> Array:
    """(matched frame,) number of the run of consecutive bins."""
    return runs_of(part["segment"].values, part.sizes["frame"], part["matched"].values)
