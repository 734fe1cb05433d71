"""Integrated information theory (IIT 4.0), computed exactly.

Every public name is imported here; modules follow the postulates in reading order.
"""

from iitcore._layout import SubstrateError
from iitcore.batch import phi_batch
from iitcore.complexes import Complex, complexes
from iitcore.information import SpecifiedState, cause_effect_states
from iitcore.partitions import SystemPartition, system_partitions
from iitcore.substrate import Substrate, System
from iitcore.system import Reason, Side, SystemPhi, system_phi

__all__ = [
    "Complex",
    "Reason",
    "Side",
    "SpecifiedState",
    "Substrate",
    "SubstrateError",
    "System",
    "SystemPartition",
    "SystemPhi",
    "cause_effect_states",
    "complexes",
    "phi_batch",
    "system_partitions",
    "system_phi",
]
