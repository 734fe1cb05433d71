"""Fixtures shared by all tests."""

import signal
from pathlib import Path

import pytest

# started by nohup, or in the background by a script, commands heed neither signal; tests send them
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    path = SHARED / name
    if not path.is_dir():
        pytest.skip(f"no folder {name!r} of reference files beside this checkout")
    return path


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """Folder with published and independently computed values."""
    return _folder("golden")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with real recordings."""
    return _folder("data")
