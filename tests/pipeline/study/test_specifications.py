"""The grid of a study: its combinations, those that are left out, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.base.errors import PhiscaleError
from pipeline.study.parameters import Parameters
from pipeline.study.specifications import (
    LIGHT_SURROGATES,
    SECTIONS,
    Expanded,
    derived,
    estimand,
    expand,
    multiverse_faults,
)

BIN = {"binarize.bin_s": [0.4, 0.5]}


def study(grid: dict[str, list[Any]], sections: dict[str, Any] | None = None, **fields: Any) -> Parameters:
    content = {"study": "s", "conditions": ["awake", "asleep"], "multiverse": {"grid": grid, **fields}}
    content |= {"binarize": {"method": "events", "bin_s": 0.5}, "tpm": {"method": "logistic"}, "ensembles": {"iit": 4}}
    return Parameters.model_validate(content | (sections or {}))


def names(expanded: Expanded) -> list[str]:
    return [s.name for s in expanded.specifications]


def test_every_combination_is_a_specification_the_study_first() -> None:
    found = expand(study(BIN | {"tpm.lag": [1, 2]}))
    assert names(found) == ["bin_s_0p5_lag_1", "bin_s_0p4_lag_1", "bin_s_0p4_lag_2", "bin_s_0p5_lag_2"]
    assert [s.main for s in found.specifications] == [True, False, False, False]
    parameters = found.parameters["bin_s_0p4_lag_2"]
    assert (parameters.binarize.bin_s, parameters.tpm.lag, parameters.ensembles.iit) == (0.4, 2, 4)
    assert parameters.study == "s"  # seeds and names that depend on it are those of the study
    assert parameters.multiverse is None


def test_the_study_as_it_stands_is_added_where_the_grid_lacks_it() -> None:
    found = expand(study({"binarize.bin_s": [0.3, 0.7]}))
    assert names(found) == ["bin_s_0p5", "bin_s_0p3", "bin_s_0p7"]
    assert found.combinations == 2


def test_names_and_sample_do_not_depend_on_the_order() -> None:
    grid = {"tpm.lag": [1, 2, 3], "ensembles.iit": [3, 4], "binarize.method": ["events", "otsu"]}
    turned = {field: values[::-1] for field, values in list(grid.items())[::-1]}
    assert names(expand(study(grid))) == names(expand(study(turned)))
    assert names(expand(study(grid, sample=4))) == names(expand(study(turned, sample=4)))
    assert len(names(expand(study(grid, sample=4)))) == 5
    assert expand(study(grid, sample=4)).not_drawn == 7


def test_a_field_of_one_method_varies_with_that_method_only() -> None:
    found = expand(study({"binarize.method": ["events", "otsu", "quantile"], "binarize.z": [2, 3]}))
    assert names(found) == ["events_z_3", "events_z_2", "otsu", "quantile"]
    assert sum(found.left_out.values()) + len(found.specifications) == found.combinations == 6
    assert found.left_out == {
        "binarize.z belongs to another method than 'otsu'": 1,
        "binarize.z belongs to another method than 'quantile'": 1,
    }


def test_another_method_begins_with_its_own_defaults() -> None:
    p = study({"binarize.method": ["events", "zscore"]}, {"binarize": {"method": "events", "z": 5.0, "bin_s": 0.7}})
    found = expand(p)
    assert found.parameters["events"].binarize.z == 5.0
    other = found.parameters["zscore"].binarize
    assert (other.z, other.bin_s) == (Parameters.model_validate(_bare("zscore")).binarize.z, 0.7)


def _bare(method: str) -> dict[str, Any]:
    return {"study": "s", "conditions": ["a"], "binarize": {"method": method}}


def test_combinations_that_are_no_study_are_left_out_with_the_reason() -> None:
    found = expand(study({"ensembles.iit": [2, 3, 4], "macro.scales": [[2], [1]]}, light=False))
    assert sum(found.left_out.values()) == 1
    assert "2 macro units cannot be made of 2 units" in next(iter(found.left_out))
    assert "iit_2_scales_2" not in names(found)


def test_values_that_mean_the_same_are_one() -> None:
    found = expand(study({"tpm.lag": [1, "1", 2]}))
    assert names(found) == ["lag_1", "lag_2"]
    assert found.left_out == {"it is the same as another": 1}


def test_light_leaves_out_what_is_not_compared() -> None:
    heavy = {"nulls": {"surrogates": 200}, "macro": {"scales": [2, 3]}}
    light = expand(study(BIN, heavy)).parameters["bin_s_0p4"]
    assert (light.iit.big_phi_max_units, light.iit.complex_max_units, light.macro.scales) == (0, 0, [])
    assert light.nulls.surrogates == LIGHT_SURROGATES
    assert light.tpm == expand(study(BIN, heavy, light=False)).parameters["bin_s_0p4"].tpm
    phi = expand(study(BIN, heavy, measure="big_phi")).parameters["bin_s_0p4"]
    assert phi.iit.big_phi_max_units > 0
    macro = expand(study(BIN, heavy, macro_scale=2)).parameters["bin_s_0p4"]
    assert macro.macro.scales == [2]
    asked = expand(study({"nulls.surrogates": [100, 200]}, heavy)).parameters["surrogates_100"]
    assert asked.nulls.surrogates == 100  # the grid says so
    full = expand(study(BIN, heavy, light=False)).parameters["bin_s_0p5"]
    assert (full.nulls.surrogates, full.macro.scales) == (200, [2, 3])


def test_the_endpoint_is_the_first_contrast_unless_another_is_named() -> None:
    assert expand(study(BIN)).estimand.contrast == ("awake", "asleep")
    named = expand(study(BIN, contrast=["asleep", "awake"], measure="effective_information")).estimand
    assert (named.measure, named.contrast, named.macro_scale) == ("effective_information", ("asleep", "awake"), None)


@pytest.mark.parametrize(
    ("primary", "fields", "expected"),
    [
        ({"scale": 4}, {}, ("causal_power", None, ("asleep", "awake"))),
        ({"route": "macro_units", "scale": None}, {}, ("causal_power", 3, ("asleep", "awake"))),
        ({"route": "macro_units", "scale": 2}, {}, ("causal_power", 2, ("asleep", "awake"))),
        ({"route": "macro_units"}, {"measure": "phi_s"}, ("phi_s", None, ("asleep", "awake"))),
        ({"contrast": None}, {"macro_scale": 2}, ("causal_power", 2, ("awake", "asleep"))),
    ],
)
def test_what_is_not_named_is_that_of_the_primary_endpoint(
    primary: dict[str, Any], fields: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    named = {"measure": "causal_power", "route": "micro", "scale": None, "contrast": ("asleep", "awake")} | primary
    p = study(BIN, {"macro": {"scales": [2, 3]}}, **fields)
    p = p.model_copy(update={"compare": SimpleNamespace(contrasts=[], primary=SimpleNamespace(**named))})
    found = estimand(p)
    assert (found.measure, found.macro_scale, found.contrast) == expected


@pytest.mark.parametrize(
    ("grid", "fields", "told"),
    [
        ({"tpm.lga": [1]}, {}, ["tpm.lga: is not a field of a study", "did you mean 'tpm.lag'?"]),
        ({"seed": [1, 2]}, {}, ["seed: is no choice of the analysis"]),
        ({"zzz": [1]}, {}, ["zzz: is not a field", "section.field"]),
        ({"tpm.lag": []}, {}, ["tpm.lag: has no value"]),
        ({"tpm.lag": [1, 1]}, {}, ["has a value twice"]),
        ({"tpm.lag": [0, 1]}, {}, ["tpm.lag: 0: 0 is not allowed (input should be greater than or equal to 1)"]),
        ({"binarize.method": ["event"]}, {}, ["'event' is not one of", "did you mean 'events'?"]),
        ({"binarize.quantile": [0.8]}, {}, ["belongs to the method 'quantile', which no combination uses"]),
        ({"binarize.z": [-1]}, {}, ["binarize.z: -1: -1 is not allowed"]),
        (BIN, {"measure": "phis"}, ["multiverse.measure: 'phis'", "did you mean 'phi_s'?"]),
        (BIN, {"contrast": ["awake", "dead"]}, ["multiverse.contrast: ['awake', 'dead'] are not two of"]),
        (BIN, {"macro_scale": 4}, ["multiverse.macro_scale: 4 macro units"]),
        ({"tpm.lag": list(range(1, 300)), "tpm.draws": list(range(100))}, {}, ["has 29900 combinations"]),
    ],
)
def test_mistakes_of_the_grid_are_refused(grid: dict[str, Any], fields: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(PhiscaleError) as refused:
        expand(study(grid, **fields))
    assert all(part in str(refused.value) for part in told), str(refused.value)


def test_all_mistakes_are_told_together() -> None:
    faults = list(multiverse_faults(study({"tpm.lag": [0], "tpm.x": [1], "binarize.z": [-1, -2]}, measure="phis")))
    assert len(faults) == 5


def test_a_value_that_only_some_combinations_refuse_is_no_mistake() -> None:
    assert not list(multiverse_faults(study({"ensembles.iit": [2, 4], "macro.scales": [[2], [3]]})))


def test_the_section_is_checked_with_the_study(tmp_path: Any) -> None:
    from pipeline.study.study import Study

    (tmp_path / "study.yaml").write_text("study: s\nconditions: [a, b]\nmultiverse: {grid: {tpm.lga: [1]}}\n")
    (tmp_path / "recordings.tsv").write_text("recording\tsubject\tpath\tformat\n1\tx\ta.nc\tnetcdf\n")
    (tmp_path / "windows.tsv").write_text("recording\twindow\tcondition\tstart_s\tend_s\n1\ta\ta\t0\t9\n")
    _, problems = Study.read(tmp_path)
    assert any("did you mean 'tpm.lag'?" in str(problem) for problem in problems.found)


def test_what_is_derived_keeps_all_else() -> None:
    p = study(BIN, {"state_codes": {"codes": {1: "awake", 2: "asleep"}}, "windows": None, "seed": 7})
    assert derived(p, {}).model_dump() == p.model_copy(update={"multiverse": None}).model_dump()
    assert set(SECTIONS) < set(Parameters.model_fields)
