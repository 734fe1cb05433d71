"""Values that the data cannot carry: which of them are withheld, and why.

A row of the TPM that was hardly visited is the estimator's extrapolation. What rests on it is not a measurement:

- effective information and causal power average every row alike: one thin row withholds them;
- Φ and the counts of distinctions and relations average rows over the units outside each mechanism: they are withheld
  where more than half of the rows are thin, and Φ and relations, which grow by factors, also where the interval does
  not tell them to a factor of ten;
- phi_s is given: it is that of the states visited, weighted by how often, and its interval tells what it rests on.

A macro unit's rows are made of those of its micro units, which are the ones that count.
"""

from __future__ import annotations

import xarray as xr

from pipeline.base.arrays import Ints
from pipeline.results.measures import MEASURES, base_of

WORD = "withheld"
TENFOLD = 10.0  # an interval of Φ that spans more than this factor
SHARE = 0.5  # of the rows that may be thin under a structure
GAIN = "delta_causal_power"


def rows_of(phi: xr.Dataset, micro: xr.Dataset | None = None) -> Ints:
    """Return how often each row of the TPM behind a system was visited, (state,).

    Args:
        phi: result of `integration.integrate`.
        micro: that of the micro scale of the same window, where `phi` is of macro units.
    """
    visits: Ints = (phi if micro is None else micro)["visits"].values
    return visits


def thin_rows(measure: str, visits: Ints, least: int) -> str:
    """Return why a measure is withheld for rows that were hardly visited; "" where it is not.

    Args:
        measure: of summary.csv.
        visits: (state,) visits of each row.
        least: visits from which on a row counts.

    >>> import numpy as np
    >>> thin_rows("effective_information", np.array([40, 9, 30, 21]), least=10)
    'withheld:1_of_4_rows'
    >>> thin_rows("big_phi", np.array([40, 9, 30, 21]), least=10), thin_rows("phi_s", np.zeros(4, int), least=10)
    ('', '')
    """
    about = MEASURES[base_of(measure)]
    thin, rows = int((visits < least).sum()), len(visits)
    allowed = 0 if about.of_tpm or measure == GAIN else int(SHARE * rows) if about.unfolded else rows
    return f"{WORD}:{thin}_of_{rows}_rows" if thin > allowed else ""


def unknown_size(measure: str, low: float, high: float) -> str:
    """Return why a measure that grows by factors is withheld for its interval; "" where it is not.

    Args:
        measure: of summary.csv.
        low: lower end of the interval, or NaN.
        high: upper end, or NaN.

    >>> unknown_size("big_phi", 11.0, 297.0), unknown_size("big_phi", 8.0, 49.0), unknown_size("phi_s", 0.0, 1.0)
    ('withheld:tenfold', '', '')
    """
    grows = MEASURES[base_of(measure)].multiplies
    return f"{WORD}:tenfold" if grows and high > TENFOLD * low else ""
