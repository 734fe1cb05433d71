from pipeline.encoder.hierarchy import Hierarchy as Hierarchy
from pipeline.encoder.training import Trained as Trained
from pipeline.encoder.training import train as train
from pipeline.macro.groupings import Grouping as Grouping
from pipeline.macro.learning import learn_grouping as learn_grouping

__all__ = ["Grouping", "Hierarchy", "Trained", "learn_grouping", "train"]
