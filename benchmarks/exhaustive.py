"""phi_s by trying every directional partition, compiled: what the exact search is compared with.

It reads the same gain tables as the search, so that the ratio of times is that of the two methods.
"""

import numpy as np

from iitcore import System, _kernels
from iitcore._arrays import Floats, Ints
from iitcore._jit import compiled
from iitcore.information import cause_information, effect_information
from iitcore.system import fill_cause, fill_effect


def gain_tables(system: System) -> tuple[Floats, Floats]:
    """Gain tables of the cause and the effect side, for the first of tied states."""
    state = np.array(system.state)
    tables = []
    for fill, packed, (information, selectivity) in (
        (fill_cause, system.cause, cause_information(system)),
        (fill_effect, system.effect, effect_information(system)),
    ):
        index = int(_kernels.tied(information)[0])
        gain = _kernels.room_for_gain(system.n)
        fill(gain, packed, system.offsets, state, index, selectivity[index])
        tables.append(gain)
    return tables[0], tables[1]


@compiled
def minimum(gain_c: Floats, gain_e: Floats) -> tuple[float, float, int]:
    """phi_s, normalised phi_s and the number of partitions tried (n > 1)."""
    n = gain_c.shape[1]
    block = np.zeros(n, np.int64)  # restricted growth string: the part of each unit
    highest = np.zeros(n, np.int64)
    best, best_phi, tried = np.inf, 0.0, 0
    while _next(block, highest):
        parts = highest[n - 1] + 1
        masks = np.zeros(parts, np.int64)
        for j in range(n):
            masks[block[j]] |= 1 << j
        for code in range(3**parts):
            phi, norm = _loss(gain_c, gain_e, block, masks, code)
            tried += 1
            ratio = phi / norm
            tie = ratio <= best + _kernels.TOLERANCE
            if ratio < best - _kernels.TOLERANCE or (tie and phi > best_phi):
                best, best_phi = ratio, phi
    return best_phi, best, tried


@compiled
def _next(block: Ints, highest: Ints) -> bool:
    """Advance to the next set partition, in lexicographic order; the first has one part."""
    for j in range(len(block) - 1, 0, -1):
        if block[j] <= highest[j - 1]:
            block[j] += 1
            highest[j] = max(highest[j - 1], block[j])
            for i in range(j + 1, len(block)):
                block[i] = 0
                highest[i] = highest[j]
            return True
    return False


@compiled
def _loss(gain_c: Floats, gain_e: Floats, block: Ints, masks: Ints, code: int) -> tuple[float, int]:
    """Smaller loss of both sides, and connections cut, of a set partition with coded marks."""
    n = len(block)
    marks = np.empty(len(masks), np.int64)
    feeding = 0
    for p in range(len(masks)):
        marks[p] = code % 3
        code //= 3
        if marks[p] == 0:
            feeding |= masks[p]
    loss_c, loss_e, norm = 0.0, 0.0, 0
    for j in range(n):
        kept = masks[block[j]]
        if marks[block[j]] == 1:
            kept |= feeding
        loss_c += gain_c[kept, j]
        loss_e += gain_e[kept, j]
        norm += n
        while kept:
            norm -= 1
            kept &= kept - 1
    return max(min(loss_c, loss_e), 0.0), norm
