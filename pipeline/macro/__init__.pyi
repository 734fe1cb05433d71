from .coarse import coarse_grain as coarse_grain
from .groupings import Grouping as Grouping
from .learning import learn_grouping as learn_grouping

__all__ = ["Grouping", "coarse_grain", "learn_grouping"]
