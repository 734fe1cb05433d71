"""The methods text of many studies, word by word, and what it cites.

`methods_texts.json` holds, per case, the paragraphs that differ from those of the case `defaults`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.binarize.registry import BINARIZERS
from pipeline.inference import flags as inference
from pipeline.integration import flags as integration
from pipeline.macro import flags as macro
from pipeline.nulls.registry import FAMILIES, NULLS
from pipeline.report import methods
from pipeline.report.words.glossary import FLAGS, NULL_NAMES
from pipeline.study.parameters import Parameters
from pipeline.tpm import flags as tpm
from pipeline.tpm.registry import ESTIMATORS

TEXTS = json.loads((Path(__file__).parent / "methods_texts.json").read_text())
CASES = {case["name"]: case for case in TEXTS["cases"]}


def study_of(fields: dict[str, Any], facts: str = "many") -> Any:
    known = TEXTS["facts"][facts]
    parameters = Parameters.model_validate(fields).model_dump(mode="json")
    return SimpleNamespace(
        parameters=parameters,
        conditions=parameters["conditions"],
        analysed=known["analysed"],
        truths={name: {} for name in known["truths"]},
        subjects=known["subjects"],
        provenance=known["provenance"],
    )


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_a_study(name: str) -> None:
    case = CASES[name]
    study = study_of(case["fields"], case["facts"])
    written = methods.paragraphs(study)
    expected = CASES["defaults"]["text"] | case["text"]
    assert dict(written) == expected
    assert [heading for heading, _ in written] == list(CASES["defaults"]["text"])
    listed = list(methods.references(study))
    assert listed[: len(TEXTS["references"])] == TEXTS["references"]  # then those that chosen entries add


@pytest.mark.parametrize("kind", NULLS)
def test_every_null_is_told_and_what_it_names_is_cited(kind: str) -> None:
    study = study_of(CASES["defaults"]["fields"] | {"nulls": {"kinds": [kind]}})
    text = dict(methods.paragraphs(study))["Nulls"]
    listed = methods.references(study)
    assert NULLS[kind].methods in text
    for reference in NULLS[kind].references:
        assert f"[{listed.index(reference) + 1}]" in text
    found = [marks for _, words in methods.paragraphs(study) for marks in re.findall(r"\[([\d,]+)\]", words)]
    cited = {int(n) for n in ",".join(found).split(",")}
    assert max(cited) <= len(listed)
    assert set(range(len(TEXTS["references"]) + 1, len(listed) + 1)) <= cited


@pytest.mark.parametrize("formalism", ["2026", "2026-specified"])
def test_another_formalism_is_named(formalism: str) -> None:
    heading = "Integrated information"
    first, later = (
        dict(methods.paragraphs(study_of(CASES["defaults"]["fields"] | {"iit": {"formalism": f}})))[heading]
        for f in ("2023", formalism)
    )
    assert "version of 2026" in later
    assert "version of" not in first
    assert ("specified states" in later) == (formalism == "2026-specified")


def test_flags_and_names_of_nulls_come_from_those_who_set_them() -> None:
    for entry in (*ESTIMATORS.values(), *FAMILIES.values(), *BINARIZERS.values()):
        assert entry.flags.items() <= FLAGS.items()
    owners = [module.FLAGS for module in (tpm, macro, integration, inference)]
    assert len(set().union(*owners)) == sum(map(len, owners))  # one owner each
    assert {"few_frames", "reducible_within", "units_differ", "imprecise", "short_shift"} <= set(FLAGS)
    assert NULL_NAMES["interaction"] == "units shifted in time"
    assert NULL_NAMES["random_grouping"] == "matched random groupings"


def test_scales_objective_and_search_of_macro_units_are_told() -> None:
    def told(**fields: Any) -> str:
        return dict(methods.paragraphs(study_of(CASES["defaults"]["fields"] | fields)))["Macro units"]

    one, every = told(), told(macro={"scales": "all"}, ensembles={"iit": 4})
    assert "single-step maxT" not in one
    assert "At the scales of 3, 2 and 1 macro units" in every
    assert "single-step maxT" in every
    assert "merges the best groupings" not in every
    assert "merges the best groupings" in told(ensembles={"iit": 8})
    by_phi = told(macro={"objective": "phi_s"})
    assert "climbs by φ_s of the macro units" in by_phi
    assert "largest mean φ_s over the windows" in by_phi
