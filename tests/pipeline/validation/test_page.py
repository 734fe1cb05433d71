"""The page of the validation, from tables as small as they can be."""

import csv
import math

import pytest

from pipeline.validation.cells import STUDIES
from pipeline.validation.counts import Count, verdict
from pipeline.validation.coverage import columns_of
from pipeline.validation.page import DOCS, END, START, bar_of, main, page, tables_of


def write(folder, study, rows):
    folder.mkdir(exist_ok=True)
    with (folder / f"{study}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns_of(study), restval="")
        writer.writeheader()
        writer.writerows(rows)


def key(case, seed, imaging="states", estimator="average"):
    return {"case": case, "length": 2000, "imaging": imaging, "estimator": estimator, "seed": seed} | EFFORT


EFFORT = {"draws": 200, "copies": 20, "surrogates": 19, "seconds": 2.0}


def told(measure, truth, value, low, high):
    return {f"{measure}_{part}": x for part, x in {"truth": truth, "value": value, "low": low, "high": high}.items()}


@pytest.fixture
def made(tmp_path):
    """Of ten recordings: phi_s held in nine, Φ given in one; p at most .05 in one of four; three of four recovered."""
    rows = [key("awake", s) | told("phi_s_observational", 0.2, 0.1, 0.05, 0.15 if s == 3 else 0.3) for s in range(10)]
    rows = [row | told("phi_s", 0.2, 0.25, 0.1, 0.3) | {"p_positive": 1, "flag": "corrected;imprecise"} for row in rows]
    rows[0] |= told("big_phi", 10, 12, 11, 13)
    rows += [key("chain", s) | told("phi_s", 0, 0.1, 0, 0.2) | {"p_positive": 0.6 * (s == 0)} for s in range(4)]
    write(tmp_path / "small", "coverage", rows)
    write(tmp_path / "small", "nulls", [key("drift", s) | {"p": 0.05 if s == 0 else 0.5} for s in range(4)])
    write(
        tmp_path / "small",
        "groupings",
        [key("awake", s) | {"recovered": int(s > 0), "with_mapping": 0} for s in range(4)],
    )
    write(
        tmp_path / "small", "cohorts", [key("power", s) | {"p": 0.01 * s, "estimate": 1, "truth": 2} for s in range(10)]
    )
    best = [key("awake", s, estimator="true model") | {"low": 0.15, "high": 0.25 if s else 0.19} for s in range(4)]
    write(tmp_path / "small", "reference", best)
    return tmp_path


def line(text, section, start):
    part = text.split(f"### {section}\n")[1].split("###")[0]
    return next(row for row in part.splitlines() if row.startswith(start))


def test_the_page_says_what_the_tables_hold(made):
    main([str(made / "small"), "--out", str(made)])
    text = (made / "validation.md").read_text()
    row = line(text, "Intervals of phi_s, observational", "| awake")
    assert "| 10 of 10 | 9 of 10 [.55, 1.00] | as before | 0.2000 | -50% | 118% |" in row
    bars = [row for row in text.split("### Intervals\n")[0].splitlines() if "observational" in row]
    assert [row.split("average ")[1] for row in bars] == [
        "| 9 of 10 [.55, 1.00] | ≥ .88 | met, open | 1 of 1; 9 of 9 |"
    ]
    assert "| 1 of 10 | 0 of 1 [.00, .97] |" in line(text, "Intervals of Φ", "| awake")
    assert "3 of 4 [.19, .99] | ≥ .88 | short by .13, open" in text
    assert "1 of 4 [.01, .81] | ≤ .09 | above by .16, open" in text
    assert "| power | 2000 | average | 6 of 10 [.26, .88] | 1.0000 | 2.0000 |" in text
    assert "6 of 10 [.26, .88] | ≥ .75 | short by .15, open" in text
    assert "| 3 of 4 [.19, .99] | 0 of 4 [.00, .60] |" in line(text, "Groupings into two macro units", "| awake")
    assert "`imprecise` 10" in line(text, "Flags beside these values", "| awake")
    assert text.count("`python -m pipeline.validation.coverage --small nulls`") == 1


def test_widths_stand_beside_those_of_the_true_model(made):
    main([str(made / "small"), "--out", str(made)])
    text = (made / "validation.md").read_text()
    row = line(text, "Width of intervals of phi_s", "| awake")
    assert "| 4 | 0.2000 | 0.0850 | 2.35 | 3 of 4" in row
    bars = text.split("### What is asked for")[1].split("###")[0]
    assert next(r for r in bars.splitlines() if "relative to the true model" in r).endswith("above by 0.35 | - |")


def test_the_page_has_its_tables_and_figures_beside_it(made):
    main([str(made / "small"), "--out", str(made)])
    beside = sorted(path.name for path in (made / "validation").iterdir())
    figures = ["attenuation.svg", "coverage.svg", "nulls.svg"]
    assert beside == sorted([*figures, *(f"{study}.csv" for study in STUDIES)])
    text = (made / "validation.md").read_text()
    assert all(f"(validation/{name})" in text for name in figures)
    before = {name: (made / "validation" / name).read_bytes() for name in beside}
    main([str(made / "small"), "--out", str(made)])
    assert before == {name: (made / "validation" / name).read_bytes() for name in beside}


def test_what_was_written_by_hand_is_kept_and_the_rest_is_made_anew(made):
    path = made / "validation.md"
    path.write_text(f"# Ours\n\nwords before\n\n{START}\n\nold numbers\n\n{END}\n\nwords after\n")
    main([str(made / "small"), "--out", str(made)])
    once = path.read_text()
    assert once.startswith(f"# Ours\n\nwords before\n\n{START}\n\n### What is asked for")
    assert once.endswith(f"{END}\n\nwords after\n"), once[-200:]
    assert "old numbers" not in once
    main([str(made / "small"), "--out", str(made)])
    assert path.read_text() == once


def test_the_page_in_the_docs_is_that_of_the_tables_beside_it():
    text = (DOCS / "validation.md").read_text()
    size = "full" if "--full" in text else "small"
    assert page(text, tables_of(DOCS / "validation"), size) == text


def test_tables_that_were_not_made_are_left_out(tmp_path):
    write(tmp_path / "full", "groupings", [key("awake", 0) | {"recovered": 1, "with_mapping": 1}])
    main([str(tmp_path / "full"), "--out", str(tmp_path)])
    text = (tmp_path / "validation.md").read_text()
    assert text.count("###") == 1
    assert "--full groupings" in text


def test_bars_are_asked_where_they_are_set():
    assert bar_of("gates", "states", "phi_s_observational") == 0.88
    assert bar_of("chain", "states", "phi_s_observational") is None
    assert bar_of("awake", "3 Hz", "phi_s") == 0.7
    assert bar_of("anesthesia", "3 Hz", "phi_s") is None


def test_a_count_that_chance_explains_is_told_from_one_that_it_does_not():
    assert verdict(Count(8, 10), 0.88) == "short by .08, open"
    assert verdict(Count(80, 100), 0.95) == "short by .15"
    assert verdict(Count(0, 0), 0.9) == "none given"
    assert math.isnan(Count(0, 0).share)
