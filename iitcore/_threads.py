"""Threads over independent systems; compiled code runs in them without the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from iitcore._numbers import limit

_SERIAL = 16  # systems below which starting threads costs more than it saves


def in_threads(work: Callable[[int, int], None], count: int, threads: int | None = None) -> None:
    """Run work(start, stop) over 0..count in contiguous pieces, on several threads.

    Args:
        work: called with the first item of a piece and the one after its last.
        count: number of items.
        threads: how many; None for all cores this process may use.
    """
    workers = limit(threads, "threads") or available_threads()
    if workers == 1 or count < _SERIAL:
        work(0, count)
        return
    edges = np.linspace(0, count, min(count, 8 * workers) + 1).astype(int).tolist()
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, edges[:-1], edges[1:]))


def available_threads() -> int:
    """Cores this process may use: its affinity, or OMP_NUM_THREADS where that is less."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(cores or 1, int(limit) if limit.isdigit() and int(limit) else 1 << 16))
