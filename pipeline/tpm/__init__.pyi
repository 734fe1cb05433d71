from .estimation import estimate as estimate
from .estimation import estimate_window as estimate_window
from .estimation import estimated_with as estimated_with
from .estimation import point_estimates as point_estimates
from .registry import ESTIMATORS as ESTIMATORS
from .registry import Estimator as Estimator
from .registry import Posterior as Posterior
from .support import largest_supported as largest_supported

__all__ = [
    "ESTIMATORS",
    "Estimator",
    "Posterior",
    "estimate",
    "estimate_window",
    "estimated_with",
    "largest_supported",
    "point_estimates",
]
