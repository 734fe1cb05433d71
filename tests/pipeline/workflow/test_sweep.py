"""What passes a check, runs: random studies of every format, method and option, taken through all of their jobs.

`python tests/pipeline/workflow/test_sweep.py SEED FIRST LAST` tells of a longer stretch of them, one in a line.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # as pytest has it

from random_studies import outcome

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SEED = int(os.environ.get("PHISCALE_SWEEP_SEED", "1"))
STUDIES, AT_ONCE, REPORTS = 30, 5, 15  # one in so many writes its report as well


@pytest.mark.parametrize("first", range(0, STUDIES, AT_ONCE))
def test_what_passes_a_check_runs(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    print(f"seed {SEED}, from {first}")
    for number in range(first, first + AT_ONCE):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        became, why = outcome(folder, SEED, number, report=number % REPORTS == 0)
        assert became != "failed", f"seed {SEED}, number {number}: {why}"


def main(seed: int, first: int, last: int) -> None:
    """Print what becomes of studies."""
    here, counted = Path.cwd(), dict.fromkeys(("ran", "refused", "failed"), 0)
    for number in range(first, last):
        folder = Path(tempfile.mkdtemp(prefix=f"sweep-{number}-"))
        became, why = outcome(folder, seed, number, report=number % REPORTS == 0)
        os.chdir(here)
        counted[became] += 1
        print(seed, number, became, why, folder if became == "failed" else "", flush=True)
        if became != "failed":
            shutil.rmtree(folder, ignore_errors=True)
    print(counted)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
