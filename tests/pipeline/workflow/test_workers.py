"""Jobs in processes of their own: their word comes back, their death is noticed, and many start at once."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.base.files import load
from pipeline.results.layout import Layout
from pipeline.workflow import workers
from pipeline.workflow.costs import by_stage, costs
from pipeline.workflow.job import KILLED, JobFailed
from pipeline.workflow.workers import Workers


class Named(dict[str, Any]):
    """What Snakemake calls a Namedlist, as far as it is used."""


@pytest.fixture
def forking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Workers whose server has nothing loaded, since these jobs are small."""
    monkeypatch.setattr(workers, "PRELOADED", [])
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Workers, "interrupted", threading.Event())
    made = Workers(tmp_path, forking=True)
    signal.signal(signal.SIGINT, before)
    return made


def truth(name: str) -> dict:
    return {"recording": name, "neuron_ensemble": {}, "conditions": {}}


def truth_job(on: Workers, root: Path, name: str, content: str) -> None:
    """Run the lightest of the stages on a file."""
    layout, source = Layout(root), root / f"{name}.json"
    source.write_text(content)
    files = (Named(raw=[str(source)]), Named(truth=str(layout.of("truth", name))), [layout.log("truth", name)])
    on.run("truth", files, Named(path=str(source)), Named(recording=name), 1)


def test_many_jobs_at_once_each_with_its_own_word(forking: Workers, tmp_path: Path) -> None:
    names = [f"r{i}" for i in range(12)]

    def run(name: str) -> str:
        try:
            truth_job(forking, tmp_path, name, "{broken" if name in ("r3", "r7") else json.dumps(truth(name)))
        except JobFailed as failed:
            return str(failed)
        return ""

    with ThreadPoolExecutor(4) as pool:
        words = dict(zip(names, pool.map(run, names), strict=True))
    assert {name for name, word in words.items() if word} == {"r3", "r7"}
    assert "cannot be read as JSON" in words["r3"]
    layout = Layout(tmp_path)
    assert json.loads(layout.of("truth", "r5").read_text()) == truth("r5")
    assert {json.loads(path.read_text())["recording"] for path in layout.notes()} == {"r3", "r7"}
    table = by_stage(costs(tmp_path))
    assert table.loc["truth", "jobs"] == table.loc["total", "jobs"] == 12
    assert table.loc["truth", "peak_mb"] > 10


def waiting(on: Workers, root: Path, number: int) -> tuple[str, list[dict[str, str]]]:
    """Run a job that waits for its file, send it a signal, and return the word and the notes that are left."""
    fifo = root / "pipe.json"
    os.mkfifo(fifo)
    layout = Layout(root)
    files = (Named(), Named(truth=str(layout.of("truth", "m1"))), [layout.log("truth", "m1")])

    def signalled() -> None:
        deadline, end = time.monotonic() + 60, None
        while end is None and time.monotonic() < deadline:  # it can be opened once the job reads it
            try:
                end = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.02)
        (child,) = multiprocessing.active_children()
        time.sleep(0.1)
        os.kill(child.pid, number)
        time.sleep(0.1)
        if end is not None:
            os.close(end)

    with ThreadPoolExecutor(2) as pool:
        job = pool.submit(on.run, "truth", files, Named(path=str(fifo)), Named(recording="m1"), 1)
        pool.submit(signalled).result()
        with pytest.raises(JobFailed) as failed:
            job.result(60)
    return str(failed.value), [json.loads(path.read_text()) for path in layout.notes()]


def test_a_killed_job_says_so(forking: Workers, tmp_path: Path) -> None:
    word, notes = waiting(forking, tmp_path, signal.SIGKILL)
    assert KILLED in word
    assert [(note["stage"], note["recording"], note["reason"]) for note in notes] == [("truth", "m1", KILLED)]
    assert not forking.interrupted.is_set()


def test_an_interrupted_job_leaves_no_note_and_is_remembered(forking: Workers, tmp_path: Path) -> None:
    word, notes = waiting(forking, tmp_path, signal.SIGINT)
    assert "interrupted" in word
    assert notes == []
    assert forking.interrupted.is_set()


def test_no_job_is_started_after_an_interruption_that_was_not_heard(forking: Workers, tmp_path: Path) -> None:
    """The main thread is interrupted again: it may have swallowed the first one."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        forking.interrupted.set()
        with pytest.raises(JobFailed, match="interrupted"), ThreadPoolExecutor(1) as pool:
            pool.submit(truth_job, forking, tmp_path, "m1", "{}").result()
        assert heard == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, before)
    assert not Layout(tmp_path).log("truth", "m1").exists()


def test_who_is_ending_already_is_not_interrupted_again(forking: Workers) -> None:
    with pytest.raises(KeyboardInterrupt):
        forking._interrupt(signal.SIGINT, None)
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        forking._interrupt(signal.SIGINT, None)
    assert forking.interrupted.is_set()


def test_where_the_process_is_the_job_it_runs_there(tmp_path: Path) -> None:
    alone = Workers(tmp_path, forking=False)
    truth_job(alone, tmp_path, "m1", json.dumps(truth("m1")))
    with pytest.raises(JobFailed):
        truth_job(alone, tmp_path, "m2", "{broken")
    assert signal.getsignal(signal.SIGINT) is not alone._interrupt


def test_files_go_by_name_in_plain_text() -> None:
    named = workers._named(Named(one="a.nc", many=["b.nc", "c.nc"], none=[]))
    assert named == SimpleNamespace(one="a.nc", many=["b.nc", "c.nc"], none=[])
    with pytest.raises(FileNotFoundError):
        load(named.one)


def test_everything_that_is_loaded_before_forking_can_be() -> None:
    """A stage that cannot be imported would be told by each of its jobs only."""
    import importlib

    from pipeline.workflow import preload

    for name in ("pipeline.workflow.stages.phi", *preload.LAZY):
        importlib.import_module(name)
    preload.warm()
    assert threading.active_count() == 1  # a process with threads must not fork
