"""The layout: rooms in the order of the data, no import that runs up, no circle, nothing beside them at the root."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent
SCREEN = 50  # lines of a function without its docstring


def sources() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "scripts" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    """Modules of the package that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "pipeline" and len(parts) > 1 else ""


def test_the_root_holds_rooms_and_the_command_only() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "cli.py"}
    assert {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(pipeline.ROOMS)


@pytest.mark.parametrize("room", pipeline.ROOMS)
def test_imports_go_down(room: str) -> None:
    below = set(pipeline.ROOMS[: pipeline.ROOMS.index(room)])
    upward = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / room).rglob("*.py")
        for module in imported(path)
        if room_of(module) in set(pipeline.ROOMS) - below - {room}
    }
    assert not upward


def test_modules_do_not_import_each_other() -> None:
    names = {".".join(("pipeline", *path.relative_to(ROOT).with_suffix("").parts)): path for path in sources()}
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    arrows = {name: {m for m in imported(path) if m in names and m != name} for name, path in names.items()}
    while free := [name for name, targets in arrows.items() if not targets]:
        arrows = {name: targets - set(free) for name, targets in arrows.items() if name not in free}
    assert not arrows, "these import each other in a circle"


def test_a_function_fits_on_a_screen() -> None:
    long = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > SCREEN:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} {lines}")
    assert not long
