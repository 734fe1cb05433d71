"""The substrates that a study can simulate."""

from __future__ import annotations

from pipeline.base.registry import Registry
from pipeline.simulation.chain import OneWay
from pipeline.simulation.dense import Dense
from pipeline.simulation.gates import Gates
from pipeline.simulation.independent import Independent
from pipeline.simulation.joined import Joined
from pipeline.simulation.modules import Modules
from pipeline.simulation.planted import Pairs
from pipeline.simulation.slow import Slow
from pipeline.simulation.sparse import Sparse
from pipeline.simulation.substrate import Substrate

__all__ = ["SUBSTRATES", "Substrate"]

SUBSTRATES: Registry[Substrate] = Registry(
    "substrate",
    "simulate.substrate",
    *(Pairs(), Joined(), Sparse(), Dense(), Gates(), Modules(), OneWay(), Independent(), Slow()),
)
