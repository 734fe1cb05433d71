"""Macro units learned from the unit TPMs, and matched random groupings."""


rule shared_macro:
    input:
        tpm=lambda wildcards: [
            LAYOUT.of("tpm", name)
            for name in targets.members(STUDY, wildcards.name, "tpm", OMIT)
        ],
    output:
        learned=LAYOUT.shared("macro"),
    log:
        LAYOUT.log("shared_macro", "{name}"),
    wildcard_constraints:
        name="|".join(SHARING) or "-",  # no name
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        members=lambda wildcards: targets.members(STUDY, wildcards.name, "tpm", OMIT),
        scales=STUDY.parameters.macro_scales,
        encoder=targets.encoder(STUDY),
        seed=STUDY.parameters.seed,
    message:
        "Learning the macro units of all recordings of {wildcards.name}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule macro:
    input:
        states=LAYOUT.of("states", k=UNITS),
        tpm=LAYOUT.of("tpm"),
        shared=lambda wildcards: targets.shared_macro(STUDY, wildcards.recording),
    output:
        macro=LAYOUT.of("macro"),
    log:
        LAYOUT.log("macro"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        scales=STUDY.parameters.macro_scales,
        grouping=STUDY.parameters.macro.grouping,
        encoder=targets.encoder(STUDY),
        cross_fit=STUDY.parameters.macro.cross_fit,
        random_groupings=STUDY.parameters.macro.random_groupings,
        seed=STUDY.parameters.seed,
    message:
        "Learning the macro units of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
