"""Every substrate under every drive: exact laws against long runs, and truths that are known without computing."""

import json

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import kurtosis

import iitcore as iit
from pipeline.base.raster import encode, states_of
from pipeline.integration.batch import system_phi
from pipeline.simulation.course import regimes_of
from pipeline.simulation.drives import DRIVES, Autoregressive, Telegraph
from pipeline.simulation.parameters import Simulate
from pipeline.simulation.regimes import Regime, logistic
from pipeline.simulation.registry import SUBSTRATES
from pipeline.simulation.substrate import Circumstances
from pipeline.simulation.truth import truth_of

LONG = 60_000


def regime_of(substrate: str, subject: int = 0, condition: str = "awake", **fields: object) -> Regime:
    given = {"substrate": substrate, "drive_logit": {"awake": 0.8}, "drive_s": 2.0} | fields
    return regimes_of(subject, [condition], 3, Simulate(**given))[condition]


def counted(path: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each state was seen, what followed it, and how often it was seen at all."""
    code = encode(path)
    seen = np.bincount(code[:-1], minlength=2**n)
    after = np.zeros((2**n, n))
    np.add.at(after, code[:-1], path[1:])
    return seen / len(code), after / np.maximum(seen, 1)[:, None], seen


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("name", SUBSTRATES)
def test_exact_occupancy_and_tpm_are_those_of_a_long_run(name: str, drive: str) -> None:
    regime = regime_of(name, drive=drive)
    share, after, seen = counted(regime.run(LONG, np.random.default_rng(1)), 4)
    often = seen > 1000
    assert often.sum() >= 4
    assert regime.occupancy.sum() == pytest.approx(1)
    np.testing.assert_allclose(share, regime.occupancy, atol=0.012)
    error = np.abs(after - regime.p_on_observational)[often]
    assert (error < 4.5 * 0.5 / np.sqrt(seen[often])[:, None]).all()


@pytest.mark.parametrize("drive", DRIVES)
@pytest.mark.parametrize("name", ["sparse", "dense", "modules", "chain"])
def test_hidden_units_are_summed_out_exactly(name: str, drive: str) -> None:
    regime = regime_of(name, drive=drive, units=3, hidden=2)
    assert (regime.n, regime.hidden) == (3, (1, 3))
    assert regime.p_on.shape == regime.p_on_observational.shape == (8, 3)
    share, after, seen = counted(regime.run(LONG, np.random.default_rng(1)), 3)
    np.testing.assert_allclose(share, regime.occupancy, atol=0.012)
    error = np.abs(after - regime.p_on_observational)[seen > 500]
    assert (error < 4.5 * 0.5 / np.sqrt(seen[seen > 500])[:, None]).all()


def test_hidden_units_make_what_is_recorded_look_other_than_it_is() -> None:
    """A hidden unit that drives two others: they act on each other in recordings, by nothing of their own."""
    weights = np.zeros((3, 3))
    weights[0] = [3.0, 2.0, 2.0]
    hidden = Regime(logistic(weights, -1.5), hidden=(0,))
    p_on = hidden.p_on
    assert abs(p_on[1, 1] - p_on[0, 1]) > 0.05  # the first tells how the hidden unit stands
    np.testing.assert_allclose(p_on, hidden.p_on_observational)


@pytest.mark.parametrize("name", [name for name, entry in SUBSTRATES.items() if entry.reducible])
@pytest.mark.parametrize("units", [3, 4])
def test_what_is_reducible_has_no_phi(name: str, units: int) -> None:
    for subject in range(3):
        regime = regime_of(name, subject, drive="none", units=units)
        assert system_phi(regime.p_on[None], np.arange(2**units)).max() < 1e-9


@pytest.mark.parametrize(("name", "least"), [("pairs", 8), ("joined", 8), ("sparse", 1), ("dense", 3), ("gates", 3)])
def test_what_is_not_reducible_may_have_phi(name: str, least: int) -> None:
    """Few of the sparse networks lead back to every unit."""
    found = [system_phi(regime_of(name, s, drive="none").p_on[None], np.arange(16)).max() for s in range(8)]
    assert (np.array(found) > 1e-3).sum() >= least
    assert not SUBSTRATES[name].reducible


def test_a_common_drive_makes_independent_units_look_joined_and_not_be() -> None:
    """By hand: two units that share a drive of two levels. Given the drive they are independent."""
    regime = regime_of("independent", drive="telegraph", drive_logit={"awake": 1.5}, units=2)
    assert system_phi(regime.p_on[None], np.arange(4)).max() == 0
    assert system_phi(regime.p_on_observational[None], np.arange(4)).max() > 1e-3
    by_hand = (expit(regime.bias - 1.5) + expit(regime.bias + 1.5)) / 2
    np.testing.assert_allclose(regime.p_on, np.tile(by_hand, (4, 1)))


@pytest.mark.parametrize("steps", [1.0, 20.0, 200.0])
def test_a_gaussian_drive_is_gaussian_with_its_time_constant(steps: float) -> None:
    drive = Autoregressive(0.7, steps)
    chain = drive.chain()
    np.testing.assert_allclose(chain.transition.sum(axis=1), 1)
    assert chain.share @ chain.levels**2 == pytest.approx(0.49, rel=1e-3)
    inner = np.abs(chain.levels) < 2
    expected = (chain.transition @ chain.levels)[inner]
    np.testing.assert_allclose(expected, np.exp(-1 / steps) * chain.levels[inner], atol=1e-3)
    path = drive.path(200_000, np.random.default_rng(0))
    many = 200_000 / (2 * steps + 1)
    assert path.std() == pytest.approx(0.7, rel=4 / np.sqrt(many))
    assert np.corrcoef(path[1:], path[:-1])[0, 1] == pytest.approx(np.exp(-1 / steps), abs=0.02)
    assert abs(kurtosis(path)) < 12 / np.sqrt(many)


def test_a_gaussian_drive_is_averaged_like_an_integral() -> None:
    """P(ON) of one unit under a Gaussian logit, against quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    by_quadrature = expit(-1.0 + 1.2 * nodes) @ weights / weights.sum()
    regime = Regime(logistic(np.zeros((1, 1)), -1.0), Autoregressive(1.2, 20.0))
    np.testing.assert_allclose(regime.p_on, by_quadrature, atol=1e-5)


def test_a_telegraph_dwells_as_long_as_it_is_told() -> None:
    path = Telegraph(0.8, 25.0).path(200_000, np.random.default_rng(0))
    assert set(path) == {-0.8, 0.8}
    assert 200_000 / np.count_nonzero(np.diff(path)) == pytest.approx(25, rel=0.05)


def test_under_drift_there_is_a_mean_and_no_observational_law() -> None:
    regime = regime_of("sparse", drive="none", drift_logit={"awake": 1.2})
    assert regime.p_on_observational is None
    assert "drift" in regime.not_observable
    path = regime.run(LONG, np.random.default_rng(0))
    thirds = [part.mean() for part in np.array_split(path, 3)]
    assert thirds[0] < thirds[1] - 0.05 < thirds[2] - 0.1
    np.testing.assert_allclose(counted(path, 4)[0], regime.occupancy, atol=0.012)
    still = regime_of("sparse", drive="none")
    lower, upper = (np.asarray(expit(still.logits + s)) for s in (-1.2, 1.2))
    assert ((lower < regime.p_on) & (regime.p_on < upper)).all()
    truth = truth_of(regime, planted="")
    assert truth["tpm_observational"] is None
    assert "phi_s_observational" not in truth["scales"][0]
    assert truth["not_observable"] == regime.not_observable
    assert json.loads(json.dumps(truth)) == truth


@pytest.mark.parametrize("name", SUBSTRATES)
def test_every_substrate_is_an_entry_whose_truth_can_be_written(name: str) -> None:
    entry = SUBSTRATES[name]
    assert entry.summary
    assert entry.methods.format(**Simulate(substrate=name).model_dump(), plural="s")
    assert all(isinstance(reference, str) and reference for reference in entry.references)
    regime = regime_of(name)
    truth = truth_of(regime, planted=entry.planted)
    assert json.loads(json.dumps(truth)) == truth
    micro = truth["scales"][0]
    assert (micro["route"], micro["scale"]) == ("micro", 4)
    assert {"phi_s", "phi_s_observational", "big_phi", "effective_information"} <= set(micro)
    assert len(truth["scales"]) == (2 if entry.planted else 1)
    assert (truth["drive_kind"], truth["drive_s"]) == ("telegraph", 2.0)
    if entry.reducible:
        assert micro["phi_s"] < 1e-9
    with pytest.raises(ValueError):
        Simulate(substrate=name, units=2, hidden=7)
    drawn = [entry.draw(4, 0.05, np.random.default_rng(seed)) for seed in (5, 5, 6)]
    logits = [entry.regime(d, Circumstances()).logits for d in drawn]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[0], logits[2])


@pytest.mark.parametrize("name", ["joined", "sparse", "dense", "gates", "modules", "chain"])
def test_less_coupling_is_less_of_the_same(name: str) -> None:
    awake = regime_of(name, drive="none")
    weak = regime_of(name, condition="anesthesia", drive="none", anesthesia_coupling=0.2)
    none = regime_of(name, condition="anesthesia", drive="none", anesthesia_coupling=0.0)
    spread = [np.ptp(regime.logits, axis=0) for regime in (awake, weak, none)]
    np.testing.assert_allclose(spread[1], 0.2 * spread[0], atol=1e-9)
    assert spread[2].max() < 1e-9
    if name != "gates":
        np.testing.assert_allclose(weak.logits.mean(axis=0), awake.logits.mean(axis=0))


def test_random_networks_are_those_that_were_described() -> None:
    """Sparse: 40 % of the connections, N(0, 1) in ±1 coding; dense: all, N(0, 0.6); gates certain to 0.85."""
    rng = np.random.default_rng(0)
    sparse = np.array([SUBSTRATES["sparse"].draw(4, 0.05, rng)[0] for _ in range(500)])
    assert (sparse != 0).mean() == pytest.approx(0.4, abs=0.02)
    assert sparse[sparse != 0].std() == pytest.approx(1.0, abs=0.05)
    dense = np.array([SUBSTRATES["dense"].draw(4, 0.05, rng)[0] for _ in range(500)])
    assert dense.std() == pytest.approx(0.6, abs=0.03)
    gates = [SUBSTRATES["gates"].regime(SUBSTRATES["gates"].draw(4, j, rng), Circumstances()) for j in (0, 0.05)]
    np.testing.assert_allclose(np.unique(gates[0].p_on.round(9)), [0.15, 0.85])
    unsure = np.minimum(gates[1].p_on, 1 - gates[1].p_on)
    assert 0.1 < unsure.min() < unsure.max() < 0.2
    assert {len(np.unique(column)) for column in gates[1].p_on.T} <= {4, 8}  # one for each pattern of the inputs
    signed = 2 * states_of(4) - 1.0
    weights, bias = SUBSTRATES["sparse"].draw(4, 0.05, np.random.default_rng(9))
    built = SUBSTRATES["sparse"].regime((weights, bias), Circumstances())
    np.testing.assert_allclose(built.p_on, expit(bias + signed @ weights.T))


def test_slow_units_persist() -> None:
    path = regime_of("slow", drive="none").run(20_000, np.random.default_rng(0)).astype(float)
    kept = [np.corrcoef(unit[1:], unit[:-1])[0, 1] for unit in path.T]
    assert min(kept) > 0.5
    assert np.abs(np.corrcoef(path.T) - np.eye(4)).max() < 0.1


@pytest.mark.parametrize("subject", range(3))
def test_joined_pairs_are_the_grain_that_the_theory_accepts(subject: int) -> None:
    """Of all groupings of all subsets under all mappings, the two pairs have the largest phi_s, and both are valid."""
    regime = regime_of("joined", subject, drive="none")
    states, weights = states_of(4)[:, None, :], regime.occupancy
    found = iit.search_grains(iit.Substrate(regime.p_on), states, weights=weights)
    assert found.exhaustive
    assert [sorted(unit.constituents) for unit in found.winner.units] == [["A", "B"], ["C", "D"]]
    assert found.winner.valid
    micro, macro = truth_of(regime, planted="or")["scales"]
    assert macro["accepted"] == [True, True]
    assert macro["phi_s"] == pytest.approx(found.winner.phi)
    assert macro["phi_s"] > micro["phi_s"] + 0.2
    assert all(0.3 < on < 0.5 for on in regime.on_fraction)


def test_members_of_planted_pairs_do_not_act_on_each_other_and_are_no_units() -> None:
    regime = regime_of("pairs", drive="none", jitter=0.0)
    assert truth_of(regime, planted="and")["scales"][1]["accepted"] == [False, False]


def test_motifs_of_joined_pairs_are_repeats_that_do_not_act_on_each_other() -> None:
    regime = regime_of("joined", drive="none", units=8)
    assert regime.n == 8
    assert (regime.weights[:4, 4:] == 0).all()
    truth = truth_of(regime, planted="or")
    assert [scale["scale"] for scale in truth["motifs"][1]] == [4, 2]
    for fields in ({"units": 6}, {"units": 4, "hidden": 4}):
        with pytest.raises(ValueError, match=r"motifs|hidden"):
            Simulate(substrate="joined", **fields)
