"""Learned hierarchies of multiscale variables, where a study asks for them."""


rule encode:
    input:
        ensembles=LAYOUT.of("ensembles", k=targets.encoder_units(STUDY)),
        windows=LAYOUT.of("windows"),
    output:
        encoder=LAYOUT.of("encoder"),
    log:
        LAYOUT.log("encode"),
    threads: 1
    resources:
        mem_mb=8000,
        runtime=720,
    params:
        encoder=targets.section(STUDY, "encoder", "units"),
        seed=STUDY.parameters.seed,
    message:
        "Learning the hierarchy of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
