from pipeline.macro.groupings import Grouping as Grouping
from pipeline.macro.learning import learn_grouping as learn_grouping

__all__ = ["Grouping", "learn_grouping"]
