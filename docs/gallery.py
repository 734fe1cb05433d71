"""Draw the pictures of the gallery anew: `python docs/gallery.py NAME=RESULTS ...`, from the results of real runs.

NAME is demo, grain, sleep or propofol; the page says by which command each folder of results was made. The picture of
the report itself is taken by chromium.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

import phiscale

FOLDER = Path(__file__).resolve().parent / "gallery"


def values(results: phiscale.Results) -> Figure:
    """phi_s of every window, by scale and condition."""
    return results.plot("phi_s")


def tpm(results: phiscale.Results) -> Figure:
    """The TPM of the first window awake."""
    axes = results.substrate(results.systems[0].recording, "awake", "micro-4").plot()
    figure: Figure = axes.figure
    return figure


def structure(results: phiscale.Results) -> Figure:
    """The Φ-structure of its units when all are OFF, the state that is visited most."""
    return results.structure(results.systems[0].recording, "awake", "micro-4", "0000").plot()


PICTURES = {
    "sleep": {"values": values},
    "propofol": {"values": values},
    "grain": {"values": values},
    "demo": {"values": values, "tpm": tpm, "structure": structure},
}


def report(page: Path, picture: Path) -> None:
    """What is seen of a report when it is opened."""
    look = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,860")
    command = ["chromium", *look, f"--screenshot={picture}", page.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True)


def main(arguments: list[str]) -> None:
    """Draw the pictures of the folders that are named."""
    mpl.use("Agg")
    FOLDER.mkdir(exist_ok=True)
    for argument in arguments:
        name, _, folder = argument.partition("=")
        results = phiscale.load_results(folder)
        for what, draw in PICTURES[name].items():
            path = FOLDER / f"{name}-{what}.png"
            draw(results).savefig(path, dpi=110, metadata={"Software": "phiscale"})
            print(path)
        if name == "demo":
            report(Path(folder) / "report.html", FOLDER / "demo-report.png")


if __name__ == "__main__":
    main(sys.argv[1:])
