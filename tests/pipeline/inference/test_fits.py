"""What fits.csv says of a unit TPM."""

from __future__ import annotations

import numpy as np
import pytest
from planted import planted, simulate, states_dataset

from pipeline.inference.fits import gather_fits, largest_residual
from pipeline.results.columns import FITS
from pipeline.tpm.estimation import estimate_window


def test_one_row_per_tpm_says_what_it_predicts_and_what_it_leaves() -> None:
    windows = []
    for name, p_on in (("coupled", planted()), ("coins", np.full((16, 4), 0.5))):
        states = simulate(p_on, 2000, seed=3)[0]
        dataset = states_dataset(states, window=np.repeat(name, 2000), condition=np.repeat(name, 2000))
        tpm = estimate_window(dataset, name)
        windows.append(tpm.assign_attrs(window=name, condition=name))
    table = gather_fits(windows)
    assert list(table.columns) == FITS.names
    rows = table.set_index("window")
    assert (rows["n_states"] == 16).all()
    assert (rows["n_transitions"] == 1999).all()
    attrs = windows[0].attrs
    assert rows.loc["coupled", "held_out_gain"] == pytest.approx(attrs["held_out_bits"] - attrs["held_out_bits_rate"])
    assert rows.loc["coupled", "held_out_gain"] > 0.1 > abs(rows.loc["coins", "held_out_gain"])
    residual = np.abs(windows[0]["residual_correlation"].values)
    assert rows.loc["coupled", "largest_residual"] == pytest.approx(residual[np.triu_indices(4, 1)].max())


def test_a_single_unit_leaves_no_correlation() -> None:
    states = simulate(np.array([[0.3], [0.6]]), 400, seed=1)[0]
    dataset = states_dataset(states, window=np.repeat("w", 400), condition=np.repeat("w", 400))
    assert np.isnan(largest_residual(estimate_window(dataset, "w")))
