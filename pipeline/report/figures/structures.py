"""Φ-structures in three dimensions: distinctions tie cause and effect purviews, relations tie distinctions.

Purviews and mechanisms stand over the units that they are of, the larger the higher; causes on the left, effects on the
right, mechanisms between them (after Albantakis et al. 2023, Fig 6). What is drawn here is a view that paper shows as
it is; on the page the same elements are turned, which their corners in `data-v` are for.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from iitcore import Distinction, PhiStructure
from pipeline.base.arrays import Array, Floats
from pipeline.inference.subjects import flagged
from pipeline.inference.withheld import WORD as WITHHELD
from pipeline.report.figures.figure import Figure, Key, assembled, sample
from pipeline.report.figures.plot import Panel, data, group, marker, text
from pipeline.report.findings import Findings, StudyScale
from pipeline.report.words.glossary import number
from pipeline.results.columns import LATENTS
from pipeline.results.layout import SystemKey

IMPRECISE = "imprecise"  # the flag
MOST = 6  # recordings that are drawn
DISTINCTIONS = 40  # of a structure, those with the largest phi
EDGES, FACES, STAR = 90, 40, 4  # drawn at most; members from which a relation is a star
YAW, PITCH = -0.4, 0.42  # of the view that is drawn
SIDE = 2.1  # how far causes and effects stand from the mechanisms
WIDTH, HEIGHT, UNIT = 325.0, 330.0, 54.0  # px; of one unit of length
MIDDLE = (WIDTH / 2, HEIGHT / 2 + 14)


@dataclass(frozen=True)
class Unfolded:
    """The structure of the most visited state of a window.

    Attributes:
        recording, condition: whose window it is.
        scale: of the system.
        state: the state, a letter per unit.
        share: of the window's frames in it.
        structure: its Φ-structure, of the estimate.
        belief: what the summary says of the window's Φ: IMPRECISE, WITHHELD, or "".
    """

    recording: str
    condition: str
    scale: StudyScale
    state: str
    share: float
    structure: PhiStructure
    belief: str = ""

    @property
    def size(self) -> str:
        """Φ in words, as far as it can be believed."""
        if self.belief == WITHHELD:
            return "Φ withheld"
        return f"Φ {number(self.structure.phi)} ibit{f', {self.belief}' if self.belief else ''}"

    @property
    def counts(self) -> str:
        """How many distinctions and relations; the latter grow by factors, and are withheld with Φ."""
        relations = "" if self.belief == WITHHELD else f", {self.structure.n_relations} relations"
        return f"{self.structure.n_distinctions} distinctions{relations}"


@lru_cache(maxsize=1)
def unfolded(study: Findings) -> tuple[Unfolded, ...]:
    """Return the structures that are kept, of the most visited state of each recording, scale and condition."""
    found = []
    for recording in study.analysed[:MOST]:
        for scale in (s for s in study.scales if s.route != LATENTS and s.size > 1):
            for condition, window in study.windows_of(recording).items():
                phi = study.phi(SystemKey(recording, window, scale.route, scale.size))
                kept = None if phi is None else _most_visited(phi)
                if kept is not None:
                    found.append(Unfolded(recording, condition, scale, *kept, _belief(study, recording, window, scale)))
    return tuple(found)


def _belief(study: Findings, recording: str, window: str, scale: StudyScale) -> str:
    """What the summary says of a window's Φ."""
    of = study.summary
    own = of[(of["recording"] == recording) & (of["window"] == window) & (of["measure"] == "big_phi")]
    flags = own.loc[(own["route"] == scale.route) & (own["scale"] == scale.size), "flag"]
    return next((word for word in (WITHHELD, IMPRECISE) if flagged(flags, word).any()), "")


def _most_visited(phi: Mapping[str, Array]) -> tuple[str, float, PhiStructure] | None:
    if "structure" not in phi:
        return None
    share = phi["visits"] / max(float(phi["visits"].sum()), 1.0)
    kept = [i for i, written in enumerate(phi["structure"]) if written]
    if not kept:
        return None
    best = max(kept, key=lambda i: (share[i], -i))
    structure = PhiStructure.from_dict(json.loads(str(phi["structure"][best])))
    return "".join(map(str, structure.system_state)), float(share[best]), structure


def structures(study: Findings) -> Figure | None:
    """Draw the Φ-structure of the most visited state of each condition, side by side; None where none is kept."""
    found = unfolded(study)
    if not found:
        return None
    recordings, scales = (
        list(dict.fromkeys(names)) for names in zip(*((u.recording, str(u.scale)) for u in found), strict=True)
    )
    panels = []
    for recording, scale in itertools.product(recordings, scales):
        own = [u for u in found if u.recording == recording and str(u.scale) == scale]
        top = max((d.phi for u in own for d in u.structure.distinctions), default=1.0) or 1.0
        first = recording == recordings[0] and scale == scales[0]
        panels += [_panel(u, top, first=first) for u in own]
    picks = {"recording": {n: n for n in recordings}, "scale": {n: n for n in scales}}
    return assembled(
        study.folder,
        "structures",
        "Φ-structure of each condition's most visited state, of the estimate: where Φ is withheld, the data do not "
        "carry its size, and what is drawn is one of many that they allow. A distinction ties its cause (square, "
        "left) and its effect (circle, right) through its mechanism (triangle); marks grow with φ, alike in all "
        "conditions. Edges: purviews that overlap (2-relations); faces: three of them (3-relations); "
        f"at most {EDGES} and {FACES}, those with the largest φ. Stars: the relation of all distinctions over one "
        f"unit's state, if {STAR} or more. Drag, or turn with the arrow keys; N and P step through.",
        _alt(found),
        panels,
        keys=[
            Key("cause", sample("s"), "c1"),
            Key("effect", sample("o"), "c2"),
            Key("mechanism", sample("^"), "ik"),
            Key("2-relation", '<path class="l" d="M1 7H17"/>', "c0", "kind", "edge"),
            Key("3-relation", '<path class="a" d="M2 12L9 1L16 12Z"/>', "c5", "kind", "face"),
            Key("star", '<path class="l" d="M9 7L3 2M9 7L15 2M9 7L9 13"/>', "c3", "kind", "star"),
        ],
        picks={key: values for key, values in picks.items() if len(values) > 1},
        data=table(found),
        turns=True,
    )


def table(found: Sequence[Unfolded]) -> pd.DataFrame:
    """Return one row per distinction."""
    rows = [
        (
            *(u.recording, u.condition, str(u.scale), u.state, _named(d.mechanism, d.state)),
            *(_named(d.cause.units, d.cause.state), _named(d.effect.units, d.effect.state), d.phi),
        )
        for u in found
        for d in u.structure.distinctions
    ]
    columns = ["recording", "condition", "scale", "state", "mechanism", "cause", "effect", "phi_d"]
    return pd.DataFrame(rows, columns=columns)


def _named(units: Sequence[str], state: Sequence[int]) -> str:
    return " ".join(f"{u}={v}" for u, v in zip(units, state, strict=True))


def _alt(found: Sequence[Unfolded]) -> str:
    told = (f"{u.recording}, {u.condition}, {u.scale}: {u.counts}, {u.size}" for u in found[:12])
    return "Φ-structures. " + "; ".join(told) + "."


def _panel(own: Unfolded, top: float, *, first: bool) -> Panel:
    structure = own.structure
    chosen = sorted(structure.distinctions, key=lambda d: -d.phi)[:DISTINCTIONS]
    tags = {"recording": own.recording, "scale": str(own.scale), "condition": own.condition}
    title = f"{own.condition}: {own.size} in state {own.state}"
    counts = f"{own.counts}; {own.share:.0%} of the time"
    body = text(title, 8, 14, "t ti") + text(counts, 8, 29, "t mu")
    if not chosen:
        body += text(structure.reason or "no distinctions", WIDTH / 2, HEIGHT / 2, "t mid mu")
        return Panel(body, WIDTH, HEIGHT, title, tags, first)
    view = _View(structure.labels, chosen, top)
    body += text("causes", 8, HEIGHT - 8, "t mu") + text("effects", WIDTH - 8, HEIGHT - 8, "t end mu")
    points = ";".join(",".join(f"{v:.3f}" for v in p) for p in view.points)
    middle = f"{MIDDLE[0]:g},{MIDDLE[1]:g},{UNIT:g},{YAW},{PITCH}"
    body += f'<g class="turn" data-points="{points}" data-view="{middle}">{"".join(view.drawn())}</g>'
    return Panel(body, WIDTH, HEIGHT, f"Φ-structure, {own.recording}, {title}, {counts}", tags, first)


def projected(points: Floats, yaw: float, pitch: float) -> Floats:
    """Return where points stand in a view, px.

    Args:
        points: (point, 3): right, away, up.
        yaw: turn around the upright axis, radians.
        pitch: tilt towards the reader, radians.
    """
    x, y, z = points.T
    right = x * math.cos(yaw) - y * math.sin(yaw)
    away = x * math.sin(yaw) + y * math.cos(yaw)
    up = z * math.cos(pitch) + away * math.sin(pitch)
    return np.column_stack([MIDDLE[0] + UNIT * right, MIDDLE[1] - UNIT * up])


_ASIDE = np.array([SIDE, 0.0, 0.0])
_ABOVE = np.array([0.0, 0.0, 0.7])  # where a star stands


class _View:
    """One structure: three points per distinction (cause, mechanism, effect), then one per star.

    Args:
        labels: the system's units.
        distinctions: that are drawn.
        top: phi of the largest mark.
    """

    def __init__(self, labels: Sequence[str], distinctions: Sequence[Distinction], top: float) -> None:
        self.labels, self.distinctions, self.top = tuple(labels), distinctions, top
        n = len(labels)
        angle = 2 * np.pi * np.arange(n) / n + 0.25 * np.sin(1.7 * np.arange(n)) + 0.4
        self._ring = np.column_stack([0.7 * np.cos(angle), 0.7 * np.sin(angle)]) if n > 1 else np.zeros((1, 2))
        elements = sorted({e for d in distinctions for e in d.elements})
        bit = {e: 1 << i for i, e in enumerate(elements)}
        self.elements = elements
        self.cause = [sum(bit[e] for e in d.cause.elements) for d in distinctions]
        self.effect = [sum(bit[e] for e in d.effect.elements) for d in distinctions]
        self.density = [d.phi / max(len(d.elements), 1) for d in distinctions]
        self.stars = list(self._stars())
        corners = [point for d in distinctions for point in self._corners(d)]
        centres = [np.mean([corners[3 * i + 1] for i in members], axis=0) + _ABOVE for _, members in self.stars]
        self.points = np.array([*corners, *centres])
        self.flat = projected(self.points, YAW, PITCH)

    def drawn(self) -> Iterator[str]:
        """Yield faces, edges, stars, distinctions and their marks, the last on top."""
        relations = {kind: list(self._overlaps(size)) for kind, size in (("edge", 2), ("face", 3))}
        most = {"edge": EDGES, "face": FACES}
        for kind, style, tone in (("face", "a", "c5"), ("edge", "l", "c0")):
            largest = sorted(relations[kind], key=lambda r: (-r[0], r[1]))[: most[kind]]
            for phi, corners, overlap in largest:
                strength = (0.1 if kind == "face" else 0.15) + 0.4 * math.sqrt(min(1.0, phi / (self.top or 1.0)))
                named = " with ".join(self._purview(c) for c in corners)
                tip = f"{len(corners)}-relation, φ {number(phi)} ibit, over {overlap}: {named}"
                path = self._path(corners, style, closed=kind == "face", more=f' opacity="{strength:.2f}"')
                yield group(path, tone, tip, {"kind": kind})
        yield from self._star_marks()
        yield from self._distinction_marks()

    def _distinction_marks(self) -> Iterator[str]:
        for i in range(len(self.distinctions)):
            yield group(self._path((3 * i, 3 * i + 1, 3 * i + 2), "l pale"), "mt")
        for i, d in enumerate(self.distinctions):
            size = 3.0 + 5.0 * math.sqrt(d.phi / (self.top or 1.0))
            said = f"mechanism {_named(d.mechanism, d.state)}, φ {number(d.phi)} ibit"
            for corner, shape, tone, what in (
                (0, "s", "c1", f"cause {_purview_words(d, 'cause')} of {said}"),
                (1, "^", "ik", f"{said}: cause {_purview_words(d, 'cause')}, effect {_purview_words(d, 'effect')}"),
                (2, "o", "c2", f"effect {_purview_words(d, 'effect')} of {said}"),
            ):
                body = marker(0, 0, shape, size)
                if corner == 1 and len(d.mechanism) == 1:
                    body += text(d.mechanism[0], 0, -size - 4, "t mid halo")
                yield self._placed(3 * i + corner, group(body, tone, what))

    def _star_marks(self) -> Iterator[str]:
        first = 3 * len(self.distinctions)
        for k, (element, members) in enumerate(self.stars):
            shared = math.inf
            overlap = ~0
            for i in members:
                overlap &= self.cause[i] | self.effect[i]
                shared = min(shared, self.density[i])
            phi = overlap.bit_count() * shared
            bit = 1 << self.elements.index(element)
            legs = [(first + k, 3 * i + (0 if self.cause[i] & bit else 2)) for i in members]
            paths = "".join(self._path(leg, "l pale") for leg in legs)
            tip = f"relation of {len(members)} distinctions over {element[0]}={element[1]}, φ {number(phi)} ibit"
            tags = {"kind": "star"}
            yield group(paths, "c3", "", tags)
            yield self._placed(first + k, group(marker(0, 0, "*", 4.5), "c3", tip, tags))

    def _stars(self) -> Iterator[tuple[tuple[str, int], list[int]]]:
        """Elements that many distinctions have in their cause or effect, and these."""
        for i, element in enumerate(self.elements):
            members = [j for j in range(len(self.cause)) if (self.cause[j] | self.effect[j]) >> i & 1]
            if len(members) >= STAR:
                yield element, members

    def _overlaps(self, size: int) -> Iterator[tuple[float, tuple[int, ...], str]]:
        """Phi of the relation, corners, and what is shared, of purviews of that many distinctions that overlap."""
        for members in itertools.combinations(range(len(self.cause)), size):
            whole = ~0
            for i in members:
                whole &= self.cause[i] | self.effect[i]
            if not whole:
                continue
            phi = whole.bit_count() * min(self.density[i] for i in members)
            for sides in itertools.product((0, 2), repeat=size):
                shared = ~0
                for i, side in zip(members, sides, strict=True):
                    shared &= self.effect[i] if side else self.cause[i]
                if shared:
                    corners = tuple(3 * i + side for i, side in zip(members, sides, strict=True))
                    over = " ".join(f"{u}={v}" for b, (u, v) in enumerate(self.elements) if shared >> b & 1)
                    yield phi, corners, over

    def _corners(self, d: Distinction) -> list[Floats]:
        core = self._over(d.mechanism)
        return [
            self._over(d.cause.units) - _ASIDE + 0.16 * core,
            core,
            self._over(d.effect.units) + _ASIDE + 0.16 * core,
        ]

    def _over(self, units: Sequence[str]) -> Floats:
        """Over the middle of some units, the higher the more they are."""
        at = [self.labels.index(u) for u in units]
        n = len(self.labels)
        height = 3.0 * (len(at) - 1) / max(n - 1, 1) - 1.3
        return np.array([*(self._ring[at].mean(axis=0) * (1.25 - 0.25 * len(at) / n)), height])

    def _purview(self, corner: int) -> str:
        d, side = self.distinctions[corner // 3], "effect" if corner % 3 else "cause"
        return f"{side} {_purview_words(d, side)}"

    def _path(self, corners: Sequence[int], style: str, *, closed: bool = False, more: str = "") -> str:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in self.flat[list(corners)])
        at = data({"v": " ".join(map(str, corners))})
        return f'<path class="{style}" d="M{path}{"Z" if closed else ""}"{at}{more}/>'

    def _placed(self, corner: int, mark: str) -> str:
        x, y = self.flat[corner]
        return f'<g data-v="{corner}" transform="translate({x:.1f} {y:.1f})">{mark}</g>'


def _purview_words(d: Distinction, side: str) -> str:
    purview = d.cause if side == "cause" else d.effect
    return _named(purview.units, purview.state)
