from .nwb import to_nwb as to_nwb
from .reader import Results as Results
from .reader import load_results as load_results

__all__ = ["Results", "load_results", "to_nwb"]
