"""phiscale: from calcium-imaging recordings to a comparison of integrated information across scales and states.

snakemake --cores 2                                  the demo study (simulated recordings)
snakemake --cores 2 --config study=PATH/study.yaml   a study of yours
"""

from pathlib import Path

from snakemake.logging import logger
from snakemake.settings.types import ExecMode
from snakemake.utils import min_version

import pipeline
from pipeline.workflow import lock, multiverse, plan, progress, targets
from pipeline.workflow.failures import Asked, finish_without_failed, marks
from pipeline.workflow.workers import Workers

min_version("9.0")

STUDY = multiverse.study_of(
    config, default=Path(workflow.basedir) / "config/demo/study.yaml"
)
OMIT = tuple(map(str, config.get("omit", ())))
LAYOUT = STUDY.layout
UNITS = STUDY.parameters.ensembles.iit
SIMULATED = targets.simulated(STUDY)
ON_TRACES = targets.nulls_on_traces(STUDY)
KNOWN = [n for n in targets.known(STUDY) if not {n, f"{n}:truth"} & set(OMIT)]
TABLES = (
    *("summary", "nulls", "fits", "halves", "comparison", "classification"),
    *("truth", "true_groupings"),
)
SHARING = targets.sharing(STUDY)
MATCHED = targets.matched_with(STUDY)
READ = [name for name in STUDY.names if name not in SIMULATED]
WORKERS = Workers(STUDY.root, workflow.exec_mode == ExecMode.DEFAULT, STUDY.elsewhere)
BEFORE = marks(LAYOUT)
RULES = Path(pipeline.__file__).parent / "workflow" / "rules"


wildcard_constraints:
    recording="|".join(STUDY.names),
    k="[0-9]+",


rule all:
    default_target: True
    input:
        [LAYOUT.of_study(name) for name in (*TABLES, "page", "provenance")],
        targets.detection(STUDY, OMIT),
        targets.multiscale(STUDY),


include: RULES / "ingest.smk"
include: RULES / "traces.smk"
include: RULES / "states.smk"
include: RULES / "tpm.smk"
include: RULES / "macro.smk"
include: RULES / "encoder.smk"
include: RULES / "phi.smk"
include: RULES / "tables.smk"
include: RULES / "report.smk"


if progress.asked():
    progress.quieten(logger)


onstart:
    lock.take(STUDY.root)
    progress.follow(workflow, logger, plan.job_seconds(STUDY))


onsuccess:
    progress.end(logger)


onerror:
    progress.end(logger)
    finish_without_failed(
        workflow, STUDY, OMIT, config, WORKERS.interrupted.is_set(), BEFORE
    )
