"""Training of stacked hierarchies: a plain loop, early stopping on held-out blocks, checkpoints that resume exactly."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from pipeline.base.arrays import Array, Ints
from pipeline.base.errors import PhiscaleError, Problem
from pipeline.base.files import write_whole
from pipeline.encoder.calibrated import Calibrated
from pipeline.encoder.folds import Folds, folds_of
from pipeline.encoder.hierarchy import Architecture, Hierarchy
from pipeline.encoder.layers import Generators, generators
from pipeline.encoder.parameters import Training
from pipeline.encoder.published import Conventions, Published

Table = dict[str, Tensor]


@dataclass(frozen=True)
class TrainingProgress:
    """Where a training is.

    Attributes:
        stage: its name.
        step: steps of it that are done.
        of: steps that it has at most.
        seconds: time since the training began, or was taken up again.
        eta_s: time that all stages take yet, if none stops early.
        score: mean over models of what is minimised on the held-out fold.
    """

    stage: str
    step: int
    of: int
    seconds: float
    eta_s: float
    score: float


class TrainingObjective(Protocol):
    """What a mode minimises; see `Calibrated`."""

    folds: Folds

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of the stages; each but the first begins where the first ended."""
        ...

    def prepare(self, model: Hierarchy, rngs: Generators) -> None:
        """Set a fresh model at its starting point."""
        ...

    def begin(self, stage: str, model: Hierarchy) -> None:
        """Get ready for a stage."""
        ...

    def loss(self, model: Hierarchy, stage: str, rng: torch.Generator) -> Tensor:
        """Return what one step minimises, (model,)."""
        ...

    def evaluate(self, model: Hierarchy, stage: str) -> Table:
        """Return score (model,) and what else is to be kept."""
        ...


@dataclass
class Trained:
    """Stacked hierarchies as training left them.

    Attributes:
        model: the hierarchies at the end of the last stage.
        folds: the data.
        mode: "calibrated" or "published".
        states: parameters at the end of every stage, by its name: the best on the held-out fold.
        history: one row per evaluation: stage, step, and the tables of the objective, e.g. (model, scale)
            held_out_loss and power, which are the trade-off curve of stage 2.
        steps: steps that each stage took.
    """

    model: Hierarchy
    folds: Folds
    mode: str
    states: dict[str, Table]
    history: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)

    def at(self, scale: int) -> Hierarchy:
        """Return the hierarchies that a scale is read from: in mode `published` each scale has its own.

        Args:
            scale: its dimensions.
        """
        if self.mode == "published":
            self.model.load_state_dict(self.states[f"power-{scale}"])
        return self.model

    def doubled(self, scale: int) -> Hierarchy:
        """Return a copy of these hierarchies in double precision.

        Args:
            scale: its dimensions.
        """
        return deepcopy(self.at(scale)).double()

    def alone(self, model: int, scale: int) -> Hierarchy:
        """Return one of the stack by itself, in double precision, on the processor.

        Args:
            model: which.
            scale: the one that it is read at.
        """
        whole = self.at(scale)
        one = Hierarchy(whole.architecture, [0])
        one.load_state_dict({name: value[model : model + 1].cpu() for name, value in whole.state_dict().items()})
        return one.double()

    def trade_off(self, model: int, scale: int) -> list[tuple[float, float]]:
        """Return what causal power costs: (held-out loss [nat per frame], causal power [bit]) as stage 2 went on.

        Args:
            model: which of the stack.
            scale: its dimensions.
        """
        at = self.model.level_of(scale)
        rows = [row for row in self.history if row["stage"] == "power" and "power" in row]
        return [(float(row["held_out_loss"][model, at]), float(row["power"][model, at])) for row in rows]


@dataclass
class Trainer:
    """One training: the state of everything that a later step depends on.

    Attributes:
        objective: what is minimised.
        model: the hierarchies.
        settings: how it is done.
        seed: of the choice of transitions.
    """

    objective: TrainingObjective
    model: Hierarchy
    settings: Training
    seed: int
    stage: int = 0
    step: int = 0
    states: dict[str, Table] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    steps: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = torch.Generator().manual_seed(self.seed % 2**63)
        self._fresh()

    @property
    def name(self) -> str:
        """Name of the stage."""
        return self.objective.stages[self.stage]

    @property
    def limit(self) -> int:
        """Steps that the stage has at most."""
        return self.settings.steps if self.name == "predict" else self.settings.power_steps

    def _fresh(self) -> None:
        """Begin a stage: no momentum, no best state."""
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=self.settings.learning_rate, fused=True)
        models, device = self.model.n_models, self.model.unit_mean.device
        self.best = torch.full((models,), torch.inf, device=device)
        self.waited = torch.zeros(models, dtype=torch.long, device=device)
        self.kept = {name: value.clone() for name, value in self.model.state_dict().items()}

    def run(self, progress: Callable[[TrainingProgress], None] | None, checkpoint: Path | None) -> None:
        """Train to the end.

        Args:
            progress: told at every evaluation.
            checkpoint: written at every evaluation, and read at the start where it is there.
        """
        begun, done = time.monotonic(), 0
        while self.stage < len(self.objective.stages):
            if self.step == 0:
                self.objective.begin(self.name, self.model)
                self._look()
            while self.step < self.limit and not self._stopped():
                self._advance()
                done += 1
                if self.step % self.settings.evaluate_every == 0 or self.step == self.limit:
                    self._look()
                    self._tell(progress, begun, done)
                    if checkpoint is not None and self.step < self.limit:
                        write_whole(checkpoint, self.save)
            self._finish()
            if checkpoint is not None:
                write_whole(checkpoint, self.save)

    def _advance(self) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(self.objective.loss(self.model, self.name, self.rng).sum())
        self.optimizer.step()
        self.step += 1

    def _look(self) -> None:
        """Evaluate; keep each model where it is better than it was, unless it has stopped."""
        found = self.objective.evaluate(self.model, self.name)
        self.history.append({"stage": self.name, "step": self.step, **{k: v.cpu() for k, v in found.items()}})
        patience = self.settings.waits
        going = self.waited < patience if patience else torch.ones_like(self.waited, dtype=torch.bool)
        better = going & (found["score"] < self.best)
        self.best = torch.where(better, found["score"], self.best)
        self.waited = torch.where(better, 0, self.waited + 1)
        for name, value in self.model.state_dict().items():
            self.kept[name][better] = value[better]

    def _stopped(self) -> bool:
        patience = self.settings.waits
        return bool(patience and (self.waited >= patience).all())

    def _finish(self) -> None:
        """End a stage with the best states; the next one begins where the first ended."""
        self.states[self.name], self.steps[self.name] = self.kept, self.step
        self.stage, self.step = self.stage + 1, 0
        last = self.stage == len(self.objective.stages)
        self.model.load_state_dict(self.kept if last else self.states[self.objective.stages[0]])
        self._fresh()

    def _tell(self, progress: Callable[[TrainingProgress], None] | None, begun: float, done: int) -> None:
        if progress is None:
            return
        seconds = time.monotonic() - begun
        later = (len(self.objective.stages) - self.stage - 1) * self.settings.power_steps
        eta = seconds / done * (self.limit - self.step + later)
        score = float(self.history[-1]["score"].mean())
        progress(TrainingProgress(self.name, self.step, self.limit, seconds, eta, score))

    def save(self, path: Path) -> None:
        """Write all that the next step depends on.

        Args:
            path: of the checkpoint.
        """
        buffer = io.BytesIO()
        torch.save(
            {
                "of": self._of(),
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "rng": self.rng.get_state(),
                "kept": self.kept,
                "best": self.best,
                "waited": self.waited,
                "objective": {k: v for k, v in vars(self.objective).items() if k in ("limits", "_weights", "_age")},
                **{name: getattr(self, name) for name in ("stage", "step", "states", "history", "steps")},
            },
            buffer,
        )
        path.write_bytes(buffer.getvalue())

    def load(self, path: Path) -> None:
        """Take up a training where a checkpoint left it.

        Args:
            path: of the checkpoint; it holds tensors and plain values only.

        Raises:
            PhiscaleError: it is of another training.
        """
        held = torch.load(path, map_location=self.model.unit_mean.device, weights_only=True)
        if held["of"] != self._of():
            raise PhiscaleError(
                Problem(
                    str(path),
                    "is the checkpoint of another training",
                    "Going on from it would mix data or settings",
                    "delete it",
                )
            )
        self.model.load_state_dict(held["model"])
        self.optimizer.load_state_dict(held["optimizer"])
        self.rng.set_state(held["rng"].cpu())
        vars(self.objective).update(held["objective"])
        for name in ("kept", "best", "waited", "stage", "step", "states", "history", "steps"):
            setattr(self, name, held[name])

    def _of(self) -> dict[str, Any]:
        """What a checkpoint must agree with."""
        f = self.objective.folds
        data = [float(f.values.double().sum()), float((f.values.double() ** 2).sum()), int(f.train.sum()), f.lag]
        return {"settings": self.settings.model_dump(mode="json"), "seed": self.seed, "data": data}


def train(
    series: Array | Sequence[Array],
    runs: Ints | Sequence[Ints] | None = None,
    *,
    seed: int = 0,
    seeds: Sequence[int] | None = None,
    conventions: Conventions | None = None,
    progress: Callable[[TrainingProgress], None] | None = None,
    checkpoint: str | Path | None = None,
    device: str = "cpu",
    **parameters: Any,
) -> Trained:
    """Learn hierarchies of invertible encoders with the dynamics of every scale.

    Several series (windows, surrogates, seeds) are trained as one stack; each is the better for nothing that is in the
    others, and stops by itself.

    Args:
        series: (frame, unit) activity, or several such.
        runs: (frame,) run of consecutive frames, or one such per series (see `folds_of`).
        seed: of the choice of transitions and, unless `seeds` are given, of every model.
        seeds: one per series; series with one seed start alike.
        conventions: of mode `published`.
        progress: told at every evaluation, with the time that is left.
        checkpoint: path of a file from which an interrupted training goes on to the same bytes.
        device: "cpu" or "cuda".
        **parameters: fields of `Training`, which the section `encoder` has too.

    Returns:
        The hierarchies, on the device, each as it was best on its held-out blocks.

    Raises:
        PhiscaleError: unknown parameters, series that do not fit or are too short, a checkpoint of another training.

    >>> import numpy as np
    >>> found = train(np.random.default_rng(0).normal(size=(200, 4)), steps=2, power_steps=2)
    >>> found.model.scales
    (4, 2, 1)
    """
    from pipeline.base.parameters import filled

    settings = filled(Training, parameters, "encoder")
    many = [series] if getattr(series, "ndim", 3) == 2 else list(series)
    labels = None if runs is None else [runs] if many[0] is series else list(runs)
    folds = folds_of(
        many,  # type: ignore[arg-type]  # told apart by their dimensions
        labels,  # type: ignore[arg-type]
        lag=settings.lag,
        held_out=settings.held_out,
        blocks=settings.blocks,
        gap=settings.gap,
    )
    trainer = _trainer(folds, settings, seed, seeds or [seed] * len(many), conventions, device)
    path = None if checkpoint is None else Path(checkpoint)
    if path is not None and path.exists():
        trainer.load(path)
    trainer.run(progress, path)
    return Trained(
        trainer.model, trainer.objective.folds, settings.mode, trainer.states, trainer.history, trainer.steps
    )


def _trainer(
    folds: Folds,
    settings: Training,
    seed: int,
    seeds: Sequence[int],
    conventions: Conventions | None,
    device: str,
) -> Trainer:
    """Put model and objective together."""
    published = settings.mode == "published"
    conventions = conventions or Conventions()
    architecture = Architecture(
        folds.values.shape[-1],
        settings.couplings,
        (settings.hidden,) * (2 if published else 1),
        settings.hidden,
        whitened=not published,
        squashed=conventions.squashed,
    )
    folds = Folds(
        folds.values.to(device),
        folds.train.to(device),
        folds.held.to(device),
        folds.lag,
        folds.gap,
        folds.autocorrelation_time,
    )
    model = Hierarchy(architecture, seeds).to(device)
    objective: TrainingObjective = (
        Published(folds, architecture.scales, settings.transitions, conventions)
        if published
        else Calibrated(folds, settings.tolerance, settings.transitions, settings.start)
    )
    objective.prepare(model, generators([one + 1 for one in seeds]))
    return Trainer(objective, model, settings, seed)
