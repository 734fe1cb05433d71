"""Values and intervals corrected by copies: by hand in the summary, and their coverage of a known truth."""

import numpy as np
import pytest
import xarray as xr
from test_summarise import nulls_of, phi_of, value

from pipeline.base.raster import bits
from pipeline.inference.corrected import corrected
from pipeline.inference.summary import summarise
from pipeline.integration import batch, integrate
from pipeline.simulation import planted
from pipeline.tpm.estimation import estimate
from pipeline.tpm.simulated import simulate, stationary

COPIES = np.array([[0.25, 0.16], [0.36, 0.16], [0.25, 0.09]])  # r = 0.1, 0.2, 0.2


def with_copies(phi, **measures):
    """The dataset with (copy, side) of measures."""
    side = {"side": ["truth", "estimate"]}
    return phi.assign({f"{k}_copies": xr.DataArray(v, side, ("copy", "side")) for k, v in measures.items()})


def test_value_and_interval_are_moved_by_what_the_copies_show():
    draws = np.array([[0.01, 0.03], [0.03, 0.09]])  # mean 0.04, root 0.2
    phi = phi_of([0.03, 0.03], [5, 5], draws=draws, units=1, flag="few_frames")
    summary, _ = summarise([with_copies(phi, phi_s=COPIES)], confidence=0.8)
    r = np.array([0.1, 0.2, 0.2])
    row = {c: value(summary, "phi_s", column=c, scale=1) for c in ("value", "ci_low", "ci_high", "flag")}
    assert row["value"] == pytest.approx((0.2 + r.mean()) ** 2)
    assert [row["ci_low"], row["ci_high"]] == pytest.approx((0.2 + np.quantile(r, [0.1, 0.9], method="weibull")) ** 2)
    assert row["flag"] == "few_frames;corrected"


def test_measures_without_copies_stay():
    draws = np.array([[0.01, 0.03], [0.03, 0.09]])
    phi = phi_of([0.03, 0.03], [5, 5], draws=draws, units=1)
    plain, _ = summarise([phi], min_row_visits=0)
    moved, _ = summarise([with_copies(phi, phi_s=COPIES, causal_power=COPIES)], min_row_visits=0)
    same = ~plain["measure"].isin(["phi_s", "causal_power"])
    assert plain[same].equals(moved[same])
    assert "phi_s_common" in set(plain[same]["measure"])
    assert moved[~same]["flag"].str.contains("corrected").all()
    assert (moved[~same]["value"] > plain[~same]["value"]).all()


def test_surrogates_are_compared_with_the_value_before():
    phi = phi_of([0.03, 0.03], [5, 5], draws=np.full((2, 2), 0.04), units=1)
    corrected_phi = with_copies(phi, phi_s=COPIES)
    surrogates = nulls_of(phi, [0.01, 0.05, 0.06])
    plain, ours = (summarise([p], [surrogates]) for p in (phi, corrected_phi))
    assert plain[1].equals(ours[1])
    assert value(ours[0], "phi_s", scale=1) > 0.06
    assert value(ours[0], "phi_s", scale=1, column="null_p") == pytest.approx(0.75)
    assert "below_null" in value(ours[0], "phi_s", scale=1, column="flag")


def test_the_copies_tell_how_often_posterior_intervals_hold_the_truth():
    phi = with_copies(phi_of([0.03, 0.03], [5, 5], draws=np.full((2, 2), 0.04), units=1), phi_s=COPIES)
    drawn = np.array([[0.2, 0.3], [0.1, 0.2], [0.24, 0.26]])  # of truths 0.25, 0.36, 0.25
    summary, _ = summarise([phi.assign(phi_s_copies_draws=(("copy", "copy_draw"), drawn))])
    counted = [value(summary, "phi_s", scale=1, column=column) for column in ("copies_held", "n_copies")]
    assert counted == [2, 3]
    assert np.isnan(value(summary, "phi_s_common", scale=1, column="copies_held"))
    assert value(summarise([phi])[0], "phi_s", scale=1, column="n_copies") == 0


def test_too_few_to_tell_from_correct_nothing():
    assert corrected(np.empty(0), COPIES, 0.95) is None
    assert corrected(np.array([0.1]), COPIES[:1], 0.95) is None
    assert corrected(np.array([0.1]), np.full((5, 2), np.nan), 0.95) is None


def test_no_value_is_below_zero():
    downward = COPIES[:, ::-1]
    found = corrected(np.array([0.0004, np.nan]), np.vstack([downward, [np.nan, 0.1]]), 0.95)
    assert found == (0.0, 0.0, 0.0)
    zeros = corrected(np.zeros(3), np.full((3, 2), -1e-18), 0.95)
    assert zeros == (0.0, 0.0, 0.0)


@pytest.mark.slow
def test_intervals_of_weakly_coupled_units_cover_the_truth_with_copies_only():
    """Twenty recordings of the planted pairs, coupling 0.2, of 2000 ideal states each."""
    covered = np.zeros(2, int)
    for i in range(20):
        rng = np.random.default_rng(5000 + i)
        weights = planted.couplings(1, 0.05, rng)
        p_on = planted.regime(weights, "anesthesia", 0.2, 0.5).p_on_observational
        occupancy = stationary(p_on, np.full(16, 1 / 16))
        truth = batch.system_phi(p_on[None], np.arange(16))[0] @ occupancy
        path = simulate(p_on[None], np.zeros(2000, int), occupancy, rng)[0]
        tpm = estimate(bits(path, 4), "average", draws=100, seed=i, copies=30, drive=False)
        tpm = tpm.assign_attrs(recording="r", subject="s", window="w", condition="w")
        phi = integrate(tpm, big_phi_max_units=0, structures=0, complex_max_units=0)
        plain = phi.drop_vars([name for name in phi.data_vars if str(name).endswith(("_copies", "_copies_draws"))])
        for k, dataset in enumerate((plain, phi)):
            row = summarise([dataset])[0].set_index("measure").loc["phi_s"]
            covered[k] += row["ci_low"] <= truth <= row["ci_high"]
    # 12 and 34 of 40 were measured: limits that chance passes in one of a hundred
    assert covered[0] <= 10
    assert covered[1] >= 13
    assert covered[1] >= covered[0] + 5
