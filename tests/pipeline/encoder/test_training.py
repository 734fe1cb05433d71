"""Training: known dynamics are found, one seed gives one result, models of a stack do not depend on each other."""

import numpy as np
import pytest
import torch
from encoder_series import autoregression, spring

from pipeline.base.errors import PhiscaleError
from pipeline.encoder.folds import folds_of
from pipeline.encoder.published import Conventions, forward_errors, uniform_weights
from pipeline.encoder.training import TrainingProgress, train

SMALL = {"hidden": 8, "couplings": 2, "evaluate_every": 2}
PUBLISHED = {**SMALL, "mode": "published", "batch": 64, "rate": 0.003, "patience": 0}
MODES = {"calibrated": SMALL, "published": PUBLISHED}


def bytes_of(states: dict) -> bytes:
    return b"".join(v.numpy().tobytes() for stage in states.values() for v in stage.values())


def per_dimension(found, row: int = -1) -> torch.Tensor:
    return found.history[row]["power"] / torch.tensor(found.model.scales)


def test_the_spring_peaks_at_two_dimensions() -> None:
    data = [spring(seed) for seed in range(10)]
    found = train(*zip(*data, strict=True), seeds=range(10), hidden=16, couplings=2, steps=30, power_steps=10)
    assert (per_dimension(found).argmax(dim=1) == 1).sum() >= 9


@pytest.mark.slow
def test_the_spring_is_found_from_random_directions_too() -> None:
    data = [spring(seed) for seed in range(10)]
    sizes = {"hidden": 16, "couplings": 4, "steps": 400, "power_steps": 20, "patience": 20, "rate": 0.01}
    found = train(*zip(*data, strict=True), seeds=range(10), start="random", **sizes)
    assert (per_dimension(found, 0).argmax(dim=1) == 1).sum() == 0
    assert (per_dimension(found).argmax(dim=1) == 1).sum() >= 9


@pytest.mark.parametrize("sizes", MODES.values(), ids=MODES)
def test_an_interrupted_training_goes_on_to_the_same_bytes(sizes: dict, tmp_path) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(at: TrainingProgress) -> None:
        if at.stage != "predict" and at.step == 4:
            raise Interrupted

    x, lengths = autoregression(1, n=300, d=4), {"steps": 6, "power_steps": 6}
    whole = train([x, x[:250]], seeds=[1, 2], **sizes, **lengths)
    path = tmp_path / "training.pt"
    with pytest.raises(Interrupted):
        train([x, x[:250]], seeds=[1, 2], **sizes, **lengths, checkpoint=path, progress=interrupt)
    resumed = train([x, x[:250]], seeds=[1, 2], **sizes, **lengths, checkpoint=path)
    assert bytes_of(resumed.states) == bytes_of(whole.states)
    assert [(row["stage"], row["step"]) for row in resumed.history] == [
        (row["stage"], row["step"]) for row in whole.history
    ]
    with pytest.raises(PhiscaleError, match="another training"):
        train([x, x], seeds=[1, 2], **sizes, **lengths, checkpoint=path)


def test_a_model_is_the_same_alone_and_in_a_stack() -> None:
    a, b = autoregression(1, n=300, d=4), autoregression(2, n=260, d=4)
    sizes = {**SMALL, "steps": 20, "power_steps": 6, "patience": 2, "gap": 5}
    stack, alone = train([a, b], seeds=[3, 4], **sizes), train([b], seeds=[4], **sizes)
    for ours, theirs in zip(stack.history, alone.history, strict=False):
        if ours["stage"] == "predict":
            torch.testing.assert_close(ours["held_out_loss"][1:], theirs["held_out_loss"], atol=1e-4, rtol=1e-4)
    x = torch.as_tensor(b, dtype=torch.float32)[None]
    model, rows = alone.model, torch.cat([x, x])
    ours, theirs = stack.model.encode(rows)[-1].latents[1], model.encode(x)[-1].latents[0]
    assert abs(np.corrcoef(ours[:, 0].detach(), theirs[:, 0].detach())[0, 1]) > 0.999


def test_progress_tells_the_time_that_is_left() -> None:
    told: list[TrainingProgress] = []
    train(autoregression(1, n=200, d=2), steps=6, power_steps=4, **SMALL, progress=told.append)
    assert [(p.stage, p.step) for p in told] == [
        ("predict", 2),
        ("predict", 4),
        ("predict", 6),
        ("power", 2),
        ("power", 4),
    ]
    assert told[-1].eta_s == 0 < told[0].eta_s


def test_training_predicts_held_out_frames_better() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros((1500, 2))
    for t in range(1, len(x)):  # a tent map: no linear map tells where it goes
        x[t, 0] = 0.8 - 1.6 * abs(x[t - 1, 0]) + 0.1 * rng.normal()
        x[t, 1] = rng.normal()
    found = train(x, steps=200, power_steps=20, rate=0.01, **{**SMALL, "hidden": 16})
    first, last = found.history[0], [r for r in found.history if r["stage"] == "predict"][-1]
    assert (last["held_out_loss"] < first["held_out_loss"] - 0.1).all()
    curve = found.trade_off(0, 1)
    limit = curve[0][0] + 0.01 * 2
    chosen = [row for row in found.history if row["stage"] == "power"]
    assert len(curve) == len(chosen)
    assert max(power for loss, power in curve if loss <= limit) >= curve[0][1]


def test_held_out_blocks_keep_their_distance() -> None:
    x, runs = autoregression(1, n=400, d=3), np.repeat([0, 1], [150, 250])
    folds = folds_of([x, x[:300]], [runs, runs[:300]], lag=2, held_out=0.25, blocks=4, gap=7)
    for model, n in enumerate((400, 300)):
        train_frames = {int(t) + k for t in np.flatnonzero(folds.train[model]) for k in (0, 2)}
        held_frames = {int(t) + k for t in np.flatnonzero(folds.held[model]) for k in (0, 2)}
        assert min(abs(a - b) for a in train_frames for b in held_frames) > 7
        assert max(train_frames | held_frames) < n
        both = (folds.train | folds.held)[model].numpy()
        assert not both[148:150].any()
        blocks = np.diff(np.flatnonzero(folds.held[model])) > 1
        assert blocks.sum() == 3
    assert folds.short
    assert not folds_of([x], None, lag=1, held_out=0.2, blocks=1, gap=None).short


def test_series_that_are_too_short_are_refused() -> None:
    with pytest.raises(PhiscaleError, match="transitions train"):
        train(np.random.default_rng(0).normal(size=(30, 3)))


def test_the_published_stages_lower_their_own_errors() -> None:
    x = autoregression(1, n=600, d=4, memory=0.95)
    found = train(x, steps=150, power_steps=60, **PUBLISHED, conventions=Conventions(refresh=20))
    assert list(found.states) == ["predict", "power-4", "power-2", "power-1"]
    for stage in found.states:
        score = [float(row["score"]) for row in found.history if row["stage"] == stage]
        assert min(score[1:]) < score[0]
    assert found.at(2) is found.model


def test_predictions_of_all_scales_rise_together_as_one_by_one() -> None:
    x = autoregression(1, n=100, d=6)
    model = train(x, steps=1, power_steps=1, **PUBLISHED).model
    now, later = (torch.as_tensor(part, dtype=torch.float32)[None] for part in (x[:-1], x[1:]))
    levels = model.encode(now)
    together = forward_errors(model, levels, later, 0.0, torch.Generator())
    for i, (scale, level) in enumerate(zip(model.scales, levels, strict=True)):
        alone = (model.decode(model.dynamics[i](level.latents), scale) - later).abs().mean()
        torch.testing.assert_close(together[0, i], alone)


def test_weights_make_latents_uniform_and_vanish_where_nothing_is_near() -> None:
    rng = torch.Generator().manual_seed(0)
    y = torch.rand(1, 4000, 1, generator=rng) ** 2 * 2 - 1  # dense at the lower end of the box
    conventions = Conventions(box=1.0, bandwidth=0.05)
    weights = uniform_weights(y, y[:, ::4], conventions)[0]
    inner = y[0, :, 0].abs() < 0.8
    mass = torch.histc(y[0, inner, 0], 8, -0.8, 0.8)
    weighted = torch.stack([weights[inner & ((y[0, :, 0] + 0.8) // 0.2 == k)].sum() for k in range(8)])
    assert mass.max() / mass.min() > 2
    assert weighted.max() / weighted.min() < 1.3
    assert (uniform_weights(y + 2, y, conventions)[y[..., 0] + 2 > 1] == 0).all()


def test_transitions_can_be_drawn_in_batches() -> None:
    x = 0.3 * np.random.default_rng(0).normal(size=(1000, 3))
    x[:, 0] += autoregression(1, n=1000, d=1, memory=0.98)[:, 0]  # the only direction that is predicted
    sizes = {**SMALL, "couplings": 0, "steps": 60, "power_steps": 0, "start": "random", "rate": 0.02}
    whole, drawn = train(x, **sizes), train(x, **sizes, batch=200)
    ends = [float(found.history[-1]["held_out_loss"].mean()) for found in (whole, drawn)]
    assert ends[1] == pytest.approx(ends[0], abs=0.1)
    assert ends[1] < float(drawn.history[0]["held_out_loss"].mean()) - 0.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("sizes", MODES.values(), ids=MODES)
def test_a_device_changes_nothing_but_rounding(sizes: dict, tmp_path) -> None:
    x = autoregression(1, n=300, d=4)
    lengths = {"steps": 4, "power_steps": 4}
    ours, theirs = train(x, **sizes, **lengths), train(x, **sizes, **lengths, device="cuda", checkpoint=tmp_path / "c")
    for here, there in zip(ours.history, theirs.history, strict=True):
        torch.testing.assert_close(here["held_out_loss"], there["held_out_loss"], atol=1e-2, rtol=1e-2)
