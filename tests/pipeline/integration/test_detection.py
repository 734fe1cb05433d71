"""Differences that are made by detection alone, and those that are not."""

from itertools import combinations

import numpy as np
import pytest
import xarray as xr

from pipeline.integration.detection import Seen, degraded, equal_detection, matched, tipping_point
from pipeline.tpm import estimate


def pairs(frames: int, seed: int, weight: float = 3.5, bias: float = -4.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    path, state = np.empty((frames, 4), np.uint8), np.zeros(4)
    for t, luck in enumerate(rng.random((frames, 4))):
        p = 1 / (1 + np.exp(-bias - weight * np.array([state[2:].sum()] * 2 + [state[:2].sum()] * 2)))
        path[t] = state = luck < p
    return path


def recording(**windows: np.ndarray) -> tuple[xr.Dataset, dict[str, xr.Dataset]]:
    names = np.repeat(list(windows), [len(w) for w in windows.values()])
    values = np.concatenate(list(windows.values()))
    states = xr.Dataset(
        {"states": (("frame", "unit"), values)},
        coords={
            "unit": [f"e{i}" for i in range(values.shape[1])],
            "window": ("frame", names),
            "condition": ("frame", names),
            "segment": ("frame", np.unique(names, return_inverse=True)[1]),
            "matched": ("frame", np.ones(len(values), bool)),
        },
        attrs={"recording": "r1"},
    )
    return states, {w: estimate(states.isel(frame=np.flatnonzero(names == w))) for w in windows}


def test_errors_are_as_many_as_asked_for():
    values = np.tile([[1, 0]], (20_000, 1))
    poor = degraded(values, 0.3, np.array([0.0, 0.1]), np.random.default_rng(0))
    np.testing.assert_allclose(poor.mean(axis=0), [0.7, 0.1], atol=0.02)
    np.testing.assert_array_equal(degraded(values, 0.0, 0.0, np.random.default_rng(0)), values)


def test_each_unit_is_matched_where_it_is_on_more_often():
    rng = np.random.default_rng(1)
    a, b = (rng.random((5000, 3)) < rates for rates in ([0.4, 0.2, 0.0], [0.2, 0.4, 0.3]))
    a, b = a.astype(np.uint8), b.astype(np.uint8)
    one, other = matched(a, b, rng)
    np.testing.assert_allclose(one.mean(axis=0), other.mean(axis=0), atol=0.02)
    np.testing.assert_array_equal(one[:, 1], a[:, 1])  # already the rarer
    assert (one <= a).all()
    assert (other <= b).all()


def test_a_difference_of_detection_alone_goes_with_it():
    """The same mechanism, seen with 5% and with 25% of ON states missed."""
    rng = np.random.default_rng(2)
    good, bad = (degraded(pairs(3000, seed), miss, 0.0, rng) for seed, miss in ((1, 0.05), (2, 0.25)))
    [row] = equal_detection(*recording(awake=good, sleep=bad), repeats=4)
    assert row["phi_s_a"] > 1.5 * row["phi_s_b"]
    assert row["phi_s_a_matched"] == pytest.approx(row["phi_s_b_matched"], rel=0.35)
    assert row["phi_s_b_matched"] == pytest.approx(row["phi_s_b"], rel=0.1)
    assert 0.1 < row["misses_to_explain"] < 0.35  # 1 - 0.75 / 0.95 = 0.21


def test_a_difference_of_mechanism_remains_and_takes_many_errors_to_explain():
    """Units that do nothing to each other, and are ON as often."""
    strong = pairs(3000, 3)
    coins = (np.random.default_rng(0).random((3000, 4)) < strong.mean(axis=0)).astype(np.uint8)
    rows = equal_detection(*recording(awake=strong, sleep=coins, again=pairs(3000, 4)), repeats=3)
    assert [(r["window_a"], r["window_b"]) for r in rows] == [*combinations(("awake", "sleep", "again"), 2)]
    told = rows[0]
    assert told["phi_s_a_matched"] > 5 * told["phi_s_b_matched"]
    assert not told["misses_to_explain"] < 0.5
    assert rows[1]["misses_to_explain"] < 0.2


def test_the_tipping_point_lies_between_the_levels_that_were_tried(monkeypatch):
    monkeypatch.setattr("pipeline.integration.detection.phi_of", lambda rasters, seen: rasters)
    seen = Seen(np.zeros((2, 1)), np.zeros(2), {})
    fall = lambda level: np.array([1 - level])  # noqa: E731 (a line that a test reads at once)
    assert tipping_point(seen, 0.7, (0.0, 0.2, 0.4), fall) == pytest.approx(0.3)
    assert tipping_point(seen, 1.0, (0.0, 0.2), fall) == 0.0
    assert np.isnan(tipping_point(seen, 0.1, (0.0, 0.2), fall))
