from .recordings import simulate_recording as simulate_recording
from .recordings import simulate_study as simulate_study

__all__ = ["simulate_recording", "simulate_study"]
