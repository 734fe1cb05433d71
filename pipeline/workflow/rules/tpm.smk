"""Unit TPM of each window, with posterior draws."""


rule tpm:
    input:
        windows=LAYOUT.of("windows"),
        states=LAYOUT.of("states", k=UNITS),
    output:
        tpm=LAYOUT.of("tpm"),
    log:
        LAYOUT.log("tpm"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        tpm=targets.section(STUDY, "tpm"),
        min_frames=STUDY.parameters.binarize.min_frames,
        seed=STUDY.parameters.seed,
    message:
        "Estimating the unit TPMs of {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
