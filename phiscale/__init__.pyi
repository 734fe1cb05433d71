from .recordings import binarize as binarize
from .recordings import binarize_windows as binarize_windows
from .recordings import group as group
from .recordings import open_recording as open_recording
from .recordings import preprocess as preprocess
from .recordings import simulate_recording as simulate_recording
from .recordings import simulate_study as simulate_study
from .study import Results as Results
from .study import load_results as load_results
from .study import substrate_of as substrate_of
from .study import to_nwb as to_nwb
from .substrates import coarse_grain as coarse_grain
from .substrates import estimate as estimate
from .substrates import integrate as integrate
from .substrates import surrogates as surrogates
from .theory import MacroUnit as MacroUnit
from .theory import PhiStructure as PhiStructure
from .theory import Substrate as Substrate
from .theory import SubstrateError as SubstrateError
from .theory import System as System
from .theory import SystemPhi as SystemPhi
from .theory import complexes as complexes
from .theory import estimate_cost as estimate_cost
from .theory import explain as explain
from .theory import from_pyphi as from_pyphi
from .theory import macro_system as macro_system
from .theory import search_grains as search_grains
from .theory import system_phi as system_phi
from .theory import to_networkx as to_networkx
from .theory import to_pyphi as to_pyphi
from .theory import unfold as unfold
from .version import __version__ as __version__

__all__ = [
    "MacroUnit",
    "PhiStructure",
    "Results",
    "Substrate",
    "SubstrateError",
    "System",
    "SystemPhi",
    "__version__",
    "binarize",
    "binarize_windows",
    "coarse_grain",
    "complexes",
    "estimate",
    "estimate_cost",
    "explain",
    "from_pyphi",
    "group",
    "integrate",
    "load_results",
    "macro_system",
    "open_recording",
    "preprocess",
    "search_grains",
    "simulate_recording",
    "simulate_study",
    "substrate_of",
    "surrogates",
    "system_phi",
    "to_networkx",
    "to_nwb",
    "to_pyphi",
    "unfold",
]
