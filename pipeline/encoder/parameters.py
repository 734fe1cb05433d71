"""The section `encoder` of a study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import Positive, Section


class Encoder(Section):
    """Learned multiscale variables: a hierarchy of invertible encoders that halves the dimensions down to 1."""

    mode: Literal["calibrated", "published"] = Field(
        "calibrated",
        description="calibrated: whitened latents, bounded dynamics, held-out likelihood, causal power under a stated "
        "loss of prediction; published: both stages of the mouse study as printed, to compare with it",
    )
    lag: Annotated[int, Field(ge=1)] = Field(1, description="Frames of a step of the dynamics")
    couplings: Annotated[int, Field(ge=0)] = Field(6, description="Affine couplings of each flow")
    hidden: Annotated[int, Field(ge=1)] = Field(64, description="Width of the hidden layers")
    steps: Annotated[int, Field(ge=0)] = Field(400, description="Training steps of stage 1 at most")
    power_steps: Annotated[int, Field(ge=0)] = Field(
        200, description="Training steps of stage 2 at most (published: of each scale)"
    )
    rate: Positive = Field(0.003, description="Learning rate (published: 0.0001)")
    batch: Annotated[int, Field(ge=1)] = Field(
        4096, description="Transitions of one step; calibrated: where there are no more, all (published: 512)"
    )
    tolerance: Annotated[float, Field(ge=0)] = Field(
        0.01, description="By how much stage 2 may worsen the loss of a scale [nat per unit and frame]"
    )
    start: Literal["linear", "random"] = Field(
        "linear", description="Flows start at the most predictable linear directions, or at random ones"
    )
    held_out: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.25, description="Share of the frames that is held out, in contiguous blocks"
    )
    blocks: Annotated[int, Field(ge=1)] = Field(4, description="Number of held-out blocks of a window")
    gap: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Frames left out around a held-out block; by default the longest autocorrelation time"
    )
    evaluate_every: Annotated[int, Field(ge=1)] = Field(10, description="Steps from one evaluation to the next")
    patience: Annotated[int, Field(ge=0)] = Field(
        5, description="Evaluations without a better held-out loss after which a model stops; 0: never"
    )
