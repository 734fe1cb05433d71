"""Both halves of the engine's compilation run, and what they leave is what phi of a recording needs."""

import subprocess
import sys

import iitcore as iit
from pipeline.workflow import compiling


def test_the_halves_together_compile_what_batches_need(monkeypatch):
    called = []
    monkeypatch.setattr(iit, "phi_batch", lambda tpms, states, threads: called.append(("phi", tpms.shape, len(states))))
    monkeypatch.setattr(
        iit, "big_phi_batch", lambda tpms, states, threads: called.append(("big", tpms.shape, len(states)))
    )
    compiling.systems()
    compiling.structures()
    assert called == [("phi", (1, 8, 3), 8), ("big", (1, 8, 3), 8)]


def test_the_second_half_runs_as_a_module():
    assert subprocess.run([sys.executable, "-m", compiling.__name__], check=False).returncode == 0
