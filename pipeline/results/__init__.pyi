from .reader import Results as Results
from .reader import load_results as load_results

__all__ = ["Results", "load_results"]
