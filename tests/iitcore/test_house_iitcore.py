"""The library's own layout: what it imports, how long a function may be, an example for what is public."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import iitcore

ROOT = Path(iitcore.__file__).parent
SOURCES = sorted(ROOT.glob("*.py"))
SCREEN = 50  # lines of a function without its docstring
LONG = {  # compiled, one pass over shared counters: cut in two they would pass ten arrays to each other
    "_kernels.condition",
    "_mechanism_partitions._cheapest",
}
MAY_IMPORT = {"iitcore", "matplotlib", "networkx", "numba", "numpy", "pandas", *sys.stdlib_module_names}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_it_knows_nothing_of_recordings(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not {module.split(".")[0] for module in imported(tree)} - MAY_IMPORT
    at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    later = {"matplotlib", "networkx", "pandas"} & {module for node in at_once for module in imported(node)}
    assert not later, "import it where it is used"


def test_a_function_fits_on_a_screen() -> None:
    long = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                if body and (body[-1].end_lineno or 0) - body[0].lineno + 1 > SCREEN:
                    long.add(f"{path.stem}.{node.name}")
    assert long == LONG


def functions() -> list[str]:
    return [name for name in iitcore.__all__ if inspect.isfunction(getattr(iitcore, name))]


@pytest.mark.parametrize("name", [*functions(), "Substrate", "MacroUnit"])
def test_what_is_public_shows_an_example(name: str) -> None:
    doc = inspect.getdoc(getattr(iitcore, name)) or ""
    assert ">>> " in doc, "a runnable example says more than a description"


@pytest.mark.parametrize("name", functions())
def test_what_is_public_says_what_it_takes(name: str) -> None:
    function = getattr(iitcore, name)
    doc = inspect.getdoc(function) or ""
    for argument in inspect.signature(function).parameters:
        assert f"    {argument}: " in doc, f"{name}: argument {argument} has no description"
