from .nwb import to_nwb as to_nwb
from .reader import Results as Results
from .reader import load_results as load_results
from .reader import substrate_of as substrate_of

__all__ = ["Results", "load_results", "substrate_of", "to_nwb"]
