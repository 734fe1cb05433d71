"""Substrates and results as a notebook shows them: tables in HTML, and figures (an extra: matplotlib).

Colours are Okabe and Ito's, which are told apart with every common form of colour blindness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from iitcore._arrays import Floats
from iitcore._layout import SubstrateError
from iitcore.relations import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from iitcore.distinctions import Distinction
    from iitcore.structure import PhiStructure
    from iitcore.substrate import Substrate
    from iitcore.system import SystemPhi

_MOST_ROWS = 32  # of a table in a notebook
_MOST_DISTINCTIONS = 64  # in a figure
_LINE = 9  # characters
_CAUSE, _EFFECT, _INK = "#D55E00", "#0072B2", "#5b6570"


def of_substrate(substrate: Substrate) -> str:
    """The TPM as a table: a row for each state, a column for the probability that each unit is ON.

    Args:
        substrate: any; of units with more values the columns are the values of each unit.
    """
    heads, values = _columns(substrate)
    rows = [[_state(substrate, i), *(_shaded(p) for p in row)] for i, row in enumerate(values[:_MOST_ROWS].tolist())]
    more = len(values) - len(rows)
    title = f"Substrate of {substrate.n} units, {substrate.n_states} states: P(ON at t + 1), given the state at t"
    return _block(title, _table(["state", *map(escape, heads)], rows, more))


def of_system_phi(analysis: SystemPhi) -> str:
    """phi_s, both sides and the minimum partition.

    Args:
        analysis: result of `system_phi`.
    """
    title = f"φ<sub>s</sub> = {analysis.phi:.4g} ibits, {escape(_named(analysis.labels, analysis.state))}"
    sides = [
        [name, "".join(map(str, side.state)), _number(side.phi), _number(side.intrinsic_information)]
        for name, side in (("cause", analysis.cause), ("effect", analysis.effect))
    ]
    found = _table(["", "state specified", "φ [ibit]", "intrinsic information [ibit]"], sides)
    why = "; ".join(map(str, analysis.reasons)) or f"minimum partition {analysis.partition}"
    return _block(title, found + f"<p>{escape(why)}</p>")


def of_structure(structure: PhiStructure) -> str:
    """Φ, and a row for each distinction.

    Args:
        structure: result of `unfold`.
    """
    phi = f"{structure.phi:.4g}" if math.isfinite(structure.phi) else f"2^{structure.log2_phi:.2f}"
    where = escape(_named(structure.labels, structure.system_state))
    title = (
        f"Φ = {phi} ibits, {where}: {structure.n_distinctions} distinctions, {shown(structure.n_relations)} relations"
    )
    if structure.reason:
        return _block(title, f"<p>{escape(structure.reason)}</p>")
    ranked = sorted(structure.distinctions, key=lambda d: -d.phi)
    rows = [
        [
            escape(_named(d.mechanism, d.state)),
            _number(d.phi),
            escape(_named(d.cause.units, d.cause.state)),
            escape(_named(d.effect.units, d.effect.state)),
        ]
        for d in ranked[:_MOST_ROWS]
    ]
    found = _table(["mechanism", "φ<sub>d</sub> [ibit]", "cause", "effect"], rows, len(ranked) - len(rows))
    sums = f"Σφ<sub>d</sub> = {structure.sum_phi_d:.4g}, Σφ<sub>r</sub> = {structure.sum_phi_r:.4g} ibits"
    return _block(title, found + f"<p>{sums}</p>")


def plot_substrate(substrate: Substrate, axes: Axes | None = None) -> Axes:
    """The TPM as a picture: a row for each state, a column for each unit.

    Args:
        substrate: any; of units with more values the columns are the values of each unit.
        axes: to draw on; new ones by default.

    Returns:
        The axes.

    Raises:
        SubstrateError: matplotlib is not installed.
    """
    heads, values = _columns(substrate)
    if axes is None:
        size = (1.8 + 0.45 * len(heads), min(1.2 + 0.22 * len(values), 9.0))
        axes = _figure(*size).add_subplot()
    image = axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    step = max(1, len(values) // _MOST_ROWS)
    ticks = range(0, len(values), step)
    axes.set_yticks(ticks, [_state(substrate, i) for i in ticks], family="monospace")
    axes.set_xticks(range(len(heads)), heads)
    axes.set(xlabel="unit at t + 1", ylabel=f"state at t ({','.join(substrate.units)})")
    axes.figure.colorbar(image, ax=axes, label="P(ON)")
    return axes


def plot_structure(structure: PhiStructure, figure: Figure | None = None) -> Figure:
    """The structure, flat: each mechanism between its cause and its effect, and the relations of every two.

    Args:
        structure: result of `unfold`; of more than 64 distinctions those with the largest phi are drawn.
        figure: to draw on; a new one by default.

    Returns:
        The figure, of two panels. Left: widths are the phi of causes and effects. Right: phi of the relation of two
        distinctions; on the diagonal, of a distinction's cause with its own effect.

    Raises:
        SubstrateError: matplotlib is not installed, or there is no distinction.
    """
    drawn = sorted(structure.distinctions, key=lambda d: (-d.phi, len(d.mechanism), d.mechanism))[:_MOST_DISTINCTIONS]
    if not drawn:
        raise SubstrateError(f"nothing to draw: the structure has no distinctions ({structure.reason or 'none found'})")
    figure = _figure(11.0, 1.6 + 0.24 * len(drawn)) if figure is None else figure
    left, right = figure.subplots(1, 2, width_ratios=(1.7, 1))
    _draw_distinctions(left, drawn)
    _draw_relations(right, structure, drawn)
    left.set_title(f"Φ = {structure.phi:.3g} ibits in {_named(structure.labels, structure.system_state)}", loc="left")
    return figure


def _draw_distinctions(axes: Axes, drawn: Sequence[Distinction]) -> None:
    """A line for each distinction: cause, mechanism, effect; places are counted in characters."""
    most = max(max(d.cause.phi, d.effect.phi) for d in drawn)
    middle = [f"{_named(d.mechanism, d.state)}  {d.phi:.2g}" for d in drawn]
    near = max(map(len, middle)) / 2 + 1
    far = near + _LINE
    outer = max(len(_named(p.units, p.state)) for d in drawn for p in (d.cause, d.effect))
    look: dict[str, Any] = {"family": "monospace", "fontsize": 7.5, "va": "center"}
    for row, (d, text) in enumerate(zip(drawn, middle, strict=True)):
        axes.text(0, row, text, ha="center", **look)
        for side, purview, colour in ((-1, d.cause, _CAUSE), (1, d.effect, _EFFECT)):
            axes.plot([side * near, side * far], [row, row], color=colour, lw=0.5 + 6 * purview.phi / most, alpha=0.6)
            name = _named(purview.units, purview.state)
            axes.text(side * (far + 1), row, name, ha="left" if side > 0 else "right", **look)
    edge = far + outer + 2
    axes.set(xlim=(-edge, edge), ylim=(len(drawn) - 0.4, -0.6), yticks=[])
    axes.set_xticks([-far - 3, 0, far + 3], ["cause", "mechanism, φd [ibit]", "effect"])
    for name in ("left", "right", "top"):
        axes.spines[name].set_visible(False)


def _draw_relations(axes: Axes, structure: PhiStructure, drawn: Sequence[Distinction]) -> None:
    """Draw phi of the relations of two distinctions, as a matrix."""
    place = {d.mechanism: i for i, d in enumerate(drawn)}
    values: Floats = np.full((len(drawn),) * 2, np.nan)
    for relation in structure.relations.enumerate(2):
        at = [place.get(mechanism) for mechanism in relation.mechanisms]
        if all(i is not None for i in at):
            values[at[0], at[-1]] = values[at[-1], at[0]] = relation.phi
    image = axes.imshow(values, cmap="viridis", vmin=0, interpolation="nearest")
    names = [",".join(d.mechanism) for d in drawn]
    small: dict[str, Any] = {"fontsize": 8 if len(names) <= 16 else 6}
    axes.set_xticks(range(len(names)), names, rotation=90, **small)
    axes.set_yticks(range(len(names)), names, **small)
    axes.set_title(f"{shown(structure.n_relations)} relations; those of two:", loc="left")
    axes.figure.colorbar(image, ax=axes, label="φr [ibit]", shrink=0.8)


def _figure(width: float, height: float) -> Figure:
    """A figure of pyplot, so that a notebook shows it."""
    try:
        from matplotlib import pyplot
    except ImportError:
        raise SubstrateError("a figure needs matplotlib, which is not installed: pip install matplotlib") from None
    return pyplot.figure(figsize=(width, height), layout="constrained")


def _columns(substrate: Substrate) -> tuple[list[str], Floats]:
    """Heads and values of the TPM's columns."""
    if set(substrate.alphabet) == {2}:
        return list(substrate.units), substrate.tpm
    heads = [f"{u}={v}" for u, k in zip(substrate.units, substrate.alphabet, strict=True) for v in range(k)]
    return heads, substrate.packed


def _state(substrate: Substrate, index: int) -> str:
    """Values of all units in a state, first unit first."""
    values = []
    for k in substrate.alphabet:
        index, value = divmod(index, k)
        values.append(str(value))
    return "".join(values)


def _named(units: Sequence[str], state: Sequence[int]) -> str:
    return ", ".join(f"{u}={v}" for u, v in zip(units, state, strict=True))


def _number(value: float) -> str:
    return f"{value:.4g}"


def _shaded(p: float) -> str:
    """A cell whose bar says how large a probability is, in light and dark themes alike."""
    bar = f"linear-gradient(to right, rgba(0,114,178,.35) {100 * p:.0f}%, transparent {100 * p:.0f}%)"
    return f'<span style="display:block;background:{bar}">{p:.3f}</span>'


def _table(heads: Iterable[str], rows: Iterable[Sequence[Any]], more: int = 0) -> str:
    """HTML of a table; what is passed is HTML already."""
    lines = ["<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>" + "".join(lines) + "</table>" + (f"<p>and {more} more</p>" if more else "")


def _block(title: str, content: str) -> str:
    return f"<div><p><strong>{title}</strong></p>{content}</div>"
