"""Words that the common occupancy may put beside a number."""

FLAGS = {
    "common_covers": "The common states cover less than half of the mean occupancy (the number says how much): "
    "the common-occupancy value stands for few states.",
    "no_common_states": "No state was visited in all conditions.",
    "no_micro_scale": "The micro scale of this window is missing.",
    "units_differ": "The subject's recordings hold one condition each, and their units are not the same ones "
    "(k-means ensembles of different recordings share nothing but their names e0, e1, ...): there is no common "
    "occupancy.",
}
