"""Integrated information theory (IIT 4.0), computed exactly.

Every public name is imported here; modules follow the postulates in reading order.
"""

from iitcore._layout import SubstrateError
from iitcore.batch import phi_batch
from iitcore.complexes import Complex, complexes
from iitcore.cost import Cost, estimate_cost
from iitcore.distinctions import Distinction, Purview, distinctions
from iitcore.exchange import from_pyphi, to_pyphi
from iitcore.explain import Difference, Explanation, RunnerUp, diff, explain
from iitcore.formalism import FORMALISMS, Formalism
from iitcore.grain_results import Grain, GrainSearch, Grouping, Irreducibility
from iitcore.grains import is_maximally_irreducible_within, search_grains
from iitcore.graphs import Canonical, canonical, to_networkx
from iitcore.information import SpecifiedState, cause_effect_states
from iitcore.macro import MacroTPMs, derive_macro_tpm, macro_system, macro_tpms
from iitcore.macro_units import MacroUnit
from iitcore.partitions import SystemPartition, system_partitions
from iitcore.relations import Face, Relation, Relations
from iitcore.structure import PhiFold, PhiStructure, unfold
from iitcore.structure_batch import BigPhi, big_phi_batch
from iitcore.substrate import Substrate, System
from iitcore.system import Reason, Side, SystemPhi, system_phi

__all__ = [
    "FORMALISMS",
    "BigPhi",
    "Canonical",
    "Complex",
    "Cost",
    "Difference",
    "Distinction",
    "Explanation",
    "Face",
    "Formalism",
    "Grain",
    "GrainSearch",
    "Grouping",
    "Irreducibility",
    "MacroTPMs",
    "MacroUnit",
    "PhiFold",
    "PhiStructure",
    "Purview",
    "Reason",
    "Relation",
    "Relations",
    "RunnerUp",
    "Side",
    "SpecifiedState",
    "Substrate",
    "SubstrateError",
    "System",
    "SystemPartition",
    "SystemPhi",
    "big_phi_batch",
    "canonical",
    "cause_effect_states",
    "complexes",
    "derive_macro_tpm",
    "diff",
    "distinctions",
    "estimate_cost",
    "explain",
    "from_pyphi",
    "is_maximally_irreducible_within",
    "macro_system",
    "macro_tpms",
    "phi_batch",
    "search_grains",
    "system_partitions",
    "system_phi",
    "to_networkx",
    "to_pyphi",
    "unfold",
]
