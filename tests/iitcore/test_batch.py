"""phi_batch: bit for bit the scalar path, with any number of threads."""

import numpy as np
import pytest

from iitcore import Substrate, SubstrateError, System, phi_batch, system_phi


@pytest.fixture
def rng():
    return np.random.default_rng(11)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_equals_the_scalar_path_bit_for_bit(rng, n):
    tpms = np.concatenate([rng.random((6, 2**n, n)), rng.integers(0, 2, (6, 2**n, n))])
    states = rng.integers(0, 2, (4, n))
    batch = phi_batch(tpms, states)
    scalar = [[system_phi(Substrate(t).system(s)).phi for s in states] for t in tpms]
    np.testing.assert_array_equal(batch, scalar)
    assert batch.shape == (12, 4)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_serial_equals_parallel(rng, threads):
    tpms = rng.random((30, 16, 4))
    states = rng.integers(0, 2, (5, 4))
    one = phi_batch(tpms, states, threads=1)
    np.testing.assert_array_equal(one, phi_batch(tpms, states, threads=threads))
    assert (one > 0).any()


def test_background_units(rng):
    tpms = rng.random((8, 16, 4))
    states = ["0110", "1111"]
    batch = phi_batch(tpms, states, units=[0, 2])
    scalar = [[system_phi(Substrate(t).system(s, [0, 2])).phi for s in states] for t in tpms]
    np.testing.assert_array_equal(batch, scalar)


def test_systems_with_a_cause_tpm_of_their_own(rng):
    effect, cause = rng.random((2, 8, 8, 3))
    batch = phi_batch(effect, ["010"], cause_tpms=cause)
    scalar = [system_phi(System.from_tpms(c, e, "010")).phi for c, e in zip(cause, effect, strict=True)]
    np.testing.assert_array_equal(batch[:, 0], scalar)


def test_multi_valued_substrates(rng):
    substrates = [Substrate.from_factors([rng.dirichlet(np.ones(k), size=(3, 2)) for k in (3, 2)]) for _ in range(5)]
    batch = phi_batch(substrates, ["20", "11"])
    scalar = [[system_phi(s.system(x)).phi for x in ("20", "11")] for s in substrates]
    np.testing.assert_array_equal(batch, scalar)


def test_one_tpm_and_no_states(rng):
    tpm = rng.random((8, 3))
    assert phi_batch(tpm, ["010"]).shape == (1, 1)
    assert phi_batch(tpm, []).shape == (1, 0)


def test_unreachable_states_are_zero():
    assert phi_batch(np.zeros((3, 4, 2)), ["11", "10"]).tolist() == [[0.0, 0.0]] * 3


def test_faults_are_named(rng):
    tpms = rng.random((3, 4, 2))
    tpms[1, 2, 0] = np.nan
    tpms[2, 3, 1] = 7
    with pytest.raises(SubstrateError) as error:
        phi_batch(tpms, ["00"])
    assert "draw 1, row 2 (state 01), unit 0: nan" in str(error.value)
    assert "draw 2, row 3 (state 11), unit 1: 7" in str(error.value)
    with pytest.raises(SubstrateError, match=r"\(draws, 2\*\*n, n\)"):
        phi_batch(np.zeros((3, 4, 3)), ["000"])
    with pytest.raises(SubstrateError, match="one cause TPM per effect TPM"):
        phi_batch(np.zeros((3, 4, 2)), ["00"], cause_tpms=np.zeros((2, 4, 2)))
    with pytest.raises(SubstrateError, match="whole system"):
        phi_batch(np.zeros((3, 4, 2)), ["00"], units=[0], cause_tpms=np.zeros((3, 4, 2)))
    with pytest.raises(SubstrateError, match="the first is"):
        phi_batch([Substrate(np.zeros((4, 2))), Substrate(np.zeros((2, 1)))], ["00"])
    with pytest.raises(SubstrateError, match="equal shape"):
        phi_batch([np.zeros((4, 2)), np.zeros((2, 1))], ["00"])
    with pytest.raises(SubstrateError, match="not one number per unit"):
        phi_batch(np.zeros((4, 2)), np.array([0, 0]))
