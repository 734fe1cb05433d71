"""The cost that `phiscale check` tells: jobs to start, and phi in all states of all draws and surrogates."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from iitcore import estimate_cost
from pipeline.study.study import Study
from pipeline.workflow import targets
from pipeline.workflow.plan import LOADING_S, SECONDS, encoder_seconds, plan, span, window_seconds

ROOT = Path(__file__).resolve().parents[3]
BARE = {
    "tpm": {"draws": 0},
    "iit": {"big_phi_max_units": 0, "big_phi_draws": 0},
    "nulls": {"surrogates": 0, "big_phi_surrogates": 0},
}


def study(folder: Path, units: int = 4, scales: tuple[int, ...] = (), **sections: Any) -> Study:
    content = {
        "study": "planned",
        "conditions": ["awake", "sleep"],
        "ensembles": {"iit": units},
        "macro": {"scales": list(scales)},
        **sections,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(content))
    (folder / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\nr\ts\tr.nc\tnetcdf\n")
    (folder / "windows.tsv").write_text(
        "recording\twindow\tcondition\tstart_s\tend_s\nr\ta\tawake\t0\t300\nr\tb\tsleep\t300\t600\n"
    )
    return Study.load(folder)


def test_a_window_costs_what_its_analyses_cost(tmp_path: Path) -> None:
    """Eight units, one estimate: phi_s and the complexes of 256 states."""
    alone = window_seconds(study(tmp_path, 8, **BARE))
    costs = [estimate_cost(8, "phi_s", 256), estimate_cost(8, "complexes", 256)]
    assert alone[0] == pytest.approx(sum(cost.seconds for cost in costs))
    assert alone[1] == pytest.approx(sum(cost.seconds_hard for cost in costs))


@pytest.mark.parametrize(("written", "meant"), [(2, [2]), ("all", [3, 2, 1]), ([3, 1], [3, 1]), ([], [])])
def test_scales_may_be_one_number_a_list_or_all(tmp_path: Path, written: Any, meant: list[int]) -> None:
    planned = study(tmp_path, **{"macro": {"scales": written}})
    assert targets.systems(planned) == ["micro-4", *(f"macro_units-{size}" for size in meant)]
    assert ("macro" in targets.jobs(planned)) == bool(meant)


def test_draws_and_surrogates_cost_as_much_as_the_estimate_each(tmp_path: Path) -> None:
    alone = window_seconds(study(tmp_path, 8, **BARE))[0]
    many = BARE | {
        "tpm": {"draws": 10},
        "nulls": {
            "kinds": ["interaction", "no_dynamics"],
            "surrogates": 20,
            "big_phi_surrogates": 0,
        },
    }
    more = window_seconds(study(tmp_path, 8, **many))[0]
    assert more - alone == pytest.approx(estimate_cost(8, "phi_s", 50 * 256).seconds)


def test_structures_are_counted_up_to_their_limit(tmp_path: Path) -> None:
    without = window_seconds(study(tmp_path, 6, iit={"big_phi_max_units": 5}))[0]
    unfolded = window_seconds(study(tmp_path, 6, iit={"big_phi_max_units": 6}))[0]
    structures = (1 + 200 + 2 * 20) * 64 + 3  # the estimate, draws, surrogates of two nulls; stored ones
    expected = estimate_cost(6, "structure", structures).seconds
    assert unfolded - without == pytest.approx(expected)


def test_the_plan_grows_with_the_units_and_says_how_sure_it_is(tmp_path: Path) -> None:
    costs = [window_seconds(study(tmp_path, n, (2,))) for n in (3, 4, 5, 10)]
    assert costs == sorted(costs)
    assert costs[-1][0] > 300
    assert all(hard > typical for typical, hard in costs)
    told = plan(study(tmp_path, 10, (2,)))
    phi = span(2 * costs[-1][0])
    stages = ("ingest", "preprocess", "ensembles", "states", "score", "tpm", "macro", "phi", "nulls")
    stages = (*stages, "matched", "detection")
    once = ("choose", "summarise", "halves", "compare", "validate", "report")
    around = span(LOADING_S + sum(SECONDS[stage] for stage in (*stages, *once)))
    for text in ("18 jobs", "of the order of", f"{phi} for phi", f"{around} for all but phi"):
        assert text in told
    more = LOADING_S + sum(SECONDS[stage] for stage in (*stages, *once)) + 2 * SECONDS["macro"] + SECONDS["nulls"]
    assert f"{span(more)} for all but phi" in plan(study(tmp_path, 10, (3, 2, 1)))


def jobs_of_snakemake(folder: Path, study: Path, data: Path | None = None) -> dict[str, int]:
    """Jobs that a first run would have, as Snakemake counts them."""
    config = [f"study={study}", *([f"data={data}"] if data else [])]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)),
            *("--dry-run", "--cores", "1", "--config", *config),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    table = (done.stdout + done.stderr).partition("Job stats:")[2].partition("total")[0]
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


def with_state_codes_and_truth(folder: Path) -> Path:
    """Write a study of three recordings: one with state codes, one whose codes cannot be read, one with a truth."""
    study(folder, state_codes={"codes": {1: "awake", 2: "sleep"}})
    np.save(folder / "r.npy", np.zeros((9, 3)))
    np.save(folder / "codes.npy", np.repeat([1, 2], 40))
    (folder / "t.truth.json").write_text("{}")
    (folder / "recordings.tsv").write_text(
        "recording\tsubject\tpath\tformat\trate_hz\tstate_codes\tstate_rate_hz\ttruth\n"
        "r\ts\tr.npy\tnpy\t1\tcodes.npy\t1\t\n"
        "broken\ts\tr.npy\tnpy\t1\tnone.npy\t1\t\n"
        "known\ts2\tr.npy\tnpy\t1\t\t\tt.truth.json\n"
    )
    return folder


def one_condition_each(folder: Path, grouping: str) -> Path:
    """Write a study of two subjects whose conditions stand in recordings of their own, but for one that holds both."""
    study(folder, scales=(2,), ensembles={"grouping": grouping, "iit": 4})
    names = {"a1": "s", "a2": "s", "b1": "t", "b2": "t", "c": "u"}
    rows = [f"{name}\t{subject}\t{name}.nc\tnetcdf" for name, subject in names.items()]
    (folder / "recordings.tsv").write_text("\n".join(["recording\tsubject\tpath\tformat", *rows]) + "\n")
    held = {"a1": ["awake"], "a2": ["sleep"], "b1": ["awake"], "b2": ["sleep"], "c": ["awake", "sleep"]}
    rows = [f"{r}\t{c}\t{c}\t{300 * i}\t{300 * i + 300}" for r, own in held.items() for i, c in enumerate(own)]
    (folder / "windows.tsv").write_text("\n".join(["recording\twindow\tcondition\tstart_s\tend_s", *rows]) + "\n")
    return folder


@pytest.mark.parametrize(
    ("grouping", "shared"),
    [
        ("recording", {}),
        ("subject", {"shared_units": 3, "shared_macro": 3}),
        ("study", {"shared_units": 1, "shared_macro": 1}),
    ],
)
def test_the_plan_counts_what_recordings_share(tmp_path: Path, grouping: str, shared: dict[str, int]) -> None:
    path = one_condition_each(tmp_path, grouping)
    found = targets.jobs(Study.load(path))
    assert found == jobs_of_snakemake(tmp_path, path)
    assert {stage: found[stage] for stage in found if stage.startswith("shared")} == shared
    assert found["lengths"] == 4  # those of the recording with both conditions are matched within it


@pytest.mark.parametrize("which", ["demo", "codes and truth", "no macro scale"])
def test_the_plan_counts_the_jobs_that_snakemake_counts(tmp_path: Path, which: str) -> None:
    path = ROOT / "config" / "demo" / "study.yaml"
    if which == "codes and truth":
        path = with_state_codes_and_truth(tmp_path)
    elif which == "no macro scale":
        study(tmp_path, scales=())
        path = tmp_path
    assert targets.jobs(Study.load(path)) == jobs_of_snakemake(tmp_path, path)


def test_the_plan_counts_the_jobs_of_mouse_sleep(tmp_path: Path, data_dir: Path) -> None:
    path, data = ROOT / "config" / "examples" / "mouse-sleep", data_dir / "mouse_sleep_mch"
    jobs = targets.jobs(Study.load(path, data))
    assert jobs == jobs_of_snakemake(tmp_path, path, data)
    assert sum(jobs.values()) == 16 * 11 + 2 * 2 + 7  # units and macro units of two mice


def test_every_stage_has_its_seconds() -> None:
    stages = {path.stem for path in (ROOT / "pipeline" / "workflow" / "stages").glob("[a-z]*.py")}
    assert stages <= set(SECONDS)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (34, "30 s"), (95, "2 min"), (1234, "20 min"), (7300, "2 h"), (4e6, "50 days")],
)
def test_durations_have_one_digit(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_hierarchies_are_counted_and_their_time_is_told(tmp_path: Path) -> None:
    without, learned = study(tmp_path), study(tmp_path, encoder={"seeds": 2, "surrogates": 5, "nulls": ["brownian"]})
    more = {name: n - targets.jobs(without).get(name, 0) for name, n in targets.jobs(learned).items()}
    assert {name: n for name, n in more.items() if n} == {
        **{"encode": 1, "ensembles": 1, "macro_model": 1, "multiscale": 1}
    }
    assert targets.learned_systems(learned) == ["macro_model-8", "macro_model-4", "macro_model-2"]
    assert targets.learned_systems(without) == []
    assert targets.macro_models(learned, ["r:macro_model"], ["r"]) == targets.joint(learned, ["r:macro_model"]) == []
    few = study(tmp_path, encoder={"macro_scales": []})
    assert "macro_model" not in targets.jobs(few)
    assert window_seconds(learned)[0] > window_seconds(few)[0] == window_seconds(without)[0]
    assert targets.encoded(without) == []
    assert targets.encoded(learned, ["r:encoder"]) == []
    encoder = learned.parameters.encoder
    assert encoder is not None
    assert encoder_seconds(None) == 0
    assert encoder_seconds(encoder) == pytest.approx(14 * 600 * 0.057, rel=0.01)  # 2 × (1 + 1 + 5) models of 600 steps
