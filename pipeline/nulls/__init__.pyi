from .draw import draw as draw
from .draw import surrogates as surrogates
from .drawn import Surrogates as Surrogates
from .interaction import least_shift as least_shift
from .registry import FAMILIES as FAMILIES
from .registry import NULLS as NULLS
from .registry import RANDOM_GROUPING as RANDOM_GROUPING
from .registry import Null as Null
from .traces import Traces as Traces

__all__ = ["FAMILIES", "NULLS", "RANDOM_GROUPING", "Null", "Surrogates", "Traces", "draw", "least_shift", "surrogates"]
