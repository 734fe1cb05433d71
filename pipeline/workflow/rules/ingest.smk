"""Recordings as they come from the lab, or simulated ones with their truth, in one layout."""


rule ingest:
    input:
        raw=lambda wildcards: targets.raw_files(STUDY, wildcards.recording),
    output:
        recording=LAYOUT.of("recording"),
    log:
        LAYOUT.log("ingest"),
    wildcard_constraints:
        recording="|".join(READ) or "-",  # no name
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        stamps=lambda wildcards: targets.stamps(STUDY, wildcards.recording),
    message:
        "Reading recording {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule simulate:
    output:
        recording=LAYOUT.of("recording"),
        truth=LAYOUT.of("truth"),
    log:
        LAYOUT.log("simulate"),
    wildcard_constraints:
        recording="|".join(SIMULATED) or "-",  # no name
    priority: plan.FIRST
    threads: 1
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        row=lambda wildcards: STUDY.row(wildcards.recording),
        windows=lambda wildcards: STUDY.sheet_of(wildcards.recording),
        conditions=STUDY.parameters.conditions,
        index=lambda wildcards: STUDY.subject_index(wildcards.recording),
        seed=STUDY.parameters.seed,
        simulate=targets.section(STUDY, "simulate"),
    message:
        "Simulating recording {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule truth:
    input:
        raw=lambda wildcards: targets.raw_files(STUDY, wildcards.recording, ("truth",)),
    output:
        truth=LAYOUT.of("truth"),
    log:
        LAYOUT.log("truth"),
    wildcard_constraints:
        recording="|".join(READ) or "-",  # no name
    threads: 1
    resources:
        mem_mb=1000,
        runtime=5,
    params:
        path=lambda wildcards: STUDY.row(wildcards.recording)["truth"],
        stamps=lambda wildcards: targets.stamps(STUDY, wildcards.recording, ("truth",)),
    message:
        "Truth of recording {wildcards.recording}"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
