"""One row per window, scale and measure: state-weighted values, their intervals, and their nulls.

What the numbers of one window mean:

- *own occupancy* (`phi_s`, `big_phi`, ...): the mean over the window's visited states, each weighted
  by the share of frames spent in it.
- *common occupancy* (`phi_s_common`, ...): the same mechanism-level values under one distribution
  of states for all windows that are compared, so that a change of mechanism is told from a change
  of occupancy (see `occupancy.common_occupancy`).
- *interval*: quantiles over the posterior draws of the TPM under the same weights. It carries the
  uncertainty of the mechanism, not that of the occupancy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr

from pipeline.integration.occupancy import Occupancy, common_occupancy, key_of, weighted_mean, window_of
from pipeline.results.columns import NULL_COLUMNS, SUMMARY_COLUMNS

STATE_MEASURES = ("phi_s", "phi_s_complex", "big_phi", "n_distinctions", "n_relations")
COMMON_MEASURES = ("phi_s", "phi_s_complex", "big_phi")
SCALAR_MEASURES = ("effective_information", "causal_power")
MEASURES = (
    *(m for s in STATE_MEASURES for m in ((s, f"{s}_common") if s in COMMON_MEASURES else (s,))),
    *SCALAR_MEASURES,
    "delta_causal_power",
)
LEAST_RANDOM = 19  # random groupings: with fewer no p can be 0.05
DEFAULT_NULLS = {"micro": "shift", "macro_units": "random_grouping", "macro_model": "shift"}
TIE = 1e-10  # two values closer than this are a tie, as in iitcore


@dataclass(frozen=True)
class Estimate:
    """A measure of one window: the value of the point estimate, posterior draws, words of caution."""

    value: float
    draws: np.ndarray = field(default_factory=lambda: np.empty(0))
    flags: tuple[str, ...] = ()

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the central interval of the draws, NaN where there are fewer than two."""
        draws = self.draws[np.isfinite(self.draws)]
        if draws.size < 2:
            return np.nan, np.nan
        low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)


def summarise(
    phi: Iterable[xr.Dataset],
    nulls: Iterable[xr.Dataset] = (),
    *,
    confidence: float = 0.95,
    default_nulls: Mapping[str, str] = DEFAULT_NULLS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Gather the windows of a study into the tables `summary` and `nulls`.

    phi: results of `integration.integrate`, one per recording, window, route and scale.
    nulls: results of `integration.integrate_nulls` for any of them.
    confidence: level of the intervals over posterior draws.
    default_nulls: the null of each route that `summary` repeats in null_mean and null_p; where a
        window lacks it, its first other null is taken and the flag says which. Few units have few
        groupings (four units in two pairs two others, whose p cannot fall below 1/3): fewer than 19
        random groupings therefore give way to `shift`, for measures that have it.

    p = (1 + number of surrogates >= value) / (1 + number of surrogates), one-sided: is the value
    higher than the null gives? z and excess are relative to the surrogates' mean and sd.
    Rows are sorted; measures that were not computed (Φ of a system above the size limit) have none.
    """
    datasets = sorted(phi, key=key_of)
    by_key = {key_of(d): d for d in datasets}
    common = common_occupancy(datasets)
    surrogates = {key_of(d): d for d in nulls}
    rows, null_rows = [], []
    for dataset in datasets:
        partner = by_key.get((*window_of(dataset), "micro", dataset.sizes.get("micro_unit", -1)))
        estimates = window_estimates(dataset, common[key_of(dataset)], partner)
        tests = _null_tests(surrogates.get(key_of(dataset)), estimates, partner)
        rows += _summary_rows(dataset, estimates, tests, confidence, default_nulls)
        null_rows += [_identity(dataset) | test for test in tests]
    return table(rows, SUMMARY_COLUMNS), table(null_rows, NULL_COLUMNS)


def window_estimates(phi: xr.Dataset, common: Occupancy, micro: xr.Dataset | None = None) -> dict[str, Estimate]:
    """Return every measure of one window at one scale, in the order of `MEASURES`.

    micro: the micro scale of the same window; gives `delta_causal_power` (macro minus micro), whose
    draws are paired, since macro draws are derived from the micro draws.
    """
    own = np.where(phi["visited"].values, phi["occupancy"].values, 0.0)
    found: dict[str, Estimate] = {}
    for measure in STATE_MEASURES:
        values, draws = phi[measure].values.astype(float), _draws(phi, measure)
        if np.isnan(values).all():
            continue
        found[measure] = Estimate(float(weighted_mean(values, own)), weighted_mean(draws, own))
        if measure in COMMON_MEASURES:
            found[f"{measure}_common"] = _common_estimate(values, draws, common)
    for measure in SCALAR_MEASURES:
        found[measure] = Estimate(float(phi[measure]), _draws(phi, measure))
    if micro is not None:
        found["delta_causal_power"] = _difference(phi, micro)
    return {measure: found[measure] for measure in MEASURES if measure in found}


def _common_estimate(values: np.ndarray, draws: np.ndarray, common: Occupancy) -> Estimate:
    if common.weights is None:
        return Estimate(np.nan, flags=common.flags)
    value, spread = weighted_mean(values, common.weights), weighted_mean(draws, common.weights)
    return Estimate(float(value), spread, common.flags)


def _difference(macro: xr.Dataset, micro: xr.Dataset) -> Estimate:
    """Causal power of the macro scale minus that of the micro scale, draw by draw."""
    ours, theirs = _draws(macro, "causal_power"), _draws(micro, "causal_power")
    paired = ours - theirs if ours.shape == theirs.shape else np.empty(0)
    return Estimate(float(macro["causal_power"]) - float(micro["causal_power"]), paired)


def _draws(phi: xr.Dataset, measure: str) -> np.ndarray:
    """Posterior draws of a measure (draw, state) or (draw,); none where they were not computed."""
    name = f"{measure}_draws"
    return phi[name].values if name in phi else np.empty((0, *phi[measure].shape))


def null_test(value: float, surrogates: np.ndarray) -> dict[str, float | int]:
    """Compare a value with its surrogates; NaN among them (not computed) is left out.

    One-sided p = (1 + #{surrogate >= value}) / (1 + n), so it is never below 1 / (1 + n).
    """
    null = surrogates[np.isfinite(surrogates)]
    n = int(null.size)
    if n == 0 or not np.isfinite(value):
        return {
            "mean": np.nan,
            "sd": np.nan,
            "z": np.nan,
            "p": np.nan,
            "excess": np.nan,
            "n_surrogates": n,
        }
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


def _null_tests(nulls: xr.Dataset | None, estimates: Mapping[str, Estimate], micro: xr.Dataset | None) -> list[dict]:
    """One test per measure and null family; families without any surrogate have none."""
    if nulls is None:
        return []
    tests = []
    for measure in estimates:
        for family in map(str, nulls["null"].values):
            surrogates = _surrogates(nulls, family, measure, micro)
            test = null_test(estimates[measure].value, surrogates)
            if test["n_surrogates"]:
                word = str(nulls["flag"].sel(null=family).item()) if "flag" in nulls.coords else ""
                tests.append({"measure": measure, "null": family, "word": word} | test)
    return tests


def _surrogates(nulls: xr.Dataset, family: str, measure: str, micro: xr.Dataset | None) -> np.ndarray:
    """Surrogate values of a measure.

    A random grouping leaves the micro scale as it is, so its gain in causal power is its own causal
    power minus the window's micro one. Other families have no such pairing, hence no gain.
    """
    measures = [str(m) for m in nulls["measure"].values]
    if measure == "delta_causal_power" and family == "random_grouping" and micro is not None:
        return _surrogates(nulls, family, "causal_power", None) - float(micro["causal_power"])
    if measure not in measures:
        return np.empty(0)
    values = nulls["value"].transpose("null", "measure", "surrogate").values
    return values[[str(n) for n in nulls["null"].values].index(family), measures.index(measure)]


def _summary_rows(
    phi: xr.Dataset,
    estimates: Mapping[str, Estimate],
    tests: Sequence[Mapping],
    confidence: float,
    default_nulls: Mapping[str, str],
) -> list[dict]:
    rows = []
    preferred = default_nulls.get(phi.attrs["route"])
    for measure, estimate in estimates.items():
        low, high = estimate.interval(confidence)
        own_tests = [t for t in tests if t["measure"] == measure]
        test = _default_test(own_tests, preferred)
        rows.append(
            _identity(phi)
            | {
                "subject": phi.attrs["subject"],
                "condition": phi.attrs["condition"],
                "measure": measure,
                "value": estimate.value,
                "ci_low": low,
                "ci_high": high,
                "null_mean": test["mean"] if test else np.nan,
                "null_p": test["p"] if test else np.nan,
                "n_frames": int(phi.attrs["n_frames"]),
                "n_states_visited": int(phi["visited"].sum()),
                "estimator": phi.attrs["estimator"],
                "flag": ";".join(_flags(phi, estimate, (low, high), test, preferred)),
            }
        )
    return rows


def _default_test(tests: Sequence[Mapping], preferred: str | None) -> Mapping | None:
    """The test that the summary repeats: the preferred one, unless it has too few random groupings."""
    by_null = {test["null"]: test for test in tests}
    chosen = by_null.get(str(preferred))
    if chosen and preferred == "random_grouping" and chosen["n_surrogates"] < LEAST_RANDOM:
        return by_null.get("shift", chosen)
    return chosen or next(iter(tests), None)


def _flags(
    phi: xr.Dataset,
    estimate: Estimate,
    interval: tuple[float, float],
    test: Mapping | None,
    preferred: str | None,
) -> list[str]:
    """Words of caution: those of the TPM, then those of this measure."""
    words = [word for word in str(phi.attrs.get("flag", "")).split(";") if word]
    words += estimate.flags
    if estimate.value < interval[0] - TIE or estimate.value > interval[1] + TIE:
        words.append("interval_excludes_estimate")
    if interval[1] - interval[0] > abs(estimate.value) + TIE:
        words.append("imprecise")  # the data do not tell the value from its double or from nothing
    if test is not None and test["null"] != preferred:
        words.append(f"null:{test['null']}")
    if test is not None and test["word"]:
        words.append(test["word"])
    if test is not None and estimate.value <= test["mean"]:
        words.append("below_null")
    return words


def table(rows: Sequence[Mapping], columns: Sequence[str]) -> pd.DataFrame:
    """Build a table with these columns, its numbers rounded to ten significant digits.

    Rounding makes the bytes of the file independent of the order in which sums were formed.
    """
    frame = pd.DataFrame(list(rows), columns=list(columns))
    for column in frame.columns:
        if frame[column].dtype.kind == "f":
            frame[column] = [_rounded(value) for value in frame[column]]
    return frame


def _rounded(value: float) -> float:
    return 0.0 if abs(value) < 1e-12 else float(f"{value:.10g}")


def _identity(dataset: xr.Dataset) -> dict[str, str | int]:
    recording, window, route, scale = key_of(dataset)
    return {"recording": recording, "window": window, "scale": scale, "route": route}
