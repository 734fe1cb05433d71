import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from planted import planted, simulate, states_dataset

from iitcore.macro import derive_macro_tpm
from pipeline.base import files
from pipeline.base.errors import PhiscaleError
from pipeline.macro.coarse import coarse_grain, derive, learn
from pipeline.macro.groupings import Grouping, exhaustive_common, objective
from pipeline.tpm import estimation as tpm


@pytest.fixture(scope="module")
def micro():
    return tpm.estimate(states_dataset(simulate(planted(), 3000, seed=0)[0]), draws=20, seed=1)


@pytest.fixture(scope="module")
def macro(micro):
    return coarse_grain(micro, 2, restarts=4, steps=60, seed=3)


def test_planted_pairs_become_two_macro_units(macro):
    assert macro["unit"].values.tolist() == ["m0(e0,e1)", "m1(e2,e3)"]
    assert macro["group"].values.tolist() == [0, 0, 1, 1]
    assert macro["mapping"].values.tolist() == ["and", "and"]
    assert macro.attrs["objective"] == "effective_information"
    assert macro.attrs["objective_bits"] == pytest.approx(macro.attrs["exhaustive_bits"])
    assert macro.attrs["method"] == "encoder"
    assert 1 <= macro.attrs["restarts_agreeing"] <= 4
    assert (macro.attrs["route"], macro.attrs["scale"]) == ("macro_units", 2)


def test_macro_tpm_and_its_draws_are_the_engines(micro, macro):
    tables = ((0, 0, 0, 1),) * 2
    stacked = np.concatenate([micro["p_on"].values[None], micro["p_on_draws"].values])
    derived = derive_macro_tpm(stacked, ((0, 1), (2, 3)), tables)
    np.testing.assert_allclose(macro["p_on"], derived[0], atol=1e-12)
    np.testing.assert_allclose(macro["p_on_draws"], derived[1:], atol=1e-12)
    low, high = np.quantile(macro["p_on_draws"], [0, 1], axis=0)
    assert ((low < macro["p_on"]) & (macro["p_on"] < high)).all()


def test_frames_are_counted_by_macro_state(micro, macro):
    states = simulate(planted(), 3000, seed=0)[0]
    code = (states[:, 0] & states[:, 1]) + 2 * (states[:, 2] & states[:, 3])
    assert macro["visits"].values.tolist() == np.bincount(code, minlength=4).tolist()
    assert macro["transitions"].values.tolist() == np.bincount(code[:-1], minlength=4).tolist()
    assert macro["occupancy"].sum() == pytest.approx(1)
    np.testing.assert_array_equal(macro["macro_state"].values[[0, 3, 7, 12, 15]], [0, 1, 1, 2, 3])


def test_controls_are_all_the_other_pairings(micro, macro):
    assert macro["random_group"].values.tolist() == [[0, 1, 0, 1], [0, 1, 1, 0]]
    assert (macro["random_mapping"] == "and").all()
    tables = ((0, 0, 0, 1),) * 2
    derived = derive_macro_tpm(micro["p_on"].values, ((0, 2), (1, 3)), tables)
    np.testing.assert_allclose(macro["random_p_on"][0], derived, atol=1e-12)


def test_what_the_micro_tpm_says_goes_on(micro, macro, tmp_path):
    for name in ("recording", "subject", "bin_s", "estimator", "lag", "prior", "tpm_kind"):
        assert macro.attrs[name] == micro.attrs[name]
    assert macro.attrs["history"].count('"operation"') == 2
    assert all({"units", "long_name"} <= set(v.attrs) for v in macro.variables.values())
    files.save(macro, tmp_path / "macro_units-2.nc")
    assert files.load(tmp_path / "macro_units-2.nc").identical(macro)


def test_copies_go_through_the_grouping(tmp_path):
    micro = tpm.estimate(states_dataset(simulate(planted(), 800, seed=0)[0]), draws=5, seed=1, copies=3)
    macro = coarse_grain(micro, 2, method="exhaustive")
    kept = Grouping(tuple(macro["group"].values), tuple(macro["mapping"].values))
    assert macro["copy_p_on"].dims == ("copy", "state", "unit")
    assert macro["copy_p_on_draws"].shape == (3, 50, 4, 2)
    np.testing.assert_allclose(macro["copy_p_on"], kept.macro_p_on(micro["copy_p_on"]))
    np.testing.assert_allclose(macro["copy_p_on_draws"], kept.macro_p_on(micro["copy_p_on_draws"]), atol=1e-6)
    of_state = macro["macro_state"].values
    for name in ("copy_occupancy", "copy_stationary"):
        summed = [np.bincount(of_state, weights=row, minlength=4) for row in micro[name].values]
        np.testing.assert_allclose(macro[name], summed)
    assert all({"units", "long_name"} <= set(v.attrs) for v in macro.variables.values())
    files.save(macro, tmp_path / "macro_units-2.nc")
    assert files.load(tmp_path / "macro_units-2.nc").identical(macro)


def test_units_that_the_theory_would_not_call_units_are_flagged(macro):
    """The two units of a planted pair do not act on each other, so within it nothing is irreducible."""
    assert macro["valid_unit"].values.tolist() == [0, 0]
    assert all(macro["validity"].values)
    assert macro.attrs["flag"].split(";")[-2:] == [
        "reducible_within:m0(e0,e1)",
        "reducible_within:m1(e2,e3)",
    ]


def test_same_seed_same_result(micro, macro):
    assert coarse_grain(micro, 2, restarts=4, steps=60, seed=3).identical(macro)


def test_flags_count_unvisited_states_of_both_levels():
    states = simulate(planted(), 600, seed=0)[0]
    states[:, 3] = 0  # the second AND can never be ON
    micro = tpm.estimate(states_dataset(states))
    macro = coarse_grain(micro, 2, mappings=["and"], method="exhaustive", random_groupings=0)
    words = macro.attrs["flag"].split(";")
    never = int((micro["visits"] == 0).sum())
    assert f"unvisited_micro_states:{never}" in words
    assert macro.attrs["unvisited_micro_states"] == never
    assert f"unvisited_states:{macro.attrs['states_never_visited']}" in words
    assert "constant_unit:e3" in words
    assert macro.sizes["random"] == 0


@pytest.mark.parametrize("scale", [1, 3, 4])
def test_other_scales(micro, scale, tmp_path):
    macro = coarse_grain(micro, scale, method="exhaustive")
    assert macro["p_on"].shape == (2**scale, scale)
    assert macro["visits"].sum() == 3000
    files.save(macro, tmp_path / "macro.nc")
    assert files.load(tmp_path / "macro.nc")["random_p_on"].shape[1:] == (2**scale, scale)
    if scale == 4:
        np.testing.assert_allclose(macro["p_on"], micro["p_on"])
        assert macro.sizes["random"] == 0


def test_a_grouping_that_the_encoder_missed_is_replaced_and_said_to_be(micro, monkeypatch):
    from pipeline.macro import learning

    poor = Grouping((0, 1, 0, 1), ("and", "and"), 0.1, 4)
    monkeypatch.setattr(learning, "proposals", lambda *_, **__: [poor] * 4)
    macro = coarse_grain(micro, 2)
    assert macro["group"].values.tolist() == [0, 0, 1, 1]
    assert (macro.attrs["method"], macro.attrs["restarts_agreeing"]) == ("exhaustive", 0)
    assert (macro.attrs["encoder_bits"], macro.attrs["objective_unit"]) == (0.1, "bit")


def test_faults_are_told_in_words(micro):
    with pytest.raises(PhiscaleError, match="5 macro units out of 4"):
        coarse_grain(micro, 5)
    with pytest.raises(PhiscaleError, match="'xor' is not a mapping"):
        coarse_grain(micro, 2, mappings=["xor"])
    with pytest.raises(PhiscaleError, match="'magic' is not"):
        coarse_grain(micro, 2, method="magic")


def test_exhaustive_coarse_graining_needs_no_torch():
    code = (
        "import sys, numpy as np; from pipeline import tpm; from pipeline.macro import coarse_grain;"
        "m = tpm.estimate(np.random.default_rng(0).integers(0, 2, (500, 3)));"
        "coarse_grain(m, 2, method='exhaustive'); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def mutual_pairs(coupling, mapping="and"):
    """P(ON) of two pairs that drive each other: a pair acts when both its units are ON, or one of them."""
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    both = (bits[:, 0] & bits[:, 1], bits[:, 2] & bits[:, 3])
    either = (bits[:, 0] | bits[:, 1], bits[:, 2] | bits[:, 3])
    first, second = both if mapping == "and" else either
    return 1 / (1 + np.exp(2 - coupling * np.stack([second] * 2 + [first] * 2, axis=1)))


@pytest.fixture(scope="module")
def two_windows():
    """Windows of one recording, in which by themselves the pairs would be ANDs and ORs."""
    return [
        tpm.estimate(
            states_dataset(simulate(mutual_pairs(coupling, mapping), 3000, seed=seed)[0]),
            method="beta",
            draws=5,
            seed=seed,
        ).assign_attrs(window=window)
        for seed, (window, coupling, mapping) in enumerate([("awake", 5.0, "and"), ("anesthesia", 3.5, "or")])
    ]


def test_one_grouping_per_recording_where_windows_alone_would_differ(two_windows):
    alone = [coarse_grain(w, 2, restarts=2, steps=40, seed=3) for w in two_windows]
    assert [m["mapping"].values.tolist() for m in alone] == [["and", "and"], ["or", "or"]]
    shared = [coarse_grain(w, 2, restarts=2, steps=40, seed=3, learn_from=two_windows) for w in two_windows]
    first, second = shared
    for variable in ("group", "mapping", "macro_state", "random_group", "random_mapping"):
        np.testing.assert_array_equal(first[variable], second[variable])
    assert first["unit"].values.tolist() == second["unit"].values.tolist()
    assert {m.attrs["grouping"] for m in shared} == {"recording"}
    assert {m.attrs["grouping"] for m in alone} == {"window"}


def test_a_shared_grouping_is_the_best_in_the_mean_and_applied_to_the_windows_own_tpm(two_windows):
    tpms = np.stack([w["p_on"].values for w in two_windows])
    candidates = [
        Grouping(group, mapping)
        for group in {(0, 0, 1, 1), (0, 1, 0, 1), (0, 1, 1, 0), (0, 0, 0, 1), (0, 1, 1, 1)}
        for mapping in product(("and", "or"), repeat=2)
    ]
    best = exhaustive_common(tpms, 2)
    mean = np.mean([objective(best, one) for one in tpms])
    assert best.objective == pytest.approx(mean)
    for other in candidates:
        assert mean >= np.mean([objective(other, one) for one in tpms]) - 1e-9
    for window in two_windows:
        macro = coarse_grain(window, 2, method="exhaustive", learn_from=two_windows)
        assert tuple(macro["group"].values) == best.group
        assert tuple(macro["mapping"].values) == best.mapping
        np.testing.assert_allclose(macro["p_on"], best.macro_p_on(window["p_on"].values))
        np.testing.assert_allclose(macro["p_on_draws"], best.macro_p_on(window["p_on_draws"]))
        assert macro["visits"].sum() == window["visits"].sum()
        assert macro.attrs["objective_bits"] == pytest.approx(mean)
        assert macro.attrs["exhaustive_bits"] == pytest.approx(mean)
        assert macro.attrs["window_bits"] == pytest.approx(objective(best, window["p_on"].values), abs=1e-12)


def test_each_window_counts_alike_however_long(two_windows):
    """Visits play no part in what is learned."""
    longer = two_windows[1].assign(visits=two_windows[1]["visits"] * 100)
    a = coarse_grain(two_windows[0], 2, method="exhaustive", learn_from=two_windows)
    b = coarse_grain(two_windows[0], 2, method="exhaustive", learn_from=[two_windows[0], longer])
    np.testing.assert_array_equal(a["p_on"], b["p_on"])


def test_a_recording_of_one_window_is_that_window(micro, macro):
    shared = coarse_grain(micro, 2, restarts=4, steps=60, seed=3, learn_from=[micro])
    np.testing.assert_array_equal(shared["p_on"], macro["p_on"])
    assert shared.attrs["window_bits"] == pytest.approx(shared.attrs["objective_bits"])
    assert macro.attrs["window_bits"] == pytest.approx(macro.attrs["objective_bits"])


def test_windows_of_different_units_are_not_grouped_together(micro):
    other = micro.assign_coords(unit=[f"n{i}" for i in range(4)]).assign_attrs(window="asleep")
    with pytest.raises(PhiscaleError, match=r"m1/asleep.*units n0, n1, n2, n3"):
        coarse_grain(micro, 2, learn_from=[micro, other])


def test_what_is_learned_once_serves_every_window(two_windows, monkeypatch):
    from pipeline.macro import learning

    options = {"restarts": 2, "steps": 40, "seed": 3}
    each = [coarse_grain(w, 2, **options, random_groupings=2, learn_from=two_windows) for w in two_windows]
    learned = learn(two_windows, 2, **options)
    monkeypatch.setattr(learning, "learn_grouping", None)
    for window, expected in zip(two_windows, each, strict=True):
        assert derive(window, learned, random_groupings=2).identical(expected)


def test_what_is_learned_does_not_fit_other_units(micro):
    learned = learn([micro], 2, method="exhaustive")
    other = micro.assign_coords(unit=[f"n{i}" for i in range(4)])
    with pytest.raises(PhiscaleError, match="units n0, n1, n2, n3 beside e0, e1, e2, e3"):
        derive(other, learned)
