"""One owner for measures: what every stage says of a measure comes from one list, in one order."""

from __future__ import annotations

import pytest

from pipeline.results import measures
from pipeline.results.measures import MEASURES


def test_rows_of_the_tables_keep_their_order() -> None:
    assert list(measures.SUMMARISED) == [
        *(
            "phi_s",
            "phi_s_common",
            "phi_s_observational",
            "phi_s_complex",
            "phi_s_complex_common",
            "big_phi",
            "big_phi_common",
        ),
        *("n_distinctions", "n_relations", "effective_information", "causal_power", "delta_causal_power"),
        *("gaussian_causal_power", "delta_gaussian_causal_power", "published_j", "delta_published_j"),
        *("emergent_complexity", "emergent_complexity_successive", "coverage_mm"),
    ]


def test_variables_of_a_state_keep_their_order() -> None:
    assert list(measures.OF_STATE) == [
        *("phi_s", "phi_s_observational", "phi_s_complex", "big_phi", "sum_phi_d", "sum_phi_r"),
        *("n_distinctions", "n_relations"),
    ]
    assert list(measures.OF_TPM) == ["effective_information", "causal_power"]


def test_a_common_occupancy_has_a_row_of_its_own() -> None:
    own = {name for name in measures.SUMMARISED if name.endswith("_common")}
    assert own == {measures.common_name(name) for name in measures.COMMON}
    assert set(measures.COMMON) < set(measures.OF_STATE)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=list(MEASURES))
def test_every_measure_can_be_spoken_of(measure: measures.Measure) -> None:
    assert measure.meaning.endswith(".")
    assert all((measure.unit, measure.long_name, measure.sign, measure.words))
    assert not measure.unfolded or measure.of_state
    assert not measure.counts or measure.unit == "1"


def test_axes_name_the_unit_where_there_is_one() -> None:
    assert MEASURES["phi_s"].axis == r"$\varphi_s$ [ibit]"
    assert MEASURES["n_relations"].axis == "Relations"
    assert MEASURES["fraction_on"].axis == "Fraction ON"
    assert MEASURES["n_relations"].shown_unit == "count"
