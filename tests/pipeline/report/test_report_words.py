"""What the report says in words: the verdict never claims more than the tables support."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.binarize.registry import BINARIZERS
from pipeline.inference.contrasts import compare
from pipeline.inference.corrections import correct
from pipeline.inference.families import subjects_and_flips_needed
from pipeline.inference.parameters import Primary
from pipeline.report import methods
from pipeline.report.figures import scales
from pipeline.report.figures.axes import Linear, Logarithmic, reaching
from pipeline.report.figures.plot import Plot
from pipeline.report.findings import Findings
from pipeline.report.words import endpoint, first_screen, headline, limits
from pipeline.report.words.glossary import count, number, probability
from pipeline.report.words.testing import how_tested, what_it_takes
from pipeline.results import provenance
from pipeline.results.columns import COMPARISON_COLUMNS as COMPARISON
from pipeline.results.columns import NULL_COLUMNS as NULLS
from pipeline.results.columns import SUMMARY_COLUMNS as SUMMARY
from pipeline.study.parameters import Parameters
from pipeline.tpm.registry import ESTIMATORS


def corrected(row: dict[str, Any], smallest: float, tests: int, correction: str = "holm") -> dict[str, Any]:
    """A row of comparison.csv among so many tests that can all give the same p."""
    subjects, flips = subjects_and_flips_needed(tests, correction, 10000)
    least = correct([smallest] * tests, correction)[0]
    return row | {
        **{"smallest_p": smallest, "smallest_p_corrected": least, "n_tests": tests, "correction": correction},
        **{"n_subjects_needed": subjects, "n_flips_needed": flips, "n_subjects_short": 0, "confidence": 0.95},
        **{"role": "primary" if tests == 1 else "secondary", "adjusted": "raw"},
    }


def study(
    folder: Path,
    values: dict[str, list[float]],
    contrast: tuple[float, float, float, float, float] | None = None,
    null_p: float | None = None,
    surrogates: int = 100,
) -> Findings:
    """A study whose phi_s per condition and subject are `values`; contrast: (estimate, low, high, p, corrected)."""
    head = {"scale": 4, "route": "micro", "measure": "phi_s"}
    about = {"n_frames": 300, "n_states_visited": 9, "estimator": "logistic", "flag": ""}
    rows = [
        head | about | {"recording": f"r{i}", "subject": f"s{i}", "condition": c, "window": c, "value": v}
        for c, per_subject in values.items()
        for i, v in enumerate(per_subject)
    ]
    pd.DataFrame(rows, columns=list(SUMMARY)).to_csv(folder / "summary.csv", index=False)
    test = {
        "null": "integration",
        "mean": 0.1,
        "sd": 0.02,
        "z": 1.0,
        "p": null_p,
        "excess": 0.1,
        "n_surrogates": surrogates,
    }
    nulls = [head | test | {key: r[key] for key in ("recording", "window")} for r in rows if null_p is not None]
    pd.DataFrame(nulls, columns=list(NULLS)).to_csv(folder / "nulls.csv", index=False)
    n = len(next(iter(values.values())))
    names = list(values)
    numbers = dict(zip(("estimate", "ci_low", "ci_high", "p", "p_corrected"), contrast or (), strict=False))
    row = {"measure": "phi_s", "scale": 4, "route": "micro", "contrast": "-".join(names[:2]), "n_subjects": n}
    tests = [corrected(row | numbers, 2 / 2**n if np.isfinite(numbers["p"]) else np.nan, 1)] if contrast else []
    pd.DataFrame(tests, columns=list(COMPARISON)).to_csv(folder / "comparison.csv", index=False)
    windows = pd.DataFrame(
        [
            {
                "recording": r["recording"],
                "window": r["window"],
                "condition": r["condition"],
                "start_s": 0.0,
                "end_s": 150.0,
            }
            for r in rows
        ]
    )
    recordings = pd.DataFrame({"recording": [f"r{i}" for i in range(n)], "subject": [f"s{i}" for i in range(n)]})
    parameters = Parameters(study="words", conditions=names).model_dump(mode="json")
    return Findings(folder, parameters, [], windows, recordings)


@pytest.fixture
def study_of_two(tmp_path: Path) -> Findings:
    """A study with phi_s and phi_s_common."""
    made = study(tmp_path, {"awake": [2.0] * 3, "asleep": [1.0] * 3}, (1.0, 0.8, 1.2, 0.25, 0.5))
    both = pd.concat([made.comparison, made.comparison.assign(measure="phi_s_common")])
    both.to_csv(tmp_path / "comparison.csv", index=False)
    return Findings(tmp_path, made.parameters, [], made.windows, made.recordings)


def told(made: Findings) -> str:
    """The first screen, and what is said of the tests."""
    screen = (f"{question} {sentence}" for question, sentence in first_screen.questions(made))
    return " ".join([*screen, *endpoint.primary_sentences(made), *endpoint.secondary_sentences(made)])


def test_significant_is_called_so(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0] * 8, "asleep": [1.0] * 8}, (1.0, 0.8, 1.2, 0.0078, 0.03), 0.01)
    text = told(made)
    assert "phi_s is lower in asleep than in awake, by 1.00 ibit [0.800, 1.20] at 4 micro units (the primary" in text
    assert "In order of phi_s: awake > asleep at 4 micro units." in text
    assert "How sure? The difference is significant (p = 0.008 across 8 subjects)" in text
    assert (
        "The primary endpoint (phi_s at 4 micro units, awake − asleep) is 1.00 ibit [0.800, 1.20], p = 0.008 across 8 "
        "subjects: the difference is significant."
    ) in text
    assert "16 of 16 values of phi_s exceed their null" in text


def test_three_subjects_cannot_be_significant_and_the_page_says_so(tmp_path: Path) -> None:
    text = told(study(tmp_path, {"awake": [2.0] * 3, "asleep": [1.0] * 3}, (1.0, 0.8, 1.2, 0.25, 0.25), 0.01))
    assert "cannot give a p below 0.25" in text
    assert "not as proof for the population" in text
    assert (
        "A direction in these subjects, not proof: p = 0.25 across 3 subjects, and none below 0.25 is possible" in text
    )
    assert "What would change it? At least 6 subjects with both conditions, which p ≤ 0.05 takes" in text
    assert "significant (" not in text


def test_correction_can_put_significance_out_of_reach(tmp_path: Path) -> None:
    """Six subjects give p = 0.031, but Holm multiplies the smallest of 21 by 21: the primary endpoint is spared."""
    made = study(tmp_path, {"awake": [2.0] * 6, "asleep": [1.0] * 6}, (1.0, 0.8, 1.2, 0.03125, 0.03125), 0.01)
    assert "the difference is significant" in told(made)
    row = made.comparison.iloc[0].to_dict()
    others = [row | {"contrast": "asleep-awake", "measure": name} for name in ("phi_s", *map(str, range(20)))]
    table = [row, *(corrected(other | {"p_corrected": 0.66}, row["smallest_p"], 21) for other in others)]
    pd.DataFrame(table).to_csv(tmp_path / "comparison.csv", index=False)
    again = Findings(tmp_path, made.parameters, [], made.windows, made.recordings)
    assert (
        "0 of 1 secondary contrasts of phi_s are significant after correction for the 21 tests of the study, of which "
        "none can be: the least corrected p is 0.656"
    ) in told(again)
    text = " ".join(limits.limits(again, []))
    assert "No secondary test can reach, corrected for 21, p = 0.05" in text
    assert "at least 10 subjects with both conditions, or fewer measures and scales" in text
    assert "The primary endpoint cannot reach" not in text


def test_what_is_left_of_the_primary_difference_is_told(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0] * 8, "asleep": [1.0] * 8}, (1.0, 0.8, 1.2, 0.0078, 0.0078), 0.01)
    row = made.comparison.iloc[0].to_dict() | {"role": "adjusted"}
    changes = {
        "matched_length": {"estimate": 0.9, "p": 0.0078},
        "matched_rate": {"estimate": 0.3, "ci_low": -0.1, "ci_high": 0.7, "p": 0.2},
        "excess_over_null": {"estimate": -0.1, "ci_low": -0.2, "ci_high": 0.1, "p": 0.6},
    }
    rows = [row | {"adjusted": name} | change for name, change in changes.items()]
    mixed = {"mixed": "fitted", "mixed_estimate": 1.0, "mixed_low": 0.7, "mixed_high": 1.3, "mixed_p": 0.002}
    first = made.comparison.assign(**mixed)
    pd.concat([first, pd.DataFrame(rows)]).to_csv(tmp_path / "comparison.csv", index=False)
    apart = {"contrast": "awake-asleep", "n_subjects": 8, "chance": 0.5, "smallest_p": 1 / 128, "n_permutations": 128}
    scores = [{"features": "phi_s", "accuracy": 0.875, "p": 0.01}, {"features": "rate", "accuracy": 0.5, "p": 0.6}]
    pd.DataFrame([apart | score for score in scores]).to_csv(tmp_path / "classification.csv", index=False)
    text = told(Findings(tmp_path, made.parameters, [], made.windows, made.recordings))
    for said in (
        "With windows of the same length it is 0.900 ibit [0.800, 1.20], p = 0.008: it survives.",
        "event rate it is 0.300 ibit [−0.100, 0.700], p = 0.2: it keeps its sign, but is not shown any more.",
        "In excess over the null it is −0.100 ibit [−0.200, 0.100], p = 0.6: it does not survive.",
        "A linear mixed model of the same values gives 1.00 ibit [0.700, 1.30], p = 0.002.",
        "told apart in 87.5% of the values by phi_s (p = 0.01) and in 50.0% by the event rate alone (p = 0.6)",
        "The difference does not survive the same event rate and taking the null away.",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("tests", "permutations", "said"),
    [
        (1, 10000, "at least 6 subjects with both conditions"),
        (21, 10000, "at least 10 subjects with both conditions, or fewer measures and scales, chosen beforehand"),
        (21, 100, "at least 10 subjects with both conditions and at least 419 permutations, or fewer"),
    ],
)
def test_what_is_needed_is_said_in_full(tests: int, permutations: int, said: str) -> None:
    subjects, flips = subjects_and_flips_needed(tests, "holm", permutations)
    row = {"n_subjects_needed": subjects, "n_flips_needed": flips, "correction": "holm", "n_tests": tests}
    assert what_it_takes(SimpleNamespace(**row)).startswith(said)


def test_the_same_occupancy_leaves_no_claim_of_mechanism(study_of_two: Findings) -> None:
    text = " ".join(s for a in headline.answers(study_of_two) for s in a.sentences)
    assert "a difference of the observed transition probabilities" in text
    assert "mechanism" not in text


def test_suggested_where_the_test_could_decide_but_does_not(tmp_path: Path) -> None:
    text = told(study(tmp_path, {"awake": [2.0] * 8, "asleep": [1.0] * 8}, (1.0, 0.1, 1.9, 0.06, 0.06), 0.01))
    assert "suggested, not shown" in text


def test_interval_over_zero_is_no_support(tmp_path: Path) -> None:
    text = told(study(tmp_path, {"awake": [1.1] * 8, "asleep": [1.0] * 8}, (0.1, -0.2, 0.4, 0.6, 0.6), 0.5))
    assert "the difference is not shown: the data do not support it" in text
    assert "What does the state do? No difference in phi_s is shown: awake − asleep is 0.100 ibit [−0.200" in text
    assert "0 of 16 values" in text


def test_significant_alone_is_not_enough_where_the_interval_disagrees(tmp_path: Path) -> None:
    text = told(study(tmp_path, {"awake": [1.1] * 8, "asleep": [1.0] * 8}, (0.1, -0.01, 0.4, 0.01, 0.04), 0.5))
    assert "though the interval over subjects does not exclude zero" in text


def test_one_subject_is_described_not_tested(tmp_path: Path) -> None:
    text = told(study(tmp_path, {"awake": [2.0], "asleep": [1.0]}, (1.0, np.nan, np.nan, 1.0, 1.0)))
    assert "described, not tested" in text
    assert "no null was computed" in text


def test_no_subject_with_both_conditions(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0, 2.1], "asleep": [1.0, 1.1]}, (np.nan,) * 5)
    assert "cannot be tested" in told(made)


def test_single_condition_compares_nothing(tmp_path: Path) -> None:
    text = told(study(tmp_path, {"awake": [2.0, 2.2]}))
    assert "nothing is compared" in text
    assert "2.10 ibit" in text


def test_a_value_that_cannot_be_believed_is_not_on_the_first_screen(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0, 2.2]})
    made.summary.assign(flag="imprecise").to_csv(tmp_path / "summary.csv", index=False)
    text = told(Findings(tmp_path, made.parameters, [], made.windows, made.recordings))
    assert "phi_s is too imprecise to say at 4 micro units" in text
    assert "2.10" not in text


def test_a_null_that_asks_something_else_is_named(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0, 2.2]}, null_p=0.01)
    made.nulls.assign(null="interaction").to_csv(tmp_path / "nulls.csv", index=False)
    text = told(Findings(tmp_path, made.parameters, [], made.windows, made.recordings))
    assert "(integration) was not computed, only “" in text


def test_too_few_surrogates_are_a_comparison_not_a_test(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0, 2.2]}, null_p=1 / 3, surrogates=2)
    assert "Too few surrogates (at most 2) to test phi_s against a null" in told(made)
    sentence = headline.answers(made)[0].sentences[-1]
    assert "above all of the 2 surrogates" in sentence
    assert "awake 2 of 2" in sentence
    assert "cannot fall below 0.333" in sentence


def test_another_order_by_big_phi_is_told(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0] * 3, "asleep": [1.0] * 3})
    rows = made.summary.assign(measure="big_phi", value=-made.summary["value"])
    pd.concat([made.summary, rows]).to_csv(tmp_path / "summary.csv", index=False)
    again = Findings(tmp_path, made.parameters, [], made.windows, made.recordings)
    [answer] = headline.answers(again)
    assert "another order than by phi_s" in " ".join(answer.sentences)


def said_of(differences: list[float], **options: Any) -> str:
    """How a contrast with such differences of its subjects was tested, in words."""
    rows = [
        {
            "subject": f"s{i}",
            "condition": c,
            "value": v,
            "n_frames": 9,
            "scale": 4,
            "route": "micro",
            "measure": "phi_s",
        }
        for i, d in enumerate(differences)
        for c, v in (("a", d), ("b", 0.0))
    ]
    table = compare(pd.DataFrame(rows, columns=SUMMARY), [("a", "b")], **options)
    return how_tested(next(table[table["measure"] == "phi_s"].itertuples()))


def test_the_test_is_said_in_words() -> None:
    assert said_of([0.1, 0.2, 0.6]) == (
        "sign-flip permutation across 3 subjects, all 8 flips, smallest attainable p 0.25; 95% interval from all 27 "
        "bootstrap resamples of subjects, stretched to Student's t with 2 df; the primary endpoint, tested alone"
    )
    other = Primary(measure="big_phi")
    assert said_of([0.1, 0.2, 0.6], primary=other).endswith(
        "; Holm over 1 secondary tests of the study, smallest attainable p after correction 0.25"
    )
    many = said_of([0.1] * 8, permutations=200, bootstrap=300, correction="none", confidence=0.9, primary=other)
    assert "200 random flips, smallest attainable p 0.004975; 90% interval from 300 bootstrap" in many
    assert many.endswith("; no correction over 1 secondary tests of the study")
    assert "where it alone does" in said_of([0.1] * 3, correction="fdr", primary=other)
    assert "across 1 subject, all 2 flips" in said_of([0.4])
    assert "no interval: one subject says nothing about the spread" in said_of([0.4])
    assert said_of([np.nan]) == "no subject has a value in both conditions; the primary endpoint, tested alone"


def test_limits_name_what_is_weak(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0] * 3, "asleep": [1.0] * 3}, (1.0, 0.8, 1.2, 0.25, 0.25), 0.4)
    text = " ".join(limits.limits(made, []))
    assert text.startswith("Nothing was perturbed.")
    assert (
        "smallest p that the sign-flip test can give is 0.25. The primary endpoint cannot reach p = 0.05; that would "
        "take at least 6 subjects"
    ) in text
    assert "6 of 6 values of phi_s are not distinguishable from their null" in text


def test_methods_follow_the_parameters(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0]})
    made.parameters["binarize"] |= {"method": "quantile", "quantile": 0.9, "match_length": False}
    made.parameters["tpm"] |= {"method": "beta", "prior": 0.5, "lag": 2}
    made.parameters["compare"] |= {"correction": "fdr", "confidence": 0.9}
    made.parameters["preprocess"] |= {"kind": "dff", "detrend": "linear", "resample_hz": 5.0}
    text = " ".join(t for _, t in methods.paragraphs(made))
    for part in (
        "exceeded the 0.9 quantile",
        "not matched in length",
        "Beta(0.5, 0.5)",
        "2 bins earlier",
        "Benjamini-Hochberg",
        "(90%)",
        "held ΔF/F",
        "linear trend",
        "resampled to 5 Hz",
    ):
        assert part in text, part


@pytest.mark.parametrize("method", ["quantile", "median", "zscore", "otsu", "hmm", "events"])
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_methods_have_words_for_every_choice(tmp_path: Path, method: str, estimator: str) -> None:
    made = study(tmp_path, {"awake": [2.0]})
    own = BINARIZERS[method].Parameters().model_dump()
    made.parameters["binarize"] |= {"method": method, **own}
    made.parameters["tpm"] |= {"method": estimator, **ESTIMATORS[estimator].Parameters().model_dump()}
    assert all("{" not in text for _, text in methods.paragraphs(made))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.2974, "0.297"), (-0.5, "−0.500"), (1.0, "1.00"), (0, "0"), (np.nan, "–"), (None, "–")),
        *((123456.0, "123456"), (0.00001234, "1.2e−05"), (999.96, "1000"), (12.345, "12.3")),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_probabilities_and_counts() -> None:
    assert [probability(p) for p in (1.0, 0.25, 0.0004, np.nan)] == ["1", "0.25", "< 0.001", "–"]
    assert [count(v) for v in (399.0, np.nan, None)] == ["399", "–", "–"]


def test_provenance_has_versions_seed_and_checksums() -> None:
    made = provenance.collect(
        {"study": "s", "seed": 7},
        [{"recording": "r", "source": "r.csv", "sha256": "ab", "path": "secret/r.csv"}],
        started="2026-01-01T00:00:00+00:00",
    )
    assert made["seed"] == 7
    assert made["inputs"] == [{"recording": "r", "source": "r.csv", "sha256": "ab"}]
    assert made["packages"]["numpy"] == np.__version__
    assert made["started"] == "2026-01-01T00:00:00+00:00" < made["finished"]


def test_values_that_the_data_do_not_carry_are_counted(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0] * 3, "asleep": [1.0] * 3}, (1.0, 0.8, 1.2, 0.25, 0.5))
    assert "imprecise" not in told(made)
    flags = ["few_frames;imprecise", "imprecise", "", "few_frames", "", ""]
    made.summary.assign(flag=flags).to_csv(tmp_path / "summary.csv", index=False)
    again = Findings(tmp_path, made.parameters, [], made.windows, made.recordings)
    text = told(again)
    assert "What is absent? 2 of 6 values of phi_s, whose interval is wider than the value." in text
    assert "In awake phi_s is imprecise at 4 micro units" in text
    assert "In order of phi_s" not in text
    assert "cannot be ordered" in text


def test_table_figure_and_sentence_have_the_same_value_of_a_subject(tmp_path: Path) -> None:
    """A short window beside a long one: 1.0 where it is left out, 1.73 where it is averaged in."""
    flag = "few_frames;unvisited_states:3"
    windows = [("awake", "w1", 1000, 1.0, ""), ("awake", "w2", 100, 9.03, flag), ("asleep", "w3", 1000, 0.5, "")]
    head = {"recording": "r", "subject": "s", "scale": 4, "route": "micro", "measure": "phi_s"}
    rows = [
        head | {"condition": c, "window": w, "n_frames": n, "value": v, "flag": f, "ci_low": v, "ci_high": v}
        for c, w, n, v, f in windows
    ]
    summary = pd.DataFrame(rows, columns=SUMMARY)
    summary.to_csv(tmp_path / "summary.csv", index=False)
    compare(summary, [("awake", "asleep")]).to_csv(tmp_path / "comparison.csv", index=False)
    sheet = summary[["recording", "window", "condition"]].assign(start_s=0.0, end_s=9.0)
    parameters = Parameters(study="words", conditions=["awake", "asleep"]).model_dump(mode="json")
    made = Findings(tmp_path, parameters, [], sheet, pd.DataFrame({"recording": ["r"], "subject": ["s"]}))
    assert made.comparison["estimate"].item() == 0.5
    [answer] = headline.answers(made)
    assert "awake 1.00 > asleep 0.500 ibit" in answer.sentences[0]
    [panel] = scales.scales(made).panels
    assert re.findall(r"<title>s, (\w+), 4 micro units: ([\d.]+) ibit", panel.body) == [
        ("awake", "1.00"),
        ("asleep", "0.500"),
    ]
    assert "awake 1.00, asleep 0.500" in scales.alt_text(made, ["phi_s"])


def test_no_subject_with_two_conditions_is_said_among_the_limits(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0, 2.1], "asleep": [1.0, 1.1]}, (np.nan,) * 5)
    assert "No subject has two conditions" in " ".join(limits.limits(made, []))


def test_what_is_imprecise_or_withheld_makes_no_claim_of_an_order(tmp_path: Path) -> None:
    """Φ above awake under anesthesia, where it is not told from its double, is no order."""
    made = study(tmp_path, {"awake": [2.0] * 4, "dozing": [1.5] * 4, "asleep": [1.0] * 4})
    big = made.summary.assign(measure="big_phi")
    big["value"] = big["condition"].map({"awake": 20.0, "dozing": 10.0, "asleep": 300.0})
    big["flag"] = big["condition"].map({"awake": "", "dozing": "", "asleep": "imprecise"})
    pd.concat([made.summary, big]).to_csv(tmp_path / "summary.csv", index=False)
    again = Findings(tmp_path, made.parameters, [], made.windows, made.recordings)
    text = " ".join(s for a in headline.answers(again) for s in a.sentences)
    assert "Φ: awake 20.0 > dozing 10.0 ibit; too imprecise to be ordered in asleep." in text
    away = big.assign(flag="withheld:9_of_16_rows", value=np.nan)
    away.loc[away["condition"] == "awake", "flag"] = "withheld:tenfold"
    pd.concat([made.summary, away]).to_csv(tmp_path / "summary.csv", index=False)
    text = told(Findings(tmp_path, made.parameters, [], made.windows, made.recordings))
    assert "What is absent? 12 of 12 of Φ, which the data cannot carry." in text


def test_an_axis_reaches_what_is_drawn() -> None:
    assert reaching([1.0, -2.0]) == Linear(-2.16, 1.08)
    assert reaching([]) == reaching([np.nan]) == Linear(0.0, 1.0)
    assert [label for _, label in Linear(-0.5, 1.0).ticks()] == ["−0.5", "0", "0.5", "1.0"]
    assert [label for _, label in Logarithmic(0.3, 40.0).ticks()] == ["0.3", "1", "3", "10", "30"]


def test_small_numbers_have_room_beside_the_axis() -> None:
    usual, small = (Plot(Linear(0, 1), Linear(0, high), ylabel="phi_s [ibit]") for high in (1.0, 0.0001))
    assert [label for _, label in small.y.ticks()][1] == "0.00002"
    assert small.left > usual.left


def test_the_scale_that_wins_is_named_unless_it_cannot_be_believed(tmp_path: Path) -> None:
    made = study(tmp_path, {"awake": [2.0] * 2, "asleep": [1.0] * 2})
    micro = made.summary.assign(grain="units", ci_low=0.1, ci_high=0.9)
    macro = micro.assign(route="macro_units", scale=2, grain="accepted", value=micro["value"] + 1)
    macro.loc[macro["condition"] == "asleep", "flag"] = "imprecise"

    def again(*tables: pd.DataFrame) -> str:
        pd.concat(tables).to_csv(tmp_path / "summary.csv", index=False)
        return first_screen.which_scale(Findings(tmp_path, made.parameters, [], made.windows, made.recordings))

    assert again(micro, macro) == (
        "phi_s is largest at 2 macro units in awake (3.00 ibit), among the scales whose units the theory accepts; too "
        "imprecise to say in asleep."
    )
    refused = macro.assign(grain="no units", flag="")
    assert again(micro.assign(grain="accepted"), refused) == (
        "phi_s is largest at 4 micro units in awake (2.00 ibit) and asleep (1.00 ibit), among the scales whose units "
        "the theory accepts. Macro units have more in 4 of 4 windows, but are reducible within, and so no units to it."
    )
    unasked = again(micro.assign(grain=""), macro.assign(grain="unchecked", flag=""))
    assert unasked == (
        "phi_s is largest at 2 macro units in awake (3.00 ibit) and asleep (2.00 ibit) (whether macro units are units "
        "was not asked)."
    )
    nowhere = again(micro.assign(grain="no units"), refused)
    assert nowhere.startswith("No scale whose units the theory accepts has phi_s above 0 in awake and asleep. Macro un")
