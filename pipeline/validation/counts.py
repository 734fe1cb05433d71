"""Shares of simulated recordings, with what chance does to them."""

from __future__ import annotations

from typing import NamedTuple


class Count(NamedTuple):
    """How many of how many.

    Attributes:
        k: those that are so.
        n: all.
    """

    k: int
    n: int

    @property
    def share(self) -> float:
        """Share of all; NaN of none."""
        return self.k / self.n if self.n else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """95% interval of the share (Clopper & Pearson 1934)."""
        from scipy import stats  # slow to import

        if not self.n:
            return 0.0, 1.0
        low, high = stats.binomtest(self.k, self.n).proportion_ci()
        return float(low), float(high)

    def __str__(self) -> str:
        """Say it with its interval.

        >>> str(Count(37, 40))
        '37 of 40 [.80, .98]'
        """
        if not self.n:
            return "-"
        low, high = (f"{limit:.2f}".removeprefix("0") for limit in self.interval)
        return f"{self.k} of {self.n} [{low}, {high}]"


def verdict(count: Count, bar: float, above: bool = True) -> str:
    """Say whether a share reaches a bar, and whether the interval of the share leaves open if it does.

    Args:
        count: what was counted.
        bar: share that is asked for.
        above: the share is to be at least the bar; else at most.

    >>> verdict(Count(19, 20), 0.88), verdict(Count(16, 20), 0.88)
    ('met, open', 'short by .08, open')
    >>> verdict(Count(40, 200), 0.09, above=False), verdict(Count(99, 100), 0.88)
    ('above by .11', 'met')
    """
    if not count.n:
        return "none given"
    short = bar - count.share if above else count.share - bar
    low, high = count.interval
    words = "met" if short <= 1e-12 else f"{'short' if above else 'above'} by {f'{short:.2f}'.removeprefix('0')}"
    return f"{words}, open" if low < bar < high else words
