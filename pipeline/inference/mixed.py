"""A linear mixed model of the values of subjects, beside the permutation test."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

LEAST_SUBJECTS = 3
MIXED: dict[str, Any] = {
    **dict.fromkeys(("mixed_estimate", "mixed_low", "mixed_high", "mixed_p"), np.nan),
    "mixed": "",
}


def mixed_model(values: pd.DataFrame, pair: tuple[str, str], confidence: float) -> dict[str, Any]:
    """Fit value ~ condition + (1 | subject) to the subjects of two conditions.

    Restricted maximum likelihood; the interval and p are Student's with n - 1 degrees of freedom for n subjects that
    have both conditions, since z-values would be too sure with few of them. Other than the permutation, the model
    also learns from subjects that have one of the conditions only, and assumes normal values of one variance
    (Laird & Ware 1982, Biometrics 38:963-974).

    Args:
        values: condition, subject and value, one row per subject and condition.
        pair: the conditions, the first minus the second.
        confidence: level of the interval.

    Returns:
        mixed_estimate, mixed_low, mixed_high, mixed_p, and `mixed`: "fitted", or why there is none.
    """
    rows = values[values["condition"].isin(pair)].dropna(subset="value")
    wide = rows.pivot_table(index="subject", columns="condition", values="value").reindex(columns=list(pair)).dropna()
    n = len(wide)
    if n < LEAST_SUBJECTS:
        return MIXED | {"mixed": f"not fitted: {n} subjects have both conditions"}
    first, spread = (rows["condition"] == pair[0]).to_numpy(float), float(rows["value"].std())
    if float((wide[pair[0]] - wide[pair[1]]).std()) <= 1e-9 * spread:
        return MIXED | {"mixed": "not fitted: all differences are the same"}
    design = np.stack([np.ones(len(rows)), first], axis=1)
    subjects = rows["subject"].to_numpy(str)
    estimate, error, word = _fit(rows["value"].to_numpy(float) / spread, design, subjects)  # of one unit: converges
    if not np.isfinite([estimate, error]).all() or error <= 0:
        return MIXED | {"mixed": word}
    from scipy import stats  # slow to import

    reach = stats.t.ppf((1 + confidence) / 2, n - 1) * error
    return {
        "mixed_estimate": spread * estimate,
        "mixed_low": spread * (estimate - reach),
        "mixed_high": spread * (estimate + reach),
        "mixed_p": float(2 * stats.t.sf(abs(estimate) / error, n - 1)),
        "mixed": word,
    }


def _fit(values: Any, design: Any, subjects: Any) -> tuple[float, float, str]:
    """Estimate and standard error of the second effect, and what became of the fit."""
    from statsmodels.regression.mixed_linear_model import MixedLM  # slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they say is told in the word
        try:
            found = MixedLM(values, design, groups=subjects).fit(reml=True)
        except (np.linalg.LinAlgError, ValueError) as error:
            return np.nan, np.nan, f"not fitted: {error}"
    if not found.converged:
        return np.nan, np.nan, "did not converge"
    variance = float(np.asarray(found.cov_re)[0, 0]) / float(found.scale)
    word = "fitted" if variance > 1e-6 else "fitted; no variance between subjects was found"
    return float(found.fe_params[1]), float(found.bse_fe[1]), word
