"""Figures of Albantakis et al. 2023 (PLoS Comput Biol 19: e1011465): weights, states and published numbers.

Logistic units with k = 4 (Eq. 60); weights[i][j] from unit i to unit j, in steps that the figures give. Numbers stand
as printed, most of them cut to two decimals. Φ depends on a choice where purviews tie; the paper takes one that is not
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
