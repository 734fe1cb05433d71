"""From fluorescence to the activity of ensembles: a grouping of the neurons per recording, per subject or per study."""


rule preprocess:
    input:
        recording=LAYOUT.of("recording"),
    output:
        preprocessed=LAYOUT.of("preprocessed"),
    log:
        LAYOUT.log("preprocess"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=8000,
        runtime=20,
    params:
        preprocess=targets.section(STUDY, "preprocess"),
    message:
        "Preprocessing recording {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule shared_units:
    input:
        preprocessed=lambda wildcards: [
            LAYOUT.of("preprocessed", name)
            for name in targets.members(STUDY, wildcards.name, "preprocessed", OMIT)
        ],
    output:
        shared=LAYOUT.shared("units"),
    log:
        LAYOUT.log("shared_units", "{name}", k="{k}"),
    wildcard_constraints:
        name="|".join(SHARING) or "-",  # no name
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=16000,
        runtime=30,
    params:
        members=lambda wildcards: targets.members(
            STUDY, wildcards.name, "preprocessed", OMIT
        ),
        among=STUDY.parameters.ensembles.grouping,
        method=STUDY.parameters.ensembles.method,
        neurons=lambda wildcards: STUDY.chosen_neurons(SHARING[wildcards.name][0]),
        seed=STUDY.parameters.seed,
    message:
        "Grouping the neurons of all recordings of {wildcards.name} into {wildcards.k} ensembles"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule ensembles:
    input:
        preprocessed=LAYOUT.of("preprocessed"),
        shared=lambda wildcards: targets.shared_units(
            STUDY, wildcards.recording, wildcards.k
        ),
    output:
        ensembles=LAYOUT.of("ensembles"),
    log:
        LAYOUT.log("ensembles", k="{k}"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=8000,
        runtime=20,
    params:
        method=STUDY.parameters.ensembles.method,
        neurons=lambda wildcards: STUDY.chosen_neurons(wildcards.recording),
        seed=STUDY.parameters.seed,
    message:
        "Grouping the neurons of {wildcards.recording} into {wildcards.k} ensembles"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
