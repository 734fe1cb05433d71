"""Tables over all recordings: every measure with its interval and null, and the contrasts of conditions."""


rule summarise:
    input:
        phi=targets.files(STUDY, "phi", OMIT),
        nulls=targets.files(STUDY, "nulls", OMIT),
        tpm=targets.files(STUDY, "tpm", OMIT),
        encoder=targets.encoded(STUDY, OMIT),
    output:
        summary=LAYOUT.of_study("summary"),
        nulls=LAYOUT.of_study("nulls"),
        fits=LAYOUT.of_study("fits"),
        parquet=[LAYOUT.parquet(name) for name in ("summary", "nulls", "fits")],
    log:
        LAYOUT.study_log("summarise"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        confidence=STUDY.parameters.compare.confidence,
        min_row_visits=STUDY.parameters.iit.min_row_visits,
        shown=STUDY.parameters.nulls.shown,
    message:
        "Summary of every window, scale and measure"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule compare:
    input:
        summary=LAYOUT.of_study("summary"),
        nulls=LAYOUT.of_study("nulls"),
        quality=targets.files(STUDY, "quality", OMIT),
        matched=targets.matched(STUDY, OMIT),
    output:
        comparison=LAYOUT.of_study("comparison"),
        classification=LAYOUT.of_study("classification"),
        parquet=[LAYOUT.parquet(name) for name in ("comparison", "classification")],
    log:
        LAYOUT.study_log("compare"),
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        conditions=STUDY.parameters.conditions,
        contrasts=STUDY.contrasts(),
        compare=targets.section(STUDY, "compare", "contrasts", "repeats"),
        seed=STUDY.parameters.seed,
    message:
        "Contrasts between conditions"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule validate:
    input:
        summary=LAYOUT.of_study("summary"),
        truth=targets.files(STUDY, "truth", OMIT, KNOWN),
        ensembles=targets.files(STUDY, "ensembles", OMIT, KNOWN),
        macro=targets.macro(STUDY, OMIT, KNOWN),
    output:
        truth=LAYOUT.of_study("truth"),
        groupings=LAYOUT.of_study("true_groupings"),
        parquet=[LAYOUT.parquet(name) for name in ("truth", "true_groupings")],
    log:
        LAYOUT.study_log("validate"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        recordings=KNOWN,
        formalism=STUDY.parameters.iit.formalism,
    message:
        "Estimates held against what is known to be true"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)


rule halves:
    input:
        states=targets.files(STUDY, "states", OMIT),
    output:
        halves=LAYOUT.of_study("halves"),
        parquet=LAYOUT.parquet("halves"),
    log:
        LAYOUT.study_log("halves"),
    threads: 1
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        tpm=targets.section(STUDY, "tpm", "draws", "copies"),
    message:
        "First halves of windows held against second halves"
    run:
        WORKERS.run(rule, (input, output, log), params, wildcards, threads)
