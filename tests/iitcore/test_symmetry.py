"""Tied states that a symmetry exchanges: what is left out of the search is what the others have found already."""

import numpy as np
import oracle
import pytest

from iitcore import Substrate, _kernels, _symmetry, distinctions, search, system_phi
from iitcore import _structure_kernels as kernels
from iitcore._resolution import resolve
from iitcore._symmetry import units_alike
from iitcore.information import cause_information, effect_information
from iitcore.system import fill_cause, fill_effect


def spins(n):
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def families(n):
    """Substrates in which much ties."""
    x = spins(n)
    count = x.sum(axis=1)
    yield "parity", np.repeat(count % 2, n).reshape(-1, n)
    yield "majority", np.repeat(count * 2 > n, n).reshape(-1, n)
    yield "noisy majority", np.repeat(np.where(count * 2 >= n, 0.9, 0.1), n).reshape(-1, n)
    yield "ring of xor", x ^ np.roll(x, 1, axis=1)
    yield "ring of xnor with noise", np.where(x ^ np.roll(x, 1, axis=1), 0.2, 0.8)
    yield "two halves", np.where(np.arange(n) < n // 2, (x[:, n // 2 :].sum(1) > 0)[:, None], (x[:, 0] > 0)[:, None])
    yield "opposites", np.where(np.arange(n) % 2, 0.9, 0.1) * (count % 3 == 0)[:, None] + 0.05


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_members_of_a_class_have_one_minimum(n):
    merged = 0
    for name, tpm in families(n):
        for code in {0, 1, 2**n - 1, 2**n // 3}:
            system = Substrate(tpm.astype(float)).system(spins(n)[code])
            state = np.array(system.state)
            if not system.reachable:
                continue
            for fill, packed, (information, selectivity), cause in (
                (fill_cause, system.cause, cause_information(system), True),
                (fill_effect, system.effect, effect_information(system), False),
            ):
                ties = _kernels.tied(information)
                if information[ties[0]] <= 1e-10:
                    continue
                args = (packed, system.offsets, state, ties) if cause else (packed, state, ties)
                classes = (_symmetry.classes_of_causes if cause else _symmetry.classes_of_effects)(*args)
                minima = {}
                for t, c in zip(ties, classes, strict=True):
                    gain, parts, marks = np.empty((2**n, n)), np.zeros(n, np.int64), np.zeros(n, np.int64)
                    fill(gain, packed, system.offsets, state, t, selectivity[t])
                    minima.setdefault(int(c), []).append(search.minimum(gain, parts, marks))
                assert sorted(minima) == list(range(len(minima)))
                for found in minima.values():
                    merged += len(found) - 1
                    losses = [loss for loss, _ in found]
                    ratios = [loss / norm for loss, norm in found]
                    assert max(ratios) - min(ratios) < 1e-9, (name, code)
                    assert max(losses) - min(losses) < 1e-8 or max(losses) < 1e-9, (name, code)
    assert merged > 5


@pytest.mark.parametrize("n", [2, 3, 4])
def test_tied_families_equal_the_oracle(n):
    for name, tpm in families(n):
        for code in range(2**n):
            state = tuple(int(v) for v in spins(n)[code])
            answer = oracle.phi_s(oracle.marginals_of(tpm), state)
            found = system_phi(Substrate(tpm.astype(float)).system(state))
            assert found.phi == pytest.approx(answer.phi, abs=1e-9), (name, state)
            if answer.phi > 1e-8:
                assert set(found.tied_pairs) == answer.pairs, (name, state)


def test_many_pairs_that_all_win_are_not_listed():
    n = 12
    count = spins(n).sum(axis=1)
    tpm = np.repeat(np.where(count % 2, 0.9, 0.1), n).reshape(-1, n)
    found = system_phi(Substrate(tpm).system([1] * n))
    assert found.phi > 0
    assert len(found.cause.tied_states) == 2**11
    assert found.winning_pairs == ()
    assert next(found.tied_pairs) == (found.cause.tied_states[0], found.effect.tied_states[0])
    assert sum(1 for _ in found.tied_pairs) == 2**11 * len(found.effect.tied_states)


@pytest.mark.parametrize("n", [3, 4])
def test_units_alike_change_nothing_but_the_work(n):
    shortened = 0
    for name, tpm in families(n):
        for code in (0, 2**n - 1, 2**n // 3):
            system = Substrate(tpm.astype(float)).system(spins(n)[code])
            pairs = list(system_phi(system).tied_pairs)
            alike = units_alike(system)
            if not system.reachable or len(pairs) > 70:
                continue
            found = distinctions(system)
            every, fewer = resolve(found, system.labels, pairs), resolve(found, system.labels, pairs, alike)
            shortened += bool(alike) and len(pairs) > 1
            assert fewer.n_choices == every.n_choices, (name, code)
            if every.exact:
                assert fewer.exact
                assert fewer.phi == pytest.approx(every.phi, rel=1e-12), (name, code)
            assert fewer.phi_range == pytest.approx(every.phi_range, rel=1e-9), (name, code)
    assert shortened


def test_choices_end_where_no_single_change_helps():
    rng = np.random.default_rng(7)
    for n in (2, 5, 12):
        sizes = rng.integers(1, 5, n)
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        union = rng.integers(1, 2**6, start[-1])
        overlap = union & rng.integers(0, 2**6, start[-1])
        phi = rng.choice([0.25, 0.5, 1.0], n)

        def total(choice, phi=phi, union=union, overlap=overlap):
            return kernels.relation_phi(phi, union[choice], overlap[choice], np.ones_like(choice))[0]

        choice = start[:-1].copy()
        reached = kernels.improve_choice(phi, union, overlap, start, choice)
        assert reached == total(choice) >= total(start[:-1])
        for i in range(n):
            for option in range(start[i], start[i + 1]):
                other = choice.copy()
                other[i] = option
                assert total(other) <= reached * (1 + 1e-9)
