import json
import subprocess
import sys

import numpy as np
import pytest

from pipeline.emergence import discrete
from pipeline.emergence.discrete import (
    best_partition,
    causal_power,
    coarse_grain,
    complexity_over_paths,
    degeneracy,
    determinism,
    effective_information,
    emergent_complexity,
    information_of_rows,
    reversibility,
    singular_values,
    specificity,
    state_by_state,
)
from pipeline.encoder import learn_grouping


def markov8() -> np.ndarray:
    tpm = np.zeros((8, 8))
    tpm[:7, :7] = 1 / 7
    tpm[7, 7] = 1
    return tpm


def topheavy() -> np.ndarray:
    block = np.arange(8) // 4
    return np.where(block[:, None] == block, 3 / 14, 1 / 28)


def noisy_and() -> np.ndarray:
    bits = np.arange(16)[:, None] >> np.arange(4) & 1
    on = [bits[:, 2] & bits[:, 3]] * 2 + [bits[:, 0] & bits[:, 1]] * 2
    return np.where(np.stack(on, axis=1), 1.0, 0.3)


def test_hoel_markov_chain(exact):
    case, tpm = exact["hoel_markov8"], markov8()
    macro = coarse_grain(tpm, case["macro_partition"])
    assert effective_information(tpm) == pytest.approx(case["micro_EI_bits"], abs=1e-9)
    assert effective_information(macro) == pytest.approx(case["macro_EI_bits"], abs=1e-9)
    np.testing.assert_allclose(singular_values(tpm), case["singular_values"], atol=1e-9)
    assert reversibility(tpm) == pytest.approx(case["Gamma_alpha1_sum"])
    s = singular_values(tpm)
    assert s.mean() == pytest.approx(case["gamma_per_state"])
    assert s[:2].mean() - s.mean() == pytest.approx(case["clear_CE_rank2_minus_mean"])
    found = best_partition(tpm)
    assert [list(b) for b in found.partition] == case["macro_partition"]
    assert found.exhaustive


def test_hoel_boolean_network(exact):
    case, tpm = exact["hoel_boolean4_noisyAND"], state_by_state(noisy_and())
    code = [(s & 1 & s >> 1) + 2 * (s >> 2 & 1 & s >> 3) for s in range(16)]
    macro = coarse_grain(tpm, [[s for s in range(16) if code[s] == m] for m in range(4)])
    assert effective_information(tpm) == pytest.approx(case["micro_EI_bits"], abs=1e-9)
    assert causal_power(tpm) == pytest.approx(case["micro_eff"], abs=1e-9)
    assert effective_information(macro) == pytest.approx(case["macro_EI_bits"], abs=1e-9)
    assert causal_power(macro) == pytest.approx(case["macro_eff"], abs=1e-9)


def test_best_grouping_of_the_boolean_network(exact):
    """The pairs by AND, found among all groupings and by learning; their twins by De Morgan tie with them."""
    case, p_on = exact["hoel_boolean4_noisyAND"], noisy_and()
    for method in ("exhaustive", "encoder"):
        found = learn_grouping(p_on, 2, method=method)
        assert (found.group, found.mapping) == ((0, 0, 1, 1), ("and", "and"))
        assert found.objective == pytest.approx(case["macro_EI_bits"], abs=1e-9)
        gained = found.objective - effective_information(state_by_state(p_on))
        assert gained == pytest.approx(case["CE_bits"], abs=1e-9)


def test_top_heavy_system_of_causal_emergence_2(exact):
    case, tpm = exact["ce2_fig3_topheavy"], topheavy()
    found = best_partition(tpm)
    assert found.partition == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert causal_power(tpm) == pytest.approx(case["CP_micro"], abs=5e-4)
    assert found.causal_power == pytest.approx(case["CP_endpoint"], abs=5e-4)
    assert found.delta_causal_power == pytest.approx(case["CP_endpoint"] - case["CP_micro"], abs=1e-3)
    path = "0 1 2 3 4 5 6 7, 01 2 3 4 5 6 7, 01 45 2 3 6 7, 012 45 3 6 7, 012 456 3 7, 0123 456 7, 0123 4567"
    power = [causal_power(coarse_grain(tpm, [[int(s) for s in b] for b in p.split()])) for p in path.split(", ")]
    assert power[-1] - power[-2] == pytest.approx(case["last_step_dCP"], abs=5e-4)
    assert emergent_complexity(power, "successive") == pytest.approx(case["best_EC_bits"], abs=5e-4)
    over_paths = complexity_over_paths(tpm, found.partition)
    np.testing.assert_allclose(over_paths, case["EC_values_over_all_longest_paths"], atol=5e-4)
    s = singular_values(tpm)
    assert s[1] - s[1:].mean() == pytest.approx(case["svd_sigma2_minus_gammastar"], abs=5e-4)


@pytest.mark.parametrize("name", ["zoo_identity_3", "zoo_cycle_4"])
def test_permutations_lose_nothing_and_gain_nothing(exact, name):
    case, n = exact[name], int(name[-1])
    tpm = np.eye(n) if "identity" in name else np.roll(np.eye(n), 1, axis=1)
    assert effective_information(tpm) == pytest.approx(case["EI_bits"], abs=1e-9)
    assert causal_power(tpm) == pytest.approx(case["causal_power"])
    found = best_partition(tpm)
    assert found.delta_causal_power == pytest.approx(case["best_deltaCP"], abs=1e-12)
    assert len(found.partition) == n


@pytest.mark.parametrize("k", [3, 4, 5])
def test_two_cycles_are_two_blocks(exact, k):
    case = exact["engineering_emergence_two_cycles"]
    tpm = np.zeros((2 * k, 2 * k))
    for start in (0, k):
        for i in range(k):
            tpm[start + i, start + i] = 0.2
            tpm[start + i, start + (i + 1) % k] = 0.8
    assert causal_power(tpm) == pytest.approx(case["CP_micro"][f"k={k}"], abs=5e-5)
    found = best_partition(tpm)
    assert found.causal_power == pytest.approx(case["CP_macro_two_blocks"])
    assert found.partition == (tuple(range(k)), tuple(range(k, 2 * k)))
    assert found.exhaustive == (k < 5)


def test_emergent_complexity_by_either_definition(exact):
    case = exact["ec_positive_increment_example"]
    assert emergent_complexity(case["input"]) == pytest.approx(case["EC_bits"], abs=1e-9)
    gains = np.array([0.7, 2.4]) / 3.1
    expected = -(gains * np.log2(gains)).sum()
    assert emergent_complexity(case["input"], "successive") == pytest.approx(expected)
    assert emergent_complexity([1, 0.9, 0.5], "successive") == 0
    assert emergent_complexity([1, 0.9, 0.5]) == 0
    with pytest.raises(ValueError, match="definition 'best'"):
        emergent_complexity([1, 2], "best")
    with pytest.raises(ValueError, match="cannot be negative"):
        emergent_complexity([-1, 2])


def test_published_figures_of_the_mouse_follow_from_the_heatmap(golden_dir):
    """The authors' emergent complexity, with and without the microscale's own contribution."""
    mouse = json.loads((golden_dir / "emergence.json").read_text())["mouse_paper_digitised"]
    heat = mouse["J_heatmap"]["J_nats_by_dim"]
    for stage, column in (("stage1", 0), ("stage5", 4), ("stage11", 10)):
        values = [heat[d][column] for d in ("32", "16", "8", "4", "2", "1")]
        expected = mouse["EC_bits_from_heatmap_incl_micro"][stage]
        assert emergent_complexity(values) == pytest.approx(expected, abs=0.05)


def test_causal_power_is_determinism_plus_specificity_less_one():
    tpm = np.random.default_rng(0).dirichlet(np.ones(6), size=(4, 6))
    np.testing.assert_allclose(causal_power(tpm), determinism(tpm) + specificity(tpm) - 1)
    np.testing.assert_allclose(degeneracy(tpm), 1 - specificity(tpm))
    np.testing.assert_allclose(effective_information(tpm), causal_power(tpm) * np.log2(6))
    assert effective_information(tpm[2]) == pytest.approx(effective_information(tpm)[2])
    assert isinstance(effective_information(tpm[2]), float)
    assert causal_power(np.ones((1, 1))) == 0


def test_effective_information_is_a_mutual_information():
    tpm = np.random.default_rng(1).dirichlet(np.full(5, 0.3), size=5)
    joint = tpm / 5
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    expected = (joint * np.log2(joint / independent, where=joint > 0, out=np.zeros_like(joint))).sum()
    assert effective_information(tpm) == pytest.approx(expected)


def test_state_by_state_is_little_endian():
    p_on = np.array([[0.9, 0.0], [0.2, 1.0], [0.5, 0.5], [0.0, 0.25]])
    tpm = state_by_state(p_on)
    np.testing.assert_allclose(tpm[0], [0.1, 0.9, 0, 0])
    np.testing.assert_allclose(tpm[1], [0, 0, 0.8, 0.2])
    np.testing.assert_allclose(tpm[3], [0.75, 0, 0.25, 0])
    np.testing.assert_allclose(state_by_state(np.stack([p_on, p_on]))[1], tpm)


def test_greedy_search_is_a_lower_bound_and_says_so():
    block = np.arange(12) // 4
    tpm = np.where(block[:, None] == block, 0.9 / 4, 0.1 / 8)
    found = best_partition(tpm)
    assert found.partition == ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11))
    assert not found.exhaustive


def test_bad_matrices_are_refused():
    with pytest.raises(ValueError, match="not row-stochastic"):
        effective_information(np.eye(3) * 0.9)
    with pytest.raises(ValueError, match="not row-stochastic"):
        effective_information([[1.5, -0.5], [0.5, 0.5]])
    with pytest.raises(ValueError, match="matrix is needed"):
        effective_information(np.full((4, 2), 0.5))
    with pytest.raises(ValueError, match="each of the 3 states once"):
        coarse_grain(np.eye(3), [[0, 1], [1, 2]])
    with pytest.raises(ValueError, match="up to 64 states"):
        best_partition(np.eye(65))


def test_stages_without_an_encoder_do_not_import_torch():
    modules = (
        "pipeline.emergence.discrete, pipeline.emergence.gaussian, pipeline.tpm.estimation, pipeline.nulls.draw, "
        "pipeline.macro.coarse"
    )
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert discrete.__doc__


def test_known_rows_imply_no_more_information_than_there_is():
    rng = np.random.default_rng(8)
    for _ in range(50):
        tpm = rng.dirichlet(np.full(8, 0.3), size=8)
        rows = rng.random(8) < 0.6
        whole = effective_information(tpm)
        assert information_of_rows(tpm, rows) <= whole + 1e-12
        others = tpm.copy()
        others[~rows] = rng.dirichlet(np.ones(8), size=int((~rows).sum()))
        assert information_of_rows(others, rows) == pytest.approx(information_of_rows(tpm, rows))
    assert information_of_rows(tpm, np.ones(8, bool)) == pytest.approx(whole)
    assert information_of_rows(tpm, np.zeros(8, bool)) == 0.0
