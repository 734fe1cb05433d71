"""Compiled code on disk never outlives a change of what it calls."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import iitcore._jit

CALLEE = "from pkg._jit import compiled\n@compiled\ndef value():\n    return {}\n"
CALLER = (
    "from pkg._jit import compiled\nfrom pkg.callee import value\n"
    "@compiled\ndef call():\n    return value()\nif __name__ == '__main__':\n    print(call())\n"
)


def test_a_cached_caller_notices_its_callee_changing(tmp_path):
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(Path(iitcore._jit.__file__), package / "_jit.py")
    (package / "caller.py").write_text(CALLER)
    run = "from pkg.caller import call; print(call())"
    printed = []
    here = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}  # the cache beside the sources is meant
    for number in (1, 2):
        (package / "callee.py").write_text(CALLEE.format(number))
        done = subprocess.run(
            [sys.executable, "-c", run],
            cwd=tmp_path,
            env=here | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        printed.append(done.stdout.strip())
        assert list((package / "__pycache__").glob("caller.call*.nbi"))
    assert printed == ["1", "2"]


def test_importing_the_engine_stays_light():
    run = "import sys, iitcore; print(*{m.split('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    heavy = {"pandas", "torch", "matplotlib", "xarray", "sklearn", "pipeline"}
    assert not heavy & set(done.stdout.split())
