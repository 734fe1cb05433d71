"""What is measured: name, unit, sign and words of every measure, once for the whole package.

The order of `MEASURES` is the order of rows in the tables. Datasets take `unit` and `long_name`, figures `sign`,
sentences `words`, the glossary `meaning`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure of a system, or of its activity.

    Attributes:
        name: how tables and datasets call it.
        unit: physical unit, "1" for none, as it stands in the attributes of a dataset.
        long_name: what a dataset says of it.
        sign: its sign in figures, as mathtext.
        words: its name in a sentence.
        symbol: its sign in plain text, where it has one.
        meaning: its definition, for the glossary.
        of_state: each joint state has a value; a window's is their mean, weighted by the window's own occupancy.
        common: the mean is also formed under the occupancy common to the windows compared, as `NAME_common`.
        of_tpm: it is a function of the whole TPM.
        unfolded: it needs the whole Φ-structure, which few units only allow.
        null: it is computed for surrogates as well.
        truth: it is computed from a known TPM too, and held against the estimate.
        counts: it is a number of things.
        multiplies: it grows by factors, so that a wide range asks for a logarithmic axis.
        summarised: it has rows in summary.csv.
        zero: 0 means that there is nothing of it, so that the probability of more than that is told.
    """

    name: str
    unit: str
    long_name: str
    sign: str
    words: str
    meaning: str
    symbol: str = ""
    of_state: bool = False
    common: bool = False
    of_tpm: bool = False
    unfolded: bool = False
    null: bool = False
    truth: bool = False
    counts: bool = False
    multiplies: bool = False
    summarised: bool = True
    zero: bool = False

    @property
    def short(self) -> str:
        """Its symbol, or its name in a sentence where it has none."""
        return self.symbol or self.words

    @property
    def shown_unit(self) -> str:
        """The unit as a reader is told it: "count" for a number of things."""
        return "count" if self.counts else self.unit

    @property
    def axis(self) -> str:
        """Label of an axis: the sign, with the unit where there is one."""
        return self.sign if self.shown_unit in ("1", "count") else f"{self.sign} [{self.unit}]"


def common_name(name: str) -> str:
    """Return the name of a measure under the occupancy common to the windows compared."""
    return f"{name}_common"


def base_of(name: str) -> str:
    """Return the measure that is weighted, of one under the common occupancy; any other itself.

    >>> base_of("phi_s_common"), base_of("phi_s")
    ('phi_s', 'phi_s')
    """
    return name.removesuffix("_common")


_OF_SYSTEMS = (
    Measure(
        "phi_s",
        "ibit",
        "integrated information of the system",
        r"$\varphi_s$",
        "system integrated information",
        "System integrated information of all units together: what is lost over the partition that makes the least "
        "difference. Mean over visited states, weighted by the window's own occupancy.",
        symbol="phi_s",
        of_state=True,
        zero=True,
        common=True,
        null=True,
        truth=True,
    ),
    Measure(
        "phi_s_common",
        "ibit",
        "integrated information of the system, common occupancy",
        r"$\varphi_s$, common occupancy",
        "system integrated information, common occupancy",
        symbol="phi_s, common occupancy",
        meaning="The same values per state, weighted with one occupancy for all conditions that are compared (the mean "
        "over conditions, on states visited in all of them): a difference here is one of the observed transition "
        "probabilities, not of which states are visited.",
    ),
    Measure(
        "phi_s_observational",
        "ibit",
        "integrated information of the system, drive not held",
        r"$\varphi_s$, drive not held",
        "system integrated information, drive not held",
        symbol="phi_s, drive not held",
        meaning="phi_s of the observational TPM, which an unlimited recording would show: influences that the units "
        "share from outside count as if they acted on each other. Only where the estimator models a common drive, and "
        "phi_s itself is of the drive-held TPM.",
        of_state=True,
        zero=True,
    ),
    Measure(
        "phi_s_complex",
        "ibit",
        "integrated information of the first complex",
        r"$\varphi_s$ of first complex",
        "system integrated information of the first complex",
        symbol="phi_s of the first complex",
        meaning="phi_s of the subset of units with the largest phi_s in each state (the first complex).",
        of_state=True,
        zero=True,
        common=True,
        null=True,
    ),
    Measure(
        "phi_s_complex_common",
        "ibit",
        "integrated information of the first complex, common occupancy",
        r"$\varphi_s$ of first complex, common occupancy",
        "phi_s of the first complex, common occupancy",
        symbol="phi_s of the first complex, common occupancy",
        meaning="phi_s of the first complex under the common occupancy.",
    ),
    Measure(
        "big_phi",
        "ibit",
        "structure integrated information Φ",
        r"$\Phi$",
        "structure integrated information",
        "Structure integrated information Φ: sum of the integrated information of all distinctions and relations. "
        "Mean over visited states.",
        symbol="Φ",
        of_state=True,
        zero=True,
        common=True,
        unfolded=True,
        null=True,
        truth=True,
        multiplies=True,
    ),
    Measure(
        "big_phi_common",
        "ibit",
        "structure integrated information Φ, common occupancy",
        r"$\Phi$, common occupancy",
        "structure integrated information, common occupancy",
        symbol="Φ, common occupancy",
        meaning="Φ under the common occupancy.",
    ),
    Measure(
        "sum_phi_d",
        "ibit",
        "sum of the distinctions' integrated information",
        r"$\Sigma\,\varphi_d$",
        "sum of the distinctions' integrated information",
        "The part of Φ that distinctions contribute.",
        of_state=True,
        unfolded=True,
        summarised=False,
    ),
    Measure(
        "sum_phi_r",
        "ibit",
        "sum of the relations' integrated information",
        r"$\Sigma\,\varphi_r$",
        "sum of the relations' integrated information",
        "The part of Φ that relations contribute.",
        of_state=True,
        unfolded=True,
        summarised=False,
    ),
    Measure(
        "n_distinctions",
        "1",
        "distinctions",
        "Distinctions",
        "number of distinctions",
        "Number of distinctions (mechanisms that specify a cause and an effect), mean over visited states.",
        of_state=True,
        unfolded=True,
        null=True,
        counts=True,
    ),
    Measure(
        "n_relations",
        "1",
        "relations",
        "Relations",
        "number of relations",
        "Number of relations among distinctions, mean over visited states.",
        of_state=True,
        unfolded=True,
        null=True,
        counts=True,
        multiplies=True,
    ),
    Measure(
        "effective_information",
        "bit",
        "effective information of the TPM",
        "Effective information",
        "effective information",
        "Mutual information between a uniformly distributed state and the next one, from the TPM (Hoel 2013).",
        of_tpm=True,
        null=True,
        truth=True,
    ),
    Measure(
        "causal_power",
        "1",
        "causal power: effective information / log2(states)",
        "Causal power",
        "causal power",
        "Effective information relative to its maximum, EI / log2(number of states) = determinism + specificity − 1; "
        "0 to 1 (Hoel 2025).",
        of_tpm=True,
        null=True,
    ),
    Measure(
        "delta_causal_power",
        "1",
        "gain in causal power, macro minus micro",
        r"$\Delta$ causal power",
        "gain in causal power",
        "Causal power of the macro scale minus that of the micro scale of the same window; above 0 the macro scale is "
        "the more deterministic and specific description.",
        null=True,
    ),
    Measure(
        "gaussian_causal_power",
        "bit",
        "causal power of learned latents, per dimension",
        "Causal power per dimension",
        "causal power of latents",
        "What an intervention on all latents of a scale, Gaussian with their covariance, tells about the next ones "
        "through the learned dynamics, divided by their number. The same in whatever units latents are written; slow "
        "noise has it too, so it is read beside its nulls.",
    ),
    Measure(
        "delta_gaussian_causal_power",
        "bit",
        "gain in causal power of learned latents over all dimensions",
        r"$\Delta$ causal power per dimension",
        "gain in causal power of latents",
        "Causal power of latents, per dimension, minus that of the scale of all dimensions of the same window.",
    ),
    Measure(
        "published_j",
        "nat",
        "J of learned latents as published, per dimension",
        "$J$ per dimension, as published",
        "published J of latents",
        "Causal power per dimension as the mouse study prints it (mode published only): the mean log-determinant of "
        "the learned map on the box, less the entropy of its residuals. It grows when latents shrink, and is no mutual "
        "information: compare it with its nulls, not with other hierarchies.",
    ),
    Measure(
        "delta_published_j",
        "nat",
        "gain in published J of learned latents over all dimensions",
        r"$\Delta J$ per dimension, as published",
        "gain in published J of latents",
        "Published J, per dimension, minus that of the scale of all dimensions of the same window.",
    ),
    Measure(
        "emergent_complexity",
        "bit",
        "emergent complexity of learned latents",
        "Emergent complexity",
        "emergent complexity of latents",
        "Entropy of how causal power, per dimension, is shared out over the scales of a hierarchy: the first value and "
        "each excess over the largest so far (Wang et al. 2025). It counts gains that slow noise has too.",
    ),
    Measure(
        "emergent_complexity_successive",
        "bit",
        "emergent complexity of learned latents, successive gains",
        "Emergent complexity, successive",
        "emergent complexity of latents, successive gains",
        "The same of the positive differences from scale to scale, the scale of all dimensions left out (Hoel 2025).",
    ),
    Measure(
        "coverage_mm",
        "mm",
        "reach of learned latents over the cortex",
        "Coverage",
        "coverage of latents",
        "Standard deviation of the neurons' places, weighted by what integrated gradients attribute to each; mean over "
        "the latents of a scale.",
    ),
)
_OF_ACTIVITY = (
    Measure(
        "event_rate_hz",
        "Hz",
        "event rate",
        "Event rate",
        "event rate",
        "OFF→ON transitions of a unit per second.",
    ),
    Measure(
        "fraction_on",
        "1",
        "fraction of time ON",
        "Fraction ON",
        "fraction of time ON",
        "Share of frames in which a unit is ON.",
    ),
    Measure("entropy_bits", "bit", "entropy", "Entropy", "entropy", "Entropy of a unit's state."),
    Measure(
        "autocorrelation_time_s",
        "s",
        "autocorrelation time",
        "Autocorr. time",
        "autocorrelation time",
        "Time over which a unit's state stays correlated with itself.",
    ),
    Measure(
        "stationarity_z",
        "1",
        "stationarity",
        "Stationarity z",
        "stationarity",
        "Difference of the fraction ON between the halves of the window, in standard errors.",
    ),
    Measure(
        "mean_pairwise_correlation",
        "1",
        "mean pairwise correlation of the units",
        "Pairwise correlation",
        "mean pairwise correlation of the units",
        "Mean correlation of the units' states within a window.",
    ),
    Measure(
        "mean_pairwise_correlation_neurons",
        "1",
        "mean pairwise correlation of the neurons",
        "Pairwise correlation (neurons)",
        "mean pairwise correlation of the neurons",
        "Mean correlation of the neurons' ΔF/F.",
    ),
    Measure(
        "neuron_transients_per_5min",
        "1 / 5 min",
        "transients per neuron",
        "Transients per 5 min",
        "transients per neuron",
        "Median over neurons of the number of calcium transients in 5 minutes.",
    ),
    Measure(
        "dropped_fraction",
        "1",
        "share of dropped frames",
        "Dropped frames",
        "share of dropped frames",
        "Share of the window's frames that were not used (motion, missing values).",
    ),
    Measure("n_frames", "1", "frames", "Frames", "frames", "States (time bins) in the window.", counts=True),
    Measure(
        "n_transitions",
        "1",
        "transitions",
        "Transitions",
        "transitions",
        "Pairs of states, one lag apart, within a segment.",
        counts=True,
    ),
    Measure(
        "n_matched",
        "1",
        "frames used after matching",
        "Frames used",
        "frames used after matching",
        "States used for the TPM after windows were matched in length.",
        counts=True,
    ),
    Measure("duration_s", "s", "duration", "Duration", "duration", "Time covered by the window's states."),
)

MEASURES = {measure.name: measure for measure in (*_OF_SYSTEMS, *_OF_ACTIVITY)}


def _names(chosen: Callable[[Measure], bool]) -> tuple[str, ...]:
    return tuple(measure.name for measure in _OF_SYSTEMS if chosen(measure))


SUMMARISED = _names(lambda m: m.summarised)  # rows of summary.csv, in this order
OF_STATE = _names(lambda m: m.of_state)  # variables (state) of a phi dataset
OF_TPM = _names(lambda m: m.of_tpm)  # scalars of a phi dataset
COMMON = _names(lambda m: m.common)  # have a value under the common occupancy too
UNFOLDED = _names(lambda m: m.unfolded)  # need the whole Φ-structure
OF_SURROGATES = _names(lambda m: m.null)  # computed for surrogates
WITH_ZERO = frozenset(n for m in _names(lambda m: m.zero) for n in (m, common_name(m)))  # have a P(> 0)
WITH_TRUTH = _names(lambda m: m.truth)  # computed from a known TPM
OF_ACTIVITY = tuple(measure.name for measure in _OF_ACTIVITY)  # of quality/R.csv
