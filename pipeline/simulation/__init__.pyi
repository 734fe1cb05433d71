from .detection import detect as detect
from .recordings import simulate_ensembles as simulate_ensembles
from .recordings import simulate_recording as simulate_recording
from .recordings import simulate_study as simulate_study
from .registry import SUBSTRATES as SUBSTRATES

__all__ = ["SUBSTRATES", "detect", "simulate_ensembles", "simulate_recording", "simulate_study"]
