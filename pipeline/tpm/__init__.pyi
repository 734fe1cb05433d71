from .estimation import estimate as estimate
from .estimation import estimate_window as estimate_window
from .estimation import largest_supported as largest_supported
from .estimation import point_estimates as point_estimates

__all__ = ["estimate", "estimate_window", "largest_supported", "point_estimates"]
