"""Learned hierarchies of all windows of a recording: causal power of every scale, its spread, its nulls, its reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Array, Floats, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.history import record
from pipeline.base.raster import autocorrelation_time
from pipeline.base.seeds import derive
from pipeline.binarize.bins import in_windows, lay_bins
from pipeline.encoder.attribution import attribution, coverage, of_neurons
from pipeline.encoder.parameters import Encoder, Training
from pipeline.encoder.power import Channel, Reading, Stack, channel, powers, readings, stack, train_stack
from pipeline.encoder.stability import subspace_cosines
from pipeline.encoder.training import Trained, TrainingProgress
from pipeline.results.columns import LATENTS

ROWS = 24_000  # frames of all models of one stack: more do not fit into the caches, and make no step cheaper
RESAMPLES = 200
SHOWN_FRAMES = 100  # at which gradients of the seeds are compared


@dataclass(frozen=True)
class WindowActivity:
    """Frames of one window.

    Attributes:
        values: (frame, unit) mean activity.
        runs: (frame,) run of consecutive frames.
        time: (frame,) start [s].
        condition: of the window.
    """

    values: Floats
    runs: Ints
    time: Floats
    condition: str


def activity_of(ensembles: xr.Dataset, windows: pd.DataFrame, bin_s: float | None = None) -> dict[str, WindowActivity]:
    """Cut the activity of ensembles into windows.

    Args:
        ensembles: (time, ensemble) `activity`, (time,) `dropped` (`pipeline.traces.ensembles.group`).
        windows: rows window, condition, start_s, end_s; rows of one window are united.
        bin_s: length of a frame [s]; by default frames as recorded.

    Returns:
        By the name of the window; those without two frames are left out.
    """
    values = ensembles["activity"].transpose("time", "ensemble").values.astype(float)
    lost = ensembles["dropped"].values.astype(bool) | ~np.isfinite(values).all(axis=1)
    rate = float(ensembles.attrs["sampling_rate_hz"])
    bins = lay_bins(ensembles["time"].values.astype(float), rate, lost, bin_s or 1 / rate)
    found = in_windows(bins, windows)
    mean, condition = bins.mean(np.where(lost[:, None], 0.0, values)), windows["condition"].to_numpy(str)
    parts = {}
    for name in found.shown:
        own = found.window == name
        kept = found.kept[own]
        parts[name] = WindowActivity(mean[kept], found.segment[own], bins.start_s[kept], condition[found.row[own][0]])
    return parts


def multiscale(
    activity: WindowActivity,
    ensembles: xr.Dataset,
    *,
    window: str = "",
    seed: int = 0,
    progress: Callable[[TrainingProgress], None] | None = None,
    device: str = "cpu",
    **parameters: Any,
) -> xr.Dataset:
    """Learn the hierarchies of one window, of its seeds and of its surrogates, and read what they say.

    Args:
        activity: of the window.
        ensembles: the recording's; names, places and neurons of the units.
        window: its name.
        seed: fixes surrogates, starts and training.
        progress: told at every evaluation of every stack.
        device: "cpu" or "cuda".
        **parameters: fields of the section `encoder`.

    Returns:
        Dims scale, seed, null, surrogate, draw: causal_power (seed, scale) [bit], causal_power_draws (draw, scale)
        (held-out blocks drawn anew, mirrored at the estimate), causal_power_null (null, surrogate, scale),
        held_out_loss (seed, scale), trade_off_loss and trade_off_power (evaluation, scale) of the first seed,
        agreement (scale) of the seeds' gradients, attribution (scale, unit), latents_1 (frame,) and latents_2
        (frame, axis) of the first seed, and where places are known coverage_mm and coverage_local_mm (scale). Attrs
        route, n_frames, flag and others.

    Raises:
        PhiscaleError: the window is too short.
    """
    p = Encoder(**parameters)
    constant = np.flatnonzero(activity.values.std(axis=0) == 0)
    if constant.size:
        names = ", ".join(map(str, ensembles["ensemble"].values[constant]))
        raise PhiscaleError(Problem(f"window {window!r}", f"the units {names} are constant", fix="leave them out"))
    made = stack(
        {window: (activity.values, activity.runs)}, kinds=p.nulls, surrogates=p.surrogates, seeds=p.seeds, seed=seed
    )
    settings = {name: getattr(p, name) for name in Training.model_fields}
    settings["gap"] = _gap(activity, p) if p.gap is None else p.gap
    options = {"seed": derive(seed, "train", window), "progress": progress, "device": device}
    trained, found = [], []
    for part in _parts(made):
        learned = train_stack(part, **settings, **options)
        found.append(powers(learned, samples=128))
        trained.append(learned)
    return _dataset(activity, ensembles, p, made, trained, np.concatenate(found))


def _gap(activity: WindowActivity, p: Encoder) -> int:
    """The gap of the data, for their surrogates too, so that all train on the same frames."""
    from pipeline.encoder.folds import MOST_GAP

    wanted = int(np.ceil(autocorrelation_time(activity.values, activity.runs).max()))
    return max(1, min(wanted, len(activity.values) // p.blocks // MOST_GAP))


def _parts(made: Stack) -> list[Stack]:
    """Divide a stack: the data of all seeds first, then as many surrogates at once as are cheap."""
    order = sorted(range(len(made.keys)), key=lambda i: made.keys[i][2] != "")
    data = sum(key[2] == "" for key in made.keys)
    size = max(1, ROWS // len(made.series[0]))
    groups = [order[:data], *(order[i : i + size] for i in range(data, len(order), size))]
    return [
        Stack(*([field[i] for i in group] for field in (made.series, made.runs, made.seeds, made.keys)))  # type: ignore[arg-type]  # fields in their order
        for group in groups
    ]


def _dataset(
    activity: WindowActivity,
    ensembles: xr.Dataset,
    p: Encoder,
    made: Stack,
    trained: Sequence[Trained],
    found: Floats,
) -> xr.Dataset:
    """Put together what was found; the first stack holds the data."""
    data, scales = trained[0], trained[0].model.scales
    keys = [key for part in _parts(made) for key in part.keys]
    null = np.full((len(p.nulls), p.surrogates, p.seeds, len(scales)), np.nan)
    for (_, start, kind, i), row in zip(keys, found, strict=True):
        if kind:
            null[p.nulls.index(kind), i, start] = row
    evaluations = {k: [row[k][0].numpy() for row in data.history if k in row] for k in ("held_out_loss", "power")}
    dataset = xr.Dataset(
        {
            "causal_power": (("seed", "scale"), found[: p.seeds]),
            "causal_power_draws": (("draw", "scale"), _resampled(data, found[: p.seeds], p.lag)),
            "causal_power_null": (("null", "surrogate", "scale"), null.mean(axis=2)),
            "held_out_loss": (("seed", "scale"), _kept_loss(data)),
            "trade_off_loss": (("evaluation", "scale"), np.stack(evaluations["held_out_loss"]).astype(float)),
            **_latents(data, len(activity.values)),
            "agreement": ("scale", _agreement(data)),
            **_reach(data, ensembles),
        },
        coords={
            "scale": list(scales),
            "null": list(p.nulls),
            "unit": ensembles["ensemble"].values.astype(str),
            "time": ("frame", activity.time),
        },
    )
    if evaluations["power"]:
        dataset["trade_off_power"] = (("evaluation", "scale"), np.stack(evaluations["power"]).astype(float))
    dataset.attrs = {
        "route": LATENTS,
        "n_frames": len(activity.values),
        "condition": str(activity.condition),
        "mode": p.mode,
        "shown": p.shown,
        "gap": data.folds.gap,
        "autocorrelation_time": data.folds.autocorrelation_time,
        "steps": "; ".join(f"{stage} {n}" for stage, n in data.steps.items()),
        "flag": ";".join(_flags(data, p)),
    }
    return record(dataset, "encoder.multiscale", **p.model_dump(mode="json"))


def _flags(data: Trained, p: Encoder) -> list[str]:
    words = ["short_gap"] if data.folds.short else []
    scores = [row["score"].numpy() for row in data.history if row["stage"] == "predict"]
    if p.mode == "calibrated" and p.start == "linear" and (np.argmin(scores, axis=0) == 0).all():
        words.append("linear_start")
    return words


def _kept_loss(data: Trained) -> Floats:
    """Held-out loss (seed, scale) of stage 1 where each seed was best."""
    rows = [row for row in data.history if row["stage"] == "predict"]
    best = np.argmin([row["score"].numpy() for row in rows], axis=0)
    return np.stack([rows[at]["held_out_loss"][i].numpy() for i, at in enumerate(best)]).astype(float)


def _latents(data: Trained, frames: int) -> Mapping[str, tuple[Any, Floats]]:
    """The latents of the first seed at the scales that can be drawn as a line or in a plane."""
    found: dict[str, tuple[Any, Floats]] = {}
    for read in readings(data):
        y = read.latents[0, :frames].cpu().numpy()
        if y.shape[1] == 1:
            found["latents_1"] = ("frame", y[:, 0])
        elif y.shape[1] == 2:
            found["latents_2"] = (("frame", "axis"), y)
    return found


def _agreement(data: Trained) -> Floats:
    """Mean cosine (scale,) between the spans of the seeds' gradients; NaN of one seed."""
    seeds, model = data.model.n_models, data.model
    pairs = [(a, b) for a in range(seeds) for b in range(a + 1, seeds)]
    if not pairs:
        return np.full(len(model.scales), np.nan)
    x = data.folds.values[0].cpu().numpy()
    x = x[np.linspace(0, len(x) - 1, min(SHOWN_FRAMES, len(x))).astype(int)]
    return np.array([subspace_cosines(data.at(d), x, d, pairs).mean() for d in model.scales])


def _reach(data: Trained, ensembles: xr.Dataset) -> Mapping[str, tuple[Any, Floats]]:
    """Attribution of every scale, and coverage where the neurons' places are known."""
    scales = data.model.scales
    each = [attribution(data, d, steps=8) for d in scales]
    found: dict[str, tuple[Any, Floats]] = {
        "attribution": (("scale", "unit"), np.stack([weights.mean(axis=0) for weights in each]))
    }
    places = np.stack([ensembles[axis].values.astype(float) for axis in ("x", "y")], axis=1)
    centres = np.stack([ensembles[f"centroid_{axis}"].values.astype(float) for axis in ("x", "y")], axis=1)
    label = ensembles["label"].values.astype(int)
    if np.isfinite(places[label >= 0]).all() and np.isfinite(centres).all():
        used = label >= 0
        reach = [coverage(of_neurons(w, label)[:, used], places[used], centres, label[used]) for w in each]
        found["coverage_mm"] = ("scale", np.array([r.learned for r in reach]))
        found["coverage_local_mm"] = ("scale", np.array([r.local for r in reach]))
    return found


def _resampled(data: Trained, values: Floats, lag: int) -> Floats:
    """Draw the held-out transitions anew in blocks, (draw, scale): mean over seeds, mirrored at the estimate.

    Fewer different transitions make residuals look smaller than they are; what that adds to a draw is taken off.
    """
    rng, drawn = np.random.default_rng(0), np.empty((RESAMPLES, values.shape[1]))
    held = np.flatnonzero(data.folds.held[0].cpu().numpy())
    weights = _block_weights(len(held), max(data.folds.gap, lag), rng)
    for column, read in enumerate(readings(data)):
        parts, errors = channel(data, read, samples=32), _errors(data, read, held)
        ours = [_informations(Channel(*(part[i] for part in parts)), errors[i], weights) for i in range(len(values))]
        whole = [
            _informations(Channel(*(part[i] for part in parts)), errors[i], np.full((1, len(held)), 1 / len(held)))
            for i in range(len(values))
        ]
        drawn[:, column] = values[:, column].mean() - np.mean(ours, axis=0) + np.mean(whole)
    return np.maximum(drawn, 0.0)


def _block_weights(n: int, length: int, rng: np.random.Generator) -> Floats:
    """What each of n transitions counts, (draw, n), where blocks of them are drawn with replacement."""
    length = max(1, min(length, n // 4))
    starts = rng.integers(0, n - length + 1, (RESAMPLES, -(-n // length)))
    chosen = (starts[..., None] + np.arange(length)).reshape(RESAMPLES, -1)[:, :n]
    return np.stack([np.bincount(row, minlength=n) for row in chosen]) / n


def _errors(data: Trained, read: Reading, held: Ints) -> Floats:
    """Residuals (model, held transition, d) of one scale."""
    errors = data.folds.later(read.latents) - read.dynamics(data.folds.now(read.latents))
    found: Array = errors.detach().cpu().numpy()[:, held]
    return found


def _informations(one: Channel, errors: Floats, weights: Floats) -> Floats:
    """Causal power (draw,) [bit] with the residuals weighted anew."""
    noise = np.einsum("bn,ni,nj->bij", weights, errors, errors)
    signal = one.jacobians @ one.spread @ one.jacobians.swapaxes(-1, -2)
    whole = np.linalg.slogdet(noise[:, None] + signal[None])[1].mean(axis=1)
    found: Floats = (whole - np.linalg.slogdet(noise)[1]) / (2 * np.log(2))
    return found
