"""Integrated information over visited states and draws, and of surrogates."""

import itertools
import json

import numpy as np
import pytest
import xarray as xr

import iitcore as iit
from pipeline.base.errors import PhiscaleError
from pipeline.base.files import load, save
from pipeline.base.raster import bits
from pipeline.emergence.discrete import state_by_state
from pipeline.inference.summary import summarise
from pipeline.integration import batch as measures
from pipeline.integration import integrate, integrate_nulls
from pipeline.integration.parameters import Iit
from pipeline.macro.coarse import coarse_grain
from pipeline.nulls import Surrogates
from pipeline.tpm.estimation import estimate

STATES = bits(np.arange(16), 4)


def planted_pairs(coupling=3.5, bias=-4.0):
    """P(ON) of two pairs of units, each driven by the other pair."""
    first, second = STATES[:, :2].sum(axis=1), STATES[:, 2:].sum(axis=1)
    drive = np.stack([second, second, first, first], axis=1)
    return 1 / (1 + np.exp(-(bias + coupling * drive)))


def stationary(p_on):
    values, vectors = np.linalg.eig(state_by_state(p_on).T)
    pi = np.real(vectors[:, np.argmax(values.real)])
    return pi / pi.sum()


def walk(p_on, n_frames, seed=0):
    """A raster (frame, unit) that follows the TPM."""
    rng = np.random.default_rng(seed)
    noise, raster = rng.random((n_frames, p_on.shape[1])), []
    state = 0
    for draw in noise:
        row = draw < p_on[state]
        state = int(row @ (1 << np.arange(len(row))))
        raster.append(row)
    return np.array(raster, dtype=np.uint8)


def states_of(raster, window="awake", segments=None):
    """A states dataset as `binarize.binarize_windows` gives it, of one window."""
    n, k = raster.shape
    segments = np.zeros(n, int) if segments is None else segments
    return xr.Dataset(
        {"states": (("frame", "unit"), raster)},
        coords={
            "unit": [f"e{i}" for i in range(k)],
            "time": ("frame", 0.5 * np.arange(n)),
            "window": ("frame", np.full(n, window)),
            "condition": ("frame", np.full(n, window)),
            "segment": ("frame", segments),
            "matched": ("frame", np.ones(n, bool)),
        },
        attrs={"recording": "r1", "subject": "m1", "bin_s": 0.5},
    )


def exact(p_on, visits=None, draws=None):
    """A TPM dataset with a known TPM; by default every state is occupied as in the long run."""
    n = p_on.shape[1]
    pi = stationary(p_on) if visits is None else np.asarray(visits) / np.sum(visits)
    variables = {
        "p_on": (("state", "unit"), p_on),
        "occupancy": ("state", pi),
        "visits": ("state", np.round(1e6 * pi).astype(int) if visits is None else visits),
        "transitions": ("state", np.ones(2**n, int)),
    }
    if draws is not None:
        variables["p_on_draws"] = (("draw", "state", "unit"), draws)
    return xr.Dataset(
        variables,
        coords={"state": np.arange(2**n), "unit": [f"e{i}" for i in range(n)]},
        attrs={
            **{"recording": "r1", "subject": "m1", "window": "awake", "condition": "awake"},
            **{"route": "micro", "scale": n, "n_frames": 1000, "flag": "", "lag": 1, "prior": 1.0},
            **{"estimator": "logistic"},
        },
    )


def jitter(p_on, n, spread=0.3, seed=0):
    noise = np.random.default_rng(seed).normal(0, spread, (n, *p_on.shape))
    return 1 / (1 + np.exp(-(np.log(p_on / (1 - p_on)) + noise)))


@pytest.fixture(scope="module")
def estimated():
    states = states_of(walk(planted_pairs(), 3000, seed=1))
    tpm = estimate(states, draws=20, seed=3)
    return states, tpm, coarse_grain(tpm, 2, method="exhaustive")


def by_measure(summary, scale):
    rows = summary[summary["scale"] == scale].set_index("measure")
    return rows["value"]


def test_planted_pairs_with_their_true_tpm():
    micro = exact(planted_pairs())
    macro = coarse_grain(micro, 2, method="exhaustive")
    assert list(macro["group"].values) == [0, 0, 1, 1]
    summary, _ = summarise([integrate(micro), integrate(macro)])
    assert by_measure(summary, 4)["phi_s"] == pytest.approx(0.297, abs=5e-4)
    assert by_measure(summary, 2)["phi_s"] == pytest.approx(1.262, abs=5e-4)
    assert by_measure(summary, 2)["delta_causal_power"] > 0


def test_planted_pairs_recovered_from_a_recording(estimated):
    """phi_s jumps at the exact symmetry of the planted pairs; an estimate finds the value beside it.

    Both directions between the pairs lose equally much per connection. The tie goes to the partition
    that cuts both; the slightest asymmetry cuts one alone, at half the phi_s (macro 0.70, not 1.26).
    """
    _, tpm, macro = estimated
    beside = exact(jitter(planted_pairs(), 1, spread=1e-6)[0])
    limit, _ = summarise([integrate(beside), integrate(coarse_grain(beside, 2, method="exhaustive"))])
    assert by_measure(limit, 2)["phi_s"] == pytest.approx(0.703, abs=2e-3)
    summary, _ = summarise([integrate(tpm), integrate(macro)])
    rows = summary.set_index(["scale", "measure"])
    micro, large = rows.loc[4, "phi_s"], rows.loc[2, "phi_s"]
    assert micro["value"] == pytest.approx(by_measure(limit, 4)["phi_s"], abs=0.05)
    assert large["value"] == pytest.approx(by_measure(limit, 2)["phi_s"], abs=0.06)
    assert large["ci_low"] > micro["ci_high"]  # the ordering of the scales is beyond doubt


def test_point_and_draws_equal_one_system_at_a_time():
    p_on = planted_pairs(coupling=2.0, bias=-2.0)
    draws = jitter(p_on, 4)
    phi = integrate(exact(p_on, draws=draws), big_phi_draws=2)
    for state in (0, 5, 15):
        for values, tpm in [(phi["phi_s"], p_on)] + [(phi["phi_s_draws"].isel(draw=d), draws[d]) for d in range(4)]:
            system = iit.Substrate(tpm).system(STATES[state])
            assert values.values[state] == iit.system_phi(system).phi
        for d in range(2):
            whole = iit.unfold(iit.Substrate(draws[d]).system(STATES[state]))
            drawn = phi.isel(draw_big=d, state=state)
            assert float(drawn["big_phi_draws"]) == pytest.approx(whole.phi, abs=1e-9)
            assert int(drawn["n_distinctions_draws"]) == len(whole.distinctions)
            assert int(drawn["n_relations_draws"]) == whole.relations.count


def test_first_complex_of_many_tpms_is_that_of_each():
    rng = np.random.default_rng(4)
    p_on = rng.uniform(0.02, 0.98, (6, 8, 3))
    phi, member = measures.first_complexes(p_on, np.arange(8))
    for d in range(len(p_on)):
        for state in range(8):
            found = iit.complexes(iit.Substrate(p_on[d]), tuple(bits([state], 3)[0]))
            first = sum(1 << i for i in found[0].indices) if found else 0
            assert member[d, state] == first
            assert phi[d, state] == (found[0].phi if found else 0.0)


def test_complex_of_the_estimate_and_its_agreement():
    p_on = jitter(planted_pairs(coupling=2.0, bias=-2.0), 1)[0]  # without ties
    phi = integrate(exact(p_on, draws=np.repeat(p_on[None], 3, axis=0)))
    assert (phi["complex_agreement"] == 1).all()
    assert (phi["phi_s_complex"] >= phi["phi_s"] - 1e-10).all()
    np.testing.assert_allclose(phi["phi_s_complex_draws"].isel(draw=0), phi["phi_s_complex"], atol=1e-9)
    half = np.concatenate([np.repeat(p_on[None], 2, axis=0), np.full((2, 16, 4), 0.3)])
    apart = integrate(exact(p_on, draws=half), big_phi_max_units=0)  # the last two have no complex
    assert (apart["complex_agreement"] == 0.5).all()
    assert (apart["phi_s_complex_draws"].isel(draw=slice(2, 4)) == 0).all()
    alone = integrate(exact(p_on), complex_max_units=3)
    assert not alone["phi_s_complex"].isnull().any()
    assert "complex_agreement" not in alone


def test_draws_of_large_substrates_skip_the_complex():
    p_on = planted_pairs()
    phi = integrate(exact(p_on, draws=jitter(p_on, 3)), complex_max_units=3, big_phi_max_units=3)
    assert "phi_s_draws" in phi
    assert "phi_s_complex_draws" not in phi
    assert "big_phi_draws" not in phi
    assert phi["big_phi"].isnull().all()
    summary, _ = summarise([phi])
    row = summary.set_index("measure").loc["phi_s_complex"]
    assert np.isfinite(row["value"])
    assert np.isnan(row["ci_low"])
    assert "big_phi" not in set(summary["measure"])


def test_only_visited_states_are_computed():
    visits = [50, 0, 1, 0, 7] + [0] * 10 + [3]
    p_on = planted_pairs()
    tpm = exact(p_on, visits, jitter(p_on, 3))
    phi = integrate(tpm, min_visits=3, big_phi_draws=1, structures=2)
    computed = [0, 4, 15]
    assert list(np.flatnonzero(phi["visited"])) == computed
    for name in ("phi_s", "big_phi", "phi_s_complex"):
        assert list(np.flatnonzero(phi[name].notnull())) == computed
        drawn = phi[f"{name}_draws"]
        assert list(np.flatnonzero(drawn.notnull().any(drawn.dims[0]))) == computed
    stored = [s for s in range(16) if str(phi["structure"].values[s])]
    assert stored == [0, 4]  # the two most visited
    assert list(np.flatnonzero(integrate(tpm, states=[1])["visited"])) == [1]


def test_zero_has_its_reason():
    copies = np.repeat(np.array([[0.2], [0.8]]), 2, axis=1)[[0, 1, 0, 1]]  # both follow unit 0
    phi = integrate(exact(copies, [1, 1, 1, 1]))
    assert (phi["phi_s"] == 0).all()
    reasons = [str(reason) for reason in phi["reason"].values]
    assert "strongly connected" in reasons[0]
    assert "no cause" in reasons[1]  # the copies were never apart


def test_subset_of_units_has_the_rest_as_background(golden_dir):
    golden = json.loads((golden_dir / "iit4" / "paper_fig1_ABC.json").read_text())
    p_on = np.array(golden["tpm"])
    state = int(np.array(golden["state"]) @ (1 << np.arange(p_on.shape[1])))
    tpm = exact(p_on, np.ones(len(p_on), int))
    for candidate in golden["candidates"]:
        units = [f"e{i}" for i in candidate["units"]]
        phi = integrate(tpm, states=[state], units=units, big_phi_max_units=0)
        assert phi["phi_s"].values[state] == pytest.approx(candidate["phi_s"], abs=1e-6)
    assert phi.attrs["system"] == " ".join(units)


def test_unknown_units_and_states_are_named():
    tpm = exact(planted_pairs())
    with pytest.raises(PhiscaleError, match=r"r1, window awake.*no unit 'e9'.*e0, e1, e2, e3"):
        integrate(tpm, units=["e9"])
    with pytest.raises(PhiscaleError, match=r"no state 16.*0 to 15"):
        integrate(tpm, states=[3, 16])


def test_file_round_trip_units_and_history(tmp_path, estimated):
    _, _, macro = estimated
    phi = integrate(macro)
    save(phi, tmp_path / "phi.nc")
    back = load(tmp_path / "phi.nc")
    xr.testing.assert_identical(back.drop_attrs(), phi.drop_attrs())
    assert all({"units", "long_name"} <= set(v.attrs) for v in back.data_vars.values())
    structure = json.loads(str(back["structure"].values[int(np.argmax(back["visits"].values))]))
    assert structure["labels"] == [str(u) for u in macro["unit"].values]
    last = json.loads(back.attrs["history"])[-1]
    assert last["operation"] == "integration.integrate"
    assert last["parameters"]["min_visits"] == 1
    assert (back.attrs["route"], back.attrs["scale"]) == ("macro_units", 2)


def test_threads_and_repetition_change_nothing(estimated):
    states, tpm, macro = estimated
    xr.testing.assert_identical(integrate(tpm, threads=1), integrate(tpm, threads=2))
    options = {"surrogates": 5, "big_phi_surrogates": 2, "seed": 8}
    first = integrate_nulls(states, macro, **options)
    xr.testing.assert_identical(first, integrate_nulls(states, macro, **options, threads=2))
    assert not first.equals(integrate_nulls(states, macro, **(options | {"seed": 9})))


def test_nulls_tell_integration_from_none(estimated):
    states, tpm, macro = estimated
    nulls = [
        integrate_nulls(states, t, surrogates=40, big_phi_surrogates=3, window="awake", seed=1) for t in (tpm, macro)
    ]
    assert [str(n) for n in nulls[0]["null"].values] == ["integration", "interaction"]
    assert [str(n) for n in nulls[1]["null"].values] == ["integration", "interaction", "random_grouping"]
    summary, table = summarise([integrate(tpm), integrate(macro)], nulls)
    rows = table.set_index(["scale", "null", "measure"])
    for key in itertools.product((4, 2), ("integration", "interaction"), ("phi_s",)):
        assert rows.loc[key, "p"] == pytest.approx(1 / 41)
    assert rows.loc[(2, "random_grouping", "phi_s"), "n_surrogates"] == 2  # all other pairings
    assert rows.loc[(2, "random_grouping", "phi_s"), "p"] == pytest.approx(1 / 3)
    assert rows.loc[(4, "interaction", "big_phi"), "n_surrogates"] == 3
    defaults = summary.set_index(["scale", "measure"])["null_p"]
    assert defaults[2, "phi_s"] == pytest.approx(1 / 41)  # two groupings are too few to test with


def test_a_surrogate_that_is_the_data_gives_the_value_of_the_data(monkeypatch, estimated):
    """Same estimator, same weighting: without any shuffling nothing may change."""
    states, tpm, macro = estimated
    monkeypatch.setattr(
        "pipeline.integration.surrogates.draw",
        lambda s, kind, n, seed, lag: Surrogates(np.repeat(s["states"].values[None], n, axis=0), s["segment"].values),
    )
    for one in (tpm, macro):
        phi = integrate(one)
        nulls = integrate_nulls(states, one, surrogates=2, big_phi_surrogates=1)
        summary, _ = summarise([phi], min_row_visits=0)
        for name in set(map(str, nulls["measure"].values)) & set(summary["measure"]):
            expected = summary.set_index("measure").loc[str(name), "value"]
            assert float(nulls["value"].sel(null="interaction", measure=name)[0]) == pytest.approx(
                expected, rel=1e-9, abs=1e-9
            ), name


def test_independent_units_are_called_integrated_at_the_stated_rate():
    """False positives of the null of integration on independent units, stationary windows."""
    rng = np.random.default_rng(21)
    p = []
    for seed in range(30):
        states = states_of((rng.random((300, 3)) < [0.3, 0.4, 0.5]).astype(np.uint8))
        tpm = estimate(states)
        options = {"big_phi_max_units": 0, "complex_max_units": 0}
        nulls = integrate_nulls(states, tpm, kinds=["integration"], surrogates=19, seed=seed, **options)
        _, table = summarise([integrate(tpm, **options)], [nulls])
        p.append(table.set_index("measure").loc["phi_s", "p"])
    assert np.mean(np.array(p) <= 0.1) <= 0.1 + 3 * np.sqrt(0.09 / 30)


def test_nulls_respect_segments_and_the_chosen_window(estimated):
    raster = walk(planted_pairs(), 1200, seed=5)
    a = states_of(raster[:600], "awake", np.repeat([0, 1, 2], 200))
    b = states_of(raster[600:], "sleep")
    both = xr.concat(
        [a, b],
        "frame",
        data_vars="all",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="override",
    )
    tpm = estimate(a)
    options = {"surrogates": 3, "big_phi_surrogates": 1, "seed": 2}
    alone = integrate_nulls(a, tpm, **options)
    chosen = integrate_nulls(both, tpm, window="awake", **options)
    np.testing.assert_array_equal(alone["value"], chosen["value"])


def test_no_surrogates_at_all(tmp_path, estimated):
    states, tpm, macro = estimated
    nothing = integrate_nulls(states, tpm, kinds=[])
    save(nothing, tmp_path / "nulls.nc")
    _, table = summarise([integrate(tpm)], [load(tmp_path / "nulls.nc")])
    assert table.empty
    save(integrate_nulls(states, macro, surrogates=0), tmp_path / "few.nc")
    assert list(load(tmp_path / "few.nc")["null"].values) == ["random_grouping"]


def test_the_formalism_of_a_study_is_that_of_every_number():
    states = states_of(walk(planted_pairs(), 400))
    tpm = estimate(states, draws=4, seed=1)
    first, later = integrate(tpm), integrate(tpm, formalism="2026", structures=2)
    assert (first.attrs["formalism"], later.attrs["formalism"]) == ("2023", "2026")
    for name in ("phi_s", "phi_s_draws", "phi_s_complex", "phi_s_complex_draws"):
        a, b = first[name].values, later[name].values
        known = np.isfinite(a)
        assert (b[known] <= a[known] + 1e-12).all(), name
    seen = np.flatnonzero(later["visited"].values)
    on = bits(seen, 4)
    np.testing.assert_array_equal(
        later["phi_s_draws"].values[:, seen], iit.phi_batch(tpm["p_on_draws"].values, on, formalism="2026")
    )
    stored = [json.loads(text) for text in later["structure"].values if text]
    assert {s["formalism"] for s in stored} == {"2026"}
    nulls = [
        integrate_nulls(states, tpm, kinds=["interaction"], surrogates=3, big_phi_surrogates=0, formalism=f)["value"]
        for f in ("2023", "2026")
    ]
    at = {"measure": "phi_s"}
    assert (nulls[1].sel(at) <= nulls[0].sel(at) + 1e-12).all()
    assert tuple(Iit.model_fields["formalism"].annotation.__args__) == iit.FORMALISMS
