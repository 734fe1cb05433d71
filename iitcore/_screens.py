"""Upper bounds of the phi of many purviews of one mechanism, from tables that they share (effect side).

For a rate above the lowest log-ratio per connection r of a purview's partitions, let V be the least value of
log-ratio - rate * norm. The minimum partition, of log-ratio G = r N, has G - rate * N >= V: its norm is at most
-V / (rate - r), its log-ratio r times that. A bound of V does instead: of the block that holds the last unit of the
mechanism, any other, every purview unit may choose this block, or whatever is cheapest inside the rest.
What that costs a purview unit depends on the rate, the unit's value and the block, but not on the other purview units.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from iitcore._arrays import Bools, Floats
from iitcore._jit import compiled
from iitcore._mechanism_partitions import least_inside

_RATES = 64  # each third of an octave
_LOWEST = -42  # thirds of octaves of the first
_AHEAD = 1.3  # times the purview's own ratio, at least
_SLACK = 1e-9  # on a ratio: partitions closer than that may tie

Room = tuple[Floats, Bools, Floats, Floats]


@compiled
def room(n_side: int, columns: int) -> Room:
    """Empty tables for a mechanism.

    Args:
        n_side: number of its units.
        columns: values of all units together.

    Returns:
        Costs (rates, columns, half of the blocks), which of them are filled in, and two scratch arrays.
    """
    half = 1 << max(n_side - 1, 0)
    filled = np.zeros((_RATES, columns), np.bool_)
    return np.empty((_RATES, columns, half)), filled, np.empty(2 * half), np.empty(half)


@compiled
def _fill(row: Floats, rate: float, cost: Floats, floor: Floats, out: Floats) -> None:
    """Cost of one purview unit in one value, for every block with the last unit of the mechanism."""
    half = out.size
    full, n_side = 2 * half - 1, 0
    while 1 << n_side <= full:
        n_side += 1
    cost[0] = n_side
    for i in range(n_side):
        for b in range(1 << i):
            cost[b | 1 << i] = cost[b] - 1.0  # connections cut
    for b in range(2 * half):
        cost[b] = row[b] - row[full] - rate * cost[b]
    cost[full] = np.inf  # all of a mechanism goes with the empty purview only
    floor[:] = cost[:half]
    least_inside(floor)
    for b in range(half):
        x, y = cost[half + b], floor[half - 1 - b]
        out[b] = x if x < y else y


@compiled
def bound(screen: Room, blocks: Floats, rows: npt.NDArray[np.int64], before: float, scale: tuple[float, int]) -> float:
    """Upper bound of phi of a purview in its specified state.

    Args:
        screen: see `room`.
        blocks: (columns, blocks) -log2 of probabilities, see `_mechanism_partitions.minimum_partition`.
        rows: columns of the purview units.
        before: bound from a partition's ratio: ratio times selectivity times largest norm.
        scale: selectivity, and the largest norm.

    Returns:
        At most the bound before.
    """
    costs, filled, cost, floor = screen
    selectivity, largest = scale
    ratio = before / (selectivity * largest) + _SLACK
    k = int(np.ceil(3.0 * np.log2(_AHEAD * ratio))) - _LOWEST
    if k < 0 or k >= _RATES:
        return before
    rate = 2.0 ** ((k + _LOWEST) / 3.0)
    for c in rows:
        if not filled[k, c]:
            _fill(blocks[c], rate, cost, floor, costs[k, c])
            filled[k, c] = True
    total = floor
    total[:] = costs[k, rows[0]]
    for a in range(1, rows.size):
        more = costs[k, rows[a]]
        for b in range(total.size):
            total[b] += more[b]
    least = 0.0
    for b in range(total.size):
        least = total[b] if total[b] < least else least
    after: float = selectivity * ratio * (-least + _SLACK) / (rate - ratio)
    return min(before, after)
