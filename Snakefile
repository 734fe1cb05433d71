"""phiscale: from calcium-imaging recordings to a comparison of integrated information across scales and states.

snakemake --cores 2                                  the demo study (simulated recordings)
snakemake --cores 2 --config study=PATH/study.yaml   a study of yours
"""

from pathlib import Path

from snakemake.utils import min_version

import pipeline
from pipeline.workflow import targets
from pipeline.workflow.failures import failures, finish_without_failed
from pipeline.study.study import Study

min_version("9.0")

STUDY = Study.load(
    config.get("study", Path(workflow.basedir) / "config/demo/study.yaml"),
    data=config.get("data"),
)
OMIT = tuple(map(str, config.get("omit", ())))
ROOT = str(STUDY.root)
UNITS = STUDY.parameters.ensembles.iit
RULES = Path(pipeline.__file__).parent / "workflow" / "rules"


wildcard_constraints:
    recording="|".join(STUDY.names),
    window="[A-Za-z0-9][A-Za-z0-9_]*",
    system="|".join(targets.systems(STUDY)),
    k="[0-9]+",
    scale="[0-9]+",


rule all:
    default_target: True
    input:
        targets.final_targets(STUDY, OMIT),


include: RULES / "ingest.smk"
include: RULES / "preprocess.smk"
include: RULES / "ensembles.smk"
include: RULES / "binarize.smk"
include: RULES / "tpm.smk"
include: RULES / "coarse.smk"
include: RULES / "iit.smk"
include: RULES / "compare.smk"
include: RULES / "report.smk"


onerror:
    finish_without_failed(workflow, STUDY, OMIT, config)
