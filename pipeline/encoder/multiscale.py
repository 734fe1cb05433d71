"""Learned hierarchies of all windows of a recording: causal power of every scale, its spread, its nulls, its reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from pipeline.encoder.dynamical import Sources, told_dynamics
from pipeline.encoder.folds import joint_runs
from pipeline.encoder.parameters import Encoder, Training
from pipeline.encoder.power import (
    Channel,
    Reading,
    Stack,
    channel,
    powers,
    published_powers,
    readings,
    stack,
    train_stack,
)
from pipeline.encoder.stability import in_random_order, subspace_cosines
from pipeline.encoder.training import Trained, TrainingProgress, train
from pipeline.results.columns import LATENTS

ROWS = 24_000  # frames of all models of one stack: more do not fit into the caches, and make no step cheaper
RESAMPLES = 200
DRAWN = 2  # dimensions that can be drawn
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


@dataclass(frozen=True)
class LearnedWindow:
    """The hierarchies of one window, of its seeds and of its surrogates.

    Attributes:
        activity: of the window.
        window: its name.
        made: series of the data and of the surrogates, those of the data first.
        trained: hierarchies, stack by stack in the order of `model_parts(made)`.
        control: hierarchies of the frames in random order, one per seed; None of one seed.
        parameters: the section `encoder`.
        seed: fixes what is drawn from here on.
    """

    activity: WindowActivity
    window: str
    made: Stack
    trained: list[Trained]
    control: Trained | None
    parameters: Encoder
    seed: int

    @property
    def data(self) -> Trained:
        """The hierarchies of the data, one per seed."""
        return self.trained[0]

    @property
    def keys(self) -> list[tuple[str, int, str, int]]:
        """Window, seed, null and surrogate of every model, in the order of training."""
        return [key for part in model_parts(self.made) for key in part.keys]

    def of_models(self, measure: Callable[[Trained], Floats]) -> tuple[Floats, Floats]:
        """Return a measure (model, scale) of the data, (seed, scale), and of the surrogates, (null, surrogate, scale).

        Args:
            measure: of a stack.
        """
        p, rows = self.parameters, np.concatenate([measure(part) for part in self.trained])
        null = np.full((len(p.nulls), p.surrogates, p.seeds, rows.shape[1]), np.nan)
        for (_, start, kind, i), row in zip(self.keys, rows, strict=True):
            if kind:
                null[p.nulls.index(kind), i, start] = row
        return rows[: p.seeds], null.mean(axis=2)


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
        As `told`.

    Raises:
        PhiscaleError: the window is too short, or units are constant.
    """
    found = learn_window(activity, ensembles, window=window, seed=seed, progress=progress, device=device, **parameters)
    return told(found, ensembles)


def learn_window(
    activity: WindowActivity,
    ensembles: xr.Dataset,
    *,
    window: str = "",
    seed: int = 0,
    progress: Callable[[TrainingProgress], None] | None = None,
    device: str = "cpu",
    **parameters: Any,
) -> LearnedWindow:
    """Learn the hierarchies of one window, of its seeds and of its surrogates; arguments and errors as `multiscale`."""
    p = Encoder(**parameters)
    constant = np.flatnonzero(activity.values.std(axis=0) == 0)
    if constant.size:
        names = ", ".join(map(str, ensembles["ensemble"].values[constant]))
        raise PhiscaleError(Problem(f"window {window!r}", f"the units {names} are constant", fix="leave them out"))
    made = stack(
        {window: (activity.values, activity.runs)}, kinds=p.nulls, surrogates=p.surrogates, seeds=p.seeds, seed=seed
    )
    settings = {name: getattr(p, name) for name in Training.model_fields}
    settings["gap"] = gap_of(activity, p.blocks) if p.gap is None else p.gap
    options = settings | {"seed": derive(seed, "train", window), "progress": progress, "device": device}
    trained = [train_stack(part, **options) for part in model_parts(made)]
    control = None
    if p.seeds > 1:
        starts = [s for s, key in zip(made.seeds, made.keys, strict=True) if not key[2]]
        orders = [in_random_order(activity.values, derive(seed, "order", window, i)) for i in range(p.seeds)]
        control = train(orders, seeds=starts, **options)
    return LearnedWindow(activity, window, made, trained, control, p, seed)


def told(learned: LearnedWindow, ensembles: xr.Dataset) -> xr.Dataset:
    """Read what the hierarchies of a window say.

    Args:
        learned: the hierarchies.
        ensembles: the recording's; names, places and neurons of the units.

    Returns:
        Dims scale, seed, null, surrogate, draw: causal_power (seed, scale) [bit], causal_power_draws (draw, scale)
        (held-out blocks drawn anew, mirrored at the estimate), causal_power_null (null, surrogate, scale), in mode
        `published` published_j and published_j_null likewise [nat per dimension], held_out_loss (seed, scale),
        trade_off_loss and trade_off_power (evaluation, scale) of the first seed, agreement (scale) of the seeds'
        gradients and agreement_control (scale) of those of frames in random order, attribution (scale, unit),
        latents_1 (frame,) and latents_2 (frame, axis) of the first seed and their dynamics (`encoder.dynamical`), and
        where places are known coverage_mm and coverage_local_mm (scale). Attrs route, n_frames, flag and others.
    """
    p, data, scales = learned.parameters, learned.data, learned.data.model.scales
    power, power_null = learned.of_models(lambda part: powers(part, samples=128))
    evaluations = {k: [row[k][0].numpy() for row in data.history if k in row] for k in ("held_out_loss", "power")}
    dataset = xr.Dataset(
        {
            "causal_power": (("seed", "scale"), power),
            "causal_power_draws": (("draw", "scale"), _resampled(data, power, p.lag)),
            "causal_power_null": (("null", "surrogate", "scale"), power_null),
            "held_out_loss": (("seed", "scale"), _kept_loss(data)),
            "trade_off_loss": (("evaluation", "scale"), np.stack(evaluations["held_out_loss"]).astype(float)),
            **_agreements(learned),
            **_reach(data, ensembles),
            **_of_small_scales(learned),
        },
        coords={
            "scale": list(scales),
            "null": list(p.nulls),
            "unit": ensembles["ensemble"].values.astype(str),
            "time": ("frame", learned.activity.time),
        },
    )
    if evaluations["power"]:
        dataset["trade_off_power"] = (("evaluation", "scale"), np.stack(evaluations["power"]).astype(float))
    if p.mode == "published":
        j, j_null = learned.of_models(published_powers)
        dataset["published_j"] = (("seed", "scale"), j)
        dataset["published_j_null"] = (("null", "surrogate", "scale"), j_null)
    dataset.attrs = {
        "route": LATENTS,
        "n_frames": len(learned.activity.values),
        "condition": str(learned.activity.condition),
        "mode": p.mode,
        "shown": p.shown,
        "gap": data.folds.gap,
        "autocorrelation_time": data.folds.autocorrelation_time,
        "frame_s": _frame_s(learned.activity),
        "steps": "; ".join(f"{stage} {n}" for stage, n in data.steps.items()),
        "flag": ";".join(_flags(data, p)),
    }
    return record(dataset, "encoder.multiscale", **p.model_dump(mode="json"))


def _frame_s(activity: WindowActivity) -> float:
    """Length of a frame [s]."""
    return float(np.median(np.diff(activity.time)))


def gap_of(activity: WindowActivity, blocks: int) -> int:
    """Return the gap of the data [frames], for their surrogates too, so that all train on the same frames.

    Args:
        activity: of the data.
        blocks: number of blocks that are held out.
    """
    from pipeline.encoder.folds import MOST_GAP

    wanted = int(np.ceil(autocorrelation_time(activity.values, activity.runs).max()))
    return max(1, min(wanted, len(activity.values) // blocks // MOST_GAP))


def model_parts(made: Stack) -> list[Stack]:
    """Divide a stack: the data of all seeds first, then as many surrogates at once as are cheap.

    Args:
        made: the stack.
    """
    order = sorted(range(len(made.keys)), key=lambda i: made.keys[i][2] != "")
    data = sum(key[2] == "" for key in made.keys)
    size = max(1, ROWS // len(made.series[0]))
    groups = [order[:data], *(order[i : i + size] for i in range(data, len(order), size))]
    return [
        Stack(*([field[i] for i in group] for field in (made.series, made.runs, made.seeds, made.keys)))  # type: ignore[arg-type]  # fields in their order
        for group in groups
    ]


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


def _of_small_scales(learned: LearnedWindow) -> Mapping[str, tuple[Any, Any]]:
    """Latents of the first seed at the scales that can be drawn as a line or in a plane, and their dynamics."""
    p, frames = learned.parameters, len(learned.activity.values)
    firsts = {read.latents.shape[-1]: read for read in readings(learned.data) if read.latents.shape[-1] <= DRAWN}
    nulls: dict[int, list[tuple[Floats, Ints]]] = {d: [] for d in firsts}
    for part, trained in zip(model_parts(learned.made)[1:], learned.trained[1:], strict=True):
        wanted = [i for i, key in enumerate(part.keys) if key[1] == 0 and key[2] == p.shown]
        for read in readings(trained) if wanted else ():
            if (d := read.latents.shape[-1]) in nulls:
                nulls[d] += [(read.latents[i, :frames].cpu().numpy(), joint_runs(part.runs[i])) for i in wanted]
    found: dict[str, tuple[Any, Any]] = {}
    sources = {}
    for d, read in firsts.items():
        y = read.latents[0, :frames].cpu().numpy()
        found[f"latents_{d}"] = ("frame", y[:, 0]) if d == 1 else (("frame", "axis"), y)
        own = derive(learned.seed, "dynamics", learned.window, d)
        sources[d] = Sources(y, learned.activity.runs, nulls[d], p.lag, p.dynamics_surrogates, own), read
    return found | told_dynamics(sources)


def _agreements(learned: LearnedWindow) -> Mapping[str, tuple[Any, Floats]]:
    """Mean cosines (scale,) between the spans of the seeds' gradients, of the data and of frames in random order."""
    parts = {"agreement": learned.data, "agreement_control": learned.control}
    return {
        name: ("scale", _agreement(learned.data if part is None else part, learned)) for name, part in parts.items()
    }


def _agreement(trained: Trained, learned: LearnedWindow) -> Floats:
    """Mean cosine (scale,) between the spans of the gradients of several hierarchies; NaN of one."""
    seeds, model = trained.model.n_models, trained.model
    pairs = [(a, b) for a in range(seeds) for b in range(a + 1, seeds)]
    if not pairs:
        return np.full(len(model.scales), np.nan)
    x = learned.activity.values
    x = x[np.linspace(0, len(x) - 1, min(SHOWN_FRAMES, len(x))).astype(int)]
    return np.array([subspace_cosines(trained.at(d), x, d, pairs).mean() for d in model.scales])


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
