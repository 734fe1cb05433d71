"""Decay times: given, estimated from traces with a known one, or refused."""

import sys

import numpy as np
import pytest
from scipy.signal import lfilter

from pipeline.base.errors import PhiscaleError
from pipeline.binarize.decay import decay_times
from pipeline.binarize.states import binarize


def calcium(tau_s: float, rate_hz: float, noise: float, seconds: int = 600) -> np.ndarray:
    rng = np.random.default_rng(0)
    n = int(seconds * rate_hz)
    spikes = (rng.random(n) < 0.5 / rate_hz) * rng.exponential(1, n)
    return lfilter([1], [1, -np.exp(-1 / (rate_hz * tau_s))], spikes) + noise * rng.standard_normal(n)


def test_a_given_time_is_taken_for_every_unit() -> None:
    assert decay_times(np.zeros((10, 3)), np.ones(10, bool), 10.0, 0.7, "abc").tolist() == [0.7] * 3


@pytest.mark.parametrize("rate_hz", [10.0, 30.0])
@pytest.mark.parametrize("tau_s", [0.3, 0.7, 2.0, 6.0])
@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_an_estimate_is_near_the_truth(rate_hz: float, tau_s: float, noise: float) -> None:
    pytest.importorskip("oasis", reason="the extra 'deconvolution' is not installed")
    trace = calcium(tau_s, rate_hz, noise)
    found = decay_times(trace[:, None], np.ones(len(trace), bool), rate_hz, None, ["a"])
    assert found == pytest.approx([tau_s], rel=0.5)


def test_binarize_stores_the_times_it_used() -> None:
    pytest.importorskip("oasis", reason="the extra 'deconvolution' is not installed")
    traces = np.column_stack([calcium(0.7, 10.0, 0.1), calcium(3.0, 10.0, 0.1)])
    states = binarize(traces, 10.0, tau_s=None)
    assert states["decay_s"].values == pytest.approx([0.7, 3.0], rel=0.5)
    assert states["decay_s"].attrs["units"] == "s"
    assert (binarize(traces, 10.0)["decay_s"] == 0.7).all()


def test_without_the_package_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oasis.functions", None)
    with pytest.raises(PhiscaleError, match=r"binarize.tau_s: is empty.*phiscale\[deconvolution\]"):
        decay_times(np.zeros((1000, 1)), np.ones(1000, bool), 10.0, None, ["a"])


def test_what_cannot_be_estimated_is_refused() -> None:
    pytest.importorskip("oasis", reason="the extra 'deconvolution' is not installed")
    with pytest.raises(PhiscaleError, match="100 frames"):
        decay_times(np.zeros((100, 1)), np.ones(100, bool), 10.0, None, ["a"])
    flat = np.zeros((1000, 1))
    with pytest.raises(PhiscaleError, match=r"unit b.*does not decay"):
        decay_times(flat, np.ones(1000, bool), 10.0, None, ["b"])
