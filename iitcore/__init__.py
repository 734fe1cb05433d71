"""Integrated information theory (IIT 4.0), computed exactly.

Every public name is imported here; modules follow the postulates in reading order.
"""

from iitcore._layout import SubstrateError
from iitcore.substrate import Substrate, System

__all__ = ["Substrate", "SubstrateError", "System"]
