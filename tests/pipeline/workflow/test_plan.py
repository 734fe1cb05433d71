"""The cost that `phiscale check` tells: jobs to start, and phi in all states of all draws and surrogates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from iitcore import estimate_cost
from pipeline.study.study import Study
from pipeline.workflow.plan import SECONDS_PER_JOB, plan, span, window_seconds

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


def test_draws_and_surrogates_cost_as_much_as_the_estimate_each(tmp_path: Path) -> None:
    alone = window_seconds(study(tmp_path, 8, **BARE))[0]
    many = BARE | {
        "tpm": {"draws": 10},
        "nulls": {
            "kinds": ["shift", "transition_shuffle"],
            "surrogates": 20,
            "big_phi_surrogates": 0,
        },
    }
    more = window_seconds(study(tmp_path, 8, **many))[0]
    assert more - alone == pytest.approx(estimate_cost(8, "phi_s", 50 * 256).seconds)


def test_structures_are_counted_up_to_their_limit(tmp_path: Path) -> None:
    without = window_seconds(study(tmp_path, 6, iit={"big_phi_max_units": 5}))[0]
    unfolded = window_seconds(study(tmp_path, 6, iit={"big_phi_max_units": 6}))[0]
    structures = (1 + 20 + 20) * 64 + 3
    expected = estimate_cost(6, "structure", structures).seconds
    assert unfolded - without == pytest.approx(expected)


def test_the_plan_grows_with_the_units_and_says_how_sure_it_is(tmp_path: Path) -> None:
    costs = [window_seconds(study(tmp_path, n, (2,))) for n in (3, 4, 5, 10)]
    assert costs == sorted(costs)
    assert costs[-1][0] > 300
    assert all(hard > typical for typical, hard in costs)
    told = plan(study(tmp_path, 10, (2,)))
    phi = span(2 * costs[-1][0])
    start = span((6 + 2 * 6 + 3) * SECONDS_PER_JOB)
    for text in ("about 21 jobs", "of the order of", f"{phi} for phi", f"{start} to start them"):
        assert text in told


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "1 s"), (34, "30 s"), (95, "2 min"), (1234, "20 min"), (7300, "2 h"), (4e6, "50 days")],
)
def test_durations_have_one_digit(seconds: float, text: str) -> None:
    assert span(seconds) == text
