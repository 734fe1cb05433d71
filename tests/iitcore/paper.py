"""Figures of Albantakis et al. 2023 (PLoS Comput Biol 19: e1011465): weights, states and published numbers.

Figure 8 and the examples of Marshall et al. 2024 ("Intrinsic Units") are rules, given in full. The others are logistic
units with k = 4 (Eq. 60); weights[i][j] from unit i to unit j, in steps that the figures give. Numbers stand as
printed, most of them cut to two decimals. Φ depends on a choice where purviews tie; the paper takes one that is not
always the largest, so that its Φ lies in the range over the choices.
"""

from dataclasses import dataclass

import numpy as np

from iitcore import Substrate


def ring(weight: float, n: int = 6) -> list[list[float]]:
    return (weight * np.roll(np.eye(n), 1, axis=1)).tolist()


WEIGHTS = {
    "1": [[-0.2, 0.7, 0.2], [0.7, -0.2, 0.0], [0.0, -0.8, 0.2]],
    "6A": [
        [0.0, 0.9, 0.9, 0.9, 0.9, 0.9],
        [0.22, 0.1, 0.0, 0.0, 0.0, 0.0],
        [0.195, 0.0, 0.1, 0.0, 0.0, 0.0],
        [0.195, 0.0, 0.0, 0.1, 0.0, 0.0],
        [0.195, 0.0, 0.0, 0.0, 0.1, 0.0],
        [0.195, 0.0, 0.0, 0.0, 0.0, 0.1],
    ],
    "6B": [
        [0.2, 0.6, 0.0, 0.1, 0.0, 0.1],
        [0.6, 0.2, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.1, 0.2, 0.6, 0.0, 0.1],
        [0.0, 0.0, 0.6, 0.2, 0.0, 0.0],
        [0.0, 0.1, 0.0, 0.1, 0.2, 0.6],
        [0.0, 0.0, 0.0, 0.0, 0.6, 0.2],
    ],
    "6C": ring(1.0),
    "6D": [
        [0.09, 0.7, 0.03, 0.03, 0.03, 0.12],
        [0.03, 0.03, 0.12, 0.09, 0.03, 0.7],
        [0.03, 0.09, 0.03, 0.7, 0.12, 0.03],
        [0.12, 0.03, 0.09, 0.03, 0.7, 0.03],
        [0.7, 0.12, 0.03, 0.03, 0.09, 0.03],
        [0.03, 0.03, 0.7, 0.12, 0.03, 0.09],
    ],
    "6E": [
        [0.06, 0.8, 0.02, 0.02, 0.02, 0.08],
        [0.02, 0.02, 0.08, 0.06, 0.02, 0.8],
        [0.02, 0.06, 0.22, 0.6, 0.08, 0.02],
        [0.08, 0.02, 0.26, 0.22, 0.4, 0.02],
        [0.8, 0.08, 0.02, 0.02, 0.06, 0.02],
        [0.02, 0.02, 0.4, 0.08, 0.42, 0.06],
    ],
    "7": [
        [0.05, 0.8, 0.05, 0.05, -0.05],
        [-0.05, 0.05, 0.8, 0.05, 0.05],
        [0.05, -0.05, 0.05, 0.8, 0.05],
        [0.4, 0.05, -0.05, 0.05, 0.8],
        [0.8, 0.05, 0.05, -0.05, 0.05],
    ],
}


@dataclass(frozen=True)
class Figure:
    """One system of a figure, in its state, with what is printed beside it."""

    name: str
    weights: str
    state: str
    units: str
    phi_s: float | None = None
    distinctions: int | None = None
    relations: int | None = None
    big_phi: float | None = None
    fixed: tuple[tuple[str, int], ...] = ()

    @property
    def substrate(self) -> Substrate:
        whole = Substrate.logistic(WEIGHTS[self.weights])
        return whole.inactivate(dict(self.fixed)) if self.fixed else whole


FIGURES = (
    Figure("1: a", "1", "011", "A", 0.04),
    Figure("1: aB", "1", "011", "AB", 0.17, 3, 7),
    Figure("1: aBC", "1", "011", "ABC", 0.13),
    Figure("6A", "6A", "100000", "AB", 0.05, 2, 2, 0.48),
    Figure("6B: Ab", "6B", "100000", "AB", 0.53),
    Figure("6B: cd", "6B", "100000", "CD", 0.45),
    Figure("6B: ef", "6B", "100000", "EF", 0.45),
    Figure("6C", "6C", "100000", "ABCDEF", 1.74, 6, 4, 7.65),
    Figure("6D", "6D", "100000", "ABCDEF", 1.05, 27, None, 11452),
    Figure("6E: Abef", "6E", "100000", "ABEF", 0.27, 8, 67),
    Figure("6E: whole", "6E", "100000", "ABCDEF", 0.15),
    Figure("7A", "7", "11001", "ABCDE", 1.1, 23, 13_740, 22.26),
    Figure("7B", "7", "11000", "ABCDE", 1.31, 23, 13_111, 18.55),
    Figure("7C", "7", "1100", "ABCD", 0.11, 14, 363, 3.35, (("E", 0),)),
)

COMPLEXES = {  # figure: the first ones, in order
    "1: aBC": ("C", "AB"),
    "6A": ("AB",),
    "6C": ("ABCDEF",),
    "6D": ("ABCDEF",),
    "6E: whole": ("ABEF", "CD"),
    "7A": ("ABCDE",),
    "7C": ("ABCD",),
}


RULES = {  # figure 8: values of A, B and C after the states 000, 100, 010, 110, 001, ...
    "top": ("10000111", "01100101", "00110110"),
    "middle": ("10100101", "01110100", "00110011"),
    "bottom": ("10101010", "01100110", "00011110"),
}


def rules(name: str) -> Substrate:
    return Substrate(np.array([[float(v) for v in column] for column in RULES[name]]).T)


def on(n: int) -> np.ndarray:
    """Value of each unit, (n, states)."""
    return (np.arange(2**n) >> np.arange(n)[:, None]) & 1


def coarse_graining() -> Substrate:
    """Example 1: A and B, and C and D, help each other a little and are driven by the other two together."""
    a, b, c, d = on(4)
    pairs = [(a, b, c & d), (b, a, c & d), (c, d, a & b), (d, c, a & b)]
    return Substrate(np.stack([0.05 + 0.01 * own + 0.1 * other + 0.8 * both for own, other, both in pairs], axis=1))


def black_box() -> Substrate:
    """Example 2: two boxes of four; C and G are their outputs, which reach the other box's A and B, E and F."""
    columns = []
    for first, far in ((0, 6), (4, 2)):
        a, b, c, d = on(8)[first : first + 4]
        drive = 0.01 + 0.1 * d + 0.8 * on(8)[far]
        columns += [drive + 0.01 * a + 0.05 * b, drive + 0.05 * a + 0.01 * b]
        columns += [0.01 + 0.01 * c + 0.85 * (a | b) + 0.1 * (a & b), 0.01 + 0.05 * (a + b) + 0.85 * c + 0.01 * d]
    return Substrate(np.stack(columns, axis=1))
