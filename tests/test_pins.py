"""What is pinned: its licence is one that allows what ours does, as the packages say themselves."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FREE = re.compile(
    r"MIT(-CMU)?|BSD|0BSD|BSL-1\.0|Apache|ISC|PSF-2\.0|Python Software Foundation|MPL|Mozilla|CC0|Zlib|Public Domain"
)
# not free to combine: of which nothing is imported unless somebody installs the extra
EXTRAS = {"oasis-deconv": "GPL-3.0, the extra `deconvolution`"}
# their metadata name none; MIT by the LICENSE in their repositories
UNNAMED = {"conda-inject", *(f"snakemake-interface-{of}" for of in ("common", "logger-plugins", "report-plugins"))}
UNNAMED |= {"snakemake-interface-scheduler-plugins", "snakemake-interface-storage-plugins"}


def licence(name: str) -> str:
    """Return what a package that is installed says of its licence; empty where it says nothing."""
    told = importlib.metadata.metadata(name)
    classified = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier", []) if one.startswith("License ::")]
    return told.get("License-Expression") or " OR ".join(classified) or (told.get("License") or "").partition("\n")[0]


def test_what_is_pinned_may_be_used_with_this() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.partition("==")[0].strip() for line in lines if "==" in line and not line.startswith("#")]
    installed = {one.metadata["Name"].lower() for one in importlib.metadata.distributions()}
    found = {name: licence(name) for name in pins if name.lower() in installed}
    assert len(found) > 50
    others = {name: said for name, said in found.items() if not FREE.search(said)}
    assert set(others) <= {*EXTRAS, *UNNAMED}, others


def test_pins_are_exact() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    assert [line for line in lines if not re.fullmatch(r"[\w.\-]+==[\w.+!]+( *;.*)?( *#.*)?", line)] == []
