import json

import pytest


@pytest.fixture(scope="session")
def exact(golden_dir) -> dict:
    """Cases of known value, by name."""
    cases = json.loads((golden_dir / "emergence.json").read_text())["exact"]
    return {case["id"]: case for case in cases}
