"""A whole run of a study whose conditions stand in recordings of their own, with units that are the same units."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.base.files import load, load_groups
from pipeline.results.layout import Layout

pytestmark = pytest.mark.slow

RATE_HZ, BIN_S, NEURONS = 10, 0.5, 12
SECONDS = {"awake": 150, "asleep": 120}
Finished = tuple[Layout, subprocess.CompletedProcess[str]]


def write_study(folder: Path) -> None:
    """Two animals of two sessions; a third session of the first has no file, and of the third animal no name fits."""
    rng = np.random.default_rng(0)
    sheet, windows = ["recording\tsubject\tpath\tformat\trate_hz"], ["recording\twindow\tcondition\tstart_s\tend_s"]
    for animal in ("m1", "m2", "m3"):
        for condition, seconds in SECONDS.items():
            name, steps = f"{animal}_{condition}", int(seconds / BIN_S)
            on = np.repeat(rng.random((steps, 3)) < 0.3, int(BIN_S * RATE_HZ), axis=0)
            traces = np.repeat(on, NEURONS // 3, axis=1) + 0.1 * rng.standard_normal((seconds * RATE_HZ, NEURONS))
            names = [f"{'x' if name == 'm3_asleep' else 'c'}{i}" for i in range(NEURONS)]
            if name == "m2_asleep":
                traces[:, 4] = np.nan
            table = pd.DataFrame(traces, columns=names)
            table.to_csv(folder / f"{name}.csv", index=False, float_format="%.4g")
            sheet.append(f"{name}\t{animal}\t{name}.csv\tcsv\t{RATE_HZ}")
            windows.append(f"{name}\twhole\t{condition}\t0\t{seconds}")
    sheet.append(f"m1_lost\tm1\tm1_lost.csv\tcsv\t{RATE_HZ}")
    windows.append("m1_lost\twhole\tasleep\t0\t100")
    (folder / "recordings.tsv").write_text("\n".join(sheet) + "\n")
    (folder / "windows.tsv").write_text("\n".join(windows) + "\n")
    parameters = {
        "study": "shared",
        "conditions": list(SECONDS),
        "preprocess": {"kind": "dff"},
        "ensembles": {"method": "activity", "grouping": "subject", "iit": 3},
        "binarize": {"method": "otsu", "bin_s": BIN_S},
        "tpm": {"draws": 10},
        "macro": {"scales": [2], "restarts": 2, "steps": 20, "random_groupings": 5},
        "iit": {"big_phi_draws": 3},
        "nulls": {"surrogates": 10, "big_phi_surrogates": 3},
        "compare": {"bootstrap": 200},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(parameters))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    command = [sys.executable, "-m", "pipeline.cli", "run", "study.yaml", "-c", "2", "--anyway"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return Layout(folder / "results" / "shared"), done


def test_a_recording_that_fails_takes_no_other_with_it(finished: Finished) -> None:
    """The lost session is left out of its animal's units; the animal without common neurons is told, once each."""
    layout, run = finished
    failed = [line for line in run.stderr.splitlines() if line.startswith("failed: ")]
    assert sorted(line.partition(":")[2].split()[0] for line in failed) == ["m1_lost", "m3_asleep", "m3_awake"], run
    assert all("no neurons are usable in all 2 recordings" in line for line in failed if " m3_" in line)
    shared = json.loads(layout.shared("units", "m1", 3).read_text())
    assert shared["recordings"] == ["m1_awake", "m1_asleep"]
    assert {"m1_awake", "m1_asleep", "m2_awake", "m2_asleep"} == {
        path.stem for path in layout.of("phi", "x").parent.iterdir()
    }


def test_units_macro_units_and_lengths_are_the_same_in_all_sessions(finished: Finished) -> None:
    layout, _ = finished
    for animal in ("m1", "m2"):
        names = [f"{animal}_{condition}" for condition in SECONDS]
        labels = [load(layout.of("ensembles", n, 3)).to_dataframe().reset_index() for n in names]
        by_name = [rows.drop_duplicates("neuron").set_index("neuron")["label"] for rows in labels]
        used = by_name[0].index.intersection(by_name[1].index)
        assert (by_name[0][used] == by_name[1][used]).all()
        used_frames = {n: int(load(layout.of("states", n, 3))["matched"].sum()) for n in names}
        assert set(used_frames.values()) == {SECONDS["asleep"] / BIN_S}
        groups = [load_groups(layout.of("macro", n))["whole/macro_units-2"] for n in names]
        assert (groups[0]["group"].values == groups[1]["group"].values).all()
        assert groups[0].attrs["objective_bits"] == groups[1].attrs["objective_bits"]


def test_values_of_common_states_stand_in_the_tables(finished: Finished) -> None:
    summary = pd.read_csv(finished[0].of_study("summary"))
    common = summary[(summary["measure"] == "phi_s_common") & (summary["route"] == "micro")]
    assert len(common) == 4
    assert common["value"].notna().all()
    assert not common["flag"].fillna("").str.contains("units_differ").any()
    flagged = common.loc[common["flag"].fillna("").str.contains("neurons_not_shared:1"), "subject"]
    assert set(flagged) == {"m2"}
    comparison = pd.read_csv(finished[0].of_study("comparison"))
    primary = comparison[(comparison["measure"] == "phi_s") & (comparison["adjusted"] == "raw")]
    assert set(primary["n_subjects"]) == {2}
