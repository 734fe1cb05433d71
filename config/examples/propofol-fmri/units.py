"""How many units the runs can carry: how well phi_s of 2, 3 and 4 units comes again in the other half of a run.

python config/examples/propofol-fmri/units.py FOLDER_OF_THE_RUNS
"""

import sys
from pathlib import Path

import pandas as pd

from pipeline.binarize.states import binarize_windows
from pipeline.ingest import open_recording
from pipeline.ingest.windows import table
from pipeline.study import Study
from pipeline.traces import preprocess
from pipeline.traces.ensembles import group_as
from pipeline.traces.shared import share_units
from pipeline.validation.halves import reliability, split_halves

METHODS = ("average", "logistic")


def main(data: str) -> None:
    """Print the reliability of each number of units and estimator."""
    study = Study.load(Path(__file__).parent, data)
    p = study.parameters
    opened = {name: open_recording(study.row(name)) for name in study.names}
    runs = {name: preprocess(recording, **p.preprocess.model_dump()) for name, recording in opened.items()}
    found = []
    for n_units in (2, 3, 4):
        method, grouping = p.ensembles.method, p.ensembles.grouping
        shared = share_units(
            list(runs.values()), n_ensembles=n_units, method=method, among=grouping, name=p.study, seed=p.seed
        )
        states = [
            binarize_windows(
                group_as(run, shared),
                table(study.row(name), study.sheet_of(name), opened[name], {}),
                **p.binarize.model_dump(),
            )
            for name, run in runs.items()
        ]
        for estimator in METHODS:
            told = reliability(split_halves(states, method=estimator, lag=p.tpm.lag))
            found.append(told.assign(estimator=estimator))
    print(pd.concat(found).query("measure == 'phi_s'").round(4).to_string(index=False))


if __name__ == "__main__":
    main(sys.argv[1])
