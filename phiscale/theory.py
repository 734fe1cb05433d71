"""The exact engine: a substrate whose TPM is known, and what integrated information theory says of it."""

from iitcore import (
    MacroUnit,
    PhiStructure,
    Substrate,
    SubstrateError,
    System,
    SystemPhi,
    complexes,
    estimate_cost,
    explain,
    from_pyphi,
    macro_system,
    search_grains,
    system_phi,
    to_networkx,
    to_pyphi,
    unfold,
)

__all__ = [
    "MacroUnit",
    "PhiStructure",
    "Substrate",
    "SubstrateError",
    "System",
    "SystemPhi",
    "complexes",
    "estimate_cost",
    "explain",
    "from_pyphi",
    "macro_system",
    "search_grains",
    "system_phi",
    "to_networkx",
    "to_pyphi",
    "unfold",
]
