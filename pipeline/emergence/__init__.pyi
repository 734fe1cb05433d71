from . import brownian as brownian
from . import discrete as discrete
from . import gaussian as gaussian

__all__ = ["brownian", "discrete", "gaussian"]
