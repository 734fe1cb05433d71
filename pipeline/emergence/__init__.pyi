from . import brownian as brownian
from . import closure as closure
from . import discrete as discrete
from . import gaussian as gaussian
from . import psi as psi
from . import published as published
from . import spectrum as spectrum

__all__ = ["brownian", "closure", "discrete", "gaussian", "psi", "published", "spectrum"]
