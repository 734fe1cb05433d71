"""Binarization held against what is known: scores by hand, truths by hand, and the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.binarize.registry import BINARIZERS
from pipeline.validation import binarizing
from pipeline.validation.known_events import (
    KnownTrace,
    Spikes,
    Steps,
    recorded_cells,
    simulated_cells,
    simulated_ensembles,
)

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "spikefinder"
ROOT = Path(__file__).resolve().parents[3]
EVENTS = binarizing.Variant("events", {}, "known", "events, decay known")


def bools(text: str) -> np.ndarray:
    return np.array([c == "1" for c in text])


def test_scores_by_hand() -> None:
    """Ten bins, five ON in truth: one of them missed, one of the others made up, both onsets a bin late."""
    true, found = bools("0011100110"), bools("0001110011")
    got = binarizing.score(found, true, 0.5)
    assert (got.miss, got.false_on) == (pytest.approx(2 / 5), pytest.approx(2 / 5))
    assert got.balanced == pytest.approx(0.6)
    assert got.rate_bias == 1.0
    assert (got.lag_s, got.jitter_s) == (0.5, 0.0)
    early = binarizing.score(bools("0111001110"), bools("0011100111"), 0.5)
    assert early.lag_s == -0.5
    perfect = binarizing.score(true, true, 0.5)
    assert (perfect.balanced, perfect.rate_bias, perfect.lag_s) == (1.0, 1.0, 0.0)
    never = binarizing.score(bools("0000000000"), true, 0.5)
    assert (never.balanced, never.rate_bias) == (0.5, 0.0)
    assert np.isnan(never.lag_s)


def test_an_onset_far_away_is_another_one() -> None:
    true, found = np.zeros(40, bool), np.zeros(40, bool)
    true[[5, 20]] = found[[6, 35]] = True
    got = binarizing.score(found, true, 0.5)
    assert (got.lag_s, got.jitter_s) == (0.5, 0.0)


def test_bins_are_on_where_a_spike_or_most_of_an_on_step_falls() -> None:
    starts = 0.5 * np.arange(4)
    np.testing.assert_array_equal(Spikes(np.array([0.5, 1.99, 0.9])).on(starts, 0.5), bools("0101"))
    states = np.array([1, 0, 1, 1, 0])
    np.testing.assert_array_equal(Steps(states, 0.5, 0.0).on(starts, 0.5), bools("1011"))
    np.testing.assert_array_equal(Steps(states, 0.5, 0.2).on(starts, 0.5), bools("1011"))
    np.testing.assert_array_equal(Steps(states, 0.5, 0.3).on(starts, 0.5), bools("0110"))


def test_a_clear_trace_is_read_as_it_is_and_noise_is_not() -> None:
    cells = list(simulated_cells(30.0, 0.5, 1, seed=0))
    assert [cell.decay_s for cell in cells] == [0.7, 0.178, 0.149]
    for cell in cells:
        assert binarizing.score_trace(cell, EVENTS).balanced > 0.9
    noise = np.random.default_rng(0).standard_normal(5000)
    of_noise = binarizing.score_trace(KnownTrace("noise", noise, 10.0, cells[0].truth, None), binarizing.variants()[0])
    assert of_noise.balanced == pytest.approx(0.5, abs=0.05)
    refused = binarizing.score_trace(KnownTrace("still", np.zeros(5000), 10.0, cells[0].truth, 0.7), EVENTS)
    assert (refused.balanced, refused.miss, refused.rate_bias) == (0.5, 1.0, 0.0)
    assert binarizing.score_trace(KnownTrace("still", noise, 10.0, cells[0].truth, None), EVENTS) is None


def test_ensembles_are_known_at_their_phase() -> None:
    """New light comes a tenth of a second or so after the state that the truth names, whatever the phase."""
    traces = list(simulated_ensembles(10.0, 0.3, 2, seed=0))
    assert len(traces) == 3 * 2 * 4
    lags, phases = np.round(np.arange(-0.6, 0.7, 0.1), 1), set()
    for trace in traces[-8:]:  # the fastest indicator
        new = trace.values[1:] - np.exp(-0.1 / trace.decay_s) * trace.values[:-1]
        start = 0.1 * np.arange(1, len(trace.values))
        alike = [np.corrcoef(new[20:-20], trace.truth.on(start[20:-20] - lag, 0.1))[0, 1] for lag in lags]
        assert 0 <= lags[int(np.argmax(alike))] <= 0.2
        phases.add(trace.truth.phase_s)
    assert len(phases) == 2


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return binarizing.measured(None, rates=(10.0,), each=1)


def test_the_page_says_what_was_measured(scores: pd.DataFrame) -> None:
    text = binarizing.page(scores, each=1)
    assert "not measured here" in text
    labels = [variant.label for variant in binarizing.variants()]
    assert set(BINARIZERS) < set(labels)
    assert f"| traces | Hz | {' | '.join(labels)} |" in text
    assert text.count("| simulated cells | 10 |") == 1
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 120
    assert "## Which method" in text
    accuracy = scores.groupby("method")["balanced"].mean()
    assert (accuracy[list(BINARIZERS)] > 0.55).all()
    one = scores.assign(balanced=np.where(scores["method"] == "otsu", 1.0, 0.5))
    assert "`otsu` wins" in binarizing.page(one, each=1)
    assert "No method wins" in binarizing.page(_shared(scores), each=1)


def _shared(scores: pd.DataFrame) -> pd.DataFrame:
    """Half of the settings to otsu, half to hmm."""
    best = np.where(scores["noise"] == 1.0, "otsu", "hmm")
    return scores.assign(balanced=np.where(scores["method"] == best, 1.0, 0.5))


def test_the_page_in_the_documents_is_of_these_methods() -> None:
    text = (ROOT / "docs" / "binarization.md").read_text()
    assert "python -m pipeline.validation.binarizing" in text
    labels = " | ".join(variant.label for variant in binarizing.variants())
    assert f"| traces | Hz | {labels} |" in text


def test_the_command_writes_the_page(scores: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(binarizing, "measured", lambda folder, each: asked.append((folder, each)) or scores)
    binarizing.main(["--out", str(tmp_path / "page.md"), "--each", "1"])
    binarizing.main([str(tmp_path), "--out", str(tmp_path / "page.md")])
    assert asked == [(None, 1), (tmp_path, binarizing.EACH)]
    assert (tmp_path / "page.md").read_text() == binarizing.page(scores)


@pytest.mark.skipif(not DATA.exists(), reason="the recorded cells of spikefinder are not part of this project")
def test_recorded_cells_are_read_with_their_spikes() -> None:
    cells = list(recorded_cells(DATA, 10.0))
    assert [cell.source for cell in cells].count("GCaMP6s cells") == 6
    for cell in cells:
        seconds = len(cell.values) / 10
        assert 200 < seconds < 800
        assert 1 < len(cell.truth.times_s) / seconds < 4
        assert 0 < cell.truth.times_s.min() < cell.truth.times_s.max() < seconds
    good = [
        binarizing.score_trace(cell, binarizing.Variant("events", {}, "default", "events")).balanced for cell in cells
    ]
    assert np.mean(good) > 0.68
