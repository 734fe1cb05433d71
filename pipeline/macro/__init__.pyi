from .coarse import How as How
from .coarse import Learned as Learned
from .coarse import Learner as Learner
from .coarse import coarse_grain as coarse_grain
from .coarse import derive as derive
from .coarse import learn as learn
from .groupings import Grouping as Grouping
from .learning import learn_grouping as learn_grouping

__all__ = ["Grouping", "How", "Learned", "Learner", "coarse_grain", "derive", "learn", "learn_grouping"]
