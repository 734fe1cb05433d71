"""The results of a study, read back and exported."""

from pipeline.results import Results, load_results, substrate_of, to_nwb

__all__ = ["Results", "load_results", "substrate_of", "to_nwb"]
