"""Unit TPM of each window, with posterior draws, by the estimator that the study names or its recordings favour."""


rule score:
    input:
        states=LAYOUT.of("states", k=UNITS),
    output:
        scores=LAYOUT.of("scores"),
    log:
        LAYOUT.log("score"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        tpm=targets.section(STUDY, "tpm", "draws", "copies", "uncertainty"),
        seed=STUDY.parameters.seed,
    message:
        "Scoring the estimators on {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule choose:
    input:
        scores=targets.files(STUDY, "scores", OMIT),
    output:
        estimator=LAYOUT.of_study("estimator"),
    log:
        LAYOUT.study_log("choose"),
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    message:
        "Choosing the estimator"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule tpm:
    input:
        windows=LAYOUT.of("windows"),
        states=LAYOUT.of("states", k=UNITS),
        estimator=LAYOUT.of_study("estimator") if targets.chooses(STUDY) else [],
    output:
        tpm=LAYOUT.of("tpm"),
    log:
        LAYOUT.log("tpm"),
    priority: plan.FIRST
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
