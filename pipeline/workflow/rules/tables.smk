"""Tables over all recordings: every measure with its interval and null, and the contrasts of conditions."""


rule summarise:
    input:
        phi=targets.files(STUDY, "phi", OMIT),
        nulls=targets.files(STUDY, "nulls", OMIT),
    output:
        summary=LAYOUT.of_study("summary"),
        nulls=LAYOUT.of_study("nulls"),
        parquet=[LAYOUT.parquet("summary"), LAYOUT.parquet("nulls")],
    log:
        LAYOUT.study_log("summarise"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        confidence=STUDY.parameters.compare.confidence,
    message:
        "Summary of every window, scale and measure"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule compare:
    input:
        summary=LAYOUT.of_study("summary"),
    output:
        comparison=LAYOUT.of_study("comparison"),
        parquet=LAYOUT.parquet("comparison"),
    log:
        LAYOUT.study_log("compare"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        conditions=STUDY.parameters.conditions,
        contrasts=STUDY.contrasts(),
        compare=targets.section(STUDY, "compare", "contrasts"),
        seed=STUDY.parameters.seed,
    message:
        "Contrasts between conditions"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
