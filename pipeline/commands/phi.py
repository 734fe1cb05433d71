"""`phiscale phi`: phi_s and the Φ-structure of a network that comes as one file."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.base.errors import PhiscaleError, Problem
from pipeline.commands.arguments import Commands

if TYPE_CHECKING:
    from iitcore import PhiStructure, Substrate, System, SystemPhi

PATIENCE = 10.0  # seconds; what is expected to take longer says so first


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "phi",
        help="integrated information of one network in one state",
        description="phi_s, and with --structure distinctions, relations and Φ, of a network.",
    )
    parser.add_argument(
        "network",
        type=Path,
        metavar="NETWORK",
        help="CSV, NPY or JSON with a state-by-unit TPM (rows little-endian, entries P(ON)), or "
        'JSON with {"weights": ...} of logistic units',
    )
    parser.add_argument(
        "--state",
        required=True,
        metavar="011",
        help="present state, one digit per unit of the network (or values with commas)",
    )
    parser.add_argument(
        "--units",
        metavar="A,B",
        help="candidate system, names or indices; the rest is background (default: all units)",
    )
    parser.add_argument(
        "--project",
        action="store_true",
        help="of a state-by-state matrix whose units are not conditionally independent, keep each unit's marginal",
    )
    parser.add_argument(
        "--formalism",
        default="2023",
        metavar="2023",
        help="version of the theory: 2023 (default), 2026 or 2026-specified (phi_s is capped)",
    )
    parser.add_argument("--structure", action="store_true", help="also unfold distinctions, relations and Φ")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Analyse the network and print the result; returns the exit status.

    Raises:
        PhiscaleError: for a network, state or choice of units that cannot be what was meant.
    """
    from iitcore import SubstrateError, system_phi  # compiled: not loaded to print a help text
    from iitcore.structure import unfold
    from pipeline.commands.network import choose_system, read_network

    network = read_network(Path(args.network), args.project)
    system, state = choose_system(network, args.state, args.units)
    _forewarn(system, "phi_s")
    try:
        analysis = system_phi(system, args.formalism)
    except SubstrateError as error:
        raise PhiscaleError(Problem("--formalism", str(error))) from None
    structure = None
    if args.structure:
        _forewarn(system, "structure")
        try:
            structure = unfold(system, formalism=args.formalism)
        except SubstrateError as error:  # too large
            fix = "leave --structure out for phi_s alone, or choose fewer --units"
            raise PhiscaleError(Problem("--structure", str(error), fix=fix)) from None
    if args.json:
        result = as_dict(str(args.network), network, state, analysis, structure)
        text = json.dumps(result, indent=2, allow_nan=False, ensure_ascii=False)
    else:
        text = "\n".join(report(network, state, system, analysis, structure))
    try:
        print(text, flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _forewarn(system: System, what: Literal["phi_s", "structure"]) -> None:
    """Say what a long analysis will take before it starts."""
    from iitcore import estimate_cost

    cost = estimate_cost(system, what)
    if cost.seconds > PATIENCE:
        print(f"phiscale: {cost}", file=sys.stderr, flush=True)


def as_dict(
    network: str,
    substrate: Substrate,
    state: Sequence[int],
    analysis: SystemPhi,
    structure: PhiStructure | None,
) -> dict[str, Any]:
    """Return everything that was computed, as plain values.

    Args:
        network: what the network is called.
        substrate: its units and TPM.
        state: value of each unit of the substrate.
        analysis: phi_s of the system.
        structure: its Φ-structure, if it was unfolded.
    """
    return {
        "network": network,
        "units": list(substrate.units),
        "state": list(state),
        "formalism": analysis.formalism,
        "system": list(analysis.labels),
        "phi_s": analysis.phi,
        "reasons": [str(reason) for reason in analysis.reasons],
        "analysis": analysis.to_dict(),
        "structure": None if structure is None else structure.to_dict(),
    }


def report(
    substrate: Substrate,
    state: Sequence[int],
    system: System,
    analysis: SystemPhi,
    structure: PhiStructure | None,
) -> Iterator[str]:
    """Yield lines of text for people.

    Args:
        substrate: units and TPM of the network.
        state: value of each unit of the substrate.
        system: the system in that state.
        analysis: its phi_s.
        structure: its Φ-structure, if it was unfolded.
    """
    outside = [i for i in range(substrate.n) if i not in system.indices]
    yield f"system     {_assigned(system.labels, system.state)}"
    if outside:
        names, values = [substrate.units[i] for i in outside], [state[i] for i in outside]
        yield f"background {_assigned(names, values)}"
    yield f"formalism  IIT 4.0, {analysis.formalism}"
    yield f"phi_s      {analysis.phi:.6g} ibits"
    for reason in analysis.reasons:
        yield f"           {reason}"
    for name, side in (("cause", analysis.cause), ("effect", analysis.effect)):
        ties = len(side.tied_states)
        yield (
            f"{name:10} {_assigned(system.labels, side.state)}  "
            f"ii {side.intrinsic_information:.6g}, phi {side.phi:.6g}"
            + ("" if side.differentiation is None else f", differentiation {side.differentiation:.6g}")
            + (f"  ({ties} tied states)" if ties > 1 else "")
        )
    if analysis.partition is not None:
        yield (f"partition  {analysis.partition}  (phi per connection {analysis.normalized_phi:.6g})")
    if structure is not None:
        yield ""
        yield from _structure(structure)


def _structure(structure: PhiStructure) -> Iterator[str]:
    from iitcore.relations import shown

    if structure.reason:
        yield f"structure  empty; {structure.reason}"
        return
    big = f"{structure.phi:.6g}" if math.isfinite(structure.phi) else f"2^{structure.log2_phi:.2f}"
    yield f"Φ          {big} ibits"
    if structure.n_tied_choices > 1:
        low, high = (f"{p:.6g}" if math.isfinite(p) else "over 2^1024" for p in structure.phi_range)
        ties = f"over {shown(structure.n_tied_choices)} tied choices"
        if structure.phi_range_exact:
            yield f"           from {low} to {high} {ties}"
        else:
            yield f"           the largest found; bounds {low} and {high} {ties}"
    relations = structure.relations
    total = relations.sum_phi
    summed = f"{total:.6g}" if math.isfinite(total) else f"2^{relations.log2_sum_phi:.2f}"
    yield f"relations  {shown(relations.count)}, phi_r {summed} in all"
    yield (
        f"distinctions {len(structure.distinctions)}, phi_d {structure.sum_phi_d:.6g} in all"
        f" ({len(structure.incongruent)} incongruent)"
    )
    for d in structure.distinctions:
        yield (
            f"  {_assigned(d.mechanism, d.state)}  phi_d {d.phi:.6g}  "
            f"cause {_assigned(d.cause.units, d.cause.state)}  "
            f"effect {_assigned(d.effect.units, d.effect.state)}"
        )


def _assigned(units: Sequence[str], values: Sequence[int]) -> str:
    return " ".join(f"{u}={v}" for u, v in zip(units, values, strict=True))
