"""Opening a study is quick: the Snakefile opens it in every job, and `phiscale` before it does anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).resolve().parents[3] / "config" / "demo"
HEAVY = {
    *("numba", "torch", "sklearn", "scipy", "matplotlib", "xarray", "h5py", "netCDF4"),
    *("iitcore", "snakemake", "jinja2", "oasis"),
}


def test_opening_a_study_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.study import Study\n"
        f"study = Study.load(Path({str(DEMO)!r}))\n"
        "[study.window_names(name) for name in study.names]\n"
        f"print(len(study.names), sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "3 []", done.stderr
