"""The section `simulate` of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from pipeline.base.parameters import Hertz, Seconds, Section
from pipeline.simulation.drives import DRIVES
from pipeline.simulation.indicators import INDICATORS, Kinetics
from pipeline.simulation.planted import MOTIF, ON_FRACTION, usual_amplitude
from pipeline.simulation.regimes import MOST_UNITS
from pipeline.simulation.registry import SUBSTRATES

Share = Annotated[float, Field(ge=0, le=1)]
Logit = Annotated[float, Field(ge=-20, le=20)]
NotNegative = Annotated[float, Field(ge=0, le=20)]
Relative = Annotated[float, Field(ge=1e-3, le=1e3)]  # to the usual
CONDITIONS = tuple(ON_FRACTION)


def _phase(value: Any) -> Any:
    """Return a phase if it is one, so that a fault is told once and not once per type."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    if number or value == "random":
        return value
    raise ValueError("write random, or a share of the step from 0 to 1")


_PHASE_SCHEMA = {"anyOf": [{"const": "random"}, {"type": "number", "minimum": 0, "maximum": 1}]}
Phase = Annotated[Literal["random"] | float, PlainValidator(_phase), WithJsonSchema(_PHASE_SCHEMA)]

if TYPE_CHECKING:
    SubstrateName: TypeAlias = str
    DriveKind: TypeAlias = str
    Indicator: TypeAlias = str
    Condition: TypeAlias = str
else:
    SubstrateName = Literal[tuple(SUBSTRATES)]
    DriveKind = Literal[tuple(DRIVES)]
    Indicator = Literal[tuple(INDICATORS)]
    Condition = Literal[CONDITIONS]


class Detection(Section):
    """How well one condition is seen; what is left out is as in the section `simulate`."""

    participation: Annotated[float, Field(gt=0, le=1)] | None = None
    spontaneous: Share | None = None
    brightness: Relative | None = None
    noise: Relative | None = None


class Simulate(Section):
    """Simulated recordings with known causal structure (format `simulate` in recordings.tsv)."""

    substrate: Annotated[SubstrateName, SUBSTRATES] = Field("pairs", description="What the ensembles do to each other")
    motifs: Annotated[int, Field(ge=1, le=4)] = Field(
        1, description="Planted pairs of ensembles: 4 ensembles per motif (substrate pairs)"
    )
    units: Annotated[int, Field(ge=2, le=MOST_UNITS)] = Field(
        4, description="Recorded ensembles (substrates other than pairs)"
    )
    hidden: Annotated[int, Field(ge=0, le=MOST_UNITS)] = Field(
        0, description=f"Ensembles that act and are not recorded (substrates other than pairs; {MOST_UNITS} in all)"
    )
    neurons_per_ensemble: Annotated[int, Field(ge=2, le=10_000)] = Field(
        100, description="Neurons driven by one ensemble"
    )
    rate_hz: Hertz = Field(10.0, description="Frame rate [Hz]")
    step_s: Seconds = Field(0.5, description="Update interval of the substrate [s]")
    phase: Phase = Field(
        "random",
        description="Where in a step the first frame falls: a share of the step, or random in each recording",
    )
    onset_share: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="Neurons fire within this first share of the step that causes it"
    )
    duration_s: Seconds = Field(1000.0, description="Length of each condition [s]")
    jitter: NotNegative = Field(0.05, description="Spread of the couplings of pairs between subjects (relative)")
    anesthesia_coupling: Share = Field(0.2, description="Coupling under anesthesia, relative to awake")
    recovery_coupling: Share = Field(0.6, description="Coupling in recovery, relative to awake")
    drive: DriveKind = Field("telegraph", description="What acts on all ensembles from outside them")
    drive_s: Seconds = Field(10.0, description="Mean dwell time (telegraph) or time constant (ar1) of the drive [s]")
    drive_logit: dict[Condition, NotNegative] = Field(
        default_factory=dict,
        description="Amplitude of the drive by condition [logit]; by default 0.8 × (1 - coupling), so that awake has "
        "none",
    )
    drift_logit: dict[Condition, Logit] = Field(
        default_factory=dict,
        description="By condition: over each window rates drift from minus to plus this [logit]; by default not at all",
    )
    kinetics: Indicator = Field("GCaMP6s", description="Indicator whose transients rise and decay as these do")
    rise_s: Seconds | None = Field(None, description="Time constant of the rise [s]; empty takes that of the indicator")
    decay_s: Seconds | None = Field(
        None, description="Time constant of the decay [s]; empty takes that of the indicator"
    )
    participation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.1, description="Probability that a neuron fires in a step in which its ensemble is ON"
    )
    spontaneous: Share = Field(
        0.01, description="The same while its ensemble is OFF, relative to participation while ON"
    )
    brightness: Relative = Field(1.0, description="Light, relative to the usual; more of it is less noise in ΔF/F")
    noise: Relative = Field(1.0, description="Shot noise at given light, relative to the usual")
    landscape: NotNegative = Field(
        0.0,
        description="Slow continuous dynamics of several scales beside the ensembles: standard deviation in ΔF/F that "
        "they give each neuron; 0: none. Awake and in recovery the whole cortex has two wells, under anesthesia one; "
        "opposed neurons carry them, so that the mean of a simulated ensemble is without",
    )
    landscape_sites: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="Sites of each ensemble that differ in them; there are as many variables as sites in all"
    )
    landscape_s: Seconds = Field(1.0, description="Time constant of the slowest of their variables with one well [s]")
    landscape_stay_s: Seconds = Field(15.0, description="Mean stay of the whole cortex in a well awake [s]")
    landscape_barrier: Annotated[float, Field(ge=0.1, le=20)] = Field(
        1.5, description="Barrier between its wells awake, in units of the noise; times the coupling in recovery"
    )
    detection: dict[Condition, Detection] = Field(
        default_factory=dict,
        description="Conditions that are seen otherwise: condition -> its own participation, spontaneous, brightness "
        "or noise",
    )

    @model_validator(mode="after")
    def _units_make_a_substrate(self) -> Simulate:
        chosen = SUBSTRATES[self.substrate]
        if chosen.planted and self.hidden:
            raise ValueError("planted pairs have no hidden ensembles: use another simulate.substrate, or hidden: 0")
        if self.substrate != "pairs" and self.all_units > MOST_UNITS:
            raise ValueError(f"units and hidden are {self.all_units} together, at most {MOST_UNITS} are possible")
        if self.all_units < chosen.least_units:
            raise ValueError(f"the substrate {self.substrate} takes at least {chosen.least_units} units")
        if chosen.planted and self.all_units % MOTIF:
            raise ValueError(f"the substrate {self.substrate} is made of motifs of {MOTIF}: use 4 or 8 units")
        if self.landscape and 2 * self.landscape_sites > self.neurons_per_ensemble:
            raise ValueError("landscape_sites: a site takes two neurons at least, of those of its ensemble")
        return self

    @property
    def recorded(self) -> int:
        """Number of recorded ensembles."""
        return 4 * self.motifs if self.substrate == "pairs" else self.units

    @property
    def all_units(self) -> int:
        """Number of ensembles, hidden ones included."""
        return self.recorded + self.hidden

    @property
    def transient(self) -> Kinetics:
        """How light follows a spike."""
        usual = INDICATORS[self.kinetics]
        return Kinetics(self.rise_s or usual.rise_s, self.decay_s or usual.decay_s)

    def coupling(self, condition: str) -> float:
        """Return the coupling in a condition relative to awake."""
        return {"anesthesia": self.anesthesia_coupling, "recovery": self.recovery_coupling}.get(condition, 1.0)

    def amplitude(self, condition: str) -> float:
        """Return the amplitude of the drive in a condition [logit]."""
        return self.drive_logit.get(condition, usual_amplitude(self.coupling(condition)))

    def seen(self, condition: str) -> dict[str, float]:
        """Return participation, spontaneous, brightness and noise in a condition."""
        own = self.detection.get(condition, Detection()).model_dump(exclude_none=True)
        return {name: float(own.get(name, getattr(self, name))) for name in Detection.model_fields}
