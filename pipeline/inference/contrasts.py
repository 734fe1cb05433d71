"""Contrasts between conditions, within subjects and across them.

The subject is the unit of inference. Sessions and windows of one subject in one condition are
combined into one value, their mean weighted by frames, and never counted as subjects. Windows
flagged few_frames, which short data bias upward, are left out where the subject has others in that
condition. A contrast a - b uses the subjects that have both conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product

import numpy as np
import pandas as pd
from scipy import stats

from pipeline.base.seeds import generator
from pipeline.inference.summary import MEASURES, TIE, table
from pipeline.results.columns import COMPARISON_COLUMNS, ROUTES

KEYS = ["route", "scale", "measure", "condition", "subject"]
CORRECTIONS = {"holm": "Holm", "fdr": "Benjamini-Hochberg", "none": "no correction"}


def compare(
    summary: pd.DataFrame,
    contrasts: Sequence[tuple[str, str]],
    conditions: Sequence[str] = (),
    *,
    bootstrap: int = 2000,
    permutations: int = 10000,
    confidence: float = 0.95,
    correction: str = "holm",
    seed: int = 0,
) -> pd.DataFrame:
    """Compare conditions at every scale and for every measure of the table `summary`.

    contrasts: pairs (a, b), a minus b; where none are given all pairs of `conditions` are taken,
        earlier minus later. A single condition gives a table without rows.
    Each row: mean over subjects of the within-subject difference, its interval
    (`bootstrap_interval`), the two-sided sign-flip p (`sign_flip`) and p corrected over all routes,
    scales and measures of the contrast. `method` says which test was made, with how many flips, the
    smallest p it can give before and after correction, how the interval and the correction were made,
    and for how many subjects only windows flagged few_frames were there. Where no subject has both
    conditions n_subjects is 0 and the numbers are NaN.
    """
    if correction not in CORRECTIONS:
        raise ValueError(f"correction {correction!r}: use one of {', '.join(CORRECTIONS)}")
    usable = _usable(summary)
    values, short = _means(usable), _only_few_frames(usable)
    rows: list[dict] = []
    for a, b in list(contrasts) or combinations(conditions, 2):
        family = [
            _contrast_row(values, short, target, (a, b), bootstrap, permutations, confidence, seed)
            for target in _targets(summary)
        ]
        corrected = correct([row["p"] for row in family], correction)
        words = _correction_words([row["smallest"] for row in family], correction)
        for row, p, said in zip(family, corrected, words, strict=True):
            row["p_corrected"] = p
            row["method"] += said
        rows += family
    return table(rows, COMPARISON_COLUMNS)


def subject_values(summary: pd.DataFrame) -> pd.Series:
    """Return one value per (route, scale, measure, condition, subject).

    The mean over the subject's windows in that condition, of all its sessions, weighted by frames.
    Windows without a value are left out, and those flagged few_frames where there are others.
    """
    return _means(_usable(summary))


def _usable(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows that count, with a column `few`: whether the window is flagged few_frames."""
    frame = summary[np.isfinite(summary["value"].astype(float)) & (summary["n_frames"] > 0)]
    few = ["few_frames" in str(words).split(";") for words in frame["flag"]]
    frame = frame.assign(few=np.array(few, dtype=bool))
    return frame[~frame["few"] | frame.groupby(KEYS)["few"].transform("all")]


def _means(usable: pd.DataFrame) -> pd.Series:
    """Mean of the values weighted by frames, one per key."""
    weight = usable["n_frames"].astype(float)
    sums = (
        usable.assign(weighted=usable["value"].astype(float) * weight, weight=weight)
        .groupby(KEYS, sort=True)[["weighted", "weight"]]
        .sum()
    )
    return sums["weighted"] / sums["weight"]


def _only_few_frames(usable: pd.DataFrame) -> set[tuple]:
    """Keys whose value rests on windows flagged few_frames, for want of others."""
    return set(usable.loc[usable["few"], KEYS].itertuples(index=False, name=None))


def sign_flip(differences: np.ndarray, permutations: int, rng: np.random.Generator) -> tuple[float, int, float]:
    """Return (p, number of flips, smallest attainable p) of the two-sided sign-flip test.

    differences (subject,): within-subject contrasts. Null: each is symmetric about 0. Statistic:
    absolute mean. All 2**n flips are used where they are not more than `permutations` (exact: the
    smallest p is 2 / 2**n); otherwise that many random ones, with p = (1 + #extreme) / (1 + flips).
    """
    n = len(differences)
    observed = abs(differences.mean()) - TIE
    if 2**n <= permutations:
        signs = np.array(list(product((1.0, -1.0), repeat=n)))
        p = float(np.mean(np.abs(signs @ differences) / n >= observed))
        return p, 2**n, 2 / 2**n
    signs = rng.choice((1.0, -1.0), size=(permutations, n))
    extreme = int(np.count_nonzero(np.abs(signs @ differences) / n >= observed))
    return (1 + extreme) / (1 + permutations), permutations, 1 / (1 + permutations)


def bootstrap_interval(
    differences: np.ndarray, resamples: int, confidence: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the bootstrap interval of the mean over subjects; NaN with fewer than two subjects.

    Subjects are resampled with replacement (all n**n resamples where they are not more than
    `resamples`), and the percentiles' distances from the mean are stretched by
    t(n - 1) / z · sqrt(n / (n - 1)).

    Why stretched: the plain percentile interval of n subjects is too narrow by sqrt((n - 1) / n),
    because resampling divides the squared deviations by n, and by z / t, because the spread itself
    is estimated from n subjects (Hesterberg 2015, The American Statistician 69:371-386, sec. 4.1).
    His remedy, to read off more extreme percentiles, fails for three or four subjects: no mean of
    resampled subjects lies outside their range, which holds the true mean in at most three of
    four experiments with n = 3. Stretching reduces to Student's interval for symmetric data, keeps
    the bootstrap's asymmetry, and vanishes as n grows. Measured coverage of the 95 % interval for
    normal differences (in brackets: unstretched), n = 2, 3, 5, 8, 20: .93 (.53), .96 (.75),
    .94 (.83), .96 (.90), .94 (.92); for exponential ones .89 (.48), .89 (.69), .89 (.79),
    .90 (.82), .93 (.90).

    Why posterior draws are not resampled within subjects: the values differ between subjects by
    true differences and by estimation error alike, so their spread holds the within-subject
    uncertainty already; to resample draws as well would count it twice, and would shift the
    interval by the difference between the draws' mean and the point estimate.
    """
    n = len(differences)
    if n < 2:
        return np.nan, np.nan
    if n**n <= resamples:
        chosen = np.array(list(product(range(n), repeat=n)))
    else:
        chosen = rng.integers(n, size=(resamples, n))
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    mean = differences.mean()
    reach = np.quantile(differences[chosen].mean(axis=1), tails, method="inverted_cdf") - mean
    stretch = stats.t.ppf(tails[1], n - 1) / stats.norm.ppf(tails[1]) * np.sqrt(n / (n - 1))
    low, high = mean + stretch * reach
    return float(low), float(high)


def correct(p_values: Sequence[float], method: str) -> np.ndarray:
    """Correct p-values for their number; NaN (no test) stays NaN and does not count.

    method: "holm" (family-wise error, Holm 1979), "fdr" (false discovery rate, Benjamini and
    Hochberg 1995) or "none".
    """
    p = np.asarray(p_values, dtype=float)
    corrected = p.copy()
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    m = len(order)
    if method == "holm":
        corrected[order] = np.maximum.accumulate(p[order] * (m - np.arange(m)))
    elif method == "fdr":
        raised = p[order] * m / np.arange(1, m + 1)
        corrected[order] = np.minimum.accumulate(raised[::-1])[::-1]
    return np.minimum(corrected, 1.0)


def _correction_words(smallest: Sequence[float], method: str) -> list[str]:
    """What was corrected, and the smallest p that each test can have after it.

    smallest: what each test can give by itself, NaN where there is none. A corrected p never falls when
    another p rises, so the smallest is reached where all tests give theirs.
    """
    n_tests = int(np.isfinite(smallest).sum())
    made = f"; {CORRECTIONS[method]} over {n_tests} tests of the contrast"
    if method == "none":
        return [made] * len(smallest)
    alone = " where all tests reach theirs, {:.4g} where it alone does" if method == "fdr" else ""
    return [
        f"{made}, smallest attainable p after correction {after:.4g}" + alone.format(min(1.0, n_tests * p))
        if np.isfinite(p)
        else made
        for p, after in zip(smallest, correct(smallest, method), strict=True)
    ]


def _targets(summary: pd.DataFrame) -> list[tuple[str, int, str]]:
    """Return the (route, scale, measure) of a summary, in a fixed order."""
    found = summary[["route", "scale", "measure"]].drop_duplicates().itertuples(index=False)
    rank = {name: i for names in (ROUTES, MEASURES) for i, name in enumerate(names)}
    last = len(rank)

    def place(target: tuple[str, int, str]) -> tuple:
        route, scale, measure = target
        return rank.get(route, last), route, scale, rank.get(measure, last), measure

    return sorted(((str(r), int(s), str(m)) for r, s, m in found), key=place)


def _contrast_row(
    values: pd.Series,
    short: set[tuple],
    target: tuple[str, int, str],
    contrast: tuple[str, str],
    bootstrap: int,
    permutations: int,
    confidence: float,
    seed: int,
) -> dict:
    """Test one contrast of one measure; each test has its own random stream."""
    route, scale, measure = target
    a, b = contrast
    differences = _differences(values, target, contrast)
    n = len(differences)
    few = sum(any((*target, condition, subject) in short for condition in contrast) for subject in differences.index)
    row = {
        "measure": measure,
        "scale": scale,
        "route": route,
        "contrast": f"{a}-{b}",
        "n_subjects": n,
        "estimate": np.nan,
        "ci_low": np.nan,
        "ci_high": np.nan,
        "p": np.nan,
        "smallest": np.nan,
        "method": "no subject has both conditions",
    }
    if n == 0:
        return row
    rng = generator(seed, "compare", *map(str, target), a, b)
    d = differences.to_numpy()
    row["estimate"] = float(d.mean())
    row["ci_low"], row["ci_high"] = bootstrap_interval(d, bootstrap, confidence, rng)
    row["p"], flips, row["smallest"] = sign_flip(d, permutations, rng)
    row["method"] = _method(n, flips, row["smallest"], bootstrap, permutations, confidence)
    if few:
        row["method"] += f"; {few} of {n} subjects with windows of few frames only in a condition"
    return row


def _differences(values: pd.Series, target: tuple[str, int, str], contrast: tuple[str, str]) -> pd.Series:
    """Within-subject differences a - b of the subjects that have both, by subject in order."""
    a, b = ({key[4]: v for key, v in values.items() if key[:4] == (*target, condition)} for condition in contrast)
    return pd.Series({s: a[s] - b[s] for s in sorted(set(a) & set(b))}, dtype=float)


def _method(n: int, flips: int, smallest: float, bootstrap: int, permutations: int, confidence: float) -> str:
    subjects = f"{n} subject" + ("s" if n > 1 else "")
    kind = f"all {flips} flips" if 2**n <= permutations else f"{flips} random flips"
    test = f"sign-flip permutation across {subjects}, {kind}, smallest attainable p {smallest:.4g}"
    if n == 1:
        return f"{test}; no interval: one subject says nothing about the spread between subjects"
    resamples = f"all {n**n}" if n**n <= bootstrap else f"{bootstrap}"
    return (
        f"{test}; {100 * confidence:g}% interval from {resamples} bootstrap resamples of subjects, "
        f"stretched to Student's t with {n - 1} df"
    )
