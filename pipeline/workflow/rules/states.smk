"""Activity turned into ON and OFF in the windows of a recording, and what a reader needs to judge its quality."""


rule lengths:
    input:
        recording=LAYOUT.of("recording"),
        codes=lambda wildcards: targets.raw_files(
            STUDY, wildcards.recording, ("state_codes",)
        ),
        ensembles=LAYOUT.of("ensembles", k=UNITS),
    output:
        lengths=LAYOUT.of("lengths"),
    log:
        LAYOUT.log("lengths"),
    wildcard_constraints:
        recording="|".join(MATCHED) or "-",  # no name
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        sheet=lambda wildcards: STUDY.sheet_of(wildcards.recording),
        state_codes=STUDY.state_codes(),
        stamps=lambda wildcards: targets.stamps(
            STUDY, wildcards.recording, ("state_codes",)
        ),
        bin_s=STUDY.parameters.binarize.bin_s,
    message:
        "Lengths of the windows of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule states:
    input:
        recording=LAYOUT.of("recording"),
        codes=lambda wildcards: targets.raw_files(
            STUDY, wildcards.recording, ("state_codes",)
        ),
        preprocessed=LAYOUT.of("preprocessed"),
        ensembles=LAYOUT.of("ensembles", k=UNITS),
        lengths=lambda wildcards: targets.files(
            STUDY, "lengths", OMIT, MATCHED.get(wildcards.recording, [])
        ),
    output:
        windows=LAYOUT.of("windows"),
        states=LAYOUT.of("states", k=UNITS),
        quality=LAYOUT.of("quality"),
    log:
        LAYOUT.log("states"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=8000,
        runtime=20,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        sheet=lambda wildcards: STUDY.sheet_of(wildcards.recording),
        state_codes=STUDY.state_codes(),
        stamps=lambda wildcards: targets.stamps(
            STUDY, wildcards.recording, ("state_codes",)
        ),
        binarize=targets.section(STUDY, "binarize"),
    message:
        "Windows and states of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
