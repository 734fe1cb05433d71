"""Macro units learned from the unit TPMs, and matched random groupings."""


rule macro:
    input:
        states=LAYOUT.of("states", k=UNITS),
        tpm=LAYOUT.of("tpm"),
    output:
        macro=LAYOUT.of("macro"),
    log:
        LAYOUT.log("macro"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scales=STUDY.parameters.macro.scales,
        grouping=STUDY.parameters.macro.grouping,
        encoder=targets.section(
            STUDY, "macro", "scales", "grouping", "random_groupings", "cross_fit"
        ),
        cross_fit=STUDY.parameters.macro.cross_fit,
        random_groupings=STUDY.parameters.macro.random_groupings,
        seed=STUDY.parameters.seed,
    message:
        "Learning the macro units of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
