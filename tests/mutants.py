"""Which small changes of a module its tests do not notice: `python tests/mutants.py MODULE TESTS SEED COUNT`.

A change is one comparison, sum, product, connective or number that becomes another. Each is written over the module,
in a copy of the checkout that is given up afterwards, and the tests are run until one fails. What no test notices is
printed: a test is lacking, or the change makes no difference, which has to be argued.
"""

from __future__ import annotations

import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
LONGEST_S = 900.0
OTHERS: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div},
    **{ast.And: ast.Or, ast.Or: ast.And, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
}


def places(tree: ast.Module) -> list[tuple[ast.AST, str, int]]:
    """Return what can be changed: the node, its field, and the place in that field."""
    found: list[tuple[ast.AST, str, int]] = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Compare):
                found += [(node, "ops", i) for i, op in enumerate(node.ops) if type(op) in OTHERS]
            elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in OTHERS:
                found.append((node, "op", 0))
            elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
                found.append((node, "value", 0))
    return found


def mutant(source: str, number: int) -> tuple[str, str]:
    """Return the source with one change, and what it is."""
    tree = ast.parse(source)
    node, field, i = places(tree)[number]
    before = ast.unparse(node)
    if field == "value":
        node.value = node.value + 1  # type: ignore[attr-defined]
    elif field == "ops":
        node.ops[i] = OTHERS[type(node.ops[i])]()  # type: ignore[attr-defined]
    else:
        node.op = OTHERS[type(node.op)]()  # type: ignore[attr-defined]
    line = getattr(node, "lineno", 0)
    return ast.unparse(tree), f"line {line}: {before} -> {ast.unparse(node)}"


def main(module: str, tests: str, seed: int, count: int) -> None:
    """Print each change and whether a test notices it."""
    source = (ROOT / module).read_text()
    numbers = random.Random(seed).sample(range(len(places(ast.parse(source)))), count)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "results", "build"))
        survived = 0
        for number in sorted(numbers):
            changed, what = mutant(source, number)
            (copy / module).write_text(changed)
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", tests]
            environment = {**os.environ, "PYTHONPATH": str(copy)}
            try:
                done = subprocess.run(
                    command, cwd=copy, env=environment, capture_output=True, timeout=LONGEST_S, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                done = 1
            survived += done == 0
            print("noticed " if done else "SURVIVED", f"{module} {what}", flush=True)
    print(f"{survived} of {count} survived")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
