"""A study on a real Slurm: the profile as it is shipped, a killed node daemon, and the same bytes as without.

`PHISCALE_SLURM=1 pytest -m slow tests/pipeline/workflow/test_slurm.py`, as root, on a machine of its own with Debian's
slurm-wlm and munge, and the plugin: `pip install snakemake-executor-plugin-slurm`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tiny_study import write_tiny

from pipeline.commands.run import resource
from pipeline.results.layout import Layout

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "squeue")
SYSTEMS = Path("/etc/slurm/slurm.conf")  # where jobs look for it
PLUGIN = "snakemake_executor_plugin_slurm"
LACKING = [name for name in PROGRAMS if not shutil.which(name)] + [
    *([] if importlib.util.find_spec(PLUGIN) else [PLUGIN]),
    *([] if os.getuid() == 0 else ["root"]),
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("PHISCALE_SLURM" not in os.environ, reason="PHISCALE_SLURM is not set: it starts a Slurm"),
    pytest.mark.skipif(bool(LACKING), reason=f"there is no {', '.join(LACKING)}"),
]

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmdTimeout=15
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """Slurm on this machine alone, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._running = folder, dict[str, subprocess.Popen[bytes]]()
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        memory = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20 * 0.95)
        host, cores = socket.gethostname().partition(".")[0], os.cpu_count()
        settings = CONFIGURATION.format(host=host, folder=folder, cores=cores, memory=memory)
        (folder / "slurm.conf").write_text(settings)
        SYSTEMS.parent.mkdir(exist_ok=True)
        SYSTEMS.symlink_to(folder / "slurm.conf")  # refused where there is a Slurm already
        key = folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)

    def start(self) -> None:
        """Start the daemons, and wait until jobs are taken."""
        folder = self.folder
        self._start(
            "munged",
            f"--key-file={folder}/munge.key",
            f"--socket={folder}/munge.socket",
            f"--pid-file={folder}/munge.pid",
            f"--log-file={folder}/munge.log",
            f"--seed-file={folder}/munge.seed",
            "--force",
            "--foreground",
        )
        wait_for((folder / "munge.socket").exists)
        self._start("slurmctld", "-D", "-f", str(folder / "slurm.conf"))
        self.start_node()

    def _start(self, name: str, *options: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as log:
            self._running[name] = subprocess.Popen([name, *options], stdout=log, stderr=log)

    def start_node(self) -> None:
        """Start the daemon of the node, and wait until it takes jobs."""
        self._start("slurmd", "-D", "-f", str(self.folder / "slurm.conf"))
        wait_for(lambda: _node_state() in ("idle", "mix", "alloc"))

    def kill_node(self) -> None:
        """Kill the daemon of the node and what it runs."""
        self._running["slurmd"].kill()
        self._running["slurmd"].wait()

    def end(self) -> None:
        """End all daemons."""
        for process in reversed(self._running.values()):
            process.kill()
            process.wait()
        SYSTEMS.unlink(missing_ok=True)


def _node_state() -> str:
    return subprocess.run(["sinfo", "-ho", "%t"], capture_output=True, text=True, check=False).stdout.strip()


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.fixture
def slurm(tmp_path: Path) -> Iterator[Slurm]:
    made = Slurm(tmp_path / "slurm")
    try:
        made.start()
        yield made
    finally:
        made.end()


def tables(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for pattern in ("*.csv", "*/*.csv") for p in root.glob(pattern)}


def test_a_study_on_slurm_with_a_killed_node_gives_the_same_bytes(slurm: Slurm, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    command = [sys.executable, "-m", "pipeline.cli", "run", "study.yaml"]
    for folder in (here, there):
        write_tiny(folder)
    profile = yaml.safe_load(resource("profiles/slurm/config.yaml").read_text())
    profile["default-resources"] = {"slurm_partition": "main"}  # what the documentation says a site has to change
    profile |= {
        "slurm-no-account": True,
        "slurm-status-command": "squeue",
        "slurm-init-seconds-before-status-checks": 5,
    }
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "config.yaml").write_text(yaml.safe_dump(profile))
    run = subprocess.Popen([*command, "--", "--workflow-profile", str(tmp_path / "site")], cwd=there)
    layout = Layout(there / "results" / "s")
    wait_for(lambda: layout.of("preprocessed", "m1").exists(), 900)
    slurm.kill_node()
    time.sleep(20)
    slurm.start_node()
    assert run.wait(3600) == 0
    subprocess.run([*command, "-c", "2"], cwd=here, check=True)
    assert tables(layout.root) == tables(here / "results" / "s")
    assert not layout.notes()
