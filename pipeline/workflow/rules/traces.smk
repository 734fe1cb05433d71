"""From fluorescence to the activity of ensembles, one grouping of the neurons per recording."""


rule preprocess:
    input:
        recording=LAYOUT.of("recording"),
    output:
        preprocessed=LAYOUT.of("preprocessed"),
    log:
        LAYOUT.log("preprocess"),
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


rule ensembles:
    input:
        preprocessed=LAYOUT.of("preprocessed"),
    output:
        ensembles=LAYOUT.of("ensembles"),
    log:
        LAYOUT.log("ensembles", k="{k}"),
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
