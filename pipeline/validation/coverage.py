"""The cells of the validation, run one by one or several at once, each to one row of a table.

    python -m pipeline.validation.coverage --small
    python -m pipeline.validation.coverage --full --jobs 8

Rows that a table has are not computed again: a run that was stopped is gone on with by the same command. What a row
holds depends on its cell alone. `python -m pipeline.validation.page` makes the page of the tables.
"""

from __future__ import annotations

import argparse
import csv
import fcntl
import io
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from pipeline.validation.cells import COMMON, GIVEN, KEY, STUDIES, TRUE_MODEL, Cell, Effort, measured

RESULTS = Path("results") / "validation"
REDUCIBLE = ("modules", "chain", "independent", "slow", "telegraph", "ar1", "drift")
INTEGRATED = ("sparse, integrated", "dense, integrated", "gates, integrated", "awake", "anesthesia")
IDEAL = ("sparse", "dense", "gates", *INTEGRATED, "modules", "chain")
PLANTED = ("awake", "anesthesia")


@dataclass(frozen=True)
class Block:
    """Cells that differ in what is crossed here, and in their seeds.

    Attributes:
        study: of `cells.STUDIES`.
        cases: substrates, or questions.
        lengths: steps of the substrate.
        imaging: ways to see it.
        estimators: ways to estimate.
        seeds: recordings (or groups) of each.
    """

    study: str
    cases: tuple[str, ...]
    lengths: tuple[int, ...]
    imaging: tuple[str, ...]
    estimators: tuple[str, ...]
    seeds: int

    def cells(self) -> Iterator[Cell]:
        """Yield the cells, all of one seed before the next: a run that is stopped has some of each."""
        for seed in range(self.seeds):
            for case in self.cases:
                for length in self.lengths:
                    for imaging in self.imaging:
                        for estimator in self.estimators:
                            yield Cell(self.study, case, length, imaging, estimator, seed)


@dataclass(frozen=True)
class Setting:
    """A validation.

    Attributes:
        effort: how much is computed of each recording.
        blocks: what is run.
    """

    effort: Effort
    blocks: tuple[Block, ...]


CHAIN = ("10 Hz", "10 Hz, noise × 4", "3 Hz", "30 Hz")
SETTINGS = {
    "small": Setting(
        Effort(draws=200, copies=20, big_phi_draws=40, surrogates=19),
        (
            Block("coverage", IDEAL, (2000,), (GIVEN,), ("average",), 20),
            Block("coverage", ("awake", "gates, integrated", "chain"), (500,), (GIVEN,), ("average",), 20),
            Block("reference", IDEAL, (2000,), (GIVEN,), (TRUE_MODEL,), 20),
            Block("nulls", REDUCIBLE, (2000,), (GIVEN,), ("average",), 20),
            Block("groupings", ("awake",), (500, 2000), (GIVEN,), ("average",), 20),
            Block("cohorts", ("power", "nothing"), (2000,), (GIVEN,), ("average",), 20),
            Block("coverage", PLANTED, (2000,), CHAIN[:3], ("latent", "average"), 20),
        ),
    ),
    "full": Setting(
        Effort(draws=400, copies=40, big_phi_draws=200, surrogates=39),
        (
            Block("coverage", IDEAL, (1000, 2000, 3000), (GIVEN,), ("average", "logistic"), 100),
            Block("reference", IDEAL, (1000, 2000, 3000), (GIVEN,), (TRUE_MODEL,), 100),
            Block("nulls", REDUCIBLE, (2000,), (GIVEN,), ("average",), 200),
            Block("groupings", ("awake", "dense"), (500, 1000, 2000, 4000), (GIVEN,), ("average", "logistic"), 100),
            Block("groupings", ("awake",), (2000,), CHAIN, ("latent", "average"), 40),
            Block("cohorts", ("power", "nothing", "detection", "drive"), (2000,), (GIVEN,), ("average",), 100),
            Block("cohorts", ("power", "nothing", "detection"), (2000,), ("10 Hz",), ("latent",), 40),
            Block("coverage", (*PLANTED, "chain"), (2000,), CHAIN, ("latent", "average"), 40),
        ),
    ),
}


def rows_of(path: Path, study: str) -> list[dict[str, str]]:
    """Return the rows of a table, each cell once; a line that was cut off is left out.

    Args:
        path: of the table; there may be none.
        study: whose it is.
    """
    if not path.exists():
        return []
    columns = columns_of(study)
    with path.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.reader(file) if len(line) == len(columns) and tuple(line) != columns]
    rows = {tuple(line[: len(KEY)]): dict(zip(columns, line, strict=True)) for line in reversed(lines)}
    return list(reversed(rows.values()))


def columns_of(study: str) -> tuple[str, ...]:
    """Return the columns of a study's table."""
    return (*KEY, *STUDIES[study].columns, *COMMON)


def append(path: Path, study: str, row: dict[str, Any]) -> None:
    """Add a row to a table that other processes may be adding to.

    Args:
        path: of the table; it is made where there is none.
        study: whose it is.
        row: its values by column.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        before, text = file.read(), io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not before:
            writer.writerow(columns_of(study))
        writer.writerow([_written(row[name]) for name in columns_of(study)])
        cut = before and not before.endswith("\n")  # a process was killed while it wrote
        file.write("\n" * bool(cut) + text.getvalue())


def _written(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value


def missing(cells: Iterable[Cell], folder: Path) -> list[Cell]:
    """Return the cells that have no row yet.

    Args:
        cells: that are wanted.
        folder: of the tables.
    """
    there = {
        (study, *(row[name] for name in KEY)) for study in STUDIES for row in rows_of(folder / f"{study}.csv", study)
    }
    return [c for c in cells if (c.study, *(str(getattr(c, name)) for name in KEY)) not in there]


def run(cells: Sequence[Cell], effort: Effort, folder: Path, jobs: int = 1, minutes: float | None = None) -> int:
    """Compute the rows of the cells that have none.

    Args:
        cells: in the order in which they are begun.
        effort: how much is computed of each.
        folder: of the tables.
        jobs: processes.
        minutes: after which none is begun any more [min].

    Returns:
        How many rows were added.
    """
    todo, end = missing(cells, folder), time.monotonic() + 60 * minutes if minutes is not None else float("inf")
    due = (cell for cell in todo if time.monotonic() < end)
    done = 0
    for cell, row in _rows(due, effort, jobs):
        append(folder / f"{cell.study}.csv", cell.study, row)
        done += 1
    return done


def _rows(cells: Iterator[Cell], effort: Effort, jobs: int) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Yield cells with their rows as they come."""
    if jobs == 1:
        yield from ((cell, measured(cell, effort)) for cell in cells)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        pending: dict[Future[dict[str, Any]], Cell] = {}
        while True:
            pending |= {pool.submit(measured, cell, effort): cell for cell in islice(cells, jobs - len(pending))}
            if not pending:
                return
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                yield pending.pop(future), future.result()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a setting.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.validation.coverage", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    for name in SETTINGS:
        size.add_argument(f"--{name}", dest="size", action="store_const", const=name)
    parser.set_defaults(size="small")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--minutes", type=float, help="begin nothing after this time [min]")
    parser.add_argument("--seeds", type=int, help="recordings of each cell, at most")
    parser.add_argument("--cases", nargs="+", help="only these substrates or questions")
    parser.add_argument("--imaging", nargs="+", help="only these")
    parser.add_argument("--estimators", nargs="+", help="only these")
    parser.add_argument("--out", type=Path, help=f"folder of the tables; by default {RESULTS}/small or full")
    parser.add_argument("studies", nargs="*", default=[], help=f"of {', '.join(STUDIES)}; by default all")
    given = parser.parse_args(arguments)
    setting = SETTINGS[given.size]
    wanted = [cell for block in setting.blocks for cell in block.cells() if _is_wanted(cell, given)]
    folder = given.out or RESULTS / given.size
    done = run(wanted, setting.effort, folder, given.jobs, given.minutes)
    print(f"{done} rows added, {len(missing(wanted, folder))} of {len(wanted)} missing: {folder}")


def _is_wanted(cell: Cell, given: argparse.Namespace) -> bool:
    of = {"case": given.cases, "imaging": given.imaging, "estimator": given.estimators, "study": given.studies}
    return all(not names or getattr(cell, name) in names for name, names in of.items()) and (
        given.seeds is None or cell.seed < given.seeds
    )


if __name__ == "__main__":
    main()
