"""Planted macro units that are found again, and what is said of it."""

import numpy as np
import pandas as pd
import pytest

from pipeline.binarize.states import binarize_windows
from pipeline.validation import recovered
from pipeline.validation.recovered import GIVEN, given, imaged, recovery, recovery_table


def test_signal_to_noise_by_hand() -> None:
    signal = np.array([[0.0], [2.0], [5.0], [7.0]])
    truth = np.array([[0], [0], [1], [1]])
    assert recovered._signal_to_noise(signal, truth) == pytest.approx((6.0 - 1.0) / 1.0)


def test_imaged_states_lie_beside_the_true_ones() -> None:
    made = imaged("pairs", 1.0, 0)
    assert 0.85 < made.right < 1
    assert imaged("pairs", 4.0, 0).signal_to_noise < made.signal_to_noise


def test_a_recording_that_a_study_would_refuse_counts_as_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        recovered, "binarize_windows", lambda *args, **how: binarize_windows(*args, **(how | {"z": 1e6}))
    )
    table = recovery_table(pd.DataFrame(recovered.rows(1, "logistic", ("joined",), (GIVEN, 1.0))))
    assert table["whole"].tolist() == [1, 0]
    assert table["refused"].tolist() == [0, 1]


@pytest.mark.parametrize("objective", ["effective_information", "phi_s"])
@pytest.mark.parametrize("substrate", ["pairs", "joined"])
def test_planted_pairs_are_found_on_both_halves_of_3000_frames(substrate: str, objective: str) -> None:
    """The bar is 19 of 20 (the slow test has them all); none of these five may fail."""
    found = [recovery(given(substrate, seed), "logistic", objective) for seed in range(5)]
    assert [row["halves"] for row in found] == [1.0] * 5
    assert [row["accepted"] for row in found] == [substrate == "joined"] * 5


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["effective_information", "phi_s"])
@pytest.mark.parametrize("substrate", ["pairs", "joined"])
def test_planted_pairs_are_found_in_at_least_19_of_20(substrate: str, objective: str) -> None:
    found = [recovery(given(substrate, seed), "logistic", objective) for seed in range(20)]
    assert sum(row["halves"] == 1.0 for row in found) >= 19
    assert sum(row["accepted"] for row in found) == (20 if substrate == "joined" else 0)
