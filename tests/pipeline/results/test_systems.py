"""Systems of a study read back: by scale, as substrates, structures, one table, a tree, a figure, and NWB."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import pyplot

import iitcore as iit
import pipeline
from pipeline.base.errors import PhiscaleError
from pipeline.base.files import save, save_groups
from pipeline.integration import integrate
from pipeline.results.columns import SUMMARY_COLUMNS
from pipeline.results.display import plot_measure
from pipeline.results.layout import Layout
from pipeline.results.tables import table
from pipeline.tpm import estimate

mpl.use("Agg")
SYSTEMS = {"micro-2": "tpm", "macro_units-2": "macro", "macro_units-1": "macro"}


def pair(units: list[str], n: int = 2) -> xr.Dataset:
    """TPM of random states of some units, whose joint state 0 is visited most."""
    states = (np.random.default_rng(n).random((400, n)) < 0.3).astype(int)
    return estimate(xr.DataArray(states, dims=("frame", "unit"), coords={"unit": units}), draws=3)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    layout = Layout(folder)
    tpms = {"micro-2": pair(["e0", "e1"]), "macro_units-2": pair(["m0", "m1"]), "macro_units-1": pair(["m0"], 1)}
    phi = {f"awake/{name}": integrate(tpm, structures=2) for name, tpm in tpms.items()}
    save_groups({"awake/micro-2": tpms["micro-2"]}, layout.of("tpm", "r1"))
    save_groups({f"awake/{n}": tpms[n] for n in SYSTEMS if n != "micro-2"}, layout.of("macro", "r1"))
    save_groups(phi, layout.of("phi", "r1"))
    rows = []
    for name in SYSTEMS:
        route, _, scale = name.partition("-")
        for measure in ("phi_s", "big_phi"):
            row = dict.fromkeys(SUMMARY_COLUMNS, np.nan) | {"recording": "r1", "subject": "s", "window": "awake"}
            row |= {"condition": "awake", "route": route, "scale": int(scale), "measure": measure, "flag": ""}
            row |= {
                "value": np.nan if (name, measure) == ("micro-2", "big_phi") else 0.3,
                "ci_low": 0.2,
                "ci_high": 0.4,
            }
            rows.append(row)
    rows.append(rows[0] | {"route": "latents", "scale": 1, "measure": "causal_power"})  # has neither TPM nor phi
    table(rows, SUMMARY_COLUMNS).to_csv(layout.of_study("summary"), index=False)
    times = np.arange(40) * 0.5
    bins = {"states": (("frame", "unit"), np.eye(2, dtype="u1")[np.arange(40) % 2])}
    bins["signal"] = (("frame", "unit"), np.arange(80.0).reshape(40, 2))
    bins["threshold"] = (("window_name", "unit"), [[1.5, 2.5]])
    coords = {"time": ("frame", times), "unit": ["e0", "e1"], "window_name": ["awake"]}
    save(xr.Dataset(bins, coords, {"bin_s": 0.5, "signal_units": "noise sd"}), layout.of("states", "r1", 2))
    activity = {"activity": (("time", "ensemble"), np.ones((80, 2))), "label": ("neuron", [0, 1, 1])}
    coords = {"time": np.arange(80) * 0.25, "ensemble": ["e0", "e1"], "neuron": ["n0", "n1", "n2"]}
    save(xr.Dataset(activity, coords), layout.of("ensembles", "r1", 2))
    layout.of("windows", "r1").parent.mkdir()
    windows = {"recording": "r1", "window": "awake", "condition": "awake", "start_s": [0, 12], "end_s": [10, 20]}
    pd.DataFrame(windows).to_csv(layout.of("windows", "r1"), index=False)
    return pipeline.load_results(folder), tpms, phi


def test_a_number_of_units_is_enough_where_it_names_one_system(made):
    results = made[0]
    assert results.key("r1", "awake", 1).system == "macro_units-1"
    assert results.key("r1", "awake", "micro-2").system == "micro-2"
    with pytest.raises(PhiscaleError, match=r"2 systems of scale 2.*macro_units-2, micro-2"):
        results.key("r1", "awake", 2)
    with pytest.raises(PhiscaleError, match=r"no system of scale 7.*macro_units-1"):
        results.key("r1", "awake", 7)
    with pytest.raises(PhiscaleError, match=r"the windows are r1 awake"):
        results.key("r1", "asleep", 2)


def test_substrate_is_the_estimated_tpm(made):
    results, tpms, _ = made
    substrate = results.substrate("r1", "awake", "macro_units-2")
    assert substrate.units == ("m0", "m1")
    assert np.allclose(substrate.tpm, tpms["macro_units-2"]["p_on"].transpose("state", "unit").values)


@pytest.mark.parametrize("state", [0, "00", (0, 0), np.int64(0)])
def test_structure_is_what_unfolding_the_substrate_gives(made, state):
    results = made[0]
    stored = results.structure("r1", "awake", "micro-2", state)
    assert isinstance(stored, iit.PhiStructure)
    assert stored == iit.unfold(results.substrate("r1", "awake", "micro-2").system("00"))


def test_a_structure_that_is_not_stored_names_those_that_are(made):
    with pytest.raises(PhiscaleError, match=r"no structure is stored for state 3.*take one of \[0"):
        made[0].structure("r1", "awake", "micro-2", "11")


def test_all_phi_values_in_one_table(made):
    results, _, phi = made
    values = results.phi_values()
    assert list(values.columns[:8]) == [
        *("recording", "subject", "condition", "window", "route", "scale", "state", "units"),
    ]
    assert len(values) == 4 + 4 + 2
    row = values.query("route == 'macro_units' and scale == 2 and state == 1").iloc[0]
    assert row["units"] == "10"
    assert row["phi_s"] == phi["awake/macro_units-2"]["phi_s"].values[1]
    assert row["big_phi"] == phi["awake/macro_units-2"]["big_phi"].values[1]


def test_what_the_summary_withholds_is_missing_unless_asked_for(made):
    results, _, phi = made
    micro = results.phi_values().query("route == 'micro'")
    assert micro[["big_phi", "sum_phi_d", "sum_phi_r"]].isna().all(axis=None)
    assert micro["phi_s"].notna().all()
    kept = results.phi_values(withheld=True).query("route == 'micro'")
    assert kept["big_phi"].tolist() == phi["awake/micro-2"]["big_phi"].values.tolist()


def test_one_tree_of_all_datasets(made):
    results, tpms, phi = made
    tree = results.tree()
    assert tree["r1/windows/awake/macro_units-1/phi"].to_dataset().equals(phi["awake/macro_units-1"])
    assert np.array_equal(tree["r1/windows/awake/micro-2/tpm"]["p_on"], tpms["micro-2"]["p_on"])
    assert tree["r1/states/k2"]["states"].shape == (40, 2)
    with pytest.raises(PhiscaleError, match="does not exist"):
        results.tree(traces=True)


def test_html_says_how_many_windows_have_a_value(made):
    html = made[0]._repr_html_()
    assert "<td>2 micro units</td><td>0.3 (1/1)</td>" in html


def test_figure_leaves_out_what_is_withheld(made):
    results = made[0]
    assert [a.get_title() for a in results.plot("phi_s").axes] == ["2 micro units", "2 macro units", "1 macro units"]
    figure = results.plot("big_phi")
    assert [a.get_title() for a in figure.axes] == ["2 macro units", "1 macro units"]
    assert "[ibit]" in figure.axes[0].get_ylabel()
    pyplot.close("all")
    with pytest.raises(PhiscaleError, match="take one of phi_s, big_phi"):
        results.plot("nothing")


def test_figure_shows_every_window_of_a_condition(made):
    summary = made[0].summary
    twice = pd.concat([summary, summary.assign(window="later", value=summary["value"] + 0.1)])
    counts = [len(plot_measure(table, ["awake"]).axes[0].containers) for table in (summary, twice)]
    assert counts == [1, 2]
    pyplot.close("all")


def test_nwb_holds_states_windows_and_phi(made, tmp_path):
    pynwb = pytest.importorskip("pynwb")
    results = made[0]
    path = pipeline.results.to_nwb(results, "r1", tmp_path / "r1.nwb")
    assert pynwb.validate(path=str(path)) == []
    with pynwb.NWBHDF5IO(path, "r") as file:
        read = file.read()
        module = read.processing["phiscale"]
        states = module["states_k2"]
        assert np.array_equal(states.data[:], results.states("r1", 2)["states"].values)
        assert states.timestamps[3] == 1.5
        assert read.intervals["windows"].to_dataframe()["stop_time"].tolist() == [10, 20]
        phi = module["phi"].to_dataframe()
        assert phi["phi_s"].tolist() == results.phi_values()["phi_s"].tolist()
        assert module["neurons_k2"].to_dataframe()["label"].tolist() == [0, 1, 1]
        assert module["units_k2"].to_dataframe()["threshold_awake"].tolist() == [1.5, 2.5]
        assert read.subject.subject_id == "s"
    with pytest.raises(PhiscaleError, match="take one of r1"):
        pipeline.results.to_nwb(results, "nobody", tmp_path / "x.nwb")
