"""The section `encoder` of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.base.parameters import MOST_DRAWS, MOST_FRAMES, Seconds, Section
from pipeline.encoder.scales import LARGEST, scales_of
from pipeline.nulls.registry import NULLS
from pipeline.tpm.parameters import METHOD as AUTO
from pipeline.tpm.parameters import QUICK
from pipeline.tpm.registry import ESTIMATORS, RasterEstimator, RecordingEstimator

KINDS = ("brownian", "interaction", "var")
SHOWN = "interaction"
MOST_STEPS = 1_000_000

if TYPE_CHECKING:
    from typing import TypeAlias

    TraceNull: TypeAlias = str
    CountingEstimator: TypeAlias = str
else:
    CountingEstimator = Literal[
        tuple(n for n, e in ESTIMATORS.items() if not isinstance(e, RecordingEstimator | RasterEstimator) and n != AUTO)
    ]
    TraceNull = Literal[tuple(name for name, null in NULLS.items() if "traces" in null.takes)]


class Training(Section):
    """How hierarchies of invertible encoders are made and trained."""

    mode: Literal["calibrated", "published"] = Field(
        "calibrated",
        description="calibrated: whitened latents, bounded dynamics, held-out likelihood, causal power under a stated "
        "loss of prediction; published: both stages of the mouse study as printed, to compare with it",
    )
    lag: Annotated[int, Field(ge=1, le=MOST_FRAMES)] = Field(1, description="Frames of a step of the dynamics")
    couplings: Annotated[int, Field(ge=0, le=100)] = Field(6, description="Affine couplings of each flow")
    hidden: Annotated[int, Field(ge=1, le=4096)] = Field(64, description="Width of the hidden layers")
    steps: Annotated[int, Field(ge=0, le=MOST_STEPS)] = Field(400, description="Training steps of stage 1 at most")
    power_steps: Annotated[int, Field(ge=0, le=MOST_STEPS)] = Field(
        200, description="Training steps of stage 2 at most (published: of each scale)"
    )
    rate: Annotated[float, Field(ge=1e-8, le=1)] | None = Field(
        None, description="Learning rate; empty: 0.003, published: 0.0001"
    )
    batch: Annotated[int, Field(ge=1, le=MOST_FRAMES)] | None = Field(
        None, description="Transitions of one step; empty: 4096, or all where there are no more; published: 512"
    )
    tolerance: Annotated[float, Field(ge=0, le=100)] = Field(
        0.01, description="By how much stage 2 may worsen the loss of a scale [nat per unit and frame]"
    )
    start: Literal["linear", "random"] = Field(
        "linear", description="Flows start at the most predictable linear directions, or at random ones"
    )
    held_out: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.25, description="Share of the frames that is held out, in contiguous blocks"
    )
    blocks: Annotated[int, Field(ge=1, le=1000)] = Field(4, description="Number of held-out blocks of a window")
    gap: Annotated[int, Field(ge=0, le=MOST_FRAMES)] | None = Field(
        None, description="Frames left out around a held-out block; by default the longest autocorrelation time"
    )
    evaluate_every: Annotated[int, Field(ge=1, le=MOST_STEPS)] = Field(
        10, description="Steps from one evaluation to the next"
    )
    patience: Annotated[int, Field(ge=0, le=MOST_STEPS)] | None = Field(
        None,
        description="Evaluations without a better held-out loss after which a model stops, 0: never; empty: 5, "
        "published: 0",
    )

    def of_mode(self, calibrated: float, published: float) -> float:
        """Return what a field that was left empty means in this mode."""
        return published if self.mode == "published" else calibrated

    @property
    def learning_rate(self) -> float:
        """The learning rate, where it was left empty that of the mode."""
        return self.rate or self.of_mode(0.003, 1e-4)

    @property
    def transitions(self) -> int:
        """Transitions of one step, where it was left empty those of the mode."""
        return self.batch or int(self.of_mode(4096, 512))

    @property
    def waits(self) -> int:
        """Evaluations without a better loss after which a model stops; 0: never."""
        return int(self.of_mode(5, 0)) if self.patience is None else self.patience


class Encoder(Training):
    """Learned multiscale variables: a hierarchy of invertible encoders that halves the dimensions down to 1."""

    units: Annotated[int, Field(ge=2, le=1024)] = Field(32, description="Ensembles that the hierarchy begins with")
    bin_s: Seconds | None = Field(None, description="Length of a frame [s]; empty: frames as recorded")
    seeds: Annotated[int, Field(ge=1, le=100)] = Field(3, description="Starts of each hierarchy; values are their mean")
    nulls: list[TraceNull] = Field(
        default_factory=lambda: list(KINDS),
        description="Null families of the activity; their surrogates are trained just as the data are",
    )
    shown: TraceNull = Field(SHOWN, description="The null that summary.csv shows")
    surrogates: Annotated[int, Field(ge=2, le=MOST_DRAWS)] = Field(10, description="Surrogates per null")
    macro_scales: list[Annotated[int, Field(ge=2, le=LARGEST)]] | None = Field(
        None,
        description="Scales whose latents are made ON and OFF for phi of the macro model (route macro_model); empty: "
        "all from 8 to 2. Larger ones have more states than any recording visits: of them there is causal power only",
    )
    macro_estimator: CountingEstimator = Field(
        QUICK,
        description="Estimator of their TPM; their states are known, so that none that finds hidden ones is meant",
    )
    dynamics_surrogates: Annotated[int, Field(ge=0, le=MOST_DRAWS)] = Field(
        99,
        description="Linear surrogates (Gaussian autoregressions) that barriers and saddles of latents are tested "
        "against; with fewer than 19 no p can be 0.05",
    )

    @property
    def macro_models(self) -> list[int]:
        """Numbers of latents of which there are macro models: those asked for, or all scales from 8 to 2.

        >>> Encoder().macro_models, Encoder(units=6, macro_scales=[2, 4]).macro_models
        ([8, 4, 2], [2])
        """
        there = [d for d in scales_of(self.units) if 1 < d <= LARGEST]
        return there if self.macro_scales is None else [d for d in there if d in self.macro_scales]
