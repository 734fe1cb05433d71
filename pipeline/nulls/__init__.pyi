from .draw import least_shift as least_shift
from .draw import surrogate_runs as surrogate_runs
from .draw import surrogates as surrogates

__all__ = ["least_shift", "surrogate_runs", "surrogates"]
