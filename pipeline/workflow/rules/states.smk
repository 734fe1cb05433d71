"""Activity turned into ON and OFF in the windows of a recording, and what a reader needs to judge its quality."""


rule states:
    input:
        recording=LAYOUT.of("recording"),
        codes=lambda wildcards: targets.raw_files(
            STUDY, wildcards.recording, ("state_codes",)
        ),
        preprocessed=LAYOUT.of("preprocessed"),
        ensembles=LAYOUT.of("ensembles", k=UNITS),
    output:
        windows=LAYOUT.of("windows"),
        states=LAYOUT.of("states", k=UNITS),
        quality=LAYOUT.of("quality"),
    log:
        LAYOUT.log("states"),
    threads: 1
    resources:
        mem_mb=8000,
        runtime=20,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        sheet=lambda wildcards: STUDY.sheet_of(wildcards.recording),
        state_codes=STUDY.state_codes(),
        binarize=targets.section(STUDY, "binarize"),
    message:
        "Windows and states of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
