import numpy as np
import pytest

from pipeline.encoder.portrait import estimate_portrait, portrait_of_map, saddle_test

ANGLE = 0.5
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
RATES, SPREAD = (0.1, 0.15), 0.2


def two_wells(y: np.ndarray) -> np.ndarray:
    """Steps with wells at -1 and 1 of one turned axis, and a saddle at 0 between them."""
    x = y @ TURN
    return np.stack([RATES[0] * (x[..., 0] - x[..., 0] ** 3), -RATES[1] * x[..., 1]], axis=-1) @ TURN.T


def planted_saddle(frames: int, seed: int) -> np.ndarray:
    noise = SPREAD * np.random.default_rng(seed).normal(size=(frames, 2))
    y = np.zeros((frames, 2))
    for t in range(1, frames):
        y[t] = y[t - 1] + two_wells(y[t - 1]) + noise[t]
    return y


def rotation(frames: int, seed: int, angle: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(frames, 2))
    turn = 0.95 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    y = np.zeros((frames, 2))
    for t in range(1, frames):
        y[t] = turn @ y[t - 1] + noise[t]
    return y


def along(direction: np.ndarray, axis: int) -> float:
    """Cosine of a direction and a planted axis."""
    return float(np.abs(direction @ TURN[:, axis]))


def test_a_planted_saddle_is_found_a_saddle():
    found = [estimate_portrait(planted_saddle(4000, seed)) for seed in range(10)]
    kinds = [sorted(p.kind.split()[0] for p in one.points) for one in found]
    assert sum(k == ["saddle", "stable", "stable"] for k in kinds) >= 9
    saddles = [one.saddles[0] for one in found if one.saddles]
    scale = planted_saddle(4000, 0).std(axis=0).max()
    assert np.median([np.linalg.norm(s.position) for s in saddles]) < 0.5 * scale
    assert np.median([along(s.unstable_direction, 0) for s in saddles]) > 0.95
    assert np.median([along(s.stable_direction, 1) for s in saddles]) > 0.95
    assert all(s.eigenvalues[0].real > 0 > s.eigenvalues[1].real for s in saddles)


def test_a_saddle_is_found_where_the_other_axis_is_faster():
    """Along the axes, as of white latents: steps of the fast axis are large and tell nothing of the wells."""
    kinds = [estimate_portrait(planted_saddle(4000, seed) @ TURN).points for seed in range(10)]
    assert sum([point.kind for point in points].count("saddle") == 1 for points in kinds) >= 8


def test_a_linear_process_has_one_stable_point():
    for angle, kind in ((0.2, "stable spiral"), (0.0, "stable")):
        kinds = [[p.kind for p in estimate_portrait(rotation(2000, seed, angle)).points] for seed in range(10)]
        assert sum(len(k) == 1 and k[0].startswith(kind) for k in kinds) >= 9


def test_support_of_a_saddle():
    found = saddle_test(planted_saddle(3000, 1), n_surrogates=19, seed=1)
    assert found.found
    assert found.p == 0.05
    assert found.share.max() >= 0.5
    none = saddle_test(rotation(1000, 0), n_surrogates=5)
    assert (none.found, none.p, none.share.size) == (False, 1.0, 0)
    against_itself = saddle_test(planted_saddle(3000, 1), surrogates=[planted_saddle(3000, 9)] * 3)
    assert against_itself.null_share == 1
    assert not against_itself.found


@pytest.mark.slow
def test_saddles_are_claimed_where_they_are():
    planted = [saddle_test(planted_saddle(4000, s), n_surrogates=19, seed=s).found for s in range(10)]
    linear = [saddle_test(rotation(2000, s), n_surrogates=19, seed=s).found for s in range(10)]
    assert sum(planted) >= 9
    assert sum(linear) <= 1


def test_portrait_of_a_learned_map():
    portrait = portrait_of_map(two_wells, planted_saddle(3000, 0))
    assert sorted(p.kind for p in portrait.points) == ["saddle", "stable node", "stable node"]
    saddle = portrait.saddles[0]
    np.testing.assert_allclose(saddle.position, 0, atol=1e-4)
    np.testing.assert_allclose(saddle.eigenvalues, [RATES[0], -RATES[1]], atol=1e-4)
    assert along(saddle.unstable_direction, 0) == pytest.approx(1, abs=1e-3)
    assert along(saddle.stable_direction, 1) == pytest.approx(1, abs=1e-3)
    wells = np.array([p.position for p in portrait.points if p.kind == "stable node"])
    np.testing.assert_allclose(np.abs(wells @ TURN), [[1, 0], [1, 0]], atol=1e-3)
    node = next(p for p in portrait.points if p.kind == "stable node")
    with pytest.raises(ValueError, match="no stable and unstable direction"):
        _ = node.stable_direction


@pytest.mark.parametrize(
    ("jacobian", "kind"),
    [
        ([[-0.5, 0], [0, -0.2]], "stable node"),
        ([[-0.1, 0.3], [-0.3, -0.1]], "stable spiral"),
        ([[0.1, 0.3], [-0.3, 0.1]], "unstable spiral"),
        ([[0.1, 0], [0, 0.3]], "unstable node"),
        ([[-2.5, 0], [0, -0.5]], "saddle"),
    ],
)
def test_kinds_go_by_what_a_lag_multiplies(jacobian, kind):
    portrait = portrait_of_map(lambda y: y @ np.array(jacobian).T, rotation(500, 0))
    assert [p.kind for p in portrait.points] == [kind]


def test_nothing_is_told_where_the_data_do_not_go():
    """The map has a fixed point that is never visited."""
    y = rotation(2000, 1)
    far = 4 * y.std(axis=0)
    portrait = portrait_of_map(lambda z: -0.1 * z * (far[0] - z[:, :1]), y)
    assert all(np.linalg.norm(p.position) < far[0] / 2 for p in portrait.points)
    assert np.isnan(portrait.field[~portrait.visited]).all()
    assert np.isfinite(portrait.field[portrait.visited]).all()
    assert 0.2 < portrait.visited.mean() < 0.95
    with pytest.raises(ValueError, match="is needed"):
        estimate_portrait(y[:, :1])
