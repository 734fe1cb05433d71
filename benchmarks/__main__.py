"""`python -m benchmarks`: measure every case in a process of its own, print and write the table."""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

Results = dict[str, dict[int, dict[str, float]]]
DOCS = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
TITLES = {
    "phi_s": "phi_s of the whole lattice, one state",
    "complexes": "All complexes of the lattice, one state",
    "structure": "Φ-structure with relations (`unfold`)",
    "structure_on": "Φ-structure of the lattice with all units ON",
    "structure_random": "Φ-structure of uniform random probabilities",
    "zero": "phi_s = 0: uniform random probabilities, with the reason",
    "rules": "phi_s of random deterministic rules with errors of 1%",
    "parity": "phi_s where every unit is the parity of all (2^(n-1) tied causes)",
    "identical": "phi_s where all units weigh alike and half are ON (all balanced states tie, on both sides)",
    "alike": "Φ-structure of identical majority units (everything ties)",
    "jacobians": "Jacobians of a learned map at 10,000 samples; the value is how many times longer one by one takes",
}


def measure(name: str, n: int, limit: float) -> dict[str, float]:
    """One case in a fresh process, so that its peak memory is its own."""
    command = [sys.executable, "-m", "benchmarks", "--case", name, str(n)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        print(f"{name} n={n}: over {limit:.0f} s", file=sys.stderr)
        return {}
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{name} n={n} failed:\n{error.stderr}") from None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run_case(name: str, n: int) -> None:
    """Child process: measure and print as JSON. Memory above that of the imported library."""
    from benchmarks.cases import CASES

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = CASES[name][0](n)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({**result, "mebibytes": after / 1024, "added": (after - before) / 1024}))


def machine() -> str:
    """The machine in general terms."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"{cores} cores ({model}), {platform.system()}, Python {platform.python_version()}, "
        f"numpy {version('numpy')}, numba {version('numba')}"
    )


def growth(sizes: dict[int, dict[str, float]], least: float = 1e-3) -> str:
    """Factor per added unit, fitted to the sizes that take more than a millisecond."""
    known = {n: r["seconds"] for n, r in sizes.items() if r and r["seconds"] >= least}
    if len(known) < 3:
        return "not fitted (fewer than three sizes take over a millisecond)"
    slope = np.polyfit(list(known), np.log(list(known.values())), 1)[0]
    return f"×{np.exp(slope):.2f} per added unit (fitted over n = {min(known)} to {max(known)})"


def seconds(value: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def report(results: Results) -> str:
    """The whole page as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Lattices: dense logistic networks (k = 4), weights drawn from",
        "N(0.08, 0.03) with one ring of 0.7 through all units, in a state with phi_s > 0; then",
        "families that are hard for the search. Seconds of CPU time (of all threads together), best",
        "of several runs after a first one; compiled code comes from the on-disk cache. Memory is",
        "the peak of the whole process, in brackets what the case added to the imported library, of",
        "which some 65 MiB are compiled code.",
        "Times on a shared machine are noisy; the ratio to enumeration is taken in one process and",
        "depends less on it.",
        "",
        f"Machine: {machine()}.",
        "",
        "| what | units | CPU time | peak memory | value |",
        "|---|---|---|---|---|",
    ]
    for name, title in TITLES.items():
        for n, r in results.get(name, {}).items():
            if r:
                memory = f"{r['mebibytes']:.0f} MiB (+{r['added']:.0f})"
                lines.append(f"| {title} | {n} | {seconds(r['seconds'])} | {memory} | {r['value']:.6g} |")
            else:
                lines.append(f"| {title} | {n} | over the time limit | | |")
    lines += ["", "Growth:", ""]
    lines += [f"- {t}: {growth(results[k])}" for k, t in TITLES.items() if k in results]
    return "\n".join([*lines, *small_systems(results), *against_enumeration(results), *hierarchies(results)]) + "\n"


def small_systems(results: Results) -> list[str]:
    rows = [f"| {n} | {r['per_second']:,.0f} | {r['value']:.0%} |" for n, r in results.get("batch", {}).items()]
    return [
        "",
        "## Many small systems (`phi_batch`, all cores)",
        "",
        "Draws of the lattice's weights × random states; the share with phi_s > 0 is given.",
        "",
        "| units | systems per second | phi_s > 0 |",
        "|---|---|---|",
        *rows,
    ]


def against_enumeration(results: Results) -> list[str]:
    rows = [
        f"| {n} | {r['tried']:,.0f} | {seconds(r['seconds'])} | "
        f"{seconds(r['exhaustive_seconds'])} | {r['ratio']:,.0f} |"
        for n, r in results.get("enumeration", {}).items()
    ]
    return [
        "",
        "## Against trying every partition",
        "",
        "Minimum partition of the same tables, by the search and by a compiled enumerator of all",
        "directional partitions, in one process on one core.",
        "",
        "| units | partitions | search | enumeration | ratio |",
        "|---|---|---|---|---|",
        *rows,
    ]


def hierarchies(results: Results) -> list[str]:
    steps = [
        f"- A step of stage 1 of mode `published` ({n} units, all scales, batch 512): {seconds(r['seconds'])}; written "
        f"as usual, with masks and scale by scale: {seconds(r['masked_seconds'])} (ratio {r['ratio']:.2g})."
        for n, r in results.get("published_step", {}).items()
    ]
    windows = [
        f"- One window of {n} units and 1,000 frames (`calibrated`, both stages, all scales) with its causal power: "
        f"{seconds(r['seconds'])}. Held-out L1 error of its decoded predictions {r['error']:.3f}, of 2,000 steps of "
        f"mode `published` {r['published_error']:.3f}."
        for n, r in results.get("hierarchy_window", {}).items()
    ]
    return ["", "## Learned hierarchies (CPU time, all threads)", "", *steps, *windows]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--case", nargs=2, metavar=("NAME", "N"), help="measure one case")
    parser.add_argument("--only", nargs="*", help="names of cases; all by default")
    parser.add_argument("--limit", type=float, default=900, help="seconds per case")
    parser.add_argument("--output", type=Path, default=DOCS)
    arguments = parser.parse_args()
    if arguments.case:
        run_case(arguments.case[0], int(arguments.case[1]))
        return
    from benchmarks.cases import CASES

    results: Results = {}
    for name, (_, sizes) in CASES.items():
        if arguments.only and name not in arguments.only:
            continue
        for n in sizes:
            results.setdefault(name, {})[n] = r = measure(name, n, arguments.limit)
            print(name, n, {k: float(f"{v:.4g}") for k, v in r.items()}, flush=True)
    page = report(results)
    print(page)
    temporary = arguments.output.with_suffix(".tmp")
    temporary.write_text(page)
    temporary.replace(arguments.output)


main()
