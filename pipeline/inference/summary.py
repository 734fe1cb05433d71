"""One row per window, scale and measure: state-weighted values, their intervals, and their nulls.

What the numbers of one window mean:

- *own occupancy* (`phi_s`, `big_phi`, ...): the mean over the window's visited states, each weighted
  by the share of frames spent in it.
- *common occupancy* (`phi_s_common`, ...): the same mechanism-level values under one distribution
  of states for all windows that are compared, so that a change of mechanism is told from a change
  of occupancy (see `occupancy.common_occupancy`).
- *interval*: quantiles over the posterior draws of the TPM under the same weights. It carries the
  uncertainty of the mechanism, not that of the occupancy. Where a measure has simulated copies
  (`tpm.copies`), value and interval are what these make of the draws (`inference.corrected`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.base.arrays import Floats, Ints
from pipeline.inference import withheld
from pipeline.inference.corrected import calibration, corrected
from pipeline.inference.over_scales import correct_over_scales, grains
from pipeline.inference.parameters import Compare
from pipeline.integration.occupancy import Key, Occupancy, common_occupancy, key_of, weighted_mean, window_of
from pipeline.integration.parameters import Iit
from pipeline.nulls.parameters import LEAST_RANDOM, SHOWN
from pipeline.nulls.registry import RANDOM_GROUPING
from pipeline.results import measures
from pipeline.results.columns import NULL_COLUMNS, SUMMARY_COLUMNS
from pipeline.results.tables import table

STATE_MEASURES = tuple(name for name in measures.OF_STATE if name in measures.SUMMARISED)
ZERO = 1e-9  # what is not above it is 0
TIE = 1e-10  # two values closer than this are a tie, as in iitcore


Test = dict[str, Any]  # a measure, a null family, a word of caution, and what `null_test` returns


@dataclass(frozen=True)
class Estimate:
    """A measure of one window.

    Attributes:
        value: of the point estimate.
        draws: (draw,) of the posterior draws.
        flags: words of caution.
        copies: (copy, 2) truth and estimate of simulated copies.
        copies_draws: (copy, copy_draw) posterior draws of their estimates.
        withheld: why the value is not told, as a flag; "" where it is.
        least: (draw,) of what is told of a value that is withheld: that it is no less.
    """

    value: float
    draws: Floats = field(default_factory=lambda: np.empty(0))
    flags: tuple[str, ...] = ()
    copies: Floats = field(default_factory=lambda: np.empty((0, 2)))
    copies_draws: Floats = field(default_factory=lambda: np.empty((0, 0)))
    withheld: str = ""
    least: Floats = field(default_factory=lambda: np.empty(0))

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the central interval of the draws, NaN where there are fewer than two."""
        draws = self.draws[np.isfinite(self.draws)]
        if draws.size < 2:
            return np.nan, np.nan
        low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)

    def reported(self, confidence: float) -> Reported:
        """Return what is told of it: corrected where it has copies."""
        if self.withheld:
            low, _ = Estimate(np.nan, self.least).interval(confidence)
            return Reported(np.nan, low, np.nan, (*self.flags, self.withheld))
        found = corrected(self.draws, self.copies, confidence)
        if found is None:
            return Reported(self.value, *self.interval(confidence), self.flags)
        return Reported(*found, (*self.flags, "corrected"))

    def p_positive(self) -> float:
        """Return the share of draws above 0; NaN where there are none, or the value is withheld."""
        draws = self.draws[np.isfinite(self.draws)]
        return float(np.mean(draws > ZERO)) if draws.size and not self.withheld else np.nan


class Reported(NamedTuple):
    """Value, interval and words of caution of a measure, as they stand in the summary."""

    value: float
    low: float
    high: float
    flags: tuple[str, ...]


def summarise(
    phi: Iterable[xr.Dataset],
    nulls: Iterable[xr.Dataset] = (),
    *,
    confidence: float = Compare().confidence,
    min_row_visits: int = Iit().min_row_visits,
    shown: Mapping[str, str] = SHOWN,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gather the windows of a study into the tables `summary` and `nulls`.

    p = (1 + number of surrogates >= value) / (1 + number of surrogates), one-sided: is the value higher than the null
    gives? z and excess are relative to the surrogates' mean and sd. Rows are sorted; measures that were not computed
    (Φ of a system above the size limit) have none.

    Args:
        phi: results of `integration.integrate`, one per recording, window, route and scale.
        nulls: results of `integration.integrate_nulls` for any of them.
        confidence: level of the intervals over posterior draws.
        min_row_visits: visits below which a row of the TPM is thin (`inference.withheld`).
        shown: the null of each measure that `summary` repeats in null, null_mean and null_p. Where a window lacks it,
            or has fewer than 19 random groupings of it (whose p cannot fall to 0.05: four units in two pairs have two
            others), these are empty and the flag says so: a p never answers another question.

    Returns:
        The tables summary.csv and nulls.csv (see `results.columns`).
    """
    datasets = sorted(phi, key=key_of)
    by_key = {key_of(d): d for d in datasets}
    common = common_occupancy(datasets)
    surrogates = {key_of(d): d for d in nulls}
    found: dict[Key, dict[str, Estimate]] = {}
    tests: dict[Key, list[Test]] = {}
    for key, dataset in by_key.items():
        partner = by_key.get((*window_of(dataset), "micro", dataset.sizes.get("micro_unit", -1)))
        estimates = window_estimates(dataset, common[key], partner)
        tests[key] = _null_tests(surrogates.get(key), estimates, partner)
        found[key] = _withheld(estimates, withheld.rows_of(dataset, partner), min_row_visits, confidence)
    correct_over_scales(tests)
    phi_s = {key: own["phi_s"] for key, own in found.items() if "phi_s" in own}
    grain = grains(
        datasets, {k: e.reported(confidence).value for k, e in phi_s.items()}, {k: e.draws for k, e in phi_s.items()}
    )
    rows, null_rows = [], []
    for key, dataset in by_key.items():
        rows += [
            row | {"grain": grain[key].word, "grain_share": grain[key].share}
            for row in _summary_rows(dataset, found[key], tests[key], confidence, shown)
        ]
        null_rows += [_identity(dataset) | test for test in tests[key]]
    return table(rows, SUMMARY_COLUMNS), table(null_rows, NULL_COLUMNS)


def window_estimates(phi: xr.Dataset, common: Occupancy, micro: xr.Dataset | None = None) -> dict[str, Estimate]:
    """Return every measure of one window at one scale, in the order of `results.measures`.

    Args:
        phi: result of `integration.integrate`.
        common: weights over its states that the windows compared share.
        micro: the micro scale of the same window; gives `delta_causal_power` (macro minus micro), whose draws are
            paired, since macro draws are derived from the micro draws.
    """
    own = np.where(phi["visited"].values, phi["occupancy"].values, 0.0)
    found: dict[str, Estimate] = {}
    for measure in STATE_MEASURES:
        values = phi[measure].values.astype(float) if measure in phi else np.full(own.shape, np.nan)
        if np.isnan(values).all():
            continue
        draws = _draws(phi, measure)
        value, spread = float(weighted_mean(values, own)), weighted_mean(draws, own)
        found[measure] = Estimate(value, spread, copies=_copies(phi, measure), copies_draws=_of_copies(phi, measure))
        if measure in measures.COMMON:
            found[measures.common_name(measure)] = _common_estimate(values, draws, common)
    for measure in measures.OF_TPM:
        found[measure] = Estimate(
            float(phi[measure]),
            _draws(phi, measure),
            copies=_copies(phi, measure),
            copies_draws=_of_copies(phi, measure),
            least=_least(phi, measure),
        )
    if micro is not None:
        found["delta_causal_power"] = _difference(phi, micro)
    for measure in [m for m in measures.SUMMARISED if f"{m}_cross" in phi]:  # macro units: not where they were learned
        found[measure] = Estimate(float(phi[f"{measure}_cross"]), _draws(phi, f"{measure}_cross"))
    return {measure: found[measure] for measure in measures.SUMMARISED if measure in found}


def _withheld(estimates: Mapping[str, Estimate], visits: Ints, least: int, confidence: float) -> dict[str, Estimate]:
    """Mark the estimates that the data cannot carry; least 0 marks none."""
    found = {}
    for measure, estimate in estimates.items():
        told = estimate.reported(confidence)
        why = withheld.thin_rows(measure, visits, least) or withheld.unknown_size(measure, told.low, told.high)
        found[measure] = replace(estimate, withheld=why if least and np.isfinite(told.value) else "")
    return found


def _common_estimate(values: Floats, draws: Floats, common: Occupancy) -> Estimate:
    if common.weights is None:
        return Estimate(np.nan, flags=common.flags)
    value, spread = weighted_mean(values, common.weights), weighted_mean(draws, common.weights)
    return Estimate(float(value), spread, common.flags)


def _difference(macro: xr.Dataset, micro: xr.Dataset) -> Estimate:
    """Causal power of the macro scale minus that of the micro scale, draw by draw."""
    ours, theirs = _draws(macro, "causal_power"), _draws(micro, "causal_power")
    paired = ours - theirs if ours.shape == theirs.shape else np.empty(0)
    return Estimate(float(macro["causal_power"]) - float(micro["causal_power"]), paired)


def _draws(phi: xr.Dataset, measure: str) -> Floats:
    """Posterior draws of a measure (draw, state) or (draw,); none where they were not computed."""
    name = f"{measure}_draws"
    draws: Floats = phi[name].values if name in phi else np.empty((0, *phi[measure].shape))
    return draws


def _least(phi: xr.Dataset, measure: str) -> Floats:
    """Draws (draw,) of the least that the rows visited often enough imply; none where it is not known."""
    if "information_of_rows_draws" not in phi:
        return np.empty(0)
    least: Floats = phi["information_of_rows_draws"].values
    return least / int(phi.attrs["scale"]) if measure == "causal_power" else least


def _copies(phi: xr.Dataset, measure: str) -> Floats:
    """Truth and estimate of simulated copies (copy, 2); none where they were not computed."""
    name = f"{measure}_copies"
    if name not in phi:
        return np.empty((0, 2))
    sides: Floats = phi[name].transpose("copy", "side").sel(side=["truth", "estimate"]).values
    return sides


def _of_copies(phi: xr.Dataset, measure: str) -> Floats:
    """Posterior draws of the estimates of simulated copies (copy, copy_draw); none where they were not computed."""
    name = f"{measure}_copies_draws"
    if name not in phi:
        return np.empty((len(_copies(phi, measure)), 0))
    draws: Floats = phi[name].transpose("copy", "copy_draw").values
    return draws


def null_test(value: float, surrogates: Floats) -> dict[str, float | int]:
    """Compare a value with its surrogates; NaN among them (not computed) is left out.

    One-sided p = (1 + #{surrogate >= value}) / (1 + n), so it is never below 1 / (1 + n).

    Args:
        value: of the point estimate.
        surrogates: (surrogate,) the same measure of each.

    >>> test = null_test(3.0, np.array([1.0, 2.0, 3.0]))
    >>> test["p"], test["excess"], test["n_surrogates"]
    (0.5, 1.0, 3)
    """
    null = surrogates[np.isfinite(surrogates)]
    n = int(null.size)
    if n == 0 or not np.isfinite(value):
        return dict.fromkeys(("mean", "sd", "z", "p", "excess"), np.nan) | {"n_surrogates": n}
    mean = float(null.mean())
    sd = float(null.std(ddof=1)) if n > 1 else np.nan
    excess = value - mean
    at_least = int(np.count_nonzero(null >= value - TIE))
    return {
        "mean": mean,
        "sd": sd,
        "z": excess / sd if sd > TIE else np.nan,
        "p": (1 + at_least) / (1 + n),
        "excess": excess,
        "n_surrogates": n,
    }


def _null_tests(nulls: xr.Dataset | None, estimates: Mapping[str, Estimate], micro: xr.Dataset | None) -> list[Test]:
    """One test per measure and null family; families without any surrogate have none.

    Surrogates have no copies, so that the estimate is tested as it was before any correction.
    """
    if nulls is None:
        return []
    tests = []
    for measure in estimates:
        for family in map(str, nulls["null"].values):
            surrogates = _surrogates(nulls, family, measure, micro)
            value = estimates[measure].value
            test = null_test(value, surrogates) | {"value": value, "surrogates": surrogates}
            if test["n_surrogates"]:
                word = str(nulls["flag"].sel(null=family).item()) if "flag" in nulls.coords else ""
                tests.append({"measure": measure, "null": family, "word": word} | test)
    return tests


def _surrogates(nulls: xr.Dataset, family: str, measure: str, micro: xr.Dataset | None) -> Floats:
    """Surrogate values of a measure.

    A random grouping leaves the micro scale as it is, so its gain in causal power is its own causal
    power minus the window's micro one. Other families have no such pairing, hence no gain.
    """
    names = [str(m) for m in nulls["measure"].values]
    if measure == "delta_causal_power" and family == RANDOM_GROUPING.name and micro is not None:
        return _surrogates(nulls, family, "causal_power", None) - float(micro["causal_power"])
    if measure not in names:
        return np.empty(0)
    families = [str(n) for n in nulls["null"].values]
    values = nulls["value"].transpose("null", "measure", "surrogate").values
    own: Floats = values[families.index(family), names.index(measure)]
    return own


def _summary_rows(
    phi: xr.Dataset,
    estimates: Mapping[str, Estimate],
    tests: Sequence[Test],
    confidence: float,
    shown: Mapping[str, str],
) -> list[dict[str, Any]]:
    rows = []
    for measure, estimate in estimates.items():
        told = estimate.reported(confidence)
        own_tests = [t for t in tests if t["measure"] == measure]
        null = str(phi.attrs.get("shown", shown.get(measure, ""))) if own_tests else ""
        test, why = _shown_test(own_tests, null)
        held, copies = calibration(estimate.copies[:, 0], estimate.copies_draws, confidence)
        rows.append(
            _identity(phi)
            | {
                "subject": phi.attrs["subject"],
                "condition": phi.attrs["condition"],
                "measure": measure,
                "value": told.value,
                "ci_low": told.low,
                "ci_high": told.high,
                "p_positive": estimate.p_positive() if measure in measures.WITH_ZERO else np.nan,
                "copies_held": held if copies else np.nan,
                "n_copies": copies,
                "null": null,
                "null_mean": test["mean"] if test else np.nan,
                "null_p": test["p"] if test and not estimate.withheld else np.nan,
                "null_p_scales": test["p_scales"] if test and not estimate.withheld else np.nan,
                "n_frames": int(phi.attrs["n_frames"]),
                "n_states_visited": int(phi["visited"].sum()),
                "estimator": phi.attrs["estimator"],
                "flag": ";".join(_flags(phi, told, estimate.value, test, why)),
            }
        )
    return rows


def _shown_test(tests: Sequence[Test], null: str) -> tuple[Test | None, list[str]]:
    """The test that the summary repeats, or why it has none."""
    test = next((test for test in tests if test["null"] == null), None)
    if test is None:
        return None, [f"no_null:{null}"] if null else []
    if null == RANDOM_GROUPING.name and test["n_surrogates"] < LEAST_RANDOM:
        return None, [f"few_groupings:{test['n_surrogates']}"]
    return test, []


def _flags(
    phi: xr.Dataset,
    told: Reported,
    estimate: float,
    test: Test | None,
    why: Sequence[str],
) -> list[str]:
    """Words of caution: those of the TPM, then those of this measure."""
    words = [word for word in str(phi.attrs.get("flag", "")).split(";") if word]
    words += told.flags
    if told.value < told.low - TIE or told.value > told.high + TIE:
        words.append("interval_excludes_estimate")
    if told.high - told.low > abs(told.value) + TIE:
        words.append("imprecise")  # the data do not tell the value from its double or from nothing
    words += why
    if test is not None and test["word"]:
        words.append(test["word"])
    if test is not None and np.isfinite(told.value) and estimate <= test["mean"]:
        words.append("below_null")
    return words


def _identity(dataset: xr.Dataset) -> dict[str, str | int]:
    recording, window, route, scale = key_of(dataset)
    return {"recording": recording, "window": window, "scale": scale, "route": route}
