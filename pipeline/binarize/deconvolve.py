"""Transients from calcium traces: exact non-negative deconvolution of a decaying indicator.

Model: y(t) = b(t) + c(t) + noise, c(t) = γ c(t-1) + s(t), s >= 0, γ = exp(-1 / (rate x tau)).
Least squares under s >= 0 is an isotonic regression of γ^-t y(t), which pooling adjacent violators
solves exactly in one pass (Friedrich, Zhou & Paninski 2017, PLoS Comput Biol 13: e1005423, without
a penalty). The slow baseline b is what the significant transients leave of the trace.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import lfilter

from pipeline.base.arrays import Bools, Floats, Ints
from pipeline.binarize.bins import Bins

BASELINE_S = 60.0  # window of the running mean for b
ITERATIONS = 30  # at most: baseline and transients in turn
SIGNIFICANT = 3.0  # amplitudes above this many noise sd are left out of the baseline
QUIET = 0.5  # and so are frames with more than this much of their calcium left [noise sd]
RECOVERED = 10.0  # decay times after which nothing is left of a transient
LEAST_NOISE = 1e-3  # noise sd assumed for denoised traces, relative to the trace's own
CLIP = 3.0  # other excursions of the trace count with at most this many noise sd


@dataclass(frozen=True)
class Transients:
    """Transients of one trace.

    Attributes:
        onset: (time,) s: rise of calcium at each frame, in units of the trace, >= 0.
        baseline: (time,) b, in units of the trace.
        noise_sd: standard deviation of the noise of one frame, in units of the trace.
    """

    onset: Floats
    baseline: Floats
    noise_sd: float


def find_rises(trace: Floats, bins: Bins, tau_s: float) -> Floats:
    """Return the rises of calcium in a trace whose frames may be irregular or missing.

    They are laid on a regular grid on which missing frames have weight 0; gaps are cut to RECOVERED
    decay times, after which nothing is left of what was before.

    Args:
        trace: (time,) activity of a unit.
        bins: of its frames.
        tau_s: decay time of the indicator [s].

    Returns:
        (time,) rise at each frame, in units of the trace, >= 0.
    """
    rate_hz, used = bins.rate_hz, bins.used
    longest = int(np.ceil(RECOVERED * tau_s * rate_hz))
    steps = np.clip(np.rint(np.diff(bins.time) * rate_hz).astype(int), 1, longest)
    place = np.append(0, np.cumsum(steps))
    weight = np.zeros(place[-1] + 1)
    weight[place] = used
    bin_of = bins.of_frame[np.searchsorted(place, np.arange(len(weight)), side="right") - 1]
    grid = np.zeros(len(weight))
    grid[place] = np.where(used, trace, 0.0)
    rises: Floats = transients(grid, rate_hz, tau_s, bin_of, bins.frames, weight).onset[place]
    return rises


def rise_noise(trace: Floats, inside: Bools, rate_hz: float, tau_s: float, bin_frames: float) -> float:
    """Return the standard deviation that noise gives the rise in a bin.

    Args:
        trace: (time,) activity of a unit.
        inside: (time,) frames that it is judged by.
        rate_hz: frame rate [Hz].
        tau_s: decay time of the indicator [s].
        bin_frames: frames per bin.
    """
    gamma = float(np.exp(-1 / (rate_hz * tau_s)))
    noise = frame_noise(np.where(inside, trace, 0.0), gamma, inside.astype(float))
    return noise * amplitude_noise(gamma, bin_frames)


def transients(
    trace: Floats,
    rate_hz: float,
    tau_s: float,
    bins: Ints,
    bin_frames: float,
    weight: Floats,
) -> Transients:
    """Deconvolve a trace, estimating its slow baseline on the way.

    Baseline and transients are found in turn: given b, the non-negative solution; given the
    transients, b is the running mean of the frames in which no significant one is left.

    Args:
        trace: (time,) frames at a regular rate; frames of weight 0 may hold anything.
        rate_hz: frame rate [Hz].
        tau_s: decay time of the indicator [s].
        bins: (time,) bin of each frame; significance is judged on rises summed over a bin.
        bin_frames: frames per bin.
        weight: (time,) 1 for frames to be used, 0 for the others.
    """
    gamma = float(np.exp(-1 / (rate_hz * tau_s)))
    weight = np.asarray(weight, float)
    y = np.where(weight > 0, trace, 0.0)
    sigma = max(frame_noise(y, gamma, weight), LEAST_NOISE * float(y[weight > 0].std()))
    significant = SIGNIFICANT * sigma * amplitude_noise(gamma, bin_frames)
    b = _filled(_running_mean(y, weight, rate_hz))
    for _ in range(ITERATIONS):
        _, s = nonnegative_ar1(y - b, gamma, weight)
        kept = np.where(np.bincount(bins, s)[bins] > significant, s, 0.0)
        left = lfilter([1.0], [1.0, -gamma], kept)
        quiet = weight * (left <= QUIET * sigma)
        if not quiet.any():
            break
        clipped = b + np.clip(y - b, -CLIP * sigma, CLIP * sigma)
        mean = _filled(_running_mean(clipped, quiet, rate_hz))
        change, b = np.abs(mean - b).max(), mean
        if change <= 0.01 * sigma:
            break
    return Transients(nonnegative_ar1(y - b, gamma, weight)[1], b, sigma)


def frame_noise(y: Floats, gamma: float, weight: Floats) -> float:
    """Return the standard deviation of the noise of a frame.

    From the lower half of the innovations y(t) - γ y(t-1): transients only add to the upper one.

    Args:
        y: (time,) trace.
        gamma: decay from frame to frame.
        weight: (time,) above 0 for frames to be used.
    """
    used = (weight[1:] > 0) & (weight[:-1] > 0)
    innovation = (y[1:] - gamma * y[:-1])[used]
    if not innovation.size:
        return 0.0
    middle = np.median(innovation)
    return float(np.median(middle - innovation[innovation <= middle]) / 0.6745) / float(np.sqrt(1 + gamma**2))


def amplitude_noise(gamma: float, bin_frames: float) -> float:
    """Return the noise sd of the rise within a bin, for noise of sd 1 in each frame.

    A bin's m frames give its calcium by least squares with variance (1 - γ²) / (1 - γ^2m); the rise
    is that minus the γ^m-fold of the bin before.

    Args:
        gamma: decay from frame to frame.
        bin_frames: frames per bin.
    """
    decayed = gamma ** (2 * bin_frames)
    return float(np.sqrt((1 - gamma**2) * (1 + decayed) / (1 - decayed)))


def _running_mean(y: Floats, weight: Floats, rate_hz: float) -> Floats:
    """Mean of the frames with weight within BASELINE_S; NaN where there are next to none."""
    size = max(3, round(BASELINE_S * rate_hz))
    share = uniform_filter1d(weight, size, mode="nearest")
    total = uniform_filter1d(y * weight, size, mode="nearest")
    return np.where(share > 0.02, total / np.maximum(share, 1e-12), np.nan)


def _filled(values: Floats) -> Floats:
    """Interpolate over NaN; zeros when there is nothing else."""
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return np.zeros_like(values)
    filled: Floats = np.interp(np.arange(len(values)), known, values[known])
    return filled


@numba.njit(cache=True)
def nonnegative_ar1(y: Floats, gamma: float, weight: Floats) -> tuple[Floats, Floats]:
    """Return (c, s) that minimise sum of weight (y - c)^2 with s(t) = c(t) - γ c(t-1) >= 0, c >= 0.

    Frames of weight 0 are bridged by the decay. c(0) is what remains from before; s(0) is 0.

    Args:
        y: (time,) trace.
        gamma: decay from frame to frame.
        weight: (time,) >= 0.

    Returns:
        (time,) calcium and (time,) its rises.
    """
    n = len(y)
    start = np.empty(n, np.int64)  # first frame of each pool
    above = np.empty(n)  # weighted sum of γ^k y over a pool
    below = np.empty(n)  # weighted sum of γ^2k
    length = np.empty(n, np.int64)
    pools = 0
    for t in range(n):
        if weight[t] <= 0 and pools:
            length[pools - 1] += 1
            continue
        start[pools], above[pools], below[pools], length[pools] = t, weight[t] * y[t], weight[t], 1
        if weight[t] <= 0:
            above[pools] = 0.0
        pools += 1
        while pools > 1:
            last, before = pools - 1, pools - 2
            shrink = gamma ** length[before]
            if above[last] * below[before] >= shrink * above[before] * below[last]:
                break
            above[before] += shrink * above[last]
            below[before] += shrink * shrink * below[last]
            length[before] += length[last]
            pools -= 1
    c, s = np.zeros(n), np.zeros(n)
    for p in range(pools):
        value = max(above[p] / below[p], 0.0) if below[p] > 0 else 0.0
        for k in range(length[p]):
            c[start[p] + k] = value
            value *= gamma
        if start[p]:
            s[start[p]] = max(c[start[p]] - gamma * c[start[p] - 1], 0.0)
    return c, s
